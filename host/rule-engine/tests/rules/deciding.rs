//! Every form of decision, every wrong form, and the order of the rules.

use crate::support::{day, decided, line, resource, rule, set, set_with_tables, words};
use domain::decision::OutcomeId;
use domain::dictionary::Dictionary;
use domain::generation::TurningDays;
use domain::port::Rules;

fn allocated(body: &str) -> String {
    decided(
        &set(&[("r", &rule(1, "true", body))]),
        &[("team", "payments"), ("service_name", "EC2")],
    )
}

#[test]
fn every_form_decides() {
    for (body, expect) in [
        ("assign(\"payments\")", "assign payments"),
        ("assign(charge.tag(\"team\"))", "assign payments"),
        (
            "assign(#{team: \"a\", cost_center: \"1\", environment: (), application: \"\"})",
            "assign a (cost_center=1)",
        ),
        ("split(#{search: 40, payments: 60})", "split payments 60, search 40"),
        ("split(#{a: 0, b: 0.5})", "split a 0, b 5"),
        ("split([[\"b\", 12.5], [\"a\", 87.5]])", "split b 125, a 875"),
        (
            "split([#{team: \"b\", weight: 1, environment: \"prod\"}, [#{team: \"b\"}, 2]])",
            "split b (environment=prod) 1, b 2",
        ),
        ("even([\"b\", #{team: \"a\"}])", "split b 1, a 1"),
        ("by_cost()", "by_cost all teams"),
        (
            "by_cost(#{team: \"a\", \"tag:x/y\": \"z\"})",
            "by_cost all teams where tag:team = \"a\" where tag:x/y = \"z\"",
        ),
        (
            "by_cost(#{region_id: \"eu\"}, #{when_zero: \"even\"})",
            "by_cost all teams where region_id = \"eu\" when_zero even",
        ),
        ("by_cost([\"b\", \"a\"])", "by_cost b, a"),
        ("by_cost([\"a\"], #{when_zero: \"stay\"})", "by_cost a"),
        (
            "by_cost([\"a\"], #{environment: \"prod\"}, #{when_zero: \"even\"})",
            "by_cost a where tag:environment = \"prod\" when_zero even",
        ),
        ("exclude(\"why\")", "exclude \"why\""),
        ("pass()", "unallocated"),
        ("if charge.service_name == \"EC2\" { return assign(\"x\"); } pass()", "assign x"),
    ] {
        assert_eq!(allocated(body), expect, "{body}");
    }
}

/// A body of `allocate`, the column of the finding, and its message.
const WRONG_FORMS: &[(&str, u32, &str)] = &[
    ("assign(\"\")", 23, "`assign` needs the name of a team, and it is blank"),
    (
        "assign(5)",
        23,
        "`assign` takes a team's name or a map such as #{team: \"payments\"}, not the number 5",
    ),
    ("assign(#{team: \"a\", env: \"x\"})", 23, "`assign` does not know 'env'"),
    (
        "assign(#{team: \"a\", enviroment: \"x\"})",
        23,
        "`assign` does not know 'enviroment'; did you mean 'environment'?",
    ),
    ("assign(#{cost_center: \"a\"})", 23, "`assign` needs the name of a team, and it is blank"),
    ("split(#{})", 23, "`split` needs at least one weight above zero"),
    ("split(#{a: 0})", 23, "`split` needs at least one weight above zero"),
    ("split(#{a: -1, b: 2})", 23, "the weight of 'a' is negative: -1"),
    ("split(#{a: \"x\"})", 23, "the weight of 'a' must be a number, not the text \"x\""),
    ("split([[\"a\", 1], [\"a\", 2]])", 23, "`split` names 'a' twice"),
    ("split([\"a\"])", 23, "`split` takes pairs such as [\"payments\", 60], not the text \"a\""),
    ("even([])", 23, "`even` needs at least one team, and the list is empty"),
    ("even(\"a\")", 23, "`even` takes a list of teams, not the text \"a\""),
    (
        "by_cost(5)",
        23,
        "`by_cost` takes a list of teams, a map of filters and a map of options, not the number 5",
    ),
    (
        "by_cost(#{when_zero: \"x\"})",
        23,
        "`by_cost`: when_zero is \"stay\", \"even\", or another way to share, such as by_cost()",
    ),
    (
        "by_cost(#{region: \"x\"})",
        23,
        "`by_cost` cannot filter by 'region'; tags are written \"tag:<key>\"",
    ),
    ("exclude(\"\")", 23, "`exclude` needs a reason, and it is blank"),
    ("5", 21, "`allocate` must answer a decision such as assign(\"payments\"), not the number 5"),
    (
        "\"payments\"",
        21,
        "`allocate` must answer a decision such as assign(\"payments\"), not the text \"payments\"",
    ),
    ("", 21, "`allocate` must answer a decision such as assign(\"payments\"), not nothing, ()"),
];

