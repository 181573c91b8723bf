//! The sums that recorded answers must come to. Python's Decimal made them from the same texts.

use crate::scene::Scene;
use crate::scenes::asking::{grouped, nanos};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Compares the totals exactly, and the groups to the nano.
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
            // A group that costs nothing may have no row.
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

pub fn expected(data: &Path, data_set: &str) -> Value {
    serde_json::from_str(
        &fs::read_to_string(data.join(format!("expected/{data_set}.json")))
            .expect("what is expected"),
    )
    .expect("JSON")
}
