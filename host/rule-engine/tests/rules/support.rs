//! Builds rule sets and resources in a line or two.

use domain::charge::ChargeLine;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, Resource, ResourceId, Symbol};
use domain::field::Field;
use domain::money::{Currency, Money};
use domain::period::Day;
use domain::port::{Decider, Rules};
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;

pub const HEADER: &str = "//! A rule.\nrule(#{ priority: 100 });\n";

pub fn sources(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect()
}

pub fn try_set(
    rules: &[(&str, &str)],
    tables: &[(&str, &str)],
) -> Result<RuleSet, Vec<Diagnostic>> {
    RuleSet::from_sources(&sources(rules), &sources(tables), &RuleOptions::default())
}

pub fn set(rules: &[(&str, &str)]) -> RuleSet {
    set_with_tables(rules, &[])
}

pub fn set_with_tables(rules: &[(&str, &str)], tables: &[(&str, &str)]) -> RuleSet {
    try_set(rules, tables).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

/// A rule from the bodies of its two functions; `matches` starts on line 3, `allocate` on line 4.
pub fn rule(priority: i64, matches: &str, allocate: &str) -> String {
    format!(
        "//! A rule.\nrule(#{{ priority: {priority} }});\nfn matches(charge) {{ {matches} }}\nfn \
         allocate(charge) {{ {allocate} }}\n"
    )
}

pub fn shown(findings: &[Diagnostic]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// `file:line:column: code: message` of each finding, without excerpts.
pub fn lines(findings: &[Diagnostic]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| finding.to_string().lines().next().unwrap_or_default().to_owned())
        .collect()
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

pub fn line(on: &str, billed: i64, effective: i64) -> ChargeLine {
    ChargeLine {
        day: day(on),
        billed_cost: Money::from_nanos(billed),
        effective_cost: Money::from_nanos(effective),
        details: None,
    }
}

/// Interns a resource; names of fields stand for dimensions, everything else for tags.
pub fn resource(dictionary: &mut Dictionary, values: &[(&str, &str)]) -> ResourceId {
    let mut dimensions = Vec::new();
    let mut tags: Vec<(Symbol, Symbol)> = Vec::new();
    for (name, value) in values {
        let value = dictionary.symbol(value);
        match Field::by_name(name) {
            Some(field) => dimensions.push((field, value)),
            None => tags.push((dictionary.symbol(name), value)),
        }
    }
    tags.sort_unstable();
    let tags = dictionary.tag_set(&tags);
    let currency = Currency::parse(b"USD").unwrap_or_else(|error| panic!("{error}"));
    dictionary.resource(&Resource { currency, tags, dimensions })
}

/// The set's answer to one charge, in words.
pub fn decided(set: &RuleSet, values: &[(&str, &str)]) -> String {
    let mut dictionary = Dictionary::new();
    let id = resource(&mut dictionary, values);
    let mut decider = set.decider();
    let outcome = decider.decide(&dictionary, id, day("2026-03-01"), None);
    words(decider.as_ref(), outcome)
}

pub fn words(decider: &dyn Decider, outcome: OutcomeId) -> String {
    if outcome == OutcomeId::PER_CHARGE {
        return "per charge".into();
    }
    match decider.outcomes().get(outcome.0 as usize) {
        Some(Outcome { verdict: Verdict::Unallocated }) => "unallocated".into(),
        Some(Outcome { verdict: Verdict::Decided { decision, .. } }) => decision.describe(),
        Some(Outcome { verdict: Verdict::Suspense { diagnostic, .. } }) => {
            diagnostic.lines().next().unwrap_or_default().to_owned()
        }
        None => panic!("{outcome:?} is not in the table"),
    }
}
