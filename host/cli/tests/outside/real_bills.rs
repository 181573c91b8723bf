//! Real bills. Their sums were computed elsewhere, and lie beside them.

use crate::decimal::scaled;
use crate::scene::{Output, Scene};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use test_support::outside::data;

const DATA_SETS: [&str; 5] = [
    "focus_1_0_sample_1000",
    "focus_1_2_aws",
    "focus_1_2_azure",
    "focus_1_3_gcp",
    "focus_1_4_aws_synthetic",
];

/// Decimal text as a count of 10⁻²⁸.
fn exact(text: &str) -> i128 {
    scaled(text, SCALE)
}

const SCALE: i32 = 28;

fn run(data: &Path, expected: &Value) -> (Scene, Output) {
    let scene = Scene::with_rules();
    let files: Vec<String> = expected["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| format!("{:?}", data.join(file.as_str().expect("a name"))))
        .collect();
    scene.write(
        "apportion.toml",
        &format!("dimensions = [\"service_name\", \"sub_account_id\"]\n[sources.real]\nplugin = \"focus-file\"\npaths = [{}]\ngrants = [\"table-decode\"]\n", files.join(", ")),
    );
    let output = scene.run("run --format json").expect(0);
    (scene, output)
}

#[test]
fn batch_totals_are_exactly_those_of_the_bill() {
    let data = data();
    for name in DATA_SETS {
        let expected = expected(&data, name);
        let (scene, output) = run(&data, &expected);
        let report = output.json();
        assert_eq!(report["sources"][0]["charges"], expected["rows"], "{name}");
        let totals = report["sources"][0]["totals"].as_array().expect("totals");
        let wanted = expected["totals"].as_object().expect("totals");
        assert_eq!(totals.len(), wanted.len(), "{name}: currencies");
        for total in totals {
            let currency = total["currency"].as_str().expect("a currency");
            for (ours, theirs) in
                [("billed_cost", "BilledCost"), ("effective_cost", "EffectiveCost")]
            {
                let (ours, theirs) = (
                    total[ours].as_str().expect("text"),
                    wanted[currency][theirs].as_str().expect("text"),
                );
                assert_eq!(exact(ours), exact(theirs), "{name} {currency}: {ours} is not {theirs}");
            }
        }
        for (group, column) in [("service_name", "ServiceName"), ("sub_account_id", "SubAccountId")]
        {
            compare(
                &format!("{name} by {column}"),
                &grouped(&scene, group),
                &expected["by"][column],
                &expected["row_counts_by"][column],
                &expected,
            );
        }
        for (metric, column) in [("list_cost", "ListCost"), ("contracted_cost", "ContractedCost")] {
            let mut unknown = 0;
            for (currency, totals) in wanted {
                let (ours, without) = measured(&scene, metric, currency);
                let theirs = totals[column].as_str().expect("text");
                compare_amounts(&format!("{name} {metric}"), ours, theirs, &expected);
                unknown += without;
            }
            let empty = expected["null_counts"][column].as_u64().unwrap_or(0);
            assert_eq!(unknown, empty, "{name}: charges without {column}");
        }
        for (key, by_value) in expected["by_tag"].as_object().expect("tags") {
            if by_value.get("__skipped__").is_none() {
                compare(
                    &format!("{name} by tag {key}"),
                    &grouped(&scene, &format!("tag:{key}")),
                    by_value,
                    &Value::Null,
                    &expected,
                );
            }
        }
    }
}

/// A bill in its own format: the plugin that reads it, the plugin's settings, and the name of the
/// expected total of its costs.
struct Native {
    data_set: &'static str,
    plugin: &'static str,
    config: &'static str,
    billed: &'static str,
    /// Metrics beside the costs, with the names of their expected totals.
    metrics: &'static [(&'static str, &'static str)],
}

const fn native(
    data_set: &'static str,
    plugin: &'static str,
    config: &'static str,
    billed: &'static str,
) -> Native {
    let metrics = &[];
    Native { data_set, plugin, config, billed, metrics }
}

impl Native {
    const fn with(self, metrics: &'static [(&'static str, &'static str)]) -> Native {
        Native { metrics, ..self }
    }
}

const OF_CUR: &[(&str, &str)] =
    &[("consumed_quantity", "UsageAmount"), ("list_cost", "publicOnDemandCost")];
const OF_AZURE: &[(&str, &str)] = &[("consumed_quantity", "Quantity")];
const OF_GCP: &[(&str, &str)] =
    &[("consumed_quantity", "usage.amount"), ("pricing_quantity", "usage.amount_in_pricing_units")];

const NATIVE: [Native; 11] = [
    native("aws_cur_koku_local", "aws-cur", "", "UnblendedCost").with(OF_CUR),
    native("aws_cur_koku_local", "aws-cur", "cost = 'blended'", "BlendedCost"),
    native("aws_cur_test_cur", "aws-cur", "", "UnblendedCost").with(OF_CUR),
    native("azure_ea_actual_small", "azure-cost", "", "Cost").with(OF_AZURE),
    native("azure_ea_amortized_small", "azure-cost", "cost = 'amortized'", "Cost").with(OF_AZURE),
    native("azure_opencost_header_enterprise", "azure-cost", "", "CostInBillingCurrency"),
    native("azure_opencost_header_payasyougo", "azure-cost", "", "PreTaxCost"),
    native(
        "azure_opencost_missing_brackets",
        "azure-cost",
        "constants = { billing_currency = 'XXX' }",
        "costinbillingcurrency",
    ),
    native("gcp_koku_202011", "gcp-billing", "", "net_cost").with(OF_GCP),
    native("gcp_koku_202011", "gcp-billing", "credits = 'gross'", "cost"),
    native(
        "opencost_export_sample",
        "csv",
        "columns = { billed_cost = 'TotalCost', charge_period_start = 'Date', service_name = 'Namespace' }, constants = { billing_currency = 'XXX' }",
        "TotalCost",
    ),
];

/// Runs one source of a plugin over files, and gives the report.
fn collect(data: &Path, files: &Value, plugin: &str, config: &str, exit: i32) -> (Scene, Value) {
    let scene = Scene::with_rules();
    let files: Vec<String> = files
        .as_array()
        .expect("files")
        .iter()
        .map(|file| format!("{:?}", data.join(file.as_str().expect("a name"))))
        .collect();
    let config =
        if config.is_empty() { String::new() } else { format!("config = {{ {config} }}\n") };
    scene.write(
        "apportion.toml",
        &format!("[sources.real]\nplugin = \"{plugin}\"\npaths = [{}]\ngrants = [\"table-decode\"]\n{config}", files.join(", ")),
    );
    let report = scene.run("run --format json").expect(exit).json();
    (scene, report["sources"][0].clone())
}

#[test]
fn native_bills_add_up_to_what_they_say() {
    let data = data();
    for Native { data_set, plugin, config, billed, metrics } in NATIVE {
        let expected = expected(&data, data_set);
        let (scene, source) = collect(&data, &expected["files"], plugin, config, 0);
        assert_eq!(source["charges"], expected["rows"], "{data_set} {config}");
        assert_eq!(source["set_aside"], 0, "{data_set} {config}");
        let (currency, theirs) =
            expected["totals"].as_object().and_then(|totals| totals.iter().next()).expect("totals");
        let total = &source["totals"][0];
        assert_eq!(
            total["currency"],
            if currency == "__none__" { "XXX" } else { currency.as_str() },
            "{data_set}"
        );
        for ours in ["billed_cost", "effective_cost"] {
            assert_eq!(
                exact(total[ours].as_str().expect("text")),
                exact(theirs[billed].as_str().expect("text")),
                "{data_set} {config} {ours}"
            );
        }
        for (metric, name) in metrics {
            let (ours, _) = measured(&scene, metric, currency);
            let theirs = theirs[name].as_str().expect("text");
            if metric.ends_with("_quantity") {
                // Quantities are kept as they were given.
                assert_eq!(ours, quantity(theirs), "{data_set} {config} {metric}");
            } else {
                compare_amounts(&format!("{data_set} {metric}"), ours, theirs, &expected);
            }
        }
    }
}

/// Decimal text as a count of 10⁻²². Quantities are larger than amounts, and have fewer places.
fn quantity(text: &str) -> i128 {
    scaled(text, QUANTITY_SCALE)
}

const QUANTITY_SCALE: i32 = 22;

/// The ledger's total of a metric over all units, as a count of 10⁻²², and the charges that do not
/// say it. Costs are those in one currency.
fn measured(scene: &Scene, metric: &str, currency: &str) -> (i128, u64) {
    let costs =
        format!("costs --metric {metric} --granularity total --group-by source --format json");
    let costs = scene.run(&costs).expect(0).json();
    let rows = costs["measures"].as_array().expect("rows");
    let is_meant = |row: &&Value| metric.ends_with("_quantity") || row["unit"] == currency;
    let mut total = (0, 0);
    for row in rows.iter().filter(is_meant) {
        total.0 += row["value"].as_str().map_or(0, quantity);
        total.1 += row["unknown_charges"].as_u64().expect("a count");
    }
    total
}

/// Amounts are rounded to nanos charge by charge.
fn compare_amounts(what: &str, ours: i128, theirs: &str, whole: &Value) {
    let half_nano = 10_i128.pow(QUANTITY_SCALE as u32 - 9) / 2;
    let rows = whole["rows"].as_i64().expect("rows");
    let theirs = quantity(theirs);
    assert!(
        (ours - theirs).abs() <= half_nano * i128::from(rows),
        "{what}: {ours} is not {theirs}"
    );
}

/// A task's cost has two parts: its own use, and its share of the unused rest. The row without a
/// date is set aside.
#[test]
fn split_costs_are_charges_or_weights_and_never_both() {
    let data = data();
    let expected = expected(&data, "aws_cur2_split_realworld");
    let (used, unused) = ("77.747069143840182", "140.602278295015257");
    let by_product = &expected["by"]["product_code"]["USD?"]["AmazonECS"];
    assert_eq!(
        (
            by_product["split_line_item_split_cost"].as_str(),
            by_product["split_line_item_unused_cost"].as_str()
        ),
        (Some(used), Some(unused))
    );
    let constants = "constants = { billing_currency = 'USD' }";
    let (_, source) = collect(
        &data,
        &expected["files"],
        "aws-cur",
        &format!("split = 'charges', {constants}"),
        3,
    );
    assert_eq!((&source["charges"], &source["set_aside"]), (&Value::from(2748), &Value::from(1)));
    assert_eq!(
        exact(source["totals"][0]["billed_cost"].as_str().expect("text")),
        exact(used) + exact(unused)
    );
    let (_, source) = collect(&data, &expected["files"], "aws-cur", constants, 3);
    assert_eq!(exact(source["totals"][0]["billed_cost"].as_str().expect("text")), 0);
    for (metric, theirs) in [("aws.split_cost", used), ("aws.split_unused_cost", unused)] {
        let metrics = source["usage"]["metrics"].as_array().expect("metrics");
        let ours = metrics.iter().find(|known| known["metric"] == metric).expect(metric)["total"]
            .as_str()
            .expect("text");
        // A quantity is rounded to billionths row by row.
        assert!(
            (exact(ours) - exact(theirs)).abs() <= 10_i128.pow(SCALE as u32 - 9) / 2 * 2748,
            "{metric}: {ours}"
        );
    }
}

fn expected(data: &Path, data_set: &str) -> Value {
    serde_json::from_str(
        &fs::read_to_string(data.join(format!("expected/{data_set}.json")))
            .expect("what is expected"),
    )
    .expect("JSON")
}

/// Effective costs by currency and value. Costs without a value stand under the empty text.
fn grouped(scene: &Scene, group: &str) -> BTreeMap<(String, String), String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    scene
        .cost_rows(group)
        .iter()
        .map(|row| {
            (
                (text(&row["cost"]["currency"]), text(&row["keys"][group])),
                text(&row["cost"]["amount"]),
            )
        })
        .collect()
}

