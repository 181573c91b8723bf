//! Sources that fail, and the message of each.

use crate::scene::Scene;
use crate::scenes::asking::{HEAD, Source, run};
use serde_json::Value;

/// A source that fails, with the code and the words of its message.
pub struct Failing<'a> {
    pub source: Source<'a>,
    pub code: &'a str,
    pub words: &'a str,
}

/// Runs sources that all fail. Checks the message of each, and that nothing is posted. They share
/// one run, because they wait at the same time before they are tried again.
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
    assert_eq!(costs["costs"], Value::Array(Vec::new()));
}
