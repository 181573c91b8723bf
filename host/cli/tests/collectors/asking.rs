#![allow(dead_code, reason = "each test needs other parts")]
//! A source that asks a server of the test's own, and what of it is in the ledger.

use crate::scene::{Output, Scene};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub const SECRET: &str = "s3cret-of-the-test";

/// The folder of real answers; `None` where there is none, which only a person's machine may have.
#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
pub fn data() -> Option<PathBuf> {
    if let Ok(folder) = Path::new("../../../shared/data").canonicalize() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the real answers are missing");
    println!("skipped: there are no real answers beside the project");
    None
}

pub fn expected(data: &Path, data_set: &str) -> Value {
    serde_json::from_str(
        &fs::read_to_string(data.join(format!("expected/{data_set}.json")))
            .expect("what is expected"),
    )
    .expect("JSON")
}

/// A source that may ask one server anything, with secrets for it.
pub struct Source<'a> {
    pub plugin: &'a str,
    pub url: String,
    pub config: String,
    pub slots: &'a [&'a str],
    /// The first day that is asked for.
    pub since: &'a str,
}

impl Source<'_> {
    fn section(&self, name: &str) -> String {
        let Source { plugin, url, config, slots, since } = self;
        let mut text = format!(
            "[sources.{name}]\nplugin = \"{plugin}\"\ngrants = [\"http\"]\nsince = \"{since}\"\nconfig = {{ {config} }}\n\
             [sources.{name}.http]\nallow = [\"GET {url}/\", \"POST {url}/\"]\nnetworks = [\"127.0.0.0/8\"]\nretries = 1\n"
        );
        for slot in *slots {
            text.push_str(&format!(
                "[sources.{name}.secrets.{slot}]\nenv = \"API_SECRET\"\nfor = [\"{url}/\"]\n"
            ));
        }
        text
    }
}

const HEAD: &str = "dimensions = [\"service_name\", \"sub_account_id\", \"charge_category\", \"sku_id\", \"resource_id\"]\n[limits]\nsources_at_once = 64\n";

/// Runs with the secrets in the environment, which no output may repeat.
pub fn run(scene: &Scene, exit: i32) -> Output {
    let output = scene.run_with(&["run", "--format", "json"], &[("API_SECRET", SECRET)]);
    assert!(
        !output.stdout.contains(SECRET) && !output.stderr.contains(SECRET),
        "{}\n{}",
        output.stdout,
        output.stderr
    );
    output.expect(exit)
}

/// One run of a source that asks a server, and its report.
pub fn collect(source: &Source, exit: i32) -> (Scene, Value) {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", &format!("{HEAD}{}", source.section("api")));
    let report = run(&scene, exit).json();
    (scene, report["sources"][0].clone())
}

/// A source that fails, and what is said of it.
pub struct Failing<'a> {
    pub source: Source<'a>,
    pub code: &'a str,
    pub words: &'a str,
}

/// One run of sources that all fail: what is said of each, and that nothing is posted. One run, because sources wait beside
/// each other before they are tried again.
pub fn fail(cases: &[Failing]) {
    let scene = Scene::with_rules();
    let sections: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| case.source.section(&format!("s{number:02}")))
        .collect();
    scene.write("apportion.toml", &format!("{HEAD}{}", sections.concat()));
    let report = run(&scene, 3).json();
    for (number, Failing { source, code, words }) in cases.iter().enumerate() {
        let reported = &report["sources"][number];
        let said = reported["failure"].to_string();
        assert!(
            said.contains(&format!("\"{code}\"")) && said.contains(words),
            "{} {}: neither {code} nor '{words}' in\n{said}",
            source.plugin,
            source.config
        );
    }
    let costs = scene
        .run("costs --granularity total --format json --group-by service_name")
        .expect(0)
        .json();
    assert_eq!(costs["rows"], Value::Array(Vec::new()));
}

/// Costs by the values of a group, in nanos; what has no value stands under the empty text.
pub fn grouped(scene: &Scene, group: &str) -> BTreeMap<String, i128> {
    let costs = scene
        .run_with(
            &["costs", "--granularity", "total", "--format", "json", "--group-by", group],
            &[],
        )
        .expect(0)
        .json();
    let rows = costs["rows"].as_array().expect("rows").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    rows.iter()
        .map(|row| (text(&row["group"][group]), nanos(&text(&row["cost"]["amount"]))))
        .collect()
}

/// The nearest nano.
pub fn nanos(text: &str) -> i128 {
    domain::decimal::parse_nanos(text.as_bytes()).expect("a decimal").expect("not too large")
}

/// Compares the whole exactly and groups to the nano.
pub fn compare(
    scene: &Scene,
    source: &Value,
    expected: &Value,
    metric: &str,
    groups: &[(&str, &str)],
) {
    let what = expected["dataset"].as_str().expect("a name");
    assert_eq!(source["charges"], expected["rows"], "{what}");
    assert_eq!(source["set_aside"], 0, "{what}");
    let (currency, totals) =
        expected["totals"].as_object().and_then(|totals| totals.iter().next()).expect("totals");
    let total = &source["totals"][0];
    assert_eq!(total["currency"], currency.as_str(), "{what}");
    let exact = |text: &str| domain::decimal::parse(text.as_bytes()).expect("a decimal");
    for ours in ["billed_cost", "effective_cost"] {
        let (ours, theirs) =
            (total[ours].as_str().expect("text"), totals[metric].as_str().expect("text"));
        assert_eq!(exact(ours), exact(theirs), "{what}");
    }
    for (group, column) in groups {
        let ours = grouped(scene, group);
        let theirs = expected["by"][column]
            .get(currency)
            .or_else(|| expected["by_tag"][column].get(currency));
        let theirs =
            theirs.and_then(Value::as_object).unwrap_or_else(|| panic!("{what} has no {column}"));
        for (value, totals) in theirs {
            let value = if value == "__null__" { "" } else { value.as_str() };
            let theirs = nanos(totals[metric].as_str().expect("text"));
            // What is nothing may have no line.
            assert_eq!(
                ours.get(value).copied().unwrap_or(0),
                theirs,
                "{what} by {column}: {value}"
            );
        }
        assert_eq!(
            ours.values().sum::<i128>(),
            nanos(totals[metric].as_str().expect("text")),
            "{what} by {column}"
        );
    }
}
