//! Closed months, the two axes, and questions that nothing can match.

use crate::scene::{Output, Scene};
use serde_json::{Value, json};
use std::fs;

const SETTINGS: &str = r#"dimensions = ["service_name", "region_id", "resource_id"]

[sources.bills]
plugin = "focus-file"
paths = ["bills"]
grants = ["table-decode"]

[tags.team]
synonyms = ["owner", "squad"]
fold_values = true

[tags.environment]
synonyms = ["env"]
fold_values = true
"#;

const HEADER: &str = "EffectiveCost,BilledCost,BillingCurrency,ChargePeriodStart,ChargeCategory,\
                      ServiceName,RegionId,ResourceId,Tags\n";

/// `2026-05-10 Compute eu 100 team=atlas`, a row each.
fn bill(rows: &[&str]) -> String {
    let row = |row: &&str| {
        let cells: Vec<&str> = row.split(' ').collect();
        let [day, service, region, amount, tag] = cells[..] else { panic!("{row}") };
        let tags = match tag.split_once('=') {
            Some((key, value)) => format!("\"{{\"\"{key}\"\": \"\"{value}\"\"}}\""),
            None => String::new(),
        };
        format!("{amount},{amount},USD,{day}T00:00:00Z,Usage,{service},{region},x,{tags}\n")
    };
    HEADER.to_owned() + &rows.iter().map(row).collect::<String>()
}

const MAY: [&str; 3] = [
    "2026-05-10 Compute eu 100 team=atlas",
    "2026-05-10 Compute eu 300 team=boreas",
    "2026-05-10 AWS-Support eu 40 -",
];
const JUNE: [&str; 2] =
    ["2026-06-02 Compute eu 50 team=atlas", "2026-06-02 Compute eu 50 team=boreas"];
const LATE: &str = "2026-05-10 Compute us 100 team=atlas";

fn scene(rows: &[&str]) -> Scene {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", SETTINGS);
    let support = scene.read("rules/shared/support.rhai").replace("AWS Support", "AWS-Support");
    scene.write("rules/shared/support.rhai", &support);
    let cases = scene.read("rules/shared/support.cases.toml").replace("AWS Support", "AWS-Support");
    scene.write("rules/shared/support.cases.toml", &cases);
    scene.write("bills/may.csv", &bill(rows));
    scene
}

/// May is closed, and then a charge of it comes late.
fn restated() -> Scene {
    let scene = scene(&[&MAY[..], &JUNE[..]].concat());
    scene.run("run").expect(0);
    scene.run("period close 2026-05").expect(0);
    scene.write("bills/may.csv", &bill(&[&MAY[..], &JUNE[..], &[LATE]].concat()));
    scene.run("run").expect(0);
    scene
}

fn csv(scene: &Scene, arguments: &str) -> Vec<String> {
    let output = scene.run(&format!("costs --format csv {arguments}")).expect(0);
    output.stdout.lines().skip(1).map(|line| line.replace(".000000000", "")).collect()
}

/// Support is 40 by direct cost: 10 and 30 at 100 to 300, 16 and 24 at 200 to 300.
#[test]
fn a_closed_month_has_one_truth_by_every_group() {
    let scene = restated();
    assert_eq!(
        csv(&scene, "--group-by team"),
        [
            "2026-05,atlas,USD,110",
            "2026-05,boreas,USD,330",
            "2026-06,atlas,USD,156",
            "2026-06,boreas,USD,44"
        ]
    );
    assert_eq!(
        csv(&scene, "--group-by team,region_id"),
        [
            "2026-05,atlas,eu,USD,110",
            "2026-05,boreas,eu,USD,330",
            "2026-06,atlas,eu,USD,56",
            "2026-06,atlas,us,USD,100",
            "2026-06,boreas,eu,USD,44"
        ]
    );
    assert_eq!(
        csv(&scene, "--group-by team,region_id --axis charge --to 2026-05"),
        ["2026-05,atlas,eu,USD,116", "2026-05,atlas,us,USD,100", "2026-05,boreas,eu,USD,324"]
    );
    let june = scene.run("costs --from 2026-06 --to 2026-06").expect(0);
    let june = june.says("of this, corrections of 2026-05: 100.00 USD\n");
    june.says("`--group-by team,charge_period` and `apportion explain` show them\n");
    let json = scene.run("costs --format json --group-by region_id --from 2026-06").expect(0);
    assert_eq!(json.json()["axis"], "posting");
    assert_eq!(json.json()["corrections"][0]["charge_period"], "2026-05");
}

