//! `plan`, `apply`, `rule approve` and `rule history`: the way of a changed rule into the ledger.

use crate::scene::{SETTINGS, Scene};
use serde_json::{Value, json};

/// Changes the rule for support and its cases: support goes to the platform team.
/// Saves rules by which support is the cost of a team of its own.
pub fn change_support(scene: &Scene) {
    for name in ["rules/shared/support.rhai", "rules/shared/support.cases.toml"] {
        let text = scene.read(name).replace("by_cost()", "assign(\"platform\")");
        scene.write(name, &text.replace("{ by_cost = {} }", "{ assign = \"platform\" }"));
    }
}

pub fn changed() -> Scene {
    let scene = Scene::after_run();
    change_support(&scene);
    scene
}

/// A scene with `plan.json`, which moves the cost of support.
pub fn planned() -> Scene {
    let scene = changed();
    scene.run("plan --out plan.json").expect(0);
    scene
}

fn require_approval(scene: &Scene) {
    scene.write("apportion.toml", &format!("require_approval = true\n{SETTINGS}"));
}

/// The teams of a plan: the name of each, and its cost after the change.
fn after(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    plan["teams"]
        .as_array()
        .expect("teams")
        .iter()
        .map(|team| (text(&team["name"]), text(&team["after"]["amount"])))
        .collect()
}

fn named<const N: usize>(costs: [(&str, &str); N]) -> Vec<(String, String)> {
    costs.map(|(team, cost)| (team.to_owned(), cost.to_owned())).to_vec()
}

fn costs(scene: &Scene, arguments: &str) -> Vec<(String, String)> {
    let costs = scene
        .run(&format!("costs --group-by team --granularity total --format json {arguments}"))
        .expect(0)
        .json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    costs["costs"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (text(&row["keys"]["team"]), text(&row["cost"]["amount"])))
        .collect()
}

fn runs(scene: &Scene) -> u64 {
    let history = scene.run("rule history --format json").expect(0).json();
    history
        .as_array()
        .expect("a list")
        .iter()
        .map(|used| used["runs"].as_u64().expect("a count"))
        .sum()
}

#[test]
fn a_plan_shows_the_money_and_posts_nothing() {
    let scene = changed();
    let before = costs(&scene, "");
    let plan = scene.run("plan --period 2026-01 --format json").expect(0);
    assert!(plan.stderr.contains("nothing was posted"), "{}", plan.stderr);
    // Before the change, the 10 of support went to payments and search, 60 to 30.
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let change = |name: &str, before: &str, after: &str, change: &str| json!({ "name": name, "before": usd(before), "after": usd(after), "change": usd(change) });
    assert_eq!(
        plan.json()["teams"],
        json!([
            change("payments", "66.666666666", "60.000000000", "-6.666666666"),
            change("platform", "0.000000000", "10.000000000", "10.000000000"),
            change("search", "33.333333334", "30.000000000", "-3.333333334"),
        ])
    );
    assert_eq!(plan.json()["moved"], json!([usd("10.000000000")]));
    assert_eq!(plan.json()["moved_elsewhere"], json!([]));
    assert_eq!(costs(&scene, ""), before);
    let february = scene
        .run("plan --from 2026-02")
        .expect(0)
        .says("moves nothing in the period, and USD 10.00 between teams outside of it");
    assert!(!february.stdout.contains("platform"), "{}", february.stdout);
    scene.run("plan --period March").fails_with(1, "N202", "'March' is neither a day nor a month");
    scene.run("plan --as-of March").fails_with(1, "N202", "--as-of: 'March' is not a date");
    scene.run("plan --period 2026-01 --from 2026-01").expect(2);
    Scene::with_bill().run("plan").fails_with(1, "L101", "apportion run");
}

#[test]
fn a_plan_that_is_applied_comes_out_to_the_nano() {
    let scene = changed();
    let plan = scene.run("plan --out plan.json --format json").expect(0).json();
    scene.run("apply plan.json").expect(0).says("difference 0.000000000");
    assert_eq!(costs(&scene, ""), after(&plan));
    scene.run("ledger verify").expect(0);
    scene.run("plan").expect(0).says("no team's cost changes");
    scene.run("apply plan.json").fails_with(1, "N303", "the plan has been applied already");
}

