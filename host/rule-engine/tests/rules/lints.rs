//! What a check finds before any charge is decided: written mistakes, with their places.

use crate::support::{lines, rule, set_with_tables, sources};
use domain::charge::KeptDetails;
use domain::tag::{TagRule, TagSchema};
use rule_engine::lint;
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;

const TEAMS: (&str, &str) = ("teams", "team,cost_center\nsearch,CC1\nweb,CC2\n");

fn schema() -> TagSchema {
    let team =
        TagRule { name: "team".into(), synonyms: vec!["owner".into()], ..TagRule::default() };
    TagSchema { rules: vec![team], absent: Vec::new() }
}

/// Errors and warnings of a body of `allocate` that are not about owners and reviews.
fn told(body: &str) -> Vec<String> {
    let options = RuleOptions { tags: schema(), ..RuleOptions::default() };
    let texts = sources(&[("r", &rule(1, "true", body))]);
    let set = RuleSet::from_sources(&texts, &sources(&[TEAMS]), &options)
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let lints = lint::check(&set, None);
    let all: Vec<_> = lints.all().cloned().collect();
    lines(&all)
        .into_iter()
        .filter(|line| !line.contains("R109") && !line.contains("R113"))
        .collect()
}

#[test]
fn written_mistakes_are_found_without_a_charge() {
    for (body, expect) in [
        ("split(#{a: 0})", "4:23: R201: `split` needs at least one weight above zero"),
        ("split(#{web: -1, search: 2})", "4:23: R201: the weight of 'web' is negative: -1"),
        (
            "bounded(by_cost(), #{at_most: #{web: \"140%\"}})",
            "4:23: R201: `bounded`: '140%' is not a part such as \"40%\" or \"12.5%\"",
        ),
        (
            "bounded(by_cost(), #{at_least: #{web: 20}, at_most: #{web: 10}})",
            "4:23: R201: `bounded` cannot hold web at least 20.000000000 at most 10.000000000",
        ),
        (
            "if charge.has_tag(\"x\") { pass() } else {\n  \
             by_usage(\"m\", #{windwo: 3, key: \"k\"}) }",
            "5:3: R201: `by_usage`: there is no option 'windwo'; did you mean 'window'? beside the \
             option key; filters are a map of their own, before it",
        ),
        (
            "by_usage(\"m\", #{resource_id: charge.resource_id}, #{window: \"year\"})",
            "4:23: R201: `by_usage`: window is",
        ),
        (
            "by_usage(\"m\", #{windwo: \"month\"})",
            "4:23: R201: `by_usage`: there is no option 'windwo'; did you mean 'window'? A filter \
             by this name is written \"tag:windwo\"",
        ),
        ("by_usage(\"m\", #{\"tag:windwo\": \"month\"})", ""),
        (
            "by_cost(#{remainder: \"web\"})",
            "4:23: R201: `by_cost` has no option 'remainder'; it has when_zero, when_negative, ",
        ),
        ("assign(\"unallocated\")", "4:23: R206: 'unallocated' is the name of an account"),
        ("split(1)", "4:23: R204: "),
        ("assign(\n   \"serch\")", "5:4: R115: there is no team 'serch' in tables/teams.csv"),
        ("split(#{web: 1, serch: charge.region_id.len})", ""),
        ("split(#{web: 1, serch: 2})", "4:39: R115: there is no team 'serch' in tables/teams.csv"),
        (
            "by_cost(#{\"tag:owner\": \"x\"})",
            "4:33: R114: no charge has a tag 'owner', because the settings turn it into 'team'",
        ),
        ("assign(charge.tag(\"Team\"))", "4:41: R114: no charge has a tag 'Team', because"),
        ("assign(charge.tags[\"owner\"])", "4:42: R114: no charge has a tag 'owner', because"),
        ("assign(charge.tag(\"team\"))", ""),
        (
            "assign(#{team: charge.tag(\"team\"), cost_centre: \"x\"})",
            "4:23: R201: `assign` does not know 'cost_centre'; did you mean 'cost_center'?",
        ),
        ("even([lookup(\"teams\", charge.region_id), \"web\"])", ""),
        ("let parts = \"a-b\".split(\"-\"); assign(parts[0])", ""),
        ("assign(\"web\")", ""),
        ("by_cost()", ""),
    ] {
        let found = told(body);
        match expect {
            "" => assert_eq!(found, Vec::<String>::new(), "{body}"),
            expect => {
                assert_eq!(found.len(), 1, "{body}: {found:?}");
                assert!(found[0].starts_with(&format!("r.rhai:{expect}")), "{body}: {found:?}");
            }
        }
    }
}

#[test]
fn an_unlisted_team_is_compared_with_those_that_are_listed() {
    let set = set_with_tables(&[("r", &rule(1, "true", "assign(\"serch\")"))], &[TEAMS]);
    let told: Vec<String> =
        lint::check(&set, None).warnings.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|text| text.contains("hint: did you mean 'search'?")), "{told:?}");
}

#[test]
fn metrics_of_which_there_is_no_usage_are_told() {
    let body = "tiered([[5, by_usage(\"cpu.hours\")], [(), by_usage(\"cpu.hour\")]])";
    let set = set_with_tables(&[("r", &rule(1, "true", body))], &[]);
    assert_eq!(
        lines(&lint::unknown_metrics(&set, &["cpu.hours".to_owned(), "gib".to_owned()])),
        ["r.rhai:4:73: R116: no usage of the metric 'cpu.hour' was collected; did you mean \
          'cpu.hours'?"]
    );
}