#[test]
fn an_invoice_line_of_corrections_explains_itself() {
    let scene = restated();
    let line = "explain atlas --service AWS-Support --from 2026-06 --to 2026-06";
    // Of 40 both times, first 10 and then 16; 6 in all.
    let summary = scene.run(line).expect(0);
    let summary = summary.says("     amount USD        %  of shared USD      %  rules\n");
    let (back, anew) = ("taken back, by shared/support (", "posted anew, by shared/support (");
    let parts = "  -10.000000000  -166.67  -40.000000000  25.00  correction of 2026-05, ";
    let summary = summary.says(&format!("{parts}{back}"));
    let parts = "   16.000000000   266.67   40.000000000  40.00  correction of 2026-05, ";
    summary.says(&format!("{parts}{anew}"));
    let shown = scene.run(&format!("{line} --depth rules")).expect(0).says("by the day of posting");
    let shown = shown.says("team/atlas: 6.000000000 USD\n");
    let shown = shown.says("  of this, corrections of earlier months: 6.000000000 USD\n");
    let shown = shown.says("  correction of 2026-05, taken back, by shared/support (");
    let shown = shown.says("    -10.000000000 USD of 1 charge\n");
    let shown = shown.says("  correction of 2026-05, posted anew, by shared/support (");
    shown.says("    16.000000000 USD of 1 charge\n");
    let may = scene.run("explain atlas --from 2026-05 --to 2026-05").expect(0);
    let may = may.says("team/atlas: 110.000000000 USD\n");
    assert!(!may.stdout.contains("correction"), "{}", may.stdout);
    // A closed month has its lines as they were invoiced: 10 of 40, and 100 shared with nobody.
    let may = may.says("   10.000000000   9.09   40.000000000  25.00  by shared/support (");
    may.says("  100.000000000  90.91                        by direct/team (");
}

/// The answer for a client is as short, and names what says more.
#[test]
fn an_explanation_is_a_summary_unless_more_is_asked_for() {
    let scene = restated();
    let explain = |depth: &str| {
        let asked = format!("explain boreas --to 2026-05 --format json {depth}");
        scene.run(&asked).expect(0).json()
    };
    let summary = explain("");
    assert_eq!((&summary["depth"], &summary["deeper"]), (&json!("summary"), &json!("rules")));
    let account = &summary["accounts"][0];
    let rules = account["rules"].as_array().expect("rules");
    // 300 by its own tag; and of 40 for support the 30 that go with 300 of 400.
    let parts = |name: &str| rules.iter().map(|rule| rule[name].clone()).collect::<Vec<_>>();
    assert_eq!(parts("percent"), ["90.91", "9.09"]);
    assert_eq!(parts("share_percent"), [Value::Null, json!("75.00")]);
    assert_eq!(rules[1]["shared"]["amount"], "40.000000000");
    let largest = account["largest"].as_array().expect("resources").iter();
    let largest: Vec<_> = largest.map(|resource| &resource["cost"]["amount"]).collect();
    assert_eq!(largest, ["300.000000000", "30.000000000"]);
    for rule in rules {
        assert_eq!((&rule["resources"], &rule["weights"]), (&json!([]), &json!([])));
        assert_eq!(rule["rest"]["cost"], rule["cost"], "what is not listed is summed");
    }
    let rules = &explain("--depth rules")["accounts"][0]["rules"];
    assert_eq!(
        (&rules[1]["weights"][0]["day"], &rules[1]["resources"]),
        (&json!("2026-05-10"), &json!([]))
    );
    let deeper = explain("--depth resources");
    let resource = &deeper["accounts"][0]["rules"][0]["resources"][0];
    assert_eq!(resource["tried"].as_array().map(Vec::len), Some(2));
    assert_eq!(explain("--depth all")["deeper"], Value::Null);
    // A single resource is explained with its values at once.
    let single = scene.run("explain x --to 2026-05 --format json").expect(0).json();
    assert_eq!(single["depth"], "resources");
    let wrong = scene.run("explain boreas --depth rule").fails_with(2, "C201", "rules");
    assert!(wrong.stdout.is_empty());
}

