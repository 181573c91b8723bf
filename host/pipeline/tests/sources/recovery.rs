//! Failures on the way, or other forms of the same rows, lead to the same ledger.

use super::{Act, TENTH, actor, fails, gives, run_at, run_patiently, wait_for_nothing, well};
use crate::fakes::{balances, charges, rules, source};
use domain::charge::ChargeTable;
use domain::diagnostic::Retry;
use domain::field::Field;
use domain::mapping::Feed;
use domain::period::Period;
use domain::port::{Batch, Rows};
use ledger::{Ledger, Reader};
use pipeline::source::Source;
use std::ops::Range;
use test_support::fakes::FakeCollector;

const CLEAN: [(&str, &str); 4] = [
    ("one", "2026-03-01 compute a 30\n2026-03-01 tax - 4\n2026-03-02 compute b 0.000000003"),
    ("two", "2026-03-01 compute b 10\n2026-03-03 storage - 5"),
    (
        "three",
        "2026-03-02 compute c 7\n2026-03-02 support - 1\n2026-03-02 commit a 0 12\n\
         2026-03-04 compute a 1\n2026-03-04 compute b 2",
    ),
    ("four", ""),
];

/// A sequence that is the same every time: the high bits of a linear congruence.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// Balances, statements and states: everything that money depends on.
fn outcome(ledger: &Reader) -> (Vec<String>, Vec<String>, Vec<Option<String>>) {
    let stated = |day: ledger::StoredDay| format!("{:?} {:?}", day.source_day, day.totals);
    let mut days: Vec<String> =
        ledger.source_days(Period::all()).unwrap().into_iter().map(stated).collect();
    days.sort();
    (balances(ledger), days, CLEAN.map(|(name, _)| ledger.state(name).unwrap()).to_vec())
}

#[test]
fn whatever_fails_in_between_the_ledger_ends_as_after_a_clean_run() {
    let good = |charges| Act { state: Some("end"), ..gives(charges) };
    let mut clean = Ledger::in_memory().unwrap();
    run_at(&mut clean, CLEAN.map(|(name, bill)| actor(name, vec![good(bill)]).0).into(), TENTH);
    let expected = outcome(&clean);
    for seed in 0..40 {
        let mut number = numbers(seed);
        let mut ledger = Ledger::in_memory().unwrap();
        // Some runs in which any source may fail after any part of other charges, and may come back
        // within the run or not.
        for round in 0..3 {
            let mut sources = Vec::new();
            for (name, bill) in CLEAN {
                let mut acts = Vec::new();
                for _ in 0..number(3) {
                    let of_another = CLEAN[number(4) as usize].1;
                    let retry = [Retry::No, Retry::Soon, Retry::After(60)][number(3) as usize];
                    acts.push(Act { state: Some("wrong"), ..fails(of_another, retry) });
                }
                acts.push(good(bill));
                sources.push(actor(name, acts).0);
            }
            // Neither the order of sources nor their number at a time may matter.
            let order = number(4) as usize;
            sources.rotate_left(order);
            run_patiently(
                &mut ledger,
                sources,
                &rules(),
                TENTH + round,
                1 + number(4) as usize,
                2,
                &wait_for_nothing,
            );
        }
        run_at(
            &mut ledger,
            CLEAN.map(|(name, bill)| actor(name, vec![good(bill)]).0).into(),
            TENTH + 9,
        );
        assert_eq!(outcome(&ledger), expected, "seed {seed}");
        well(&ledger);
    }
}

const TWO_TEAMS: &str =
    "2026-03-01 compute a 30.5\n2026-03-02 compute b 4\n2026-03-02 storage b 0.000000001";

/// The charges of `TWO_TEAMS` as columns in two pages. The last page lacks a column.
fn two_teams_in_columns() -> Vec<Batch> {
    let columns = [
        (Feed::Dimension(Field::SERVICE_NAME), ["compute", "compute", "storage"]),
        (
            Feed::ChargePeriodStart,
            ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"],
        ),
        (Feed::BilledCost, ["30.5", "4", "0.000000001"]),
        (Feed::EffectiveCost, ["30.5", "4", "0.000000001"]),
        (Feed::BillingCurrency, ["USD", "USD", "USD"]),
        (Feed::Tags, [r#"{"team":"a"}"#, r#"{ "team": "b" }"#, r#"{"team":"b"}"#]),
        // The last page leaves out this column, because it is empty.
        (Feed::Dimension(Field::REGION_ID), ["", "", ""]),
    ];
    let page = |(rows, columns): (Range<usize>, &[(Feed, [&str; 3])])| {
        let mut table = ChargeTable { rows: rows.len(), ..ChargeTable::default() };
        for (feed, texts) in columns {
            let mut cells = Vec::new();
            for text in &texts[rows.clone()] {
                let start = table.buffer.len() as u32;
                table.buffer.extend_from_slice(text.as_bytes());
                cells.push((start, table.buffer.len() as u32));
            }
            table.columns.push((*feed, cells));
        }
        Batch { rows: Rows::Table(table), ..Batch::default() }
    };
    [(0..2, &columns[..]), (2..3, &columns[..6])].map(page).into()
}

#[test]
fn what_is_posted_does_not_depend_on_the_form_of_the_rows() {
    let mut ledger = Ledger::in_memory().unwrap();
    let rows = source("cloud", charges(TWO_TEAMS));
    let columns = Source {
        collector: Box::new(FakeCollector::new(two_teams_in_columns())),
        ..source("cloud", Vec::new())
    };
    let mut run = |source: Source| {
        let report = run_at(&mut ledger, vec![source], TENTH);
        let source = &report.sources[0];
        (
            source.charges,
            source.days_new,
            source.days_changed,
            source.days_unchanged,
            report.entries_posted,
        )
    };
    assert_eq!(run(rows), (3, 2, 0, 0, 2));
    assert_eq!(run(columns), (3, 0, 0, 2, 0));
    assert_eq!(
        balances(&ledger),
        [
            "provider/cloud - -34.500000001",
            "team/a compute 30.500000000",
            "team/b compute 4.000000000",
            "team/b storage 0.000000001",
        ]
    );
    well(&ledger);
}
