//! AWS through its official SDK: moto has costs and accounts, and the binary collects them.

use crate::scene::Scene;
use crate::scenes::aws::{environment, run, scene};
use serde_json::{Value, json};
use std::process::Command;
use test_support::outside::data;
use test_support::server::counterpart::Server;

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
    post(
        &format!("{}/moto-api/static/ce/cost-and-usage-results", moto.url()),
        &["Content-Type: application/json"],
        &json!({ "results": answers }),
    );
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

/// Costs by a group, as `group: amount`.
fn by(scene: &Scene, group: &str) -> Vec<String> {
    scene
        .cost_rows(group)
        .iter()
        .map(|row| {
            format!(
                "{}: {}",
                row["keys"][group].as_str().unwrap_or("?"),
                row["cost"]["amount"].as_str().unwrap_or("?")
            )
        })
        .collect()
}

fn totals(report: &Value) -> (&str, &str) {
    let total = &report["sources"][0]["totals"][0];
    (
        total["billed_cost"].as_str().unwrap_or_default(),
        total["effective_cost"].as_str().unwrap_or_default(),
    )
}

#[test]
fn the_charges_are_those_that_cost_explorer_has_page_by_page() {
    let moto = Server::start("moto", &[], &[]);
    let (ec2, s3) = ("Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service");
    let first = [
        group(&[ec2, "team$payments"], "10.0000000001", "8.5"),
        group(&[ec2, "team$"], "1.5", "1.5"),
    ];
    let second = [
        group(&[ec2, "team$payments"], "2", "1.25"),
        group(&[s3, "team$Search"], "0.0000001234", "0.0000001234"),
    ];
    queue(
        &moto,
        &[
            json!({ "ResultsByTime": [day("2026-03-01", "2026-03-02", &first)], "NextPageToken": "page-2" }),
            json!({ "ResultsByTime": [day("2026-03-02", "2026-03-03", &second), day("2026-03-03", "2026-03-04", &[group(&["Tax", "team$"], "0.75", "0.75")])] }),
        ],
    );
    let scene = scene("group_by = ['SERVICE', 'tag:team']", "");
    let report = run(&scene, &moto.url()).expect(0).json();
    // Billed: 10.0000000001 + 1.5 + 2 + 0.0000001234 + 0.75. Effective: 8.5 + 1.5 + 1.25 +
    // 0.0000001234 + 0.75.
    assert_eq!(totals(&report), ("14.2500001235", "12.0000001234"));
    assert_eq!(report["sources"][0]["charges"], Value::from(5));
    assert_eq!(
        by(&scene, "tag:team"),
        [": 2.250000000", "Search: 0.000000123", "payments: 9.750000000"]
    );
    assert_eq!(by(&scene, "charge_category"), ["Tax: 0.750000000", "Usage: 11.250000123"]);
}

#[test]
fn the_recorded_answer_of_aws_is_taken_to_the_last_digit() {
    let moto = Server::start("moto", &[], &[]);
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(data().join(name)).expect(name);
        serde_json::from_str(&text).expect("JSON")
    };
    queue(&moto, &[read("aws-ce/get-cost-and-usage.json")]);
    let expected = read("expected/aws_ce_get_cost_and_usage.json");
    let scene = scene(
        "group_by = ['SERVICE', 'tag:Environment'], granularity = 'monthly', metric_effective = 'BlendedCost', usage_quantity = true",
        "",
    );
    let arguments = ["run", "--from", "2017-09", "--to", "2017-09", "--format", "json"];
    let report = scene.run_with(&arguments, &environment(&moto.url())).expect(0).json();
    let total = &expected["totals"]["USD"];
    assert_eq!(
        totals(&report),
        (
            total["UnblendedCost"].as_str().expect("text"),
            total["BlendedCost"].as_str().expect("text")
        )
    );
    let usage = scene.run("usage --format json").expect(0).json().to_string();
    assert!(usage.contains("aws.usage.mixed"), "{usage}");
}