/// Compares each group. It may be off by half a nano for each of its rows, or for each row of the
/// bill if the group's count is not known.
fn compare(
    what: &str,
    ours: &BTreeMap<(String, String), String>,
    expected: &Value,
    counts: &Value,
    whole: &Value,
) {
    let half_nano = 10_i128.pow(SCALE as u32 - 9) / 2;
    let all_rows = whole["rows"].as_i64().expect("rows");
    for (currency, groups) in expected.as_object().expect("currencies") {
        let mut seen = 0;
        for (value, totals) in groups.as_object().expect("groups") {
            let name = if value.starts_with("__") { "" } else { value.as_str() };
            let rows = counts.get(value).and_then(Value::as_i64).unwrap_or(all_rows);
            let theirs = exact(totals["EffectiveCost"].as_str().expect("text"));
            // A group that cancels out has no row.
            let ours =
                ours.get(&(currency.clone(), name.to_owned())).map_or(0, |amount| exact(amount));
            seen += i128::from(ours != 0);
            assert!(
                (ours - theirs).abs() <= half_nano * i128::from(rows),
                "{what} = {value}: {ours} is not {theirs}"
            );
        }
        let there = ours.keys().filter(|(known, _)| known == currency).count();
        assert_eq!(seen, there as i128, "{what}: groups that the bill does not have");
    }
}
