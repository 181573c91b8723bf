//! One name and one cost center for a team wherever it is written, and tables that change with
//! time.

use crate::support::{day, decided, lines, resource, rule, sources, words};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Dictionary;
use domain::port::{Rules, Stage};
use domain::tag::{TagRule, TagSchema};
use rule_engine::cases::run_sources;
use rule_engine::options::{RuleOptions, UnknownTeams};
use rule_engine::set::RuleSet;

fn options(unknown_teams: UnknownTeams) -> RuleOptions {
    let team = TagRule {
        name: "team".into(),
        synonyms: vec!["squad".into()],
        fold_values: true,
        ..TagRule::default()
    };
    let tags = TagSchema { rules: vec![team], absent: vec!["#n/a".into()] };
    RuleOptions { tags, unknown_teams, ..RuleOptions::default() }
}

fn build(rules: &[(&str, &str)], tables: &[(&str, &str)]) -> Result<RuleSet, Vec<Diagnostic>> {
    RuleSet::from_sources(&sources(rules), &sources(tables), &options(UnknownTeams::Allow))
}

fn built(body: &str, tables: &[(&str, &str)]) -> RuleSet {
    build(&[("r", &rule(1, "true", body))], tables).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

const TEAMS: (&str, &str) = ("teams", "team,cost_center\nAtlas,CC1\nboreas,CC2\nCafé,\n");

#[test]
fn a_team_has_the_spelling_and_the_cost_center_of_the_table() {
    for (body, expect) in [
        ("assign(\"atlas\")", "assign Atlas (cost_center=CC1)"),
        ("assign(\" ATLAS \")", "assign Atlas (cost_center=CC1)"),
        ("assign(\"Boreas\")", "assign boreas (cost_center=CC2)"),
        ("assign(\"CAFE\u{301}\")", "assign Café"),
        ("assign(\"Zephyr\")", "assign zephyr"),
        ("assign(#{team: \"atlas\", cost_center: \"CC9\"})", "assign Atlas (cost_center=CC9)"),
        ("split(#{ATLAS: 1, boreas: 2})", "split Atlas 1, boreas 2"),
        (
            "by_usage(\"m\", [\"atlas\"], #{recipients: #{x: \"BOREAS\"}})",
            "by_usage m of Atlas x → boreas",
        ),
        (
            "bounded(by_cost([\"atlas\"]), #{at_most: #{aTLAS: 1}})",
            "by_cost Atlas Atlas at most 1.000000000",
        ),
    ] {
        assert_eq!(decided(&built(body, &[TEAMS]), &[]), expect, "{body}");
    }
    assert_eq!(decided(&built("assign(\"ATLAS\")", &[]), &[]), "assign atlas");
}

#[test]
fn two_spellings_of_one_team_cannot_be_listed_beside_each_other() {
    for body in [
        "split(#{Atlas: 1, atlas: 2})",
        "even([\"atlas\", \"ATLAS\"])",
        "by_cost([\"Atlas\", \"atlas\"])",
        "bounded(by_cost(), #{at_most: #{Atlas: 1, atlas: 2}})",
    ] {
        assert_eq!(
            decided(&built(body, &[TEAMS]), &[]),
            "r.rhai:4:23: R201: the decision names Atlas twice, in two spellings (it read nothing)",
            "{body}"
        );
    }
}

#[test]
fn no_team_is_named_like_an_account() {
    for name in ["unallocated", "Unallocated ", "pool/x", "SUSPENSE", "team/web"] {
        let told = decided(&built("assign(charge.tag(\"team\"))", &[TEAMS]), &[("team", name)]);
        assert!(told.contains("R206: '"), "{name}: {told}");
        assert!(told.contains("is the name of an account"), "{name}: {told}");
    }
    let set = built("by_usage(\"m\")", &[TEAMS]);
    let team = |name: &str| set.team(name, day("2026-03-01")).map(|team| team.describe());
    assert_eq!(team("unallocated"), None);
    assert_eq!(team("ATLAS").as_deref(), Some("Atlas (cost_center=CC1)"));
    assert_eq!(team("Zephyr").as_deref(), Some("zephyr"));
    let cascade = "//! R.\nrule(#{ priority: 1, stage: \"cascade\", team: \"suspense\" });\n\
                   fn allocate(team) { by_cost() }\n";
    let refused = build(&[("c", cascade)], &[]).err().unwrap_or_default();
    assert!(lines(&refused)[0].starts_with("c.rhai:2:1: R206: 'suspense' is the name"));
}

#[test]
fn the_team_of_a_cascade_is_spelled_like_all_others() {
    let cascade = "//! R.\nrule(#{ priority: 1, stage: \"cascade\", team: \"ATLAS\" });\n\
                   fn allocate(team) { by_cost() }\n";
    let set = build(&[("c", cascade)], &[TEAMS]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(set.facts()[0].stage, Stage::Cascade("Atlas".into()));
}

#[test]
fn tables_of_two_key_columns_are_looked_up_by_a_list() {
    let table = ("spaces", "cluster,namespace,team\nprod,shop,Atlas\ntest,shop,boreas\n");
    let body = "let found = lookup(\"spaces\", [charge.sub_account_id, charge.tag(\"ns\")]); \
                if found == () { pass() } else { assign(found) }";
    let set = built(body, &[TEAMS, table]);
    for (cluster, space, expect) in [
        ("prod", "shop", "assign Atlas (cost_center=CC1)"),
        ("test", " shop ", "assign boreas (cost_center=CC2)"),
        ("prod", "pay", "unallocated"),
        ("", "shop", "unallocated"),
    ] {
        assert_eq!(decided(&set, &[("sub_account_id", cluster), ("ns", space)]), expect);
    }
    let absent = "let found = lookup(\"spaces\", [(), \"shop\"]); assign(`${found == ()}`)";
    assert_eq!(decided(&built(absent, &[table]), &[]), "assign true");
}

#[test]
fn keys_of_another_length_are_refused() {
    let table = ("spaces", "cluster,namespace,team\nprod,shop,a\n");
    let told = |first: &str, second: &str| {
        let rules = [("r", rule(1, "true", first)), ("s", rule(2, "true", second))];
        let rules: Vec<(&str, &str)> =
            rules.iter().map(|(id, text)| (*id, text.as_str())).collect();
        build(&rules, &[table]).map(|_| ()).map_err(|findings| lines(&findings).join("\n"))
    };
    let list = "assign(lookup(\"spaces\", [\"prod\", \"shop\"]))";
    let wrong = "the key of the table 'spaces' is [cluster, namespace], 2 columns, and `lookup` is \
                 given 1";
    assert_eq!(
        told(list, "assign(lookup(\"spaces\", \"prod\"))"),
        Err(format!("s.rhai:4:37: R107: {wrong}"))
    );
    assert_eq!(told(list, "assign(lookup(\"spaces\", [\"prod\", \"shop\"], \"team\"))"), Ok(()));
    let hidden = built(
        "let key = \"prod\"; assign(lookup(\"spaces\", if true { key } else { [key, key] }))",
        &[table],
    );
    assert!(!decided(&hidden, &[]).contains("R204"), "one column is the key");
    let usage = build(
        &[
            ("r", &rule(1, "true", list)),
            ("s", &rule(2, "true", "by_usage(\"m\", #{table: \"spaces\"})")),
        ],
        &[table],
    )
    .unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let findings = rule_engine::lint::check(&usage, None).errors;
    assert_eq!(
        lines(&findings),
        ["s.rhai:4:23: R201: `by_usage`: the key of the table 'spaces' is [cluster, namespace], \
             and usage is looked up by [team]; write the columns in the call itself, such as \
             `key: [\"cluster\", \"namespace\"]`"]
    );
}

#[test]
fn usage_is_looked_up_by_as_many_keys_as_the_table_has() {
    let table = ("spaces", "cluster,namespace,team\nprod,shop,a\n");
    let found = |options: &str| {
        let body = format!("by_usage(\"m\", #{{}}, #{{ {options} }})");
        let usage = build(&[("r", &rule(1, "true", &body))], &[table])
            .unwrap_or_else(|wrong| panic!("{wrong:?}"));
        lines(&rule_engine::lint::check(&usage, None).errors)
    };
    assert_eq!(found("key: [\"cluster\", \"namespace\"], table: \"spaces\""), [""; 0]);
    // The other one makes a table of three columns with one key, which is `cluster`.
    assert_eq!(found("key: \"cluster\", table: \"spaces\""), [""; 0]);
    assert_eq!(
        found("key: [\"cluster\", 7]"),
        ["r.rhai:4:23: R201: `by_usage`: key is a text, or a list such as [\"cluster\", \
             \"namespace\"]"]
    );
}

/// A reorganization on the first of March, with its table of accounts and of teams.
fn reorganized(body: &str) -> RuleSet {
    let accounts = "account,team,valid_from,valid_until\n\
                    1,atlas,,2026-03-01\n1,boreas,2026-03-01,\n2,atlas,,\n";
    let teams = "team,cost_center,valid_from,valid_until\n\
                 Atlas,CC1,,2026-03-01\nAtlas,CC7,2026-03-01,\nBoreas,CC2,,\n";
    built(body, &[("accounts", accounts), ("teams", teams)])
}

#[test]
fn a_reorganization_in_march_changes_march_and_not_february() {
    let set = reorganized("assign(lookup(\"accounts\", charge.sub_account_id))");
    let mut dictionary = Dictionary::new();
    let first = resource(&mut dictionary, &[("sub_account_id", "1")]);
    let second = resource(&mut dictionary, &[("sub_account_id", "2")]);
    let mut decider = set.decider();
    // Twice, so that the second answer comes out of the memory.
    for _ in 0..2 {
        for (resource, on, expect) in [
            (first, "2026-02-28", "assign Atlas (cost_center=CC1)"),
            (first, "2026-03-01", "assign Boreas (cost_center=CC2)"),
            (second, "2026-02-28", "assign Atlas (cost_center=CC1)"),
            (second, "2026-03-31", "assign Atlas (cost_center=CC7)"),
        ] {
            let outcome = decider.decide(&dictionary, resource, day(on), None);
            assert_eq!(words(decider.as_ref(), outcome), expect, "{on}");
        }
    }
    assert_eq!(decider.calls(), 8, "each resource once in each stretch");
}

#[test]
fn shares_get_the_cost_center_of_their_day() {
    let set = reorganized("by_cost()");
    let team = |on: &str| set.team("ATLAS", day(on)).and_then(|team| team.cost_center);
    assert_eq!(team("2026-02-28").as_deref(), Some("CC1"));
    assert_eq!(team("2026-03-01").as_deref(), Some("CC7"));
    assert_eq!(set.cell("accounts", &["1".into()], day("2026-02-01")).as_deref(), Some("atlas"));
    assert_eq!(set.cell("accounts", &["1".into()], day("2026-04-01")).as_deref(), Some("boreas"));
}

#[test]
fn a_team_that_has_ended_is_refused_where_unknown_teams_are() {
    let teams = ("teams", "team,cost_center,valid_until\natlas,CC1,2026-03-01\n");
    let rules = sources(&[("r", &rule(1, "true", "assign(\"atlas\")"))]);
    let set = RuleSet::from_sources(&rules, &sources(&[teams]), &options(UnknownTeams::Refuse))
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(
        decided(&set, &[]),
        "r.rhai:4:23: R206: the team 'atlas' of tables/teams.csv does not hold then (it read \
         nothing)"
    );
    assert_eq!(set.team("atlas", day("2026-02-28")).map(|team| team.team), Some("atlas".into()));
    assert_eq!(set.team("atlas", day("2026-03-01")), None);
}

#[test]
fn cases_may_spell_teams_in_any_way_and_leave_the_cost_center_out() {
    let set = built("assign(\"atlas\")", &[TEAMS]);
    let case = |expect: &str| format!("[[case]]\nname = \"n\"\ncharge = {{}}\nexpect = {expect}\n");
    let report = |set: &RuleSet, text: String| {
        lines(&run_sources(&[("r".to_owned(), text)], set).failures).join("\n")
    };
    for expect in [
        "{ assign = \"ATLAS\" }",
        "{ assign = { team = \"atlas\", cost_center = \"CC1\" } }",
        "{ decision = \"assign Atlas\" }",
        "{ decision = \"assign Atlas (cost_center=CC1)\" }",
    ] {
        assert_eq!(report(&set, case(expect)), "", "{expect}");
    }
    assert_eq!(
        report(&set, case("{ assign = { team = \"atlas\", cost_center = \"CC2\" } }")),
        "r.cases.toml:4:10: R302: \"n\": expected assign atlas (cost_center=CC2), got assign Atlas \
         (cost_center=CC1)"
    );
    let shares = "[[case]]\nname = \"n\"\ncharge = {}\namount = \"30\"\n\
                  costs = { atlas = \"1\", BOREAS = \"2\" }\n\
                  expect = { shares = { ATLAS = \"10\", boreas = \"20\" } }\n";
    assert_eq!(report(&built("by_cost()", &[TEAMS]), shares.to_owned()), "");
}
