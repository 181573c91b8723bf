//! From the first run to the backup.
//!
//! The figures by hand. January: payments has 60, search has 30, and the 10 of support are spread 2
//! : 1. February: no rule claims 5.25, which is billed as half a nano and rounds to nothing.
//! Payments has 0.125 effective, with 10 nanos billed.

use crate::scene::{BILL, SETTINGS, Scene};
use serde_json::json;

#[test]
fn a_run_posts_and_proves_what_it_posted() {
    let scene = Scene::with_bill();
    let output = scene.run("run").expect(0);
    let expect = "\
run 1: complete
  aws: 5 charges, 0 set aside; 2 days new, 0 changed, 0 unchanged (focus-file 0.1.0)
    USD billed 100.0000000105, effective 105.375
";
    assert_eq!(&output.stdout[..expect.len().min(output.stdout.len())], expect);
    let last = output.stdout.lines().last();
    assert_eq!(
        last,
        Some(
            "conservation: USD charged 105.375000000 = teams 100.125000000 + pools 0.000000000 + excluded 0.000000000 + \
             unallocated 5.250000000 + suspense 0.000000000 + rounding 0.000000000, difference 0.000000000"
        )
    );
    assert_eq!(output.stderr, "");
}

#[test]
fn the_same_again_posts_nothing_and_quiet_says_nothing() {
    let scene = Scene::after_run();
    let second = scene.run("run --format json").expect(0).json();
    assert_eq!(second["entries"]["posted"], 0);
    assert_eq!(second["sources"][0]["days"], json!({ "new": 0, "changed": 0, "unchanged": 2 }));
    let third = scene.run("run --quiet").expect(0);
    assert_eq!((third.stdout.as_str(), third.stderr.as_str()), ("", ""));
}

#[test]
fn a_changed_bill_is_restated() {
    let scene = Scene::after_run();
    scene.write("bills/jan.csv", &BILL.replace("30,30,USD", "33,33,USD"));
    let run = scene.run("run --format json").expect(0).json();
    assert_eq!(run["sources"][0]["days"], json!({ "new": 0, "changed": 1, "unchanged": 1 }));
    assert_eq!(run["conservation"][0]["charged"], "108.375000000");
    assert_eq!(run["conservation"][0]["difference"], "0.000000000");
    scene.run("ledger verify").expect(0);
}

#[test]
fn changed_rules_are_run_on_stored_charges() {
    let scene = Scene::after_run();
    let rule = scene.read("rules/shared/support.rhai").replace("by_cost()", "assign(\"platform\")");
    scene.write("rules/shared/support.rhai", &rule);
    scene.write("rules/shared/support.cases.toml", "");
    std::fs::remove_file(scene.path("bills/jan.csv")).expect("the bill is not needed any more");
    scene.run("run --stored").expect(0);
    let costs = scene.run("costs --group-by team --granularity total --format csv").expect(0);
    assert_eq!(
        costs.stdout,
        "period_of_posting,team,currency,amount\ntotal,payments,USD,60.125000000\ntotal,platform,USD,10.000000000\ntotal,search,USD,30.000000000\ntotal,unallocated,USD,5.250000000\n"
    );
    scene.run("run --stored --from 2026-01").fails_with(
        2,
        "C201",
        "--stored allocates all that is stored",
    );
}

#[test]
fn costs_as_text_have_a_column_a_month() {
    let output = Scene::after_run().run("costs").expect(0);
    let expect = "\
team         service_name  2026-01 USD  2026-02 USD  total USD
payments     AWS Support          6.67                    6.67
payments     EC2                 60.00         0.13      60.13
search       AWS Support          3.33                    3.33
search       S3                  30.00                   30.00
unallocated  EC2                               5.25       5.25
───────────  ────────────  ───────────  ───────────  ─────────
total                           100.00         5.38     105.38

by the day of posting
";
    assert_eq!(output.stdout, expect);
}

