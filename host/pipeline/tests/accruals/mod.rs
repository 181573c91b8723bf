//! Estimates and the bill that comes later, with figures worked out by hand.

mod parts;

use crate::fakes::{charges, failing, foretold, rules, source, try_rehearsal, try_run};
use crate::stages::standing;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::period::Month;
use ledger::{Ledger, Reader};
use pipeline::report::SourceReport;
use pipeline::source::{Accrual, Source};

const ESTIMATES: &str = "2026-03-01 compute a 10\n2026-03-02 compute a 10\n2026-03-02 compute b 5";

/// As the settings have it where they say nothing.
fn accrual() -> Option<Accrual> {
    let by = vec![Field::RESOURCE_ID, Field::SERVICE_NAME];
    Some(Accrual { bill: "aws".into(), formerly: Vec::new(), by, settled_after_days: 3 })
}

fn estimates(text: &str) -> Source {
    Source { accrues_for: accrual(), ..source("estimates", charges(text)) }
}

fn total(ledger: &Reader) -> Vec<String> {
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
    standing(ledger)
}

#[test]
fn estimates_count_until_the_bill_has_their_day() {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![estimates(ESTIMATES)], &rules()).unwrap();
    assert_eq!(total(&ledger), ["a 20.000000000", "b 5.000000000"]);

    // The bill of the first day comes, with a larger amount. Estimates are named first, but they
    // are collected last. A rehearsal says the same, whether the bill is new or stands already.
    let bill = "2026-03-01 compute a 12";
    let both = || vec![estimates(ESTIMATES), source("aws", charges(bill))];
    let rehearsed = |ledger: &Ledger, sources| -> Vec<String> {
        let report = try_rehearsal(ledger, sources, &rules()).unwrap().report;
        report.sources.iter().map(foretold).collect()
    };
    let beforehand = rehearsed(&ledger, both());
    let report =
        try_run(&mut ledger, vec![estimates(ESTIMATES), source("aws", charges(bill))], &rules())
            .unwrap();
    assert_eq!(total(&ledger), ["a 22.000000000", "b 5.000000000"]);
    assert_eq!(beforehand, report.sources.iter().map(foretold).collect::<Vec<_>>());
    let alone = rehearsed(&ledger, vec![estimates(ESTIMATES)]);
    let estimated = report.sources.iter().find(|source| source.name == "estimates").unwrap();
    // Its day was taken back by now.
    assert_eq!(alone, [foretold(&SourceReport { days_taken_back: 0, ..estimated.clone() })]);
    assert_eq!(
        (estimated.charges, estimated.billed, estimated.days_taken_back, estimated.days_unchanged),
        (2, 1, 1, 1)
    );
    assert_eq!((report.entries_posted, report.entries_reversed), (1, 1));

    let again =
        try_run(&mut ledger, vec![source("aws", charges(bill)), estimates(ESTIMATES)], &rules())
            .unwrap();
    assert_eq!((again.days, again.entries_posted, again.entries_reversed), (0, 0, 0));

    // The whole bill: nothing of the estimates is left.
    let bill = "2026-03-01 compute a 12\n2026-03-02 compute a 11";
    try_run(&mut ledger, vec![source("aws", charges(bill)), estimates(ESTIMATES)], &rules())
        .unwrap();
    assert_eq!(total(&ledger), ["a 23.000000000"]);
}

#[test]
fn a_bill_that_is_withdrawn_lets_the_estimates_count_again() {
    let mut ledger = Ledger::in_memory().unwrap();
    let march = || Some("2026-03".parse::<Month>().unwrap().period());
    let mut bill = source("aws", charges("2026-03-01 compute a 12"));
    bill.request.period = march();
    try_run(&mut ledger, vec![bill, estimates(ESTIMATES)], &rules()).unwrap();
    assert_eq!(total(&ledger), ["a 22.000000000", "b 5.000000000"]);
    let mut withdrawn = source("aws", Vec::new());
    withdrawn.request.period = march();
    try_run(&mut ledger, vec![withdrawn, estimates(ESTIMATES)], &rules()).unwrap();
    assert_eq!(total(&ledger), ["a 20.000000000", "b 5.000000000"]);
}

#[test]
fn estimates_are_taken_back_even_if_their_own_source_fails() {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![estimates(ESTIMATES)], &rules()).unwrap();
    let broken = Source {
        accrues_for: accrual(),
        ..failing("estimates", Vec::new(), Diagnostic::new(code::PLUGIN_TRAPPED, "down"))
    };
    let report = try_run(
        &mut ledger,
        vec![source("aws", charges("2026-03-02 compute a 11")), broken],
        &rules(),
    )
    .unwrap();
    assert_eq!(report.sources.iter().map(|source| source.days_taken_back).sum::<u64>(), 1);
    // The first day is not billed yet and stays as it was estimated.
    assert_eq!(total(&ledger), ["a 21.000000000"]);
}

#[test]
fn an_estimate_of_a_closed_month_is_reversed_in_the_open_one() {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![estimates(ESTIMATES)], &rules()).unwrap();
    ledger.close_period("2026-03".parse().unwrap(), 1, "done").unwrap();
    try_run(
        &mut ledger,
        vec![source("aws", charges("2026-03-01 compute a 12")), estimates(ESTIMATES)],
        &rules(),
    )
    .unwrap();
    assert_eq!(total(&ledger), ["a 22.000000000", "b 5.000000000"]);
    let april = "2026-04".parse::<Month>().unwrap().period();
    let balances = ledger.balances(&ledger::BalanceFilter::of(april)).unwrap();
    let corrected: Vec<String> = balances
        .iter()
        .filter(|balance| balance.account.team().is_some())
        .map(|balance| format!("{} {}", balance.source, balance.amount))
        .collect();
    assert_eq!(corrected, ["aws 12.000000000", "estimates -10.000000000"]);
}