#[test]
fn entries_are_listed_filtered_and_paged() {
    let scene = restated();
    let support = "--team atlas --rule shared/support --format csv";
    let of_june = scene.run(&format!("ledger entries {support} --from 2026-06")).expect(0).stdout;
    let short = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let (rule, _) = cells[8].split_once('@').unwrap_or((cells[8], ""));
        [cells[1], cells[3], cells[4], cells[7], rule, cells[11]].join(" ")
    };
    assert_eq!(
        of_june.lines().map(short).collect::<Vec<_>>(),
        [
            "kind posted charged account rule amount",
            "reversal 2026-06-01 2026-05-10 team/atlas shared/support -10.000000000",
            "distribution 2026-06-01 2026-05-10 team/atlas shared/support 16.000000000"
        ]
    );
    // By the day of the charge both are of May, as what was posted first.
    let of_may = format!("ledger entries {support} --axis charge --to 2026-05");
    assert_eq!(scene.run(&of_may).expect(0).stdout.lines().count(), 4);
    let page = scene.run("ledger entries --limit 1").expect(0);
    assert!(page.stderr.contains("there are more: `--after 1` goes on"), "{}", page.stderr);
    let json = scene.run("ledger entries --after 1 --limit 1 --format json").expect(0).json();
    assert_eq!(
        (json["entries"][0]["id"].as_i64(), json["next_page_token"].as_str()),
        (Some(2), Some("2"))
    );
    scene.run("ledger entries --run 1 --source bills").expect(0).says("direct/team@");
    let refused = |arguments: &str, words: &str| {
        scene.run(&format!("ledger entries {arguments}")).fails_with(1, "N202", words);
    };
    refused("--team Atlas", "did you mean `atlas`?");
    refused("--rule shared/suport", "did you mean `shared/support`?");
    refused("--source bill", "did you mean `bills`?");
    refused("--account pool/none", "no entry has the account 'pool/none'");
}