#[test]
fn a_plan_is_refused_when_it_does_not_fit_any_more() {
    let scene = changed();
    scene.run("plan --out plan.json").expect(0);
    let rule = scene.read("rules/shared/support.rhai");
    scene.write("rules/shared/support.rhai", &format!("{rule}\n// thought again\n"));
    scene.run("apply plan.json").fails_with(1, "N302", "the rules are");
    scene.run("rule approve --plan plan.json --note why --by Ada").fails_with(
        1,
        "N302",
        "the rules are",
    );
    scene.write("rules/shared/support.rhai", &rule);

    scene.write("edited.json", &scene.read("plan.json").replace("10.000000000", "11.000000000"));
    scene.run("apply edited.json").fails_with(1, "N301", "the plan was changed after it was made");
    scene.run("apply apportion.toml").fails_with(1, "N301", "this is not a plan");
    scene.run("apply missing.json").fails_with(1, "N301", "missing.json cannot be read");

    scene.run("run --config apportion.toml --ledger other.db").expect(0);
    scene.run("apply plan.json --ledger other.db").fails_with(1, "N304", "another ledger");
    scene.run("rule approve --plan plan.json --note why --by Ada --ledger other.db").fails_with(
        1,
        "N304",
        "another ledger",
    );
    scene.run("plan --as-of 2020-01-01 --out then.json").expect(0);
    scene.run("apply then.json").fails_with(1, "N305", "--as-of");

    scene.run("period close 2026-01").expect(0);
    scene.run("apply plan.json").fails_with(1, "N303", "closed months");
    assert_eq!(runs(&scene), 1);
}

/// Each of these decides money, and stands in the plan's generation.
#[test]
fn settings_and_tables_that_change_between_plan_and_apply_refuse_the_plan() {
    let tag = SETTINGS.replace("fold_values = true\n", "");
    let values = SETTINGS.replace("pay = ", "paid = ");
    let dimensions = format!("dimensions = [\"service_name\"]\n{SETTINGS}");
    let absent = format!("absent_values = [\"none\"]\n{SETTINGS}");
    let source = SETTINGS.replace("paths = ", "delimiter = \",\"\npaths = ");
    let scene = planned();
    let before = costs(&scene, "");
    for text in [tag, values, dimensions, absent, source] {
        assert_ne!(text, SETTINGS);
        scene.write("apportion.toml", &text);
        scene.run("apply plan.json").fails_with(1, "N302", "the rules are");
    }
    scene.write("apportion.toml", SETTINGS);
    scene.write("rules/tables/teams.csv", "team,cost_center\npayments,CC1\nplatform,CC2\n");
    scene.run("apply plan.json").fails_with(1, "N302", "the rules are");
    std::fs::remove_file(scene.path("rules/tables/teams.csv")).expect("the table");
    assert_eq!(costs(&scene, ""), before);
    // A setting that decides no money changes nothing, and neither does one that came back.
    scene.write("apportion.toml", &format!("{SETTINGS}[log]\nlevel = \"warn\"\n"));
    scene.run("apply plan.json").expect(0);
    assert_ne!(costs(&scene, ""), before);
}

#[test]
fn other_rules_and_other_times_are_tried_on_a_copy_that_can_be_kept() {
    let scene = Scene::after_run();
    let before = costs(&scene, "");
    let other = changed();
    for name in [
        "direct/team.rhai",
        "direct/team.cases.toml",
        "shared/support.rhai",
        "shared/support.cases.toml",
    ] {
        scene.write(&format!("other/{name}"), &other.read(&format!("rules/{name}")));
    }
    let plan = scene.run("plan --rules other --keep as-if.db --format json").expect(0).json();
    assert_eq!(costs(&scene, "--ledger as-if.db"), after(&plan));
    assert!(after(&plan).contains(&("platform".into(), "10.000000000".into())));
    scene.run("ledger verify --ledger as-if.db").expect(0);
    assert_eq!(costs(&scene, ""), before);
    scene.run("plan --rules other --keep as-if.db").fails_with(1, "C105", "already a file");
    // The ledger knew nothing in 2020.
    let then = scene.run("plan --as-of 2020-01-01 --format json").expect(0).json();
    assert!(
        after(&then).iter().all(|(_, amount)| amount == "0.000000000") && then["charges"] == 0,
        "{then:#}"
    );
}

