//! The commands for the authors of rules.

use crate::scene::Scene;
use serde_json::json;

#[test]
fn a_new_rule_passes_check_and_test_at_once() {
    let scene = Scene::with_rules();
    let new = scene.run("rule new direct/payroll").expect(0);
    assert_eq!(
        (new.stdout.as_str(), new.stderr.lines().next()),
        ("", Some("wrote rules/direct/payroll.rhai"))
    );
    scene.run("rule new pools/idle --pool --owner idle@example.com").expect(0);
    let check = scene.run("rule check").expect(0);
    assert_eq!(check.stderr, "");
    scene
        .run("rule test")
        .expect(0)
        .says("direct/payroll: 2 of 2 cases passed")
        .says("pools/idle: 1 of 1 cases passed");
    // The neighbors in direct/ have the priority 200, so the new rule gets 210. pools/ is a pack of
    // its own.
    let list = scene.run("rule list --format json").expect(0).json();
    let facts = |at: usize| {
        (list[at]["rule"].clone(), list[at]["priority"].clone(), list[at]["owner"].clone())
    };
    assert_eq!(facts(2), (json!("direct/payroll"), json!(210), json!("finops@example.com")));
    assert_eq!(facts(3), (json!("pools/idle"), json!(500), json!("idle@example.com")));
}

#[test]
fn a_new_rule_overwrites_nothing_and_has_a_name() {
    let scene = Scene::with_rules();
    let before = scene.read("rules/direct/team.rhai");
    scene.run("rule new direct/team").fails_with(
        1,
        "C105",
        "rules/direct/team.rhai would be overwritten",
    );
    assert_eq!(scene.read("rules/direct/team.rhai"), before);
    for name in
        ["team", "direct/", "../direct/team", "tables/team", "Direct/team", "direct/team.rhai"]
    {
        scene.run_with(&["rule", "new", name], &[]).fails_with(2, "C201", "cannot name a rule");
    }
    let first = Scene::empty();
    first.write("apportion.toml", "");
    first.run("rule new direct/first").fails_with(
        1,
        "R105",
        "apportion rule new direct/first --owner finops@example.com",
    );
    first.run("rule new direct/first --owner finops@example.com").expect(0);
    first.run("rule check").expect(0);
    first.run("rule test").expect(0);
}

#[test]
fn a_rule_is_shown_with_its_cases_and_its_money() {
    let scene = Scene::with_bill();
    scene.run("rule show direct/team").expect(0).says("placed    no ledger yet");
    scene.run("run").expect(0);
    scene
        .run("rule show direct/team")
        .expect(0)
        .says("The tag `team` names who pays.")
        .says("placed    90.12 USD")
        .says("   4  fn matches(charge) { charge.has_tag(\"team\") }")
        .says("   2  name = \"a tagged charge\"");
    let json = scene.run("rule show direct/team --format json").expect(0).json();
    assert_eq!(json["placed"], json!([{ "amount": "90.125000000", "currency": "USD" }]));
    assert_eq!(json["source"], scene.read("rules/direct/team.rhai"));
    assert_eq!(json["cases"], scene.read("rules/direct/team.cases.toml"));
    scene.run("rule show direct/taem").fails_with(
        1,
        "R304",
        "did you mean `apportion rule show direct/team`?",
    );
}

