//! A remembered decision equals the decision of a set without memory.

use crate::support::{day, line, resource, rule, set, words};
use domain::dictionary::{Dictionary, ResourceId};
use domain::port::{Decider, Rules};
use proptest::prelude::*;
use rule_engine::set::RuleSet;

#[test]
fn only_what_is_read_costs_a_call() {
    let text = rule(
        1,
        "charge.service_name == \"a\" && charge.tag(\"team\") != \"\"",
        "assign(charge.tag(\"team\"))",
    );
    let rules = set(&[("r", &text)]);
    let mut dictionary = Dictionary::new();
    let mut decider = rules.decider();
    let mut calls = Vec::new();
    for values in [
        [("service_name", "a"), ("team", "x"), ("resource_id", "1")],
        [("service_name", "a"), ("team", "x"), ("resource_id", "2")],
        [("service_name", "b"), ("team", "x"), ("resource_id", "3")],
        [("service_name", "b"), ("team", "y"), ("resource_id", "4")],
        [("service_name", "a"), ("team", "y"), ("resource_id", "5")],
    ] {
        let id = resource(&mut dictionary, &values);
        decider.decide(&dictionary, id, day("2026-03-01"), None);
        calls.push(decider.calls());
    }
    assert_eq!(calls, [2, 2, 3, 3, 5], "matches and allocate; nothing; matches; nothing; both");
}

#[test]
fn a_rule_with_known_values_is_not_run_again_for_a_new_combination() {
    let rules = set(&[
        ("a", &rule(1, "charge.service_name == \"x\"", "assign(\"a\")")),
        ("b", &rule(2, "charge.region_id == \"x\"", "assign(\"b\")")),
    ]);
    let mut dictionary = Dictionary::new();
    let mut decider = rules.decider();
    let mut decide = |service: &str, region: &str| {
        let id = resource(&mut dictionary, &[("service_name", service), ("region_id", region)]);
        decider.decide(&dictionary, id, day("2026-03-01"), None);
        decider.calls()
    };
    assert_eq!(decide("1", "1"), 2);
    assert_eq!(decide("2", "2"), 4);
    assert_eq!(decide("1", "2"), 4, "both have seen their own values");
    assert_eq!(decide("2", "1"), 4);
}

#[test]
fn a_tag_key_that_appears_later_is_noticed() {
    let rules =
        set(&[("r", &rule(1, "charge.has_tag(\"owner\")", "assign(charge.tags[\"owner\"])"))]);
    let mut dictionary = Dictionary::new();
    let mut decider = rules.decider();
    let before = resource(&mut dictionary, &[("service_name", "a")]);
    let outcome = decider.decide(&dictionary, before, day("2026-03-01"), None);
    assert_eq!(words(decider.as_ref(), outcome), "unallocated");
    let after = resource(&mut dictionary, &[("service_name", "a"), ("owner", "me")]);
    let outcome = decider.decide(&dictionary, after, day("2026-03-01"), None);
    assert_eq!(words(decider.as_ref(), outcome), "assign me");
}

const FIELDS: [&str; 4] =
    ["charge.service_name", "charge.region_id", "charge.tag(\"team\")", "charge.tags[\"x/y\"]"];
const VALUES: [&str; 4] = ["", "a", "b", "c"];

/// One rule as data: the value that it compares, the comparison, and its answer.
#[derive(Clone, Debug)]
struct RuleData {
    first: (usize, usize),
    second: (usize, usize),
    shape: u8,
    answer: u8,
    dated: bool,
}

fn rule_text(priority: usize, data: &RuleData) -> String {
    let test =
        |(field, value): (usize, usize)| format!("{} == \"{}\"", FIELDS[field], VALUES[value]);
    let (first, second) = (test(data.first), test(data.second));
    let matches = match data.shape {
        0 => first.clone(),
        1 => format!("{first} && {second}"),
        2 => format!("{first} || {second}"),
        3 => format!(
            "if {first} {{ {second} }} else {{ {} != \"\" }}",
            FIELDS[(data.first.0 + 1) % 4]
        ),
        4 => format!("{first} && charge.billed_cost > 5"),
        _ => format!("{second} && charge.charge_period_start < \"2026-03-02\""),
    };
    let allocate = match data.answer {
        0 => format!("assign(\"team-{priority}\")"),
        1 => format!("if {second} {{ pass() }} else {{ by_cost() }}"),
        2 => format!("assign({})", FIELDS[data.second.0]),
        _ => "pass()".to_owned(),
    };
    let dates = if data.dated { ", from: \"2026-03-02\"" } else { "" };
    format!(
        "rule(#{{ priority: {priority}{dates} }});\nfn matches(charge) {{ {matches} }}\nfn \
         allocate(charge) {{ {allocate} }}\n"
    )
}

fn rule_data() -> impl Strategy<Value = RuleData> {
    let pair = || (0..4_usize, 0..4_usize);
    (pair(), pair(), 0..6_u8, 0..4_u8, any::<bool>()).prop_map(
        |(first, second, shape, answer, dated)| RuleData { first, second, shape, answer, dated },
    )
}

fn intern(dictionary: &mut Dictionary, values: [usize; 4]) -> ResourceId {
    let names = ["service_name", "region_id", "team", "x/y"];
    let pairs: Vec<(&str, &str)> = names
        .into_iter()
        .zip(values.map(|value| VALUES[value]))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    resource(dictionary, &pairs)
}

fn fresh(
    rules: &RuleSet,
    dictionary: &Dictionary,
    id: ResourceId,
    on: &str,
    billed: Option<i64>,
) -> String {
    decide(rules.decider().as_mut(), dictionary, id, on, billed)
}

fn decide(
    decider: &mut dyn Decider,
    dictionary: &Dictionary,
    id: ResourceId,
    on: &str,
    billed: Option<i64>,
) -> String {
    let charge = billed.map(|billed| line(on, billed, billed));
    let outcome = decider.decide(dictionary, id, day(on), charge.as_ref());
    words(decider, outcome)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn remembered_and_fresh_decisions_agree(
        data in prop::collection::vec(rule_data(), 1..6),
        asked in prop::collection::vec(
            (
                [0..4_usize, 0..4_usize, 0..4_usize, 0..4_usize],
                any::<bool>(),
                prop::option::of(any::<bool>()),
            ),
            1..60,
        ),
    ) {
        let texts: Vec<(String, String)> = data
            .iter()
            .enumerate()
            .map(|(at, data)| (format!("r{at}"), rule_text(at, data)))
            .collect();
        let texts: Vec<(&str, &str)> =
            texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        let rules = set(&texts);
        let mut dictionary = Dictionary::new();
        let mut decider = rules.decider();
        for (values, late, amount) in asked {
            let id = intern(&mut dictionary, values);
            let on = if late { "2026-03-02" } else { "2026-03-01" };
            let billed = amount.map(|large| if large { 6_000_000_000 } else { 4_000_000_000 });
            let remembered = decide(decider.as_mut(), &dictionary, id, on, billed);
            prop_assert_eq!(remembered, fresh(&rules, &dictionary, id, on, billed));
        }
    }
}