#[test]
fn a_budget_that_is_used_up_leaves_a_gap_and_posts_nothing_by_halves() {
    let moto = Server::start("moto", &[], &[]);
    let page = |day_of_month: u32| {
        let (start, end) =
            (format!("2026-03-{day_of_month:02}"), format!("2026-03-{:02}", day_of_month + 1));
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

#[test]
fn what_moto_cannot_is_a_gap_and_no_zero() {
    let moto = Server::start("moto", &[], &[]);
    // This page of moto's own is no answer of AWS.
    let scene = scene("", "");
    let output = run(&scene, &format!("{}/moto-api", moto.url())).expect(3);
    assert!(
        output.stderr.contains("with something that is not an answer of AWS"),
        "{}",
        output.stderr
    );
    assert_eq!(by(&scene, "service_name"), [""; 0]);
}

/// Asks moto's Organizations. Moto checks no signatures, so a made-up one is enough.
fn organizations(moto: &Server, action: &str, body: &Value) -> Value {
    let target = format!("X-Amz-Target: AWSOrganizationsV20161128.{action}");
    let authorization = "Authorization: AWS4-HMAC-SHA256 Credential=testing/20260301/us-east-1/organizations/aws4_request, SignedHeaders=host, Signature=0";
    post(&moto.url(), &[&target, authorization, "Content-Type: application/x-amz-json-1.1"], body)
}

#[test]
fn accounts_with_tags_and_units_become_a_table_that_rules_read() {
    let moto = Server::start("moto", &[], &[]);
    organizations(&moto, "CreateOrganization", &json!({ "FeatureSet": "ALL" }));
    let root = organizations(&moto, "ListRoots", &json!({}))["Roots"][0]["Id"]
        .as_str()
        .expect("a root")
        .to_owned();
    let unit = |parent: &str, name: &str| -> String {
        let made = organizations(
            &moto,
            "CreateOrganizationalUnit",
            &json!({ "ParentId": parent, "Name": name }),
        );
        made["OrganizationalUnit"]["Id"].as_str().expect("a unit").to_owned()
    };
    let workloads = unit(&root, "Workloads");
    let production = unit(&workloads, "Prod, EU");
    let account = |name: &str, team: &str| -> String {
        let email = format!("{name}@example.com");
        let made =
            organizations(&moto, "CreateAccount", &json!({ "AccountName": name, "Email": email }));
        let id = made["CreateAccountStatus"]["AccountId"].as_str().expect("an account").to_owned();
        organizations(
            &moto,
            "TagResource",
            &json!({ "ResourceId": id, "Tags": [{ "Key": "team", "Value": team }] }),
        );
        id
    };
    let (shop, sandbox) = (account("shop-prod", "payments"), account("sandbox", "search"));
    organizations(
        &moto,
        "MoveAccount",
        &json!({ "AccountId": shop, "SourceParentId": root, "DestinationParentId": production }),
    );

    let scene = Scene::with_rules();
    let source = "[sources.organization]\nplugin = \"aws-organizations\"\ngrants = [\"aws-organizations\"]\nconfig = { tags = [\"team\", \"owner\"] }\n";
    scene.write("apportion.toml", source);
    let arguments = ["source", "table", "organization", "--out", "rules/tables/accounts.csv"];
    let written = scene.run_with(&arguments, &environment(&moto.url())).expect(0);
    assert!(written.stderr.contains("3 rows, 3 new, 0 changed, 0 gone"), "{}", written.stderr);
    let table = scene.read("rules/tables/accounts.csv");
    assert!(table.starts_with("account_id,name,status,unit,team,owner\n"), "{table}");
    assert!(
        table.contains(&format!("\n{shop},shop-prod,ACTIVE,\"Workloads/Prod, EU\",payments,\n")),
        "{table}"
    );
    assert!(table.contains(&format!("\n{sandbox},sandbox,ACTIVE,,search,\n")), "{table}");
    let again = scene.run_with(&arguments, &environment(&moto.url())).expect(0);
    assert!(again.stderr.contains("3 rows, as before"), "{}", again.stderr);

    organizations(
        &moto,
        "TagResource",
        &json!({ "ResourceId": sandbox, "Tags": [{ "Key": "owner", "Value": "ann" }] }),
    );
    let changed = scene.run_with(&arguments, &environment(&moto.url())).expect(0);
    assert!(changed.stderr.contains("3 rows, 0 new, 1 changed, 0 gone"), "{}", changed.stderr);
    scene.write("rules/direct/account.rhai", BY_ACCOUNT);
    let cases = format!(
        "[[case]]\nname = \"an account of the organization\"\ncharge = {{ service_name = \"EC2\", sub_account_id = \"{shop}\" }}\n\
         expect = {{ assign = \"payments\" }}\n\n[[case]]\nname = \"another\"\ncharge = {{ service_name = \"EC2\", sub_account_id = \"1\" }}\nexpect = \"no match\"\n"
    );
    scene.write("rules/direct/account.cases.toml", &cases);
    scene.run("rule test").expect(0);
}

const BY_ACCOUNT: &str = r#"//! Whom the organization's tags name pays for the account.
rule(#{ priority: 300, owner: "finops@example.com", review_by: "2099-01-01" });

fn matches(charge) { lookup("accounts", charge.sub_account_id, "team") != () }

fn allocate(charge) { assign(lookup("accounts", charge.sub_account_id, "team")) }
"#;
