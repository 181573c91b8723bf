//! Real bills, if they are there: what they add up to is computed elsewhere, and read from beside them.

use crate::scene::{Output, Scene};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const DATA_SETS: [&str; 5] = ["focus_1_0_sample_1000", "focus_1_2_aws", "focus_1_2_azure", "focus_1_3_gcp", "focus_1_4_aws_synthetic"];

/// The folder of the bills; `None` where there is none, which only a person's machine may have.
#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
fn data() -> Option<PathBuf> {
    if let Ok(folder) = Path::new("../../../shared/data").canonicalize() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the bills are missing");
    println!("skipped: there are no real bills beside the project");
    None
}

/// Decimal text as a count of 10⁻⁴⁰, so that sums can be compared exactly.
fn exact(text: &str) -> i128 {
    let (mantissa, exponent) =
        text.split_once(['E', 'e']).map_or((text, 0), |(mantissa, exponent)| (mantissa, exponent.parse().expect("an exponent")));
    let (sign, digits) = mantissa.strip_prefix('-').map_or((1, mantissa), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale: i32 = SCALE + exponent - i32::try_from(fraction.len()).expect("a short fraction");
    let number: i128 = format!("{whole}{fraction}").parse().expect("digits");
    let scale = u32::try_from(scale).expect("no more decimals than the scale has");
    sign * number * 10_i128.pow(scale)
}

const SCALE: i32 = 28;

fn run(data: &Path, expected: &Value) -> (Scene, Output) {
    let scene = Scene::with_rules();
    let files: Vec<String> =
        expected["files"].as_array().expect("files").iter().map(|file| format!("{:?}", data.join(file.as_str().expect("a name")))).collect();
    scene.write(
        "apportion.toml",
        &format!("dimensions = [\"service_name\", \"sub_account_id\"]\n[sources.real]\nplugin = \"focus-file\"\npaths = [{}]\ngrants = [\"table-decode\"]\n", files.join(", ")),
    );
    let output = scene.run("run --format json").expect(0);
    (scene, output)
}

#[test]
fn batch_totals_are_exactly_those_of_the_bill() {
    let Some(data) = data() else { return };
    for name in DATA_SETS {
        let expected: Value =
            serde_json::from_str(&fs::read_to_string(data.join(format!("expected/{name}.json"))).expect("what is expected")).expect("JSON");
        let (scene, output) = run(&data, &expected);
        let report = output.json();
        assert_eq!(report["sources"][0]["charges"], expected["rows"], "{name}");
        let totals = report["sources"][0]["totals"].as_array().expect("totals");
        let wanted = expected["totals"].as_object().expect("totals");
        assert_eq!(totals.len(), wanted.len(), "{name}: currencies");
        for total in totals {
            let currency = total["currency"].as_str().expect("a currency");
            for (ours, theirs) in [("billed_cost", "BilledCost"), ("effective_cost", "EffectiveCost")] {
                let (ours, theirs) = (total[ours].as_str().expect("text"), wanted[currency][theirs].as_str().expect("text"));
                assert_eq!(exact(ours), exact(theirs), "{name} {currency}: {ours} is not {theirs}");
            }
        }
        for (group, column) in [("service_name", "ServiceName"), ("sub_account_id", "SubAccountId")] {
            compare(&format!("{name} by {column}"), &grouped(&scene, group), &expected["by"][column], &expected["row_counts_by"][column], &expected);
        }
        for (key, by_value) in expected["by_tag"].as_object().expect("tags") {
            if by_value.get("__skipped__").is_none() {
                compare(&format!("{name} by tag {key}"), &grouped(&scene, &format!("tag:{key}")), by_value, &Value::Null, &expected);
            }
        }
    }
}

/// Effective costs by currency and value; what has no value stands under the empty text.
fn grouped(scene: &Scene, group: &str) -> BTreeMap<(String, String), String> {
    let costs = scene.run_with(&["costs", "--granularity", "total", "--format", "json", "--group-by", group], &[]).expect(0).json();
    let rows = costs["rows"].as_array().expect("rows").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    rows.iter().map(|row| ((text(&row["cost"]["currency"]), text(&row["group"][group])), text(&row["cost"]["amount"]))).collect()
}

/// Each group within half a nano for each of its rows, all rows where the count of a group is not known.
fn compare(what: &str, ours: &BTreeMap<(String, String), String>, expected: &Value, counts: &Value, whole: &Value) {
    let half_nano = 10_i128.pow(SCALE as u32 - 9) / 2;
    let all_rows = whole["rows"].as_i64().expect("rows");
    for (currency, groups) in expected.as_object().expect("currencies") {
        let mut seen = 0;
        for (value, totals) in groups.as_object().expect("groups") {
            let name = if value.starts_with("__") { "" } else { value.as_str() };
            let rows = counts.get(value).and_then(Value::as_i64).unwrap_or(all_rows);
            let theirs = exact(totals["EffectiveCost"].as_str().expect("text"));
            // A group that cancels out has no row.
            let ours = ours.get(&(currency.clone(), name.to_owned())).map_or(0, |amount| exact(amount));
            seen += i128::from(ours != 0);
            assert!((ours - theirs).abs() <= half_nano * i128::from(rows), "{what} = {value}: {ours} is not {theirs}");
        }
        let there = ours.keys().filter(|(known, _)| known == currency).count();
        assert_eq!(seen, there as i128, "{what}: groups that the bill does not have");
    }
}