#[test]
fn every_wrong_form_is_refused_with_its_place() {
    for (body, column, message) in WRONG_FORMS {
        assert_eq!(
            allocated(body),
            format!("r.rhai:4:{column}: R201: {message} (it read nothing)"),
            "{body}"
        );
    }
    let not_bool = set(&[("r", &rule(1, "charge.service_name", "pass()"))]);
    assert_eq!(
        decided(&not_bool, &[("service_name", "EC2")]),
        "r.rhai:3:20: R201: `matches` must answer true or false, not the text \"EC2\" (it read \
         service_name = \"EC2\")"
    );
}

#[test]
fn a_throw_and_a_failure_are_different_things() {
    assert_eq!(
        allocated("throw \"no \" + charge.tag(\"team\")"),
        "r.rhai:4:23: R202: the rule threw: no payments (it read tag:team = \"payments\")"
    );
    assert_eq!(
        allocated("lookup(charge.service_name, \"x\"); pass()"),
        "r.rhai:4:23: R204: there is no table 'EC2', and no other (it read service_name = \"EC2\")"
    );
    let division = allocated("let x = 1 / 0; pass()");
    assert!(division.starts_with("r.rhai:4:33: R204: "), "{division}");
    let property = allocated("let m = #{a: 1}; m.b; pass()");
    assert!(property.starts_with("r.rhai:4:42: R204: "), "{property}");
    assert_eq!(
        allocated("try { return assign(\"\"); } catch(problem) { return assign(\"caught\"); }"),
        "assign caught"
    );
}

#[test]
fn a_failing_rule_does_not_let_the_next_one_decide() {
    let rules =
        set(&[("a", &rule(1, "throw 1", "pass()")), ("b", &rule(2, "true", "assign(\"b\")"))]);
    assert_eq!(decided(&rules, &[]), "a.rhai:3:22: R202: the rule threw: 1 (it read nothing)");
}

#[test]
fn the_first_rule_by_priority_then_by_id_wins() {
    let rules = [
        ("z", rule(1, "charge.tag(\"team\") == \"z\"", "assign(\"z\")")),
        ("b", rule(5, "true", "assign(\"b\")")),
        (
            "a",
            rule(
                5,
                "charge.service_name != \"\"",
                "if charge.region_id == \"eu\" { pass() } else { assign(\"a\") }",
            ),
        ),
    ];
    let rules: Vec<(&str, &str)> = rules.iter().map(|(id, text)| (*id, text.as_str())).collect();
    let rules = set(&rules);
    assert_eq!(
        rules.facts().iter().map(|facts| facts.version.rule.as_str()).collect::<Vec<_>>(),
        ["z", "a", "b"]
    );
    assert_eq!(decided(&rules, &[("team", "z"), ("service_name", "x")]), "assign z");
    assert_eq!(decided(&rules, &[("service_name", "x")]), "assign a");
    assert_eq!(decided(&rules, &[("service_name", "x"), ("region_id", "eu")]), "assign b");
    assert_eq!(decided(&rules, &[]), "assign b");
}

#[test]
fn a_disabled_rule_is_listed_and_not_asked() {
    let text = "rule(#{ priority: 1, enabled: false });\nfn matches(charge) { true }\nfn \
                allocate(charge) { assign(\"x\") }";
    let rules = set(&[("off", text)]);
    assert_eq!(rules.facts().len(), 1);
    assert_eq!(decided(&rules, &[]), "unallocated");
}

#[test]
fn tables_answer_by_column() {
    let body = "assign(#{team: lookup(\"t\", charge.sub_account_id), cost_center: lookup(\"t\", \
                charge.sub_account_id, \"cc\")})";
    let rules = set_with_tables(
        &[("r", &rule(1, "lookup(\"t\", charge.sub_account_id) != ()", body))],
        &[("t", "id,team,cc\n1,a,C1\n2,b,\n")],
    );
    assert_eq!(decided(&rules, &[("sub_account_id", "1")]), "assign a (cost_center=C1)");
    assert_eq!(decided(&rules, &[("sub_account_id", "2")]), "assign b");
    assert_eq!(decided(&rules, &[("sub_account_id", "3")]), "unallocated");
    assert_eq!(rules.tables(), [("t".to_owned(), "id,team,cc\n1,a,C1\n2,b,\n".to_owned())]);
}