#[test]
fn findings_have_a_place_and_a_hint_in_json_too() {
    let scene = Scene::with_rules();
    scene.write("rules/tables/spare.csv", "key,value\n");
    let team = scene.read("rules/direct/team.rhai").replace("priority: 200", "priority: 300");
    scene.write("rules/direct/twin.rhai", &team);
    let warned = scene.run("rule check").expect(0);
    assert_eq!(warned.stdout, "");
    assert!(
        warned.stderr.starts_with(
            "warning: rules/direct/twin.rhai:4:20: R111: the rule is never \
            reached: direct/team comes first"
        ),
        "{}",
        warned.stderr
    );
    let json = scene.run("rule check --format json").expect(0).json();
    assert_eq!(json["errors"], json!([]));
    let codes: Vec<_> = json["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| finding["code"].clone())
        .collect();
    assert_eq!(codes, ["R111", "R113"]);
    assert_eq!(json["warnings"][1]["location"], "rules/tables/spare.csv:1");
    assert_eq!(
        json["warnings"][1]["hint"],
        "delete rules/tables/spare.csv, or read it: lookup(\"spare\", …)"
    );
    let late = scene.run("rule check --on 2099-01-02").expect(0);
    assert!(
        late.stderr.contains(
            "rules/direct/team.rhai:2:1: R109: the rule was to be reviewed by 2099-01-01"
        ),
        "{}",
        late.stderr
    );
    scene.write("rules/direct/twin.rhai", "fn");
    let json = scene.run("rule check --format json").fails_with(1, "R101", "twin.rhai").json();
    assert_eq!(json["errors"][0]["code"], "R101");
}

/// By hand. February: no rule claims 5.25, and the tag places 0.125. These are 97.7 % and 2.3 % of
/// 5.375. January: support is 10 of 100.
#[test]
fn coverage_tells_branches_never_taken_and_the_share_of_each_rule() {
    let scene = Scene::after_run();
    let rule = scene.read("rules/direct/team.rhai").replace("charge.has_tag(\"team\") }", "\n    if charge.has_tag(\"team\") { return true; }\n    charge.tag(\"a\") == \"b\" || charge.tag(\"c\") == \"d\" && charge.tag(\"e\") == \"f\"\n}");
    scene.write("rules/direct/team.rhai", &rule);
    let text = scene.run("rule test --coverage").expect(0).stdout;
    let expect = "\
shared/support: 2 of 2 cases passed, 2 of 2 branches reached
direct/team: 2 of 2 cases passed, 5 of 6 branches reached
  rules/direct/team.rhai:6:54: what stands before `&&` is never true
branches: 7 of 8 reached

2026-02      stage            cost    share
direct/team  attribution  0.12 USD    2.3 %
───────────  ───────────  ────────  ───────
unallocated               5.25 USD   97.7 %
total                     5.38 USD  100.0 %
never reached: shared/support
";
    assert_eq!(text, expect);
    let json = scene.run("rule test --coverage --month 2026-01 --format json").expect(0).json();
    assert_eq!(
        json["rules"][1]["branches"],
        json!({ "all": 6, "reached": 5, "never": [{ "line": 6, "column": 54, "message": "what stands before `&&` is never true" }] })
    );
    assert_eq!(json["money"]["month"], "2026-01");
    assert_eq!(
        json["money"]["rules"][0]["cost"],
        json!([{ "amount": "10.000000000", "currency": "USD", "share": "10.0 %" }])
    );
    assert_eq!(json["money"]["never_reached"], json!([]));
    assert_eq!(json["money"]["unallocated"], json!([]));
    scene.run("rule test --month 2026-01").fails_with(2, "C201", "--coverage");
}

#[test]
fn layout_is_put_right_and_nothing_else() {
    let scene = Scene::with_rules();
    scene.run("rule fmt --check").expect(0);
    let neat = scene.read("rules/direct/team.rhai");
    scene.write(
        "rules/direct/team.rhai",
        &neat.replace(
            "{ charge.has_tag(\"team\") }\n\n",
            "{  \n  charge.has_tag( \"team\" )   // in blanks\n  }\n",
        ),
    );
    scene.write("rules/shared/broken.rhai", "  fn");
    let check = scene.run("rule fmt --check").fails_with(1, "R306", "rules/direct/team.rhai");
    assert!(
        check.stderr.contains("R101: the rule does not compile, so it is left as it is"),
        "{}",
        check.stderr
    );
    let laid_out = scene.run("rule fmt").fails_with(1, "R101", "rules/shared/broken.rhai:1:5");
    assert!(
        laid_out.stderr.starts_with("laid out rules/direct/team.rhai\n"),
        "{}",
        laid_out.stderr
    );
    let expect = neat.replace(
        "{ charge.has_tag(\"team\") }",
        "{\n    charge.has_tag( \"team\" )   // in blanks\n}",
    );
    assert_eq!(scene.read("rules/direct/team.rhai"), expect);
    assert_eq!(scene.read("rules/shared/broken.rhai"), "  fn");
    std::fs::remove_file(scene.path("rules/shared/broken.rhai")).expect("it is there");
    assert_eq!(scene.run("rule fmt").expect(0).stderr, "0 of 2 rules changed\n");
}

#[test]
fn pages_are_written_out_of_rules_cases_and_money() {
    let scene = Scene::after_run();
    scene.write(
        "rules/direct/team.cases.toml",
        &(scene.read("rules/direct/team.cases.toml")
            + "\n[[property]]\nname = \"no tag, no claim\"\ncharges = { service_name = { any = \
                true } }\nalways = \"no match\"\n"),
    );
    assert_eq!(
        scene.run("rule docs --out pages --month 2026-01").expect(0).stderr,
        "wrote 3 pages to pages\n"
    );
    let index = scene.read("pages/README.md");
    let row = "| [direct/team](direct.md#directteam) | 200 | attribution | finops@example.com | \
        2099-01-01 | 90.00 USD | The tag `team` names who pays. |";
    assert!(index.contains("cost of 2026-01") && index.contains(row), "{index}");
    let page = scene.read("pages/direct.md");
    for expect in [
        "# direct\n",
        "## direct/team\n\nThe tag `team` names who pays.\n",
        "| cost of 2026-01 | 90.00 USD |",
        "| a tagged charge | service_name = \"EC2\", tag team = \"payments\" | assign payments |",
        "| no tag, no claim | any charge that the property describes | always no match |",
        "```rhai\n//! The tag `team` names who pays.\n",
    ] {
        assert!(page.contains(expect), "'{expect}' is not in\n{page}");
    }
    scene.run("rule docs --out pages --month 2026-01").expect(0);
    assert_eq!(scene.read("pages/direct.md"), page);
}

/// The rule for support placed money in January only. In February, the last month, it was never
/// reached.
#[test]
fn reviews_are_told_by_owner() {
    let scene = Scene::after_run();
    let team = scene.read("rules/direct/team.rhai");
    scene.write(
        "rules/direct/team.rhai",
        &team.replace("2099-01-01", "2026-01-31").replace("finops@", "lead@"),
    );
    let text = scene.run("rule review --quarter 2098Q4").expect(0).stdout;
    assert_eq!(
        text,
        "2098Q4 finops@example.com  review by   cost of 2026-02  why\nshared/support             2099-01-01                -  never reached\n\n\
         2098Q4 lead@example.com  review by   cost of 2026-02  why\ndirect/team              2026-01-31         0.12 USD  overdue\n\n"
    );
    let json =
        scene.run("rule review --quarter 2099Q1 --month 2026-01 --format json").expect(0).json();
    assert_eq!(json["owners"][0]["rules"][0]["reasons"], json!(["due"]));
    assert_eq!(
        json["owners"][1]["rules"][0]["cost"],
        json!([{ "amount": "90.000000000", "currency": "USD" }])
    );
    scene.write("rules/direct/team.rhai", &team);
    assert_eq!(
        scene.run("rule review --quarter 2030Q1 --month 2026-01").expect(0).stdout,
        "2030Q1: no rule is to be reviewed\n"
    );
    scene.run("rule review --quarter 2030Q5").fails_with(
        2,
        "C201",
        "'2030Q5' is not a quarter; write 2026Q4",
    );
}

/// The bill has four resources: i-1 of payments, b-1 of search, i-2 without a team, and support.
#[test]
fn the_work_of_rules_is_counted_on_the_ledger_s_resources() {
    let scene = Scene::with_bill();
    scene.run("rule bench").fails_with(1, "L101", "apportion run");
    scene.run("run").expect(0);
    let rule = scene.read("rules/direct/team.rhai").replace(
        "charge.has_tag(\"team\") }",
        "charge.has_tag(\"team\") && charge.resource_id != \"\" }",
    );
    scene.write("rules/direct/team.rhai", &rule);
    let json = scene.run("rule bench --format json").expect(0).json();
    assert_eq!((json["resources"].clone(), json["day"].clone()), (json!(4), json!("2026-02-01")));
    let facts = |at: usize| {
        ["rule", "asked", "keys", "remembered", "calls", "per_charge"]
            .map(|name| json["rules"][at][name].clone())
    };
    // The services are EC2, S3 and support. The rule claims support, and a claim takes two calls.
    assert_eq!(
        facts(0),
        [json!("shared/support"), json!(4), json!(3), json!("25.0 %"), json!(4), json!(false)]
    );
    assert_eq!(json["rules"][0]["reads"], json!([{ "name": "service_name", "values": 3 }]));
    // Support is claimed already. The rest is payments on i-1, search on b-1, and a resource
    // without a team. For the last one, the rule does not read the resource.
    assert_eq!(
        facts(1),
        [json!("direct/team"), json!(3), json!(3), json!("0.0 %"), json!(5), json!(false)]
    );
    assert_eq!(
        json["rules"][1]["reads"],
        json!([{ "name": "tag:team", "values": 3 }, { "name": "resource_id", "values": 2 }])
    );
    assert!(
        json["rules"][0]["operations"].as_u64().is_some_and(|operations| operations > 4),
        "{json}"
    );
    let text = scene.run("rule bench").expect(0);
    assert!(text.stdout.contains("service_name: 3 values"), "{}", text.stdout);
    assert_eq!(text.stderr, "4 resources on 2026-02-01, 6 runs of a rule\n");
}

#[test]
fn definitions_for_editors_are_written() {
    let scene = Scene::with_rules();
    scene.write("rules/tables/accounts.csv", "account,team\n1,payments\n");
    assert_eq!(
        scene.run("rule definitions --out editor").expect(0).stderr,
        "wrote 5 files to editor\n"
    );
    assert!(scene.read("editor/apportion.d.rhai").contains("fn by_cost() -> Decision;"));
    assert!(scene.read("editor/apportion.code-snippets").contains("\"new rule\""));
    assert!(scene.read("editor/cases.schema.json").contains("independent_of"));
    assert!(
        scene.read("editor/tables/accounts.schema.json").contains("\"primaryKey\": \"account\"")
    );
    let settings: serde_json::Value =
        serde_json::from_str(&scene.read("editor/settings.json")).expect("JSON");
    assert_eq!(
        settings["evenBetterToml.schema.associations"],
        json!({ ".*\\.cases\\.toml$": "./editor/cases.schema.json" })
    );
}

/// By hand, for January: the 10 of support go into the pool, and on to payments and search, 2 : 1.
/// Payments comes first in the alphabet, so its 6.666… is cut off, and search gets 3.333333334.
/// Search passes on all it has, 30 and 3.333333334.
#[test]
fn money_through_pools_and_serving_teams_is_counted_where_it_goes_on() {
    let scene = Scene::with_bill();
    scene.run("rule new pools/support --pool").expect(0);
    let support = scene
        .read("rules/shared/support.rhai")
        .replace("by_cost()", "assign(pool(\"pools/support\"))");
    scene.write("rules/shared/support.rhai", &support);
    scene.write("rules/shared/support.cases.toml", "");
    let cascade = "//! Search serves payments.\nrule(#{ priority: 600, owner: \
        \"finops@example.com\", review_by: \"2099-01-01\", stage: \"cascade\", team: \"search\" \
        });\n\nfn allocate(team) { assign(\"payments\") }\n";
    scene.write("rules/pools/search.rhai", cascade);
    scene.write(
        "rules/pools/search.cases.toml",
        "[[case]]\nname = \"all\"\nexpect = { split = { payments = 1 } }\n",
    );
    scene.run("run").expect(0);
    assert_eq!(scene.run("rule check").expect(0).stderr, "");
    let list = scene.run("rule list --format json").expect(0).json();
    let placed = |rule: &str| {
        let facts = list.as_array().into_iter().flatten().find(|facts| facts["rule"] == rule);
        facts.map(|facts| facts["placed"][0]["amount"].clone()).unwrap_or_default()
    };
    assert_eq!(placed("shared/support"), "10.000000000");
    assert_eq!(placed("pools/support"), "10.000000000");
    assert_eq!(placed("pools/search"), "33.333333334");
    // Money that is only passed on is not counted again.
    let costs = scene.run("rule test --coverage --month 2026-01 --format json");
    assert_eq!(
        costs.json()["money"]["total"],
        json!([{ "amount": "100.000000000", "currency": "USD" }])
    );
    assert_eq!(costs.json()["money"]["never_reached"], json!([]));
}
