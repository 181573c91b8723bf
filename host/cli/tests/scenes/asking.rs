//! A source that asks a server of the test, and the source's costs in the ledger.

use crate::scene::{Output, Scene};
use serde_json::Value;
use std::collections::BTreeMap;

pub const SECRET: &str = "s3cret-of-the-test";

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
    pub fn section(&self, name: &str) -> String {
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

pub const HEAD: &str = "dimensions = [\"service_name\", \"sub_account_id\", \"charge_category\", \"sku_id\", \"resource_id\"]\n[limits]\nsources_at_once = 64\n";

/// Runs the sources with the secret in the environment. No output may repeat it.
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

/// Costs by the values of a group, in nanos. Costs without a value stand under the empty text.
pub fn grouped(scene: &Scene, group: &str) -> BTreeMap<String, i128> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    scene
        .cost_rows(group)
        .iter()
        .map(|row| (text(&row["keys"][group]), nanos(&text(&row["cost"]["amount"]))))
        .collect()
}

/// An amount, rounded to the nearest nano.
pub fn nanos(text: &str) -> i128 {
    domain::decimal::parse_nanos(text.as_bytes()).expect("a decimal").expect("not too large")
}
