//! Words and names in all files.

use crate::{expect_none, files, root, shown};
use std::path::Path;

const TOP_LEVEL: &[&str] = &[
    ".ci",
    ".git",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "deny.toml",
    "examples",
    "host",
    "plugin-sdk",
    "plugins",
    "rules",
    "rustfmt.toml",
    "target",
    "tests",
];

fn texts() -> Vec<(String, String)> {
    let readable = |path: &Path| std::fs::read_to_string(path).ok().map(|text| (shown(path), text));
    files(&root())
        .iter()
        .filter(|path| !path.ends_with("Cargo.lock"))
        .filter_map(|path| readable(path))
        .collect()
}

#[test]
fn the_top_level_is_fixed() {
    let entries = std::fs::read_dir(root()).expect("the project's root").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    expect_none("top level", names.filter(|name| !TOP_LEVEL.contains(&name.as_str())).collect());
}

#[test]
fn no_machine_and_no_registry_is_named() {
    // Written in halves, so that this file does not contain the banned words.
    let banned = [
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        (".libr", "ary"),
        ("crates", ".io"),
        ("pypi", ".org"),
        ("npmjs", ".com"),
        ("deb.deb", "ian.org"),
    ];
    let mut findings = Vec::new();
    for (name, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            for (left, right) in banned {
                if line.contains(&format!("{left}{right}")) {
                    findings.push(format!("{name}:{}: names `{left}{right}`", number + 1));
                }
            }
        }
    }
    expect_none("names of machines and registries", findings);
}

#[test]
fn folders_and_files_have_names_that_say_something() {
    let banned = [
        "utils", "util", "helpers", "helper", "common", "misc", "core", "types", "manager", "new",
        "v2", "final",
    ];
    let stem = |name: &str| {
        Path::new(name)
            .file_stem()
            .map(|stem| stem.to_string_lossy().to_lowercase())
            .unwrap_or_default()
    };
    let paths = files(&root());
    let findings = paths.iter().map(|path| shown(path)).filter(|name| {
        Path::new(name)
            .components()
            .any(|part| banned.contains(&stem(&part.as_os_str().to_string_lossy()).as_str()))
    });
    // `rule new` and `plugin new` are commands, and WIT's `types` is the interface's own name.
    expect_none(
        "names",
        findings.filter(|name| !name.contains("/command/") && !name.ends_with(".wit")).collect(),
    );
}

#[test]
fn every_rule_has_cases_and_a_doc() {
    let mut findings = Vec::new();
    for path in files(&root().join("rules"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rhai"))
    {
        if !path.with_extension("cases.toml").exists() {
            findings.push(format!("{} has no cases", shown(&path)));
        }
        if !std::fs::read_to_string(&path).unwrap_or_default().starts_with("//!") {
            findings.push(format!("{} does not say what it is for", shown(&path)));
        }
    }
    expect_none("rules", findings);
}

#[test]
fn text_ends_its_lines_and_nothing_more() {
    let mut findings = Vec::new();
    for (name, text) in texts() {
        if name.contains("/fixtures/")
            || name.contains("/testdata/")
            || !(name.ends_with(".rs") || name.ends_with(".md") || name.ends_with(".toml"))
        {
            continue;
        }
        if let Some(number) = text.lines().position(|line| line != line.trim_end()) {
            findings.push(format!("{name}:{}: blanks at the end of the line", number + 1));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            findings.push(format!("{name}: the last line has no end"));
        }
    }
    expect_none("white space", findings);
}
