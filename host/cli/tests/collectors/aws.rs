//! AWS by its official SDK: moto holds costs and accounts, the ledger has them afterwards.

use crate::scene::{Output, Scene};
use crate::servers::Server;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What the SDK finds in the environment; nothing else of the tests' own gets through.
fn environment(endpoint: &str) -> [(&str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ]
}

/// Posts JSON to a server, and gives its answer.
fn post(url: &str, headers: &[&str], body: &Value) -> Value {
    let mut command = Command::new("curl");
    command.args(["-sSf", "-X", "POST", "-d", &body.to_string(), url]);
    command.args(headers.iter().flat_map(|header| ["-H", header]));
    let output = command.output().expect("curl runs");
    assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// Puts answers into moto, which gives one to each new question.
fn queue(moto: &Server, answers: &[Value]) {
    post(&format!("{}/moto-api/static/ce/cost-and-usage-results", moto.url()), &["Content-Type: application/json"], &json!({ "results": answers }));
}

fn metric(amount: &str, unit: &str) -> Value {
    json!({ "Amount": amount, "Unit": unit })
}

/// A group of a day as AWS writes it: keys, unblended and amortized cost.
fn group(keys: &[&str], unblended: &str, amortized: &str) -> Value {
    json!({ "Keys": keys, "Metrics": { "UnblendedCost": metric(unblended, "USD"), "AmortizedCost": metric(amortized, "USD") } })
}

fn day(start: &str, end: &str, groups: &[Value]) -> Value {
    json!({ "Estimated": false, "TimePeriod": { "Start": start, "End": end }, "Total": {}, "Groups": groups })
}

fn scene(config: &str, aws: &str) -> Scene {
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &format!(
            "dimensions = [\"service_name\", \"sub_account_id\", \"charge_category\", \"sku_meter\"]\n\
             [sources.explorer]\nplugin = \"aws-cost-explorer\"\ngrants = [\"aws-cost-explorer\"]\nconfig = {{ {config} }}\n{aws}\n"
        ),
    );
    scene
}

fn run(scene: &Scene, endpoint: &str) -> Output {
    scene.run_with(&["run", "--from", "2026-03", "--to", "2026-03", "--format", "json"], &environment(endpoint))
}

/// Costs by a group, as `group: amount`.
fn by(scene: &Scene, group: &str) -> Vec<String> {
    let costs = scene.run_with(&["costs", "--granularity", "total", "--format", "json", "--group-by", group], &[]).expect(0).json();
    let rows = costs["rows"].as_array().expect("rows").clone();
    rows.iter().map(|row| format!("{}: {}", row["group"][group].as_str().unwrap_or("?"), row["cost"]["amount"].as_str().unwrap_or("?"))).collect()
}

fn totals(report: &Value) -> (&str, &str) {
    let total = &report["sources"][0]["totals"][0];
    (total["billed_cost"].as_str().unwrap_or_default(), total["effective_cost"].as_str().unwrap_or_default())
}

#[test]
fn the_charges_are_those_that_cost_explorer_has_page_by_page() {
    let Some(moto) = Server::start("moto", &[], &[]) else { return };
    let (ec2, s3) = ("Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service");
    let first = [group(&[ec2, "team$payments"], "10.0000000001", "8.5"), group(&[ec2, "team$"], "1.5", "1.5")];
    let second = [group(&[ec2, "team$payments"], "2", "1.25"), group(&[s3, "team$Search"], "0.0000001234", "0.0000001234")];
    queue(
        &moto,
        &[
            json!({ "ResultsByTime": [day("2026-03-01", "2026-03-02", &first)], "NextPageToken": "page-2" }),
            json!({ "ResultsByTime": [day("2026-03-02", "2026-03-03", &second), day("2026-03-03", "2026-03-04", &[group(&["Tax", "team$"], "0.75", "0.75")])] }),
        ],
    );
    let scene = scene("group_by = ['SERVICE', 'tag:team']", "");
    let report = run(&scene, &moto.url()).expect(0).json();
    // 10.0000000001 + 1.5 + 2 + 0.0000001234 + 0.75, and 8.5 + 1.5 + 1.25 + 0.0000001234 + 0.75.
    assert_eq!(totals(&report), ("14.2500001235", "12.0000001234"));
    assert_eq!(report["sources"][0]["charges"], Value::from(5));
    assert_eq!(by(&scene, "tag:team"), [": 2.250000000", "Search: 0.000000123", "payments: 9.750000000"]);
    assert_eq!(by(&scene, "charge_category"), ["Tax: 0.750000000", "Usage: 11.250000123"]);
}

#[test]
fn the_recorded_answer_of_aws_is_taken_to_the_last_digit() {
    let Some(moto) = Server::start("moto", &[], &[]) else { return };
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(Path::new("../../../shared/data").join(name)).expect(name);
        serde_json::from_str(&text).expect("JSON")
    };
    queue(&moto, &[read("aws-ce/get-cost-and-usage.json")]);
    let expected = read("expected/aws_ce_get_cost_and_usage.json");
    let scene =
        scene("group_by = ['SERVICE', 'tag:Environment'], granularity = 'monthly', metric_effective = 'BlendedCost', usage_quantity = true", "");
    let arguments = ["run", "--from", "2017-09", "--to", "2017-09", "--format", "json"];
    let report = scene.run_with(&arguments, &environment(&moto.url())).expect(0).json();
    let total = &expected["totals"]["USD"];
    assert_eq!(totals(&report), (total["UnblendedCost"].as_str().expect("text"), total["BlendedCost"].as_str().expect("text")));
    let usage = scene.run("usage --format json").expect(0).json().to_string();
    assert!(usage.contains("aws.usage.mixed"), "{usage}");
}

#[test]
fn a_budget_that_is_used_up_leaves_a_gap_and_posts_nothing_by_halves() {
    let Some(moto) = Server::start("moto", &[], &[]) else { return };
    let page = |day_of_month: u32| {
        let (start, end) = (format!("2026-03-{day_of_month:02}"), format!("2026-03-{:02}", day_of_month + 1));
        let groups = [group(&["EC2", "111111111111"], "1", "1")];
        json!({ "ResultsByTime": [day(&start, &end, &groups)], "NextPageToken": format!("after-{day_of_month}") })
    };
    queue(&moto, &[page(1), page(2), page(3)]);
    let scene = scene("", "[sources.explorer.aws]\ncalls = 2");
    let output = run(&scene, &moto.url()).expect(3);
    let words = "warning: P103: the 2 requests that source 'explorer' may make of AWS Cost Explorer in one run are used up";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert!(output.stderr.contains("[sources.explorer.aws]\ncalls = 4\n"), "{}", output.stderr);
    assert_eq!(by(&scene, "service_name"), [""; 0]);
}