#[test]
fn rules_are_valid_from_a_day_up_to_another() {
    let dated = |priority: i64, dates: &str, team: &str| {
        format!(
            "rule(#{{ priority: {priority}, {dates} }});\nfn matches(charge) {{ true }}\nfn \
             allocate(charge) {{ assign(\"{team}\") }}"
        )
    };
    let rules = set(&[
        ("march", &dated(1, "from: \"2026-03-01\", until: \"2026-04-01\"", "march")),
        ("until", &dated(2, "until: \"2026-03-15\"", "early")),
        ("always", &dated(3, "enabled: true", "always")),
    ]);
    let mut dictionary = Dictionary::new();
    let id = resource(&mut dictionary, &[]);
    let mut decider = rules.decider();
    let stretch = |text: &str| TurningDays::of(rules.facts(), &[]).stretch(day(text));
    assert_eq!(["2026-02-28", "2026-03-01", "2026-03-15", "2026-04-01"].map(stretch), [0, 1, 2, 3]);
    let mut on = |text: &str| {
        let outcome = decider.decide(&dictionary, id, day(text), None);
        words(decider.as_ref(), outcome)
    };
    assert_eq!(on("2026-02-28"), "assign early");
    assert_eq!(on("2026-03-01"), "assign march");
    assert_eq!(on("2026-03-31"), "assign march");
    assert_eq!(on("2026-04-01"), "assign always");
    assert_eq!(on("2026-02-27"), "assign early");
}

#[test]
fn amounts_and_dates_need_the_charge() {
    let rules = set(&[
        (
            "a",
            &rule(
                1,
                "charge.service_name == \"big\" && charge.billed_cost > 10.5",
                "assign(\"big\")",
            ),
        ),
        (
            "b",
            &rule(
                2,
                "charge.service_name == \"late\"",
                "assign(if charge.charge_period_start >= \"2026-03-15\" { \"late\" } else \
                 { \"early\" })",
            ),
        ),
        ("c", &rule(3, "true", "assign(\"rest\")")),
    ]);
    let mut dictionary = Dictionary::new();
    let ids =
        ["big", "late", "other"].map(|name| resource(&mut dictionary, &[("service_name", name)]));
    let mut decider = rules.decider();
    let resources = ids.map(|id| decider.decide(&dictionary, id, day("2026-03-01"), None));
    assert_eq!(resources.map(|outcome| outcome == OutcomeId::PER_CHARGE), [true, true, false]);
    let calls = decider.calls();
    let again = ids.map(|id| decider.decide(&dictionary, id, day("2026-03-01"), None));
    assert_eq!((again, decider.calls()), (resources, calls), "remembered");
    let mut on = |id: usize, text: &str, billed: i64| {
        let outcome = decider.decide(&dictionary, ids[id], day(text), Some(&line(text, billed, 1)));
        words(decider.as_ref(), outcome)
    };
    assert_eq!(on(0, "2026-03-01", 10_500_000_001), "assign big");
    assert_eq!(on(0, "2026-03-01", 10_500_000_000), "assign rest");
    assert_eq!(on(1, "2026-03-14", 1), "assign early");
    assert_eq!(on(1, "2026-03-15", 1), "assign late");
    assert_eq!(on(1, "2026-03-14", 2), "assign early");
    assert_eq!(on(2, "2026-03-14", 2), "assign rest");
}

#[test]
fn the_absence_of_an_amount_cannot_be_caught() {
    let rules = set(&[(
        "a",
        &rule(1, "try { charge.effective_cost > 1 } catch { true }", "assign(\"guess\")"),
    )]);
    assert_eq!(decided(&rules, &[]), "per charge");
}

#[test]
fn explaining_names_rules_values_and_the_line() {
    let rules = set(&[
        ("a", &rule(1, "charge.tag(\"team\") == \"x\"", "assign(\"a\")")),
        (
            "b",
            &rule(
                2,
                "charge.service_name == \"EC2\"",
                "\nlet team = charge.region_id;\nassign(team)",
            ),
        ),
        ("c", &rule(3, "true", "assign(\"c\")")),
    ]);
    let mut dictionary = Dictionary::new();
    let id =
        resource(&mut dictionary, &[("service_name", "EC2"), ("region_id", "eu"), ("team", "y")]);
    let explanation = rules.decider().explain(&dictionary, id, day("2026-03-01"), None);
    let told: Vec<_> = explanation
        .tried
        .iter()
        .map(|tried| (tried.rule.rule.as_str(), tried.matched, tried.line, tried.read.clone()))
        .collect();
    let read = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told,
        [
            ("a", false, 0, read(&[("tag:team", "y")])),
            ("b", true, 6, read(&[("service_name", "EC2"), ("region_id", "eu")]))
        ]
    );
}

#[test]
fn a_generation_is_its_rules_and_tables() {
    let one = rule(1, "true", "assign(\"a\")");
    let two = rule(1, "true", "assign(\"b\")");
    let generation = |rules: &[(&str, &str)], tables: &[(&str, &str)]| {
        set_with_tables(rules, tables).generation().to_owned()
    };
    let base = generation(&[("r", &one)], &[]);
    assert_eq!(base.len(), 64);
    assert_eq!(base, generation(&[("r", &one)], &[]));
    assert_ne!(base, generation(&[("r", &two)], &[]));
    assert_ne!(base, generation(&[("s", &one)], &[]));
    assert_ne!(base, generation(&[("r", &one)], &[("t", "k,v\n")]));
}