#[test]
fn costs_as_csv_and_json_are_exact() {
    let scene = Scene::after_run();
    let csv = scene.run("costs --group-by team,service --format csv --to 2026-01").expect(0).stdout;
    let expect = "\
period_of_posting,team,service_name,currency,amount
2026-01,payments,AWS Support,USD,6.666666666
2026-01,payments,EC2,USD,60.000000000
2026-01,search,AWS Support,USD,3.333333334
2026-01,search,S3,USD,30.000000000
";
    assert_eq!(csv, expect);
    let json =
        scene.run("costs --group-by team --filter team=search --format json").expect(0).json();
    assert_eq!(
        json,
        json!({
            "axis": "posting",
            "period": { "start_date": null, "end_date": null },
            "granularity": "monthly",
            "group_by": ["team"],
            "filter": ["team:search"],
            "sort": "name",
            "top": null,
            "other": [],
            "costs": [{
                "period_start": "2026-01-01",
                "keys": { "team": "search" },
                "cost": { "amount": "33.333333334", "currency": "USD" },
            }],
            "totals": [{ "amount": "33.333333334", "currency": "USD" }],
            "corrections": [],
            "next_page_token": null,
        })
    );
}

#[test]
fn costs_are_derived_where_postings_do_not_say() {
    let scene = Scene::after_run();
    let by_account = scene
        .run("costs --group-by sub_account_id --granularity total --format csv")
        .expect(0)
        .stdout;
    assert_eq!(
        by_account,
        "period_of_posting,sub_account_id,currency,amount\ntotal,1,USD,70.125000000\ntotal,2,USD,30.000000000\ntotal,3,USD,5.250000000\n"
    );
    let by_tag =
        scene.run("costs --group-by tag:team --granularity daily --format csv").expect(0).stdout;
    assert_eq!(
        by_tag,
        "period_of_posting,tag:team,currency,amount\n2026-01-05,,USD,10.000000000\n2026-01-05,payments,USD,60.000000000\n2026-01-05,search,USD,30.000000000\n2026-02-01,,USD,5.250000000\n2026-02-01,payments,USD,0.125000000\n"
    );
}

/// The postings of the team rule stay when the cascade goes. They must not be passed on by a rule
/// that no longer stands.
#[test]
fn rules_that_are_gone_answer_nothing() {
    let scene = Scene::with_bill();
    let header = "owner: \"finops@example.com\", review_by: \"2099-01-01\"";
    scene.write(
        "rules/serving/search.rhai",
        &format!(
            "//! Search serves the web team.\n\
             rule(#{{ stage: \"cascade\", team: \"search\", priority: 10, {header} }});\n\
             fn allocate(team) {{ split(#{{ \"web\": 1 }}) }}\n"
        ),
    );
    scene.run("run").expect(0);
    scene.run("explain web").expect(0).says("total: 33.333333334 USD");
    std::fs::remove_file(scene.path("rules/serving/search.rhai")).expect("the rule is there");
    scene.write(
        "rules/direct/later.rhai",
        &format!(
            "//! Of a later year.\n\
             rule(#{{ priority: 300, from: \"2027-01-01\", {header} }});\n\
             fn matches(charge) {{ true }}\n\
             fn allocate(charge) {{ assign(\"later\") }}\n"
        ),
    );
    scene.run("run").expect(0);
    let costs = |keys: &str| {
        let command = format!("costs --group-by {keys} --filter team=search --format json");
        scene.run(&command).expect(0).json()["totals"][0]["amount"].clone()
    };
    assert_eq!(costs("team"), "33.333333334");
    assert_eq!(costs("team,sub_account_id"), "33.333333334");
    scene.run("explain search").expect(0).says("total: 33.333333334 USD");
}