/// The costs of charges are no usage, unless a source states one of the same name.
#[test]
fn a_cost_that_is_asked_for_as_usage_has_a_basis() {
    for cost in ["contracted_cost", "list_cost", "billed_cost"] {
        let text = rule(1, "true", &format!("by_usage(\"{cost}\")"));
        let set = set_with_tables(&[("r", &text)], &[]);
        let told = lint::unknown_metrics(&set, &["gib".to_owned()]);
        assert_eq!(told.len(), 1);
        let hint = format!("hint: by_cost(#{{basis: \"{cost}\"}})");
        assert!(told[0].to_string().ends_with(&hint), "{}", told[0]);
        assert!(lint::unknown_metrics(&set, &[cost.to_owned()]).is_empty());
    }
}

#[test]
fn a_basis_that_no_source_keeps_is_told_with_the_setting() {
    let text = rule(1, "true", "by_cost(#{window: \"month\", basis: \"list_cost\"})");
    let texts = sources(&[("r", &text)]);
    let told = |details: KeptDetails| {
        let options = RuleOptions { details, ..RuleOptions::default() };
        let set = RuleSet::from_sources(&texts, &[], &options).unwrap();
        let errors = lint::check(&set, None).errors;
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told(KeptDetails::default()), Vec::<String>::new());
    let without = told(KeptDetails { prices: false, ..KeptDetails::default() });
    assert_eq!(without.len(), 1);
    let expect = "r.rhai:4:57: R106: the detail 'list_cost' exists but is not kept";
    assert!(without[0].starts_with(expect), "{}", without[0]);
    assert!(without[0].contains("details = [\"prices\""), "{}", without[0]);
}

/// The first finding of texts that do not compile.
fn refused(matches: &str, allocate: &str) -> String {
    let texts = sources(&[("r", &rule(1, matches, allocate))]);
    let findings = RuleSet::from_sources(&texts, &[], &RuleOptions::default());
    findings.err().and_then(|findings| lines(&findings).first().cloned()).unwrap_or_default()
}

#[test]
fn faults_of_the_text_are_told_where_they_are() {
    for (matches, allocate, expect) in [
        ("true", "if true { pass()", "r.rhai:4:21: R101: the `{` that stands here is not closed"),
        (
            "charge.has_tag(\"x\"",
            "pass()",
            "r.rhai:3:36: R101: the `(` that stands here is not closed",
        ),
        (
            "if charge.service_name = \"x\" { true } else { false }",
            "pass()",
            "r.rhai:3:45: R101: `=` sets a value, and `==` compares two",
        ),
        (
            "true",
            "assign(#{team: \"a\", cost-center: \"b\"})",
            "r.rhai:4:47: R101: the key cost-center needs quotes, because of its hyphen",
        ),
        (
            "charge.service_name.matches(\"^a\")",
            "pass()",
            "r.rhai:3:42: R101: `matches` is the rule's own function; a text is compared with a \
             pattern by `matches_pattern`",
        ),
        (
            "charge.service_name.matches_pattern(\"(a\")",
            "pass()",
            "r.rhai:3:58: R101: `(a` is no pattern: ",
        ),
        (
            "switch charge.billed_cost { 100.0 => true, 5 => false, _ => true }",
            "pass()",
            "r.rhai:3:65: R101: an amount is never the whole number 5 in a `switch`, because \
             amounts are decimals",
        ),
    ] {
        let found = refused(matches, allocate);
        assert!(found.starts_with(expect), "{matches} {allocate}: {found}");
    }
}

#[test]
fn teams_that_step_down_need_an_order_of_their_own() {
    let cascade = |team: &str, mutual: &str| {
        format!(
            "//! R.\nrule(#{{ priority: 5, stage: \"cascade\", team: \"{team}\", mutual: \
             \"{mutual}\" }});\nfn allocate(team) {{ by_cost() }}\n"
        )
    };
    let told = |mutual: &str| -> Vec<String> {
        let rules = [("a", cascade("x", mutual)), ("b", cascade("y", mutual))];
        let rules: Vec<(&str, &str)> =
            rules.iter().map(|(id, text)| (*id, text.as_str())).collect();
        let warnings = lint::check(&set_with_tables(&rules, &[]), None).warnings;
        lines(&warnings).into_iter().filter(|line| line.contains("R112")).collect()
    };
    assert_eq!(
        told("step_down"),
        ["b.rhai:2:1: R112: a has the priority 5 as well; it has its turn first only because of \
          its name"]
    );
    assert_eq!(told("reciprocal"), Vec::<String>::new());
}

#[test]
fn a_rule_that_decides_none_of_its_own_cases_is_shadowed() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap_or_else(|error| panic!("{error}"));
    };
    let case = |name: &str, service: &str| {
        format!(
            "[[case]]\nname = \"{name}\"\ncharge = {{ service_name = \"{service}\" }}\n\
             expect = {{ assign = \"b\" }}\n"
        )
    };
    write("wide.rhai", &rule(1, "charge.service_name != \"S3\"", "assign(\"a\")"));
    write("narrow.rhai", &rule(2, "charge.service_name == \"EC2\"", "assign(\"b\")"));
    write("narrow.cases.toml", &case("a machine", "EC2"));
    write("other.rhai", &rule(3, "charge.service_name.len == 2", "assign(\"b\")"));
    write("other.cases.toml", &format!("{}{}", case("a bucket", "S3"), case("a box", "XX")));
    let set = RuleSet::load(dir.path(), &RuleOptions::default())
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let told = lines(&rule_engine::shadow::by_example(dir.path(), &set));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].ends_with(
            "narrow.rhai:3:20: R111: the rule decides none of its own cases, because other rules \
             come first; wide decides \"a machine\""
        ),
        "{told:?}"
    );
}
