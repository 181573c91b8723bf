//! A plan names every rule through which money moves, and approvals keep what they were about.

use crate::scene::{SETTINGS, Scene};
use serde_json::{Value, json};

/// Each rule of a plan with its stage, what it moves, and its teams with before and after.
fn moves(plan: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let line = |rule: &Value| {
        let teams = list(&rule["teams"]).into_iter().map(|team| {
            let [before, after] = ["before", "after"].map(|side| text(&team[side]["amount"]));
            format!("{} {before} {after}", text(&team["name"]))
        });
        let head = [&rule["rule"], &rule["stage"], &rule["moved"][0]["amount"]].map(text);
        format!("{}: {}", head.join(" "), teams.collect::<Vec<_>>().join(", "))
    };
    list(&plan["rule_moves"]).iter().map(line).collect()
}

/// By hand. Support is 10 by 60 : 30, so search bears 3.333333334 of it, and web in its place the
/// same. Web then passes on 30 and 3.333333334. Only direct/team and serving/web were written.
#[test]
fn a_plan_names_the_rules_of_every_stage() {
    let scene = Scene::after_run();
    let rule = scene.read("rules/direct/team.rhai");
    let to_web =
        "assign(if charge.tag(\"team\") == \"search\" { \"web\" } else { charge.tag(\"team\") })";
    scene.write("rules/direct/team.rhai", &rule.replace("assign(charge.tag(\"team\"))", to_web));
    scene.run("rule new serving/web --cascade web").expect(0);
    let serving = scene.read("rules/serving/web.rhai").replace("pass()", "assign(\"payments\")");
    scene.write("rules/serving/web.rhai", &serving);
    let cases = scene.read("rules/serving/web.cases.toml");
    let cases = cases.replace("\"pass\"", "{ split = { payments = 1 } }");
    scene.write("rules/serving/web.cases.toml", &cases);

    let plan = scene.run("plan --format json").expect(0).json();
    assert_eq!(
        moves(&plan),
        [
            "shared/support attribution 3.333333334: search 3.333333334 0.000000000, web \
             0.000000000 3.333333334",
            "direct/team attribution 30.000000000: search 30.000000000 0.000000000, web \
             0.000000000 30.000000000",
            "serving/web cascade 33.333333334: payments 0.000000000 33.333333334, web 0.000000000 \
             -33.333333334",
        ]
    );
    let text = scene.run("plan").expect(0).stdout;
    let table: Vec<&str> =
        text.lines().skip_while(|line| !line.starts_with("rule ")).take(9).collect();
    let shown = table.join("\n");
    for words in ["rule            stage        team", "shared/support  attribution  search"] {
        assert!(shown.contains(words), "{shown}");
    }
    assert!(shown.contains("serving/web     cascade      payments"), "{shown}");
    // In February nothing of it is so.
    let february = scene.run("plan --period 2026-02 --format json").expect(0).json();
    assert_eq!(moves(&february), Vec::<String>::new());
}

/// A support plan of 12 more, whose rule is gone afterwards: it is named with its stage of then.
#[test]
fn a_plan_names_rules_that_are_gone_and_costs_without_a_rule() {
    let scene = Scene::after_run();
    std::fs::remove_dir_all(scene.path("rules/shared")).expect("the rules are there");
    let plan = scene.run("plan --format json").expect(0).json();
    assert_eq!(
        moves(&plan),
        [
            "shared/support attribution 10.000000000: payments 6.666666666 0.000000000, search \
             3.333333334 0.000000000",
            "  10.000000000: unallocated 5.250000000 15.250000000",
        ]
    );
    let text = scene.run("plan").expect(0).stdout;
    assert!(text.lines().any(|line| line.starts_with("no rule ")), "{text}");
}

#[test]
fn approvals_that_no_run_used_say_what_they_change() {
    let scene = Scene::after_run();
    scene.write("apportion.toml", &format!("require_approval = true\n{SETTINGS}"));
    let change = |priority: &str| {
        let rule = scene.read("rules/shared/support.rhai");
        let at = rule.find("priority: ").expect("a priority") + "priority: ".len();
        scene.write(
            "rules/shared/support.rhai",
            &format!("{}{priority}{}", &rule[..at], &rule[at + 3..]),
        );
    };
    change("101");
    scene.run("rule approve --by Ada --note first").expect(0);
    let blocks = |text: String| -> Vec<String> {
        text.split("  not used yet\n").skip(1).map(str::to_owned).collect()
    };
    let history = blocks(scene.run("rule history").expect(0).stdout);
    assert!(history[0].starts_with("  changed: shared/support\n  approved by Ada"), "{history:?}");
    change("102");
    scene.run("plan --out plan.json").expect(0);
    scene.run("rule approve --by Ada --plan plan.json --note second").expect(0);
    change("103");
    let history = blocks(scene.run("rule history").expect(0).stdout);
    assert!(history[0].starts_with("  what it changes is not known: no plan"), "{history:?}");
    assert!(history[1].starts_with("  changed: shared/support\n  approved by Ada"), "{history:?}");
    let json = scene.run("rule history --format json").expect(0).json();
    let last = json.as_array().and_then(|list| list.last()).expect("an approval");
    assert_eq!(last["changed"], json!(["shared/support"]));
}