#[test]
fn an_entry_of_prepaid_charges_tells_no_other_entrys_cost() {
    let scene = Scene::with_bill();
    let purchase = "24,0,USD,2026-01-05T00:00:00Z,Purchase,EC2,AWS,1,ri-1,";
    scene.write(
        "bills/jan.csv",
        &format!(
            "{}{purchase}\"{{\"\"team\"\": \"\"payments\"\"}}\"\n\
             7,7,USD,2026-01-05T00:00:00Z,Usage,EC2,AWS,1,i-9,\n",
            "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,\
             ProviderName,SubAccountId,ResourceId,Tags\n",
        ),
    );
    scene.run("run").expect(0);
    let entries: Vec<_> = ["entry:1", "entry:2"]
        .map(|entry| scene.run(&format!("explain {entry} --format json")).expect(0).json())
        .into_iter()
        .collect();
    let prepaid = entries
        .iter()
        .find(|entry| entry["subject"].to_string().contains("prepaid/aws"))
        .expect("one entry is of prepaid charges");
    assert_eq!((&prepaid["accounts"], &prepaid["totals"]), (&json!([]), &json!([])));
}

#[test]
fn explain_leads_from_the_team_to_the_charges() {
    let scene = Scene::after_run();
    let text = scene.run("explain payments --to 2026-01").expect(0).stdout;
    for expect in [
        "team/payments, up to 2026-01-31",
        "total: 66.666666666 USD",
        "by direct/team (",
        "i-1",
        "by shared/support (",
        "from aws: ",
        "focus-file 0.1.0",
    ] {
        assert!(text.contains(expect), "'{expect}' is not in\n{text}");
    }
    let json = scene.run("explain payments --format json").expect(0).json();
    assert_eq!(json["totals"], json!([{ "amount": "66.791666666", "currency": "USD" }]));
    scene.run("explain i-2").expect(0).says("5.250000000 USD");
    scene.run("explain entry:1").expect(0).says("entry 1");
    scene.run("explain paymets").fails_with(1, "N201", "did you mean `payments`?");
}

#[test]
fn rules_are_checked_tested_and_listed() {
    let scene = Scene::after_run();
    let check = scene.run("rule check").expect(0);
    assert_eq!((check.stdout.as_str(), check.stderr.as_str()), ("", ""));
    let test = scene.run("rule test").expect(0);
    assert_eq!(
        test.stdout,
        "shared/support: 2 of 2 cases passed\ndirect/team: 2 of 2 cases passed\n"
    );
    let list = scene.run("rule list").expect(0).stdout;
    let rows: Vec<Vec<&str>> =
        list.lines().skip(1).map(|line| line.split_whitespace().take(7).collect()).collect();
    let row = |rule, priority, placed| {
        ["attribution", rule, priority, "always", "finops@example.com", "2099-01-01", placed]
    };
    assert_eq!(rows[0], row("shared/support", "100", "10.00"));
    assert_eq!(rows[1], row("direct/team", "200", "90.12"));
    let json = scene.run("rule list --format json").expect(0).json();
    assert_eq!(json[1]["placed"], json!([{ "amount": "90.125000000", "currency": "USD" }]));
}

#[test]
fn the_ledger_is_verified_and_backed_up() {
    let scene = Scene::after_run();
    scene.run("ledger verify").expect(0).says("verified: ");
    let head = scene.run("ledger verify --format json").expect(0).json()["head"].clone();
    scene.run("ledger backup copy.db").expect(0);
    let copied = scene.run("--ledger copy.db ledger verify --format json").expect(0).json();
    assert_eq!(copied["head"], head);
    assert_eq!(copied["charges"], 5);
    scene.run("ledger backup copy.db").expect(1);
}