#[test]
fn rules_post_only_when_they_are_approved_if_the_settings_want_that() {
    let scene = changed();
    require_approval(&scene);
    let before = costs(&scene, "");
    scene.run("plan --out plan.json").expect(0);
    for refused in ["apply plan.json", "run", "run --stored"] {
        scene.run(refused).fails_with(1, "N402", "apportion rule approve --plan plan.json");
    }
    assert_eq!((costs(&scene, ""), runs(&scene)), (before, 1));

    scene.run("rule approve --plan plan.json --note why").fails_with(
        1,
        "N401",
        "an approval needs a name",
    );
    scene.run("rule approve --by Ada --note=").fails_with(1, "N401", "an approval needs a note");
    scene
        .run_with(
            &["rule", "approve", "--plan", "plan.json", "--note", "support is platform's"],
            &[("USER", "ada")],
        )
        .expect(0);
    scene.run("apply plan.json").expect(0);
    scene.run("run").expect(0);
    scene.run("ledger verify").expect(0);

    let history = scene.run("rule history --format json").expect(0).json();
    assert_eq!((&history[0]["runs"], &history[0]["approvals"]), (&json!(1), &json!([])));
    assert_eq!(
        (&history[1]["runs"], &history[1]["changed"]),
        (&json!(2), &json!(["shared/support"]))
    );
    let approval = &history[1]["approvals"][0];
    assert_eq!(
        (&approval["by"], &approval["note"]),
        (&json!("ada"), &json!("support is platform's"))
    );
    assert_eq!(
        approval["plan"],
        serde_json::from_str::<Value>(&scene.read("plan.json")).expect("JSON")
    );

    // Another change needs another approval. A change whose cases fail gets none.
    scene.write(
        "rules/direct/team.rhai",
        &scene.read("rules/direct/team.rhai").replace("priority: 200", "priority: 201"),
    );
    scene.run("run --stored").fails_with(1, "N402", "are not approved");
    scene.write(
        "rules/direct/team.cases.toml",
        &scene
            .read("rules/direct/team.cases.toml")
            .replace("assign = \"payments\"", "assign = \"x\""),
    );
    scene.run("rule approve --by Ada --note hurry").fails_with(1, "R302", "a tagged charge");
}

#[test]
fn a_first_run_waits_for_its_approval_too() {
    let scene = Scene::with_bill();
    require_approval(&scene);
    scene.run("run").fails_with(1, "N402", "apportion.toml:1");
    scene.run("rule approve --by Ada --note start").expect(0);
    scene.run("rule history").expect(0).says("not used yet").says("approved by Ada at ");
    scene.run("run").expect(0);
    scene.run("rule history").expect(0).says("added: direct/team, shared/support").says(": start");
}

#[test]
fn rules_with_turning_days_are_approved_as_one() {
    let scene = Scene::with_bill();
    require_approval(&scene);
    let rule = scene.read("rules/shared/support.rhai");
    scene.write(
        "rules/shared/support.rhai",
        &rule.replace("priority: 100,", "priority: 100, from: \"2026-01-15\","),
    );
    scene.run("rule approve --by Ada --note turning").expect(0);
    scene.run("run").expect(0);
    let history = scene.run("rule history --format json").expect(0).json();
    assert_eq!(
        (
            history.as_array().map(Vec::len),
            &history[0]["runs"],
            &history[0]["approvals"][0]["note"]
        ),
        (Some(1), &json!(1), &json!("turning"))
    );
}

#[test]
fn a_tag_setting_is_planned_approved_and_remembered_as_a_rule_is() {
    let scene = Scene::after_run();
    let settings = SETTINGS.replace("pay = \"payments\"", "search = \"payments\"");
    scene.write("apportion.toml", &format!("require_approval = true\n{settings}"));
    let plan = scene.run("plan --out plan.json --format json").expect(0).json();
    // The 30 of search are now those of payments, with the 10 of support, and 0.125 goes to a team
    // that is called pay.
    assert_eq!(
        after(&plan),
        named([
            ("pay", "0.125000000"),
            ("payments", "100.000000000"),
            ("search", "0.000000000"),
            ("unallocated", "5.250000000"),
        ])
    );
    assert_eq!(plan["moved"], json!([{ "amount": "33.333333334", "currency": "USD" }]));
    assert_eq!(plan["changes"], json!({ "added": [], "removed": [], "changed": ["[tags.team]"] }));
    assert_eq!((&plan["collected"], &plan["uncollected"]), (&json!(["aws"]), &json!([])));
    scene.run("plan").expect(0).says("changed: [tags.team]\ncollected anew for this plan: aws");
    scene.run("run").fails_with(1, "N402", "not approved");
    scene.run("run --stored").fails_with(1, "N402", "not approved");
    scene.run("rule approve --plan plan.json --note checked --by Ada").expect(0);
    scene.run("apply plan.json").expect(0).says("difference 0.000000000");
    assert_eq!(
        costs(&scene, ""),
        named([
            ("pay", "0.125000000"),
            ("payments", "100.000000000"),
            ("unallocated", "5.250000000"),
        ])
    );
    scene.run("rule history").expect(0).says("changed: [tags.team]");
    scene.run("plan").expect(0).says("no team's cost changes");
}

