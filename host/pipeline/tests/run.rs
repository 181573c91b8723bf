//! Whole runs on a ledger in memory, with figures worked out by hand.

mod accruals;
mod deliveries;
mod derived;
mod details;
mod eighteen;
mod fakes;
mod opposites;
mod plans;
mod repeats;
mod sources;
mod stages;
mod tables;
mod usage;
mod windows;

use domain::code;
use domain::diagnostic::Diagnostic;
use domain::run::RunState;
use domain::spread::WhenZero;
use fakes::{balances, charges, failing, rules, source, try_run};
use ledger::Ledger;

const BILL: &str = "
    2026-03-01 compute a 30
    2026-03-01 compute b 10
    2026-03-01 storage - 5
    2026-03-01 tax - 4
    2026-03-01 support - 0.000000003
    2026-03-02 compute a -2
    2026-03-02 commit a 0 12
    2026-03-02 covered a 1 0
";

#[test]
fn a_bill_is_allocated_as_worked_out_by_hand() {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules()).unwrap();
    assert_eq!(report.state, RunState::Complete);
    // Tax: a has 30 of 40 direct, so 3 and 1. Support: of 3 nanos at 60:40, a gets ⌊1.8⌋ = 1 and b
    // gets 2. Day 2: billed −2 + 12 + 0 = 10, effective −2 + 0 + 1 = −1, so 11 is prepaid.
    let expected = [
        "pool/shared/support support 0.000000000",
        "prepaid/aws - 11.000000000",
        "provider/aws - -59.000000003",
        "team/a compute 28.000000000",
        "team/a covered 1.000000000",
        "team/a support 0.000000001",
        "team/a tax 3.000000000",
        "team/b compute 10.000000000",
        "team/b support 0.000000002",
        "team/b tax 1.000000000",
        "unallocated storage 5.000000000",
    ];
    assert_eq!(balances(&ledger), expected[1..]);
    assert_eq!(report.conservation[0].charged.rounded_text(9), "48.000000003");
    assert!(report.conservation[0].difference.is_zero());
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn a_run_ends_when_the_clock_says_so() {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules()).unwrap();
    let run = ledger.runs(1).unwrap().remove(0);
    // The clock of these runs goes on by 1.5 seconds.
    assert_eq!(run.started_at_ms, 1_790_000_000_000);
    assert_eq!(run.end.map(|end| end.at_ms), Some(1_790_000_001_500));
}

#[test]
fn the_same_again_posts_nothing_and_a_change_posts_the_difference() {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules()).unwrap();
    let before = balances(&ledger);
    let again = try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules()).unwrap();
    assert_eq!((again.entries_posted, again.entries_reversed, again.days), (0, 0, 0));
    assert_eq!(again.sources[0].days_unchanged, 2);

    let changed = BILL.replace("compute b 10", "compute b 20");
    let restated = try_run(&mut ledger, vec![source("aws", charges(&changed))], &rules()).unwrap();
    assert_eq!(
        (restated.sources[0].days_changed, restated.sources[0].days_unchanged, restated.days),
        (1, 1, 1)
    );
    assert_eq!((restated.entries_posted, restated.entries_reversed), (2, 2));
    assert!(balances(&ledger).contains(&"team/b compute 20.000000000".to_owned()));
    // Tax by 30 to 20: 2.4 and 1.6.
    assert!(balances(&ledger).contains(&"team/b tax 1.600000000".to_owned()));

    try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules()).unwrap();
    assert_eq!(balances(&ledger), before);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn the_order_of_charges_and_of_sources_does_not_matter() {
    let (mut forward, mut backward) = (Ledger::in_memory().unwrap(), Ledger::in_memory().unwrap());
    let other = "2026-03-01 compute c 7\n2026-03-01 tax - 0.1";
    try_run(
        &mut forward,
        vec![source("aws", charges(BILL)), source("gcp", charges(other))],
        &rules(),
    )
    .unwrap();
    let (mut bill, mut rest) = (charges(BILL), charges(other));
    bill.reverse();
    rest.reverse();
    try_run(&mut backward, vec![source("gcp", rest), source("aws", bill)], &rules()).unwrap();
    assert_eq!(balances(&forward), balances(&backward));
    let again = try_run(
        &mut forward,
        vec![source("aws", charges(BILL).into_iter().rev().collect())],
        &rules(),
    )
    .unwrap();
    assert_eq!((again.entries_posted, again.sources[0].days_unchanged), (0, 2));
}