#[test]
fn a_closed_month_does_not_move() {
    let scene = Scene::after_run();
    scene.run("period close 2026-01 --note invoiced").expect(0);
    scene.run("period close 2026-01").fails_with(1, "L203", "2026-01");
    scene.write("bills/jan.csv", &BILL.replace("30,30,USD", "33,33,USD"));
    scene.run("run").expect(0);
    let costs = scene
        .run("costs --group-by account --filter account=team/search --format csv")
        .expect(0)
        .stdout;
    assert!(costs.contains("2026-01,team/search,USD,33.333333334"), "{costs}");
    assert!(costs.contains("2026-02,team/search,USD,"), "{costs}");
    scene.run_with(&["period", "reopen", "2026-01", "--reason", "credit note"], &[]).expect(0);
    let list = scene.run("period list").expect(0).stdout;
    assert_eq!(list, "2026-01  closed    invoiced\n2026-01  reopened  credit note\n");
}

#[test]
fn plugins_and_sources_are_inspected() {
    let scene = Scene::with_bill();
    let list = scene.run("plugin list --format json").expect(0).json();
    let listed = list
        .as_array()
        .and_then(|list| list.iter().find(|plugin| plugin["name"] == "focus-file"))
        .expect("a plugin")
        .clone();
    assert_eq!(
        (listed["from"].as_str(), listed["digest"].as_str().map(str::len)),
        (Some("bundled"), Some(64))
    );
    scene
        .run("plugin inspect focus-file")
        .expect(0)
        .says("asks for table-decode: ")
        .says("\"date_order\"");
    let check = scene.run("source check").expect(0);
    assert_eq!(check.stderr, "aws: 1 file, read by focus-file 0.1.0\n");
    check.says("  charges       5 of 4 resources\n");
    scene.run("source check awz").fails_with(2, "C201", "Did you mean `aws`?");
}

#[test]
fn unknown_teams_are_told_or_refused_as_the_settings_say() {
    let scene = Scene::with_bill();
    scene.write("rules/tables/teams.csv", "team,cost_center\npayments,CC-1\n");
    let set = |policy: &str| {
        scene.write("apportion.toml", &format!("unknown_teams = \"{policy}\"\n{}", SETTINGS))
    };
    set("warn");
    let told = scene.run("run").expect(0);
    assert!(
        told.stderr.contains("R206: the team 'search' bears costs and is not in tables/teams.csv"),
        "{}",
        told.stderr
    );
    assert!(!told.stderr.contains("'payments'"), "{}", told.stderr);
    set("refuse");
    scene.run("run").fails_with(3, "N101", "suspense");
    let costs = scene.run("costs --group-by team");
    assert!(
        costs.stdout.contains("suspense") && !costs.stdout.contains("search"),
        "{}",
        costs.stdout
    );
    set("perhaps");
    scene.run("run").fails_with(1, "C104", "apportion.toml:1:");
}

#[test]
fn estimates_are_reversed_when_the_bill_comes() {
    let scene = Scene::with_rules();
    let estimates = "[sources.estimates]\nplugin = \"focus-file\"\npaths = \
        [\"estimates.csv\"]\ngrants = [\"table-decode\"]\naccrues_for = \"aws\"\n";
    scene.write("apportion.toml", &format!("{SETTINGS}{estimates}"));
    let header = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,Tags\n";
    let row = |cost: &str, day: &str| {
        format!("{cost},{cost},USD,{day},Usage,EC2,\"{{\"\"team\"\": \"\"search\"\"}}\"\n")
    };
    scene.write(
        "estimates.csv",
        &[header, &row("50", "2026-03-01"), &row("50", "2026-03-02")].concat(),
    );
    scene.write("bills/jan.csv", header);
    scene.run("run").expect(0).says("USD charged 100.000000000");
    scene.write("bills/jan.csv", &[header, &row("47.5", "2026-03-01")].concat());
    let left_out = "1 estimate left out, which the bill has by now; 1 day taken back\n";
    scene.run("source check").expect(0).says(&format!("  estimates     {left_out}"));
    let run = scene.run("run").expect(0);
    run.says(&format!("    {left_out}")).says("USD charged 97.500000000");
    scene.run("ledger verify").expect(0);
}
