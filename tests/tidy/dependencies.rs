//! Checks the rules of `deny.toml` for dependencies without any tool: licences, sources, versions.
//! Advisories need their database; `cargo deny check` asks it where it is installed.

use crate::{expect_none, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The packages that a build of a workspace uses on this machine.
fn packages(manifest: &str) -> Vec<Value> {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc");
    let about = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("a platform");
    let cargo = std::env::var_os("CARGO").expect("cargo runs tests");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host, "--manifest-path"])
        .arg(root().join(manifest))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // The graph has the packages that are built; the list has those of other platforms too.
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let used: BTreeSet<String> =
        nodes.iter().filter_map(|node| Some(node["id"].as_str()?.to_owned())).collect();
    let Value::Array(all) = metadata["packages"].take() else { panic!("no packages") };
    all.into_iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id)))
        .collect()
}

fn all_packages() -> Vec<Value> {
    let mut all = packages("Cargo.toml");
    all.extend(packages("plugins/Cargo.toml"));
    assert!(all.len() > 200, "only {} packages were found", all.len());
    all
}

fn name(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or("?").to_owned();
    format!("{} {}", text("name"), text("version"))
}

/// Whether an expression of licences is met by the allowed ones. `OR` binds less than `AND`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let (is_met, rest) = either(&words, allowed);
    is_met && rest.is_empty()
}

fn either<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut is_met, mut rest) = both(words, allowed);
    while let ["OR", more @ ..] = rest {
        let (next, after) = both(more, allowed);
        (is_met, rest) = (is_met || next, after);
    }
    (is_met, rest)
}

fn both<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut is_met, mut rest) = one(words, allowed);
    while let ["AND", more @ ..] = rest {
        let (next, after) = one(more, allowed);
        (is_met, rest) = (is_met && next, after);
    }
    (is_met, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => match either(inside, allowed) {
            (is_met, [")", rest @ ..]) => (is_met, rest),
            (_, rest) => (false, rest),
        },
        [licence, "WITH", exception, rest @ ..] => {
            (allowed.contains(&format!("{licence} WITH {exception}")), rest)
        }
        // A `+` allows later versions of a licence too.
        [licence, rest @ ..] => (allowed.contains(licence.trim_end_matches('+')), rest),
        [] => (false, &[]),
    }
}

#[test]
fn expressions_of_licences_are_understood() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    let met = |expression| is_allowed(expression, &allowed);
    assert!(met("MIT") && met("GPL-3.0 OR MIT") && met("MIT/GPL-3.0") && met("MIT AND ISC"));
    assert!(met("(GPL-3.0 OR MIT) AND ISC") && met("Apache-2.0 WITH LLVM-exception"));
    assert!(!met("GPL-3.0") && !met("MIT AND GPL-3.0") && !met("Apache-2.0") && !met("(MIT"));
    assert!(!met("GPL-3.0 OR (MIT AND GPL-2.0)") && !met(""));
}

#[test]
fn licences_are_those_that_are_allowed() {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let deny: toml::Table = text.parse().expect("TOML");
    let texts = |list: &toml::Value| -> BTreeSet<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|licence| Some(licence.as_str()?.to_owned())).collect()
    };
    let allowed = texts(&deny["licenses"]["allow"]);
    let exceptions = deny["licenses"]["exceptions"].as_array().expect("a list");
    let allowed_for = |package: &Value| {
        let mine =
            |exception: &&toml::Value| exception["crate"].as_str() == package["name"].as_str();
        let more = exceptions.iter().filter(mine).flat_map(|exception| texts(&exception["allow"]));
        allowed.iter().cloned().chain(more).collect()
    };
    let findings = all_packages().into_iter().filter(|package| !package["source"].is_null());
    let findings = findings
        .filter(|package| {
            !is_allowed(package["license"].as_str().unwrap_or_default(), &allowed_for(package))
        })
        .map(|package| format!("{}: {}", name(&package), package["license"]));
    expect_none("licences that deny.toml does not allow", findings.collect());
}

#[test]
fn packages_come_from_one_registry_with_a_version() {
    let mut findings = Vec::new();
    let mut registries = BTreeSet::new();
    for package in all_packages() {
        match package["source"].as_str() {
            Some(source) if source.starts_with("registry+") || source.starts_with("sparse+") => {
                registries.insert(source.to_owned());
            }
            Some(source) => findings.push(format!("{} comes from {source}", name(&package))),
            // A package of ours. Its dependencies have a version, or a path inside the project.
            None => {
                let needs = package["dependencies"].as_array().into_iter().flatten();
                let wild = needs.filter(|need| need["req"] == "*" && need["path"].is_null());
                findings.extend(wild.map(|need| format!("{}: {} *", name(&package), need["name"])));
            }
        }
    }
    assert_eq!(registries.len(), 1, "{registries:?}");
    expect_none("sources and versions", findings);
}
