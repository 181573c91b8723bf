//! The author's tools on rules that are out of date, ask for nothing, or serve other teams.

use crate::scene::Scene;
use serde_json::json;

#[test]
fn coverage_tells_rules_apart_that_do_not_hold_in_the_month() {
    let scene = Scene::after_run();
    let rule = scene.read("rules/shared/support.rhai");
    for (name, header) in [("old", "until: \"2020-01-01\""), ("later", "from: \"2026-03-01\"")] {
        let text = rule.replace("priority: 100", &format!("priority: 90, {header}"));
        scene.write(&format!("rules/shared/{name}.rhai"), &text);
        let cases = scene.read("rules/shared/support.cases.toml");
        scene.write(&format!("rules/shared/{name}.cases.toml"), &cases);
    }
    let text = scene.run("rule test --coverage --month 2026-02").expect(0).stdout;
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(
        last,
        [
            "not valid in the month: shared/later (from 2026-03-01), shared/old (expired \
             2020-01-01)",
            "never reached: shared/support",
        ]
    );
    let march = scene.run("rule test --coverage --month 2026-03 --format json").expect(0).json();
    assert_eq!(march["money"]["not_valid"], json!(["shared/old"]));
}

#[test]
fn a_new_cascade_rule_moves_nothing_until_it_names_a_payer() {
    let scene = Scene::after_run();
    scene.run("rule new serving/search --cascade search").expect(0);
    assert_eq!(scene.run("rule check").expect(0).stderr, "");
    scene.run("rule test serving/search").expect(0).says("serving/search: 1 of 1 cases passed");
    let plan = scene.run("plan --format json").expect(0).json();
    assert_eq!((&plan["moved"], &plan["rule_moves"]), (&json!([]), &json!([])));
    let again = "rule new serving/again --cascade search";
    scene.run(again).fails_with(1, "R110", "apportion rule show serving/search");
    scene.write("rules/tables/teams.csv", "team,unit\nsearch,x\npayments,x\n");
    let other = "rule new serving/other --cascade payment";
    scene.run(other).fails_with(1, "R115", "did you mean 'payments'?");
    assert!(!scene.path("rules/serving/other.rhai").exists());
    scene.run("rule new a/b --pool --cascade search").fails_with(2, "C201", "--cascade");
}

#[test]
fn metrics_without_any_usage_are_told_after_the_first_run() {
    let scene = Scene::with_bill();
    let rule = scene.read("rules/shared/support.rhai");
    let asks = rule.replace("by_cost()", "by_usage(\"nonsense.metric\")");
    scene.write("rules/shared/support.rhai", &asks);
    let cases = "[[case]]\nname = \"n\"\ncharge = { service_name = \"AWS Support\" }\nexpect = { \
                 decision = \"by_usage nonsense.metric\" }\n";
    scene.write("rules/shared/support.cases.toml", cases);
    assert_eq!(scene.run("rule check").expect(0).stderr, "");
    scene.run("run").expect(0);
    let told = scene.run("rule check").expect(0).stderr;
    assert!(
        told.contains("6:32: R116: no usage of the metric 'nonsense.metric' was collected"),
        "{told}"
    );
}

#[test]
fn a_tag_whose_key_has_an_equals_sign_can_be_filtered() {
    let scene = Scene::with_bill();
    let bill = scene.read("bills/jan.csv");
    let tag = "\"{\"\"team\"\": \"\"payments\"\"}\"";
    let tagged = "\"{\"\"team\"\": \"\"payments\"\", \"\"a=b\"\": \"\"c=d\"\"}\"";
    scene.write("bills/jan.csv", &bill.replacen(tag, tagged, 1));
    scene.run("run").expect(0);
    let costs = "costs --axis charge --granularity total --format csv --filter tag:a=b=c=d";
    let rows = scene.run(costs).expect(0).stdout;
    assert!(rows.lines().any(|row| row.contains("60.000000000")), "{rows}");
    assert_eq!(rows.lines().count(), 2, "{rows}");
    scene.run(&costs.replace("a=b=c", "a=x=c")).fails_with(1, "N202", "no charge has the tag 'a'");
}
