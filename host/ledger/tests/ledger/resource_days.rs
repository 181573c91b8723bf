//! The source-days of a resource are found without its amounts, as they stand or ever stood.

use crate::fixture::{OneRule, charge, day, good, run, source_day};
use domain::dictionary::ResourceId;
use domain::period::Period;
use ledger::Ledger;

#[test]
fn a_resource_is_found_on_every_day_that_ever_named_it() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    let mut state = |source: &str, on: &str, teams: &[&str]| {
        let charges: Vec<_> = teams.iter().map(|team| charge(team, 10, 10)).collect();
        run(&mut ledger, &rules, &source_day(source, on), &charges);
    };
    // The fixture cuts segments of two charges: b stands in a second one, too.
    state("aws", "2026-03-01", &["a", "a", "b"]);
    state("aws", "2026-03-02", &["a", "c"]);
    state("gcp", "2026-03-02", &["b"]);
    state("aws", "2026-04-01", &["b", "a"]);
    // It is restated without b.
    state("gcp", "2026-03-02", &["c"]);
    let found = |resources: &[u32], period: Period| -> Vec<String> {
        let resources: Vec<ResourceId> = resources.iter().copied().map(ResourceId).collect();
        let days = good(ledger.resource_days(&resources, period)).into_iter();
        days.map(|found| format!("{} {}", found.source, found.day)).collect()
    };
    let march = Period::new(day("2026-03-01"), day("2026-04-01"));
    let march = march.unwrap_or_else(|error| panic!("{error}"));
    // In the order in which they came: a is 0, b is 1, c is 2.
    for (resources, days, of_march) in [
        (&[0][..], &["aws 2026-03-01", "aws 2026-03-02", "aws 2026-04-01"][..], 2),
        (&[1], &["aws 2026-03-01", "aws 2026-04-01", "gcp 2026-03-02"], 2),
        (&[2], &["aws 2026-03-02", "gcp 2026-03-02"], 2),
        (&[1, 2], &["aws 2026-03-01", "aws 2026-03-02", "aws 2026-04-01", "gcp 2026-03-02"], 3),
        (&[3], &[], 0),
        (&[], &[], 0),
    ] {
        assert_eq!(found(resources, Period::all()), days, "{resources:?}");
        assert_eq!(found(resources, march).len(), of_march, "{resources:?}");
    }
}