const ODD_RULE: &str = r#"//! Fails.
rule(#{ priority: 50, owner: "finops@example.com", review_by: "2099-01-01" });

fn matches(charge) { charge.service_name == "Odd" }

fn allocate(charge) { throw "no idea" }
"#;

fn refused(scene: &Scene, month: &str, words: &str) {
    let output: Output = scene.run(&format!("period close {month}"));
    output.fails_with(1, "L204", words);
    assert!(!scene.run("period list").expect(0).stdout.contains(month));
}

#[test]
fn a_month_that_is_not_ready_is_closed_with_a_reason_only() {
    let scene = scene(&["2025-10-02 Compute eu 10 team=atlas", "2025-10-03 Odd eu 20 -"]);
    scene.write("rules/odd.rhai", ODD_RULE);
    fs::remove_file(scene.path("bills/may.csv")).expect("the bill");
    let broken = bill(&["2025-10-02 Compute eu 10 team=atlas", "2025-10-03 Odd eu 20 -"]);
    scene.write(
        "bills/b.csv",
        &(broken + &bill(&["2025-10-05 Compute eu bogus -"])[HEADER.len()..]),
    );
    scene.run("run").expect(3);
    refused(&scene, "2025-10", "the last run, 1, is incomplete");
    refused(&scene, "2025-10", "run 1 set aside 1 row of bills");
    refused(&scene, "2025-10", "20 USD stand in suspense: their rules failed");
    refused(&scene, "2099-01", "it is not over before 2099-02-01T00:00:00Z (UTC)");
    refused(&scene, "0001-01", "it has no charges");
    let hint = "apportion period close 2025-10 --because \"the reason\"";
    refused(&scene, "2025-10", hint);
    scene.run_with(&["period", "close", "2025-10", "--because", " "], &[]).fails_with(
        1,
        "L203",
        "closing 2025-10 all the same needs a reason",
    );
    let because = ["period", "close", "2025-10", "--because", "a lost row"];
    scene.run_with(&because, &[]).expect(0);
    let listed = scene.run("period list").expect(0).stdout;
    let against = "the last run, 1, is incomplete; run 1 set aside 1 row of bills; 20 USD stand in \
                   suspense: their rules failed";
    let expect = format!("2025-10  closed    a lost row; although {against}\n");
    assert_eq!(listed, expect);
}

/// Boreas has no cost to share by, so the 20 stay in the pool.
#[test]
fn a_month_with_money_in_a_pool_is_not_ready() {
    let scene = scene(&["2025-10-02 Compute eu 10 team=atlas", "2025-10-03 Odd eu 20 -"]);
    let shared = ODD_RULE.replace("throw \"no idea\"", "by_cost([\"boreas\"])");
    scene.write("rules/odd.rhai", &shared);
    scene.run("run").expect(0);
    refused(&scene, "2025-10", "20 USD stand in pools that no rule passed on");
}

#[test]
fn a_month_that_is_mended_is_closed_without_a_word() {
    let scene = scene(&["2025-10-02 Compute eu 10 team=atlas"]);
    let good = scene.read("bills/may.csv");
    scene.write("bills/may.csv", &good.replace("10,10", "ten,10"));
    scene.run("run").expect(3);
    refused(&scene, "2025-10", "it has no charges");
    scene.write("bills/may.csv", &good);
    scene.run("run").expect(0);
    scene.run("period close 2025-10").expect(0);
    let open = scene.run_with(&["period", "reopen", "2025-10", "--reason", "a credit"], &[]);
    assert!(open.expect(0).stderr.contains("corrections of it in later months stay there"));
}

#[test]
fn questions_that_nothing_can_match_are_refused() {
    let scene = scene(&["2026-03-02 Compute eu 10 Owner=Alpha"]);
    scene.run("run").expect(0);
    // A synonym and another case mean the tag; values are folded as those of bills are.
    for question in ["--group-by tag:Owner", "--group-by tag:team", "--group-by team"] {
        assert_eq!(csv(&scene, question), ["2026-03,alpha,USD,10"], "{question}");
    }
    let filtered = csv(&scene, "--group-by team --filter tag:SQUAD=ALPHA");
    assert_eq!(filtered, ["2026-03,alpha,USD,10"]);
    let refused = |arguments: &str, words: &str| {
        scene.run(&format!("costs {arguments}")).fails_with(1, "N202", words);
    };
    refused("--filter team=Alpha", "no cost has the team 'Alpha'\n\nhint: did you mean `alpha`?");
    refused("--filter team=gamma", "`apportion costs --group-by team` lists what there is");
    refused("--filter tag:team=alhpa", "did you mean `alpha`?");
    refused(
        "--group-by tag:tema",
        "no charge has the tag 'tema'\n\nhint: did you mean `tag:team`?",
    );
    refused("--group-by tag:budget", "the tags are environment, team");
    refused("--group-by invoice_id", "no charge has the column 'invoice_id'");
    refused("--group-by invoice_id", "dimensions = [\"invoice_id\", …]");
    refused("--filter service=compute", "did you mean `Compute`?");
    refused("--filter rule=direct/tema", "did you mean `direct/team`?");
    refused("--filter charge_period=March", "write `charge_period` as a month");
    refused(
        "--from 2026-03-02 --to 2026-03-01",
        "the period ends on 2026-03-01, before it starts on 2026-03-02",
    );
    // Nothing of it is in these months, and it is a good question.
    assert!(csv(&scene, "--filter team=alpha --from 2027-01").is_empty());
    refused("--metric list_cost --axis posting", "list_cost goes by the day of the charge");
}