#[test]
fn a_changed_rule_takes_back_what_it_posted_and_nothing_else() {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules()).unwrap();
    let mut changed = rules();
    changed.generation = "second".into();
    changed.facts[1].version.digest = "another".into();
    changed.split = vec![("a", 1), ("c", 2)];
    let report = try_run(&mut ledger, vec![], &changed).unwrap();
    // Two of the seven entries are of support: one filled its pool, and one spread it.
    assert_eq!(
        (report.days, report.entries_posted, report.entries_reversed, report.entries_unchanged),
        (2, 2, 2, 5)
    );
    let lines = balances(&ledger);
    assert!(
        lines.contains(&"team/a support 0.000000001".to_owned())
            && lines.contains(&"team/c support 0.000000002".to_owned()),
        "{lines:?}"
    );
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn a_pool_without_drivers_stays_visible_or_is_shared_evenly_as_declared() {
    let bill = "2026-03-01 tax - 9\n2026-03-01 storage - 1";
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![source("aws", charges(bill))], &rules()).unwrap();
    assert_eq!(
        balances(&ledger),
        [
            "pool/shared/tax tax 9.000000000",
            "provider/aws - -10.000000000",
            "unallocated storage 1.000000000"
        ]
    );
    // 10 and −10 of direct cost: negative weights count as zero, so a bears all of it.
    let bill = "2026-03-01 compute a 10\n2026-03-01 compute b -10\n2026-03-01 tax - 9\n2026-03-01 tax - -3";
    let mut ledger = Ledger::in_memory().unwrap();
    let mut even = rules();
    even.when_zero = WhenZero::Even;
    try_run(&mut ledger, vec![source("aws", charges(bill))], &even).unwrap();
    assert!(
        balances(&ledger).contains(&"team/a tax 6.000000000".to_owned()),
        "{:?}",
        balances(&ledger)
    );
}

#[test]
fn a_failing_source_is_left_out_whole_and_the_others_go_on() {
    let mut ledger = Ledger::in_memory().unwrap();
    let failure = Diagnostic::new(code::PLUGIN_TRAPPED, "it crashed on its last page");
    let sources = vec![
        failing("bad", charges(BILL), failure),
        source("good", charges("2026-03-01 compute a 1")),
    ];
    let report = try_run(&mut ledger, sources, &rules()).unwrap();
    assert_eq!(report.state, RunState::Incomplete);
    assert_eq!(
        report.sources[0].failure.as_ref().map(|failure| failure.code),
        Some(code::PLUGIN_TRAPPED)
    );
    assert_eq!(balances(&ledger), ["provider/good - -1.000000000", "team/a compute 1.000000000"]);
}

#[test]
fn rows_that_are_not_understood_are_set_aside_and_named() {
    let mut ledger = Ledger::in_memory().unwrap();
    let mut bill = charges(
        "2026-03-01 compute a 1\n2026-03-01 compute a x\n2026-03-01 compute b 2\n2026-30-01 compute a 4",
    );
    bill[2].billing_currency = "MC".into();
    let report = try_run(&mut ledger, vec![source("aws", bill)], &rules()).unwrap();
    assert_eq!(
        (report.state, report.sources[0].charges, report.sources[0].set_aside),
        (RunState::Incomplete, 1, 3)
    );
    let reasons: Vec<String> = report.sources[0]
        .rejected
        .iter()
        .map(|row| format!("{} {}", row.location, row.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            "aws:2 F201: billed-cost: 'x' is not a decimal number",
            "aws:3 F201: billing-currency: 'MC' is not a currency code of three letters",
            "aws:4 F201: charge-period-start: '2026-30-01T00:00:00Z' is not a point in time such as 2026-03-31T00:00:00Z",
        ]
    );
}