/// The same money under another name of its source.
#[test]
fn a_former_name_is_planned_approved_and_moves_no_team() {
    let scene = Scene::after_run();
    let before = costs(&scene, "");
    let renamed = SETTINGS.replace("[sources.aws]", "[sources.amazon]\nformerly = [\"aws\"]");
    scene.write("apportion.toml", &format!("require_approval = true\n{renamed}"));
    let plan = scene.run("plan --out plan.json --format json").expect(0).json();
    assert_eq!((&plan["collected"], &plan["moved"]), (&json!(["amazon"]), &json!([])));
    scene.run("run").fails_with(1, "N402", "not approved");
    scene.run("rule approve --plan plan.json --note checked --by Ada").expect(0);
    scene.run("apply plan.json").expect(0).says("difference 0.000000000");
    assert_eq!(costs(&scene, ""), before);
    scene.run("ledger verify").expect(0);
}

/// Names of teams go by the schema of today. The stored charges have the tags of before: there a
/// part of the change is still to come, and plans still show it.
#[test]
fn a_plan_tells_a_tag_setting_until_the_source_is_collected_with_it() {
    let scene = Scene::after_run();
    scene.write("apportion.toml", &SETTINGS.replace("pay = ", "search = "));
    scene.run("run --stored").expect(0);
    let plan = scene.run("plan --format json").expect(0).json();
    assert_eq!(plan["moved"], json!([{ "amount": "0.125000000", "currency": "USD" }]));
    assert_eq!(plan["collected"], json!(["aws"]));
    scene
        .run("plan --as-of 2099-01-01")
        .expect(0)
        .says("not known: [sources.aws]: its settings differ");
    scene.run("run").expect(0);
    assert_eq!(costs(&scene, ""), after(&plan));
    assert_eq!(scene.run("plan --format json").expect(0).json()["collected"], json!([]));
}

/// Whatever changes of settings, rules and tables: `run` moves what `plan` said.
#[test]
fn a_run_moves_what_the_plan_before_it_said() {
    let tags = [
        "synonyms = [\"team_name\"]\nfold_values = true\n",
        "fold_values = true\nvalues = { pay = \"payments\", search = \"payments\" }\n",
        "synonyms = [\"team_name\"]\n",
        "",
    ];
    let dimensions = [
        "",
        "dimensions = [\"service_name\", \"sub_account_id\"]\n",
        "dimensions = [\"service_name\", \"resource_id\"]\n",
    ];
    let unknown_teams = ["", "unknown_teams = \"refuse\"\n", "unknown_teams = \"warn\"\n"];
    let teams = ["payments", "platform", "ops"];
    let skipped = ["", "delivery = \"day\"\n", "details = []\n"];
    let support = ["by_cost()", "assign(\"platform\")", "split(#{ payments: 1, pay: 2 })"];
    let scene = Scene::after_run();
    scene.write("rules/shared/support.cases.toml", "");
    let rule = scene.read("rules/shared/support.rhai");
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % count as u64) as usize
    };
    for step in 0..14 {
        let source = SETTINGS.split("[tags.team]").next().expect("a source");
        scene.write(
            "apportion.toml",
            &format!(
                "{}{}{source}{}[tags.team]\n{}",
                dimensions[next(dimensions.len())],
                unknown_teams[next(unknown_teams.len())],
                skipped[next(skipped.len())],
                tags[next(tags.len())]
            ),
        );
        let listed = &teams[..=next(teams.len())];
        scene.write("rules/tables/teams.csv", &format!("team,unit\n{},x\n", listed.join(",x\n")));
        let text = rule.replace("by_cost()", support[next(support.len())]);
        scene.write("rules/shared/support.rhai", &text);
        let before = costs(&scene, "");
        let plan = scene.run("plan --format json").expect(0).json();
        assert_eq!(plan["uncollected"], json!([]), "step {step}");
        let run = scene.run("run");
        // Teams that are refused leave a run incomplete.
        assert!([0, 3].contains(&run.code), "step {step}: {}", run.stderr);
        let settings = scene.read("apportion.toml");
        let planned: Vec<_> =
            after(&plan).into_iter().filter(|(_, cost)| cost != "0.000000000").collect();
        let nonzero = |costs: Vec<(String, String)>| -> Vec<(String, String)> {
            costs.into_iter().filter(|(_, cost)| cost != "0.000000000").collect()
        };
        assert_eq!(nonzero(costs(&scene, "")), planned, "step {step}: {settings}");
        let stays = plan["moved"] == json!([]);
        assert_eq!(nonzero(before) == planned, stays, "step {step}: {settings}");
    }
    scene.run("ledger verify").expect(0);
}
