//! A source that reads an object store, and the source's costs.

use crate::scene::{Output, Scene};
use std::fs;

/// The settings of a source that reads a store.
pub fn settings(plugin: &str, paths: &[&str], grants: &[&str], store: &str) -> String {
    format!(
        "[sources.aws]\nplugin = \"{plugin}\"\npaths = {paths:?}\ngrants = {grants:?}\n[sources.aws.store]\ncache = \"objects\"\n{store}\n\
         [tags.team]\nsynonyms = [\"team_name\"]\nfold_values = true\nvalues = {{ pay = \"payments\" }}\n"
    )
}

pub fn run(scene: &Scene, environment: &[(&str, &str)]) -> Output {
    scene.run_with(&["run"], environment)
}

/// Asserts that the source fails with this code and these words, and the run goes on.
pub fn gap(scene: &Scene, environment: &[(&str, &str)], code: &str, words: &str) -> Output {
    let output = run(scene, environment).fails_with(3, "N101", words);
    assert!(
        output.stderr.starts_with(&format!("warning: {code}: ")),
        "no {code} in\n{}",
        output.stderr
    );
    output
}

/// The costs of each team by month.
pub fn costs(scene: &Scene) -> String {
    scene.run("costs --format csv").expect(0).stdout
}

/// The costs of the same bill, read from a folder.
pub fn expected() -> String {
    costs(&Scene::after_run())
}

pub fn objects(scene: &Scene) -> usize {
    fs::read_dir(scene.path("objects")).map_or(0, Iterator::count)
}

pub const CUR_HEADER: &str = "lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/ProductCode,lineItem/CurrencyCode,lineItem/UnblendedCost\n";

pub fn cur(rows: &[(&str, &str)]) -> String {
    let rows: String = rows
        .iter()
        .map(|(day, cost)| format!("11,Usage,{day}T00:00:00Z,AmazonEC2,USD,{cost}\n"))
        .collect();
    format!("{CUR_HEADER}{rows}")
}

pub fn total(scene: &Scene) -> String {
    let costs = scene.run("costs --granularity total --format json").expect(0).json();
    costs["costs"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["cost"]["amount"].as_str().unwrap_or("?").to_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first report has 10 and 20, and the second one has 10 and 25. The run posts the difference
/// of one day, and the older files count no more.
pub fn provisional_then_final(
    write: &dyn Fn(&str, &[u8]),
    scene: &Scene,
    environment: &[(&str, &str)],
) {
    let month = "cur/report/20260301-20260401";
    let manifest =
        |assembly: &str| format!("{{\"reportKeys\": [\"{month}/{assembly}/report-1.csv\"]}}");
    write(
        &format!("{month}/one/report-1.csv"),
        cur(&[("2026-03-01", "10"), ("2026-03-02", "20")]).as_bytes(),
    );
    write(&format!("{month}/report-Manifest.json"), manifest("one").as_bytes());
    run(scene, environment).expect(0).says("2 charges, 0 set aside; 2 days new");
    assert_eq!(total(scene), "30.000000000");
    write(
        &format!("{month}/two/report-1.csv"),
        cur(&[("2026-03-01", "10"), ("2026-03-02", "25")]).as_bytes(),
    );
    write(&format!("{month}/report-Manifest.json"), manifest("two").as_bytes());
    let output = run(scene, environment)
        .expect(0)
        .says("2 charges, 0 set aside; 0 days new, 1 changed, 1 unchanged");
    let left_out = format!("{month}/one: no manifest of its period names it");
    assert!(output.stdout.contains(&left_out), "{}", output.stdout);
    assert_eq!(total(scene), "35.000000000");
}