#[test]
fn a_rule_that_reads_amounts_is_asked_for_each_charge() {
    let mut ledger = Ledger::in_memory().unwrap();
    let mut per_charge = rules();
    per_charge.reads_amount = true;
    let bill =
        "2026-03-01 big - 10\n2026-03-01 big - 10.5\n2026-03-01 big - 11\n2026-03-01 tax - 4";
    try_run(&mut ledger, vec![source("aws", charges(bill))], &per_charge).unwrap();
    let lines = balances(&ledger);
    assert!(
        lines.contains(&"team/whales big 21.500000000".to_owned())
            && lines.contains(&"team/minnows big 10.000000000".to_owned()),
        "{lines:?}"
    );
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
    let again = try_run(&mut ledger, vec![source("aws", charges(bill))], &per_charge).unwrap();
    assert_eq!((again.entries_posted, again.entries_reversed), (0, 0));
}

#[test]
fn rules_with_a_turning_day_hold_on_their_side_of_it() {
    let mut ledger = Ledger::in_memory().unwrap();
    let mut turning = rules();
    turning.facts[fakes::LATE].from = Some("2026-03-02".parse().unwrap());
    try_run(
        &mut ledger,
        vec![source(
            "aws",
            charges("2026-03-01 compute a 1\n2026-03-02 compute a 2\n2026-03-03 compute a 4"),
        )],
        &turning,
    )
    .unwrap();
    assert_eq!(
        balances(&ledger),
        [
            "provider/aws - -7.000000000",
            "team/a compute 1.000000000",
            "team/late compute 6.000000000"
        ]
    );
    let again = try_run(&mut ledger, vec![], &turning).unwrap();
    assert_eq!((again.days, again.entries_posted), (0, 0));
}

#[test]
fn excluded_and_failed_charges_have_accounts_of_their_own() {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = try_run(
        &mut ledger,
        vec![source("aws", charges("2026-03-01 ours a 1\n2026-03-01 broken a 2"))],
        &rules(),
    )
    .unwrap();
    assert_eq!(
        (report.state, report.suspense),
        (RunState::Incomplete, vec!["R202: thrown".to_owned()])
    );
    assert_eq!(
        balances(&ledger),
        [
            "excluded/direct/team ours 1.000000000",
            "provider/aws - -3.000000000",
            "suspense broken 2.000000000"
        ]
    );
}

#[test]
fn rounding_has_a_line_of_its_own_and_the_batch_ties_out() {
    let mut ledger = Ledger::in_memory().unwrap();
    let bill = "2026-03-01 compute a 0.0000000004\n".repeat(10) + "2026-03-01 compute a 1";
    let report = try_run(&mut ledger, vec![source("aws", charges(&bill))], &rules()).unwrap();
    let (_, billed, effective) = &report.sources[0].totals[0];
    assert_eq!((billed.as_str(), effective.as_str()), ("1.000000004", "1.000000004"));
    assert_eq!(
        balances(&ledger),
        ["provider/aws - -1.000000004", "rounding/aws - 0.000000004", "team/a compute 1.000000000"]
    );
}

#[test]
fn a_run_that_is_dropped_leaves_nothing() {
    let mut ledger = Ledger::in_memory().unwrap();
    let failure = Diagnostic::new(ledger::code::LEDGER_FULL, "the disk is full");
    let sources = vec![source("good", charges(BILL)), failing("bad", charges(BILL), failure)];
    assert_eq!(
        try_run(&mut ledger, sources, &rules())
            .map(|report| report.run)
            .map_err(|error| error.code),
        Err(ledger::code::LEDGER_FULL)
    );
    assert_eq!(balances(&ledger), Vec::<String>::new());
    try_run(&mut ledger, vec![source("good", charges("2026-03-01 compute a 1"))], &rules())
        .unwrap();
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}
