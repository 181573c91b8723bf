//! The starter pack is fit to be shipped.

use domain::field::Field;
use domain::port::{Mutual, Rules, Stage};
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;
use rule_engine::{cases, layout, lint};
use std::path::PathBuf;

fn starter_pack() -> PathBuf {
    PathBuf::from("../../rules/starter")
}

fn load() -> RuleSet {
    let options = RuleOptions { require_doc: true, ..RuleOptions::default() };
    RuleSet::load(&starter_pack(), &options)
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)))
}

#[test]
fn it_compiles_is_documented_owned_and_has_no_advice() {
    let set = load();
    let lints = lint::check(&set, None);
    let findings: Vec<_> = lints.all().cloned().collect();
    assert_eq!(crate::support::shown(&findings), "");
    let ids: Vec<&str> = set.facts().iter().map(|facts| facts.version.rule.as_str()).collect();
    let expected = [
        "shared/tax",
        "shared/support",
        "direct/team-tag",
        "direct/namespace",
        "direct/account",
        "shared/shared-services",
        "default/ownerless",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn its_cases_pass_and_reach_both_answers() {
    let report = cases::run(&starter_pack(), &load());
    assert_eq!(crate::support::shown(&report.failures), "");
    assert_eq!(report.rules_without_cases().count(), 0);
    for rule in &report.rules {
        assert!(rule.never_reached().is_empty(), "{}: {:?}", rule.rule, rule.never_reached());
    }
    assert_eq!(report.passed, report.rules.iter().map(|rule| rule.cases).sum::<usize>());
}

#[test]
fn the_rule_and_the_case_of_the_readme_work() {
    let readme =
        std::fs::read_to_string("../../rules/README.md").unwrap_or_else(|error| panic!("{error}"));
    let block = |language: &str, number: usize| {
        let start = readme
            .split(&format!("```{language}\n"))
            .nth(number)
            .unwrap_or_else(|| panic!("no {language} block"));
        start.split("```").next().unwrap_or_default().to_owned()
    };
    let set = crate::support::set(&[("network/nat", &block("rhai", 1))]);
    let report = cases::run_sources(
        &[("network/nat".to_owned(), [block("toml", 1), block("toml", 2)].concat())],
        &set,
    );
    assert_eq!(
        (crate::support::shown(&report.failures).as_str(), report.passed, report.properties.len()),
        ("", 1, 1)
    );
}

#[test]
fn it_is_laid_out_as_rules_are() {
    let (rules, findings) = layout::lay_out(&starter_pack())
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
    assert_eq!(crate::support::shown(&findings), "");
    let changed: Vec<&str> =
        rules.iter().filter(|rule| rule.text.is_some()).map(|rule| rule.rule.as_str()).collect();
    assert_eq!((rules.len(), changed), (7, Vec::new()));
}

fn company() -> (PathBuf, RuleSet) {
    let folder = PathBuf::from("../../rules/company");
    let names = [
        "service_name",
        "service_category",
        "provider_name",
        "publisher_name",
        "sub_account_id",
        "sub_account_name",
        "charge_category",
        "resource_id",
        "resource_type",
        "sku_id",
        "commitment_discount_id",
        "commitment_discount_status",
    ];
    let dimensions =
        names.iter().map(|name| Field::by_name(name).unwrap_or_else(|| panic!("{name}"))).collect();
    let options = RuleOptions { require_doc: true, dimensions, ..RuleOptions::default() };
    let set = RuleSet::load(&folder, &options)
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
    (folder, set)
}

#[test]
fn the_company_has_every_kind_of_rule() {
    let (_, set) = company();
    let count =
        |is: fn(&Stage) -> bool| set.facts().iter().filter(|facts| is(&facts.stage)).count();
    assert_eq!(
        (
            count(|stage| *stage == Stage::Attribution),
            count(|stage| *stage == Stage::Distribution),
            count(|stage| matches!(stage, Stage::Cascade(_)))
        ),
        (42, 7, 6)
    );
    assert_eq!(set.facts().iter().filter(|facts| facts.mutual == Mutual::StepDown).count(), 2);
    let lints = lint::check(&set, None);
    let findings: Vec<_> = lints.all().cloned().collect();
    assert_eq!(crate::support::shown(&findings), "");
}

#[test]
fn two_clusters_of_the_example_stay_apart() {
    let folder = PathBuf::from("../../examples/cluster-and-bill/rules");
    let names = ["service_name", "resource_id", "resource_type"];
    let dimensions =
        names.iter().map(|name| Field::by_name(name).unwrap_or_else(|| panic!("{name}"))).collect();
    let options = RuleOptions { dimensions, ..RuleOptions::default() };
    let set = RuleSet::load(&folder, &options)
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
    let report = cases::run(&folder, &set);
    assert_eq!((crate::support::shown(&report.failures).as_str(), report.passed), ("", 11));
    let findings: Vec<_> = lint::check(&set, None).all().cloned().collect();
    assert_eq!(crate::support::shown(&findings), "");
}

#[test]
fn the_company_s_cases_pass_and_reach_both_answers() {
    let (folder, set) = company();
    let report = cases::run(&folder, &set);
    assert_eq!(crate::support::shown(&report.failures), "");
    assert_eq!(report.rules_without_cases().count(), 0);
    for rule in &report.rules {
        assert!(rule.never_reached().is_empty(), "{}: {:?}", rule.rule, rule.never_reached());
    }
    let (rules, findings) = layout::lay_out(&folder)
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
    assert_eq!(crate::support::shown(&findings), "");
    assert!(
        rules.iter().all(|rule| rule.text.is_none()),
        "`apportion rule fmt` would change the company's rules"
    );
}
