//! A source that has a new name in the settings.

use super::{Folder, MARCH, refusal, refused};
use crate::fakes::{balances, charges, rules, source, try_run, usage_source};
use crate::stages::standing;
use domain::money::Sum;
use domain::period::{Month, Period};
use ledger::{BalanceFilter, Ledger};
use pipeline::code::CHARGES_REPEATED;
use pipeline::source::{Accrual, Source};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn called(source: Source, former: &str) -> Source {
    Source { formerly: vec![former.into()], ..source }
}

/// The billed sum that stands under a name.
fn stands(ledger: &Ledger, name: &str) -> Sum {
    ledger.statements(name).unwrap().iter().map(|(_, totals)| totals.billed).sum()
}

fn posted_in(ledger: &Ledger, month: Month) -> Vec<String> {
    let period = Period::new(month.first_day(), month.next().first_day()).unwrap();
    let lines = ledger.balances(&BalanceFilter::of(period)).unwrap();
    lines.iter().map(|line| format!("{} {}", line.account, line.amount)).collect()
}

/// Hundredths of the currency's unit.
fn units(units: i128) -> Sum {
    Sum::from_nanos(units * 10_000_000)
}

/// 10 + 2.5 on the second of March, and 1.25 on the third.
#[test]
fn a_source_with_a_former_name_carries_on() {
    let folder = Folder::new();
    let mut ledger = Ledger::in_memory().unwrap();
    let first = MARCH.to_owned() + "\n2026-02-27,ec2,1,a,4";
    try_run(&mut ledger, vec![folder.source("aws", &[("a.csv", &first)])], &rules()).unwrap();
    let (before, teams) = (balances(&ledger), standing(&ledger));
    // Without the setting it is a repetition, and the hint has the setting.
    let renamed = || folder.source("amazon", &[("a.csv", MARCH)]);
    let report = try_run(&mut ledger, vec![renamed()], &rules()).unwrap();
    let same = "the source 'aws' has the same charges of 2 days, from 2026-03-02 to 2026-03-03, \
                13.750000000 USD billed: they would count twice";
    assert_eq!(refused(&report, CHARGES_REPEATED).as_deref(), Some(same));
    let hint = report.sources[0].failure.as_ref().unwrap().to_string();
    assert!(
        hint.contains(
            "if 'aws' is a former name of 'amazon', write `formerly = [\"aws\"]` in \
             [sources.amazon]"
        ),
        "{hint}"
    );
    assert_eq!(balances(&ledger), before);
    let report = try_run(&mut ledger, vec![called(renamed(), "aws")], &rules()).unwrap();
    assert_eq!(refusal(&report), None);
    assert_eq!((report.sources[0].days_new, report.sources[0].days_taken_over), (2, 2));
    assert_eq!(report.sources[0].restated, []);
    // The day of February is in no file any more, and stays under the old name.
    assert_eq!((stands(&ledger, "aws"), stands(&ledger, "amazon")), (units(400), units(1375)));
    assert_eq!(standing(&ledger), teams);
    // Again, nothing happens; the day comes back in a file, and the sum stays as it was.
    let report = try_run(&mut ledger, vec![called(renamed(), "aws")], &rules()).unwrap();
    assert_eq!((report.entries_posted, report.sources[0].days_taken_over), (0, 0));
    let whole = called(folder.source("amazon", &[("a.csv", &first)]), "aws");
    let report = try_run(&mut ledger, vec![whole], &rules()).unwrap();
    assert_eq!(report.sources[0].days_taken_over, 1);
    assert_eq!((stands(&ledger, "aws"), stands(&ledger, "amazon")), (Sum::ZERO, units(1775)));
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

/// A restated day replaces what stands under the old name. A closed month gets the difference in
/// the open one.
#[test]
fn a_closed_month_keeps_its_figures() {
    let folder = Folder::new();
    let mut ledger = Ledger::in_memory().unwrap();
    let both = MARCH.to_owned() + "\n2026-04-01,ec2,1,a,8";
    try_run(&mut ledger, vec![folder.source("aws", &[("a.csv", &both)])], &rules()).unwrap();
    let march: Month = "2026-03".parse().unwrap();
    ledger.close_period(march, 1, "done").unwrap();
    let closed = posted_in(&ledger, march);
    let other = both.replace("1.25", "1.5");
    let renamed = called(folder.source("amazon", &[("a.csv", &other)]), "aws");
    let report = try_run(&mut ledger, vec![renamed], &rules()).unwrap();
    assert_eq!(refusal(&report), None);
    assert_eq!(report.sources[0].restated.len(), 1);
    assert_eq!(posted_in(&ledger, march), closed);
    // 13.75 of March as closed; 0.25 more, and 8 of April.
    assert_eq!(standing(&ledger), ["a 19.500000000", "b 2.500000000"]);
    assert_eq!((stands(&ledger, "aws"), stands(&ledger, "amazon")), (Sum::ZERO, units(2200)));
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

/// Usage is added up over sources, so a renamed one would count it twice.
#[test]
fn usage_counts_once_under_a_new_name() {
    let mut ledger = Ledger::in_memory().unwrap();
    let usage = "2026-03-02 req 5 1 team=a\n2026-03-03 req 7 1 team=b";
    try_run(&mut ledger, vec![usage_source("meter", usage)], &rules()).unwrap();
    let renamed = called(usage_source("counter", "2026-03-03 req 8 1 team=b"), "meter");
    let report = try_run(&mut ledger, vec![renamed], &rules()).unwrap();
    assert_eq!(report.sources[0].days_taken_over, 1);
    let days = ledger.usage_days(Period::all()).unwrap();
    let lines: Vec<String> = days
        .iter()
        .map(|day| format!("{} {} {} {}", day.source, day.metric, day.day, day.total))
        .collect();
    let expect = [
        "counter req 2026-03-03 8.000000000",
        "meter req 2026-03-02 5.000000000",
        "meter req 2026-03-03 0.000000000",
    ];
    assert_eq!(lines, expect);
}

/// An estimate gives way to the bill also on days that stand under its former name.
#[test]
fn estimates_give_way_to_a_bill_under_both_names() {
    let mut ledger = Ledger::in_memory().unwrap();
    let days = "2026-03-01 vm a 10\n2026-03-02 vm a 11";
    try_run(&mut ledger, vec![source("aws", charges(days))], &rules()).unwrap();
    let estimate = Source {
        accrues_for: Some(Accrual {
            bill: "amazon".into(),
            formerly: vec!["aws".into()],
            by: Vec::new(),
            settled_after_days: 0,
        }),
        ..source("estimate", charges("2026-03-01 vm a 9\n2026-03-02 vm a 9\n2026-03-03 vm a 9"))
    };
    let renamed = called(source("amazon", charges("2026-03-02 vm a 11")), "aws");
    try_run(&mut ledger, vec![renamed, estimate], &rules()).unwrap();
    // 10 of the first under the old name, 11 of the second under the new one, 9 of the third.
    let sums = ["aws", "amazon", "estimate"].map(|name| stands(&ledger, name));
    assert_eq!(sums, [units(1000), units(1100), units(900)]);
}

/// Estimates give way also under the former name of the source that estimates, and days that it
/// estimates anew count once.
#[test]
fn estimates_of_a_renamed_source_give_way() {
    let mut ledger = Ledger::in_memory().unwrap();
    let accrual = || Accrual {
        bill: "aws".into(),
        formerly: Vec::new(),
        by: Vec::new(),
        settled_after_days: 0,
    };
    let estimate = |name: &str, text: &str| Source {
        accrues_for: Some(accrual()),
        ..source(name, charges(text))
    };
    let days = "2026-03-01 vm a 9\n2026-03-02 vm a 9\n2026-03-03 vm a 9";
    try_run(&mut ledger, vec![estimate("cluster", days)], &rules()).unwrap();
    // It only knows the third day now.
    let renamed = || called(estimate("eu-1", "2026-03-03 vm a 8"), "cluster");
    try_run(&mut ledger, vec![renamed()], &rules()).unwrap();
    let sums = |ledger: &Ledger| ["aws", "cluster", "eu-1"].map(|name| stands(ledger, name));
    assert_eq!(sums(&ledger), [units(0), units(1800), units(800)]);
    let bill = |text: &str| source("aws", charges(text));
    try_run(&mut ledger, vec![bill("2026-03-01 vm a 10"), renamed()], &rules()).unwrap();
    assert_eq!(sums(&ledger), [units(1000), units(900), units(800)]);
    let all = "2026-03-01 vm a 10\n2026-03-02 vm a 10\n2026-03-03 vm a 10";
    try_run(&mut ledger, vec![bill(all), renamed()], &rules()).unwrap();
    assert_eq!(sums(&ledger), [units(3000), units(0), units(0)]);
}

/// Day of March, team, cost.
fn drawn() -> impl Strategy<Value = Vec<(u8, u8, u16)>> {
    prop::collection::vec((1..8_u8, 0..3_u8, 1..500_u16), 0..12)
}

fn text(drawn: &[(u8, u8, u16)]) -> String {
    let line = |(number, (day, team, cost)): (usize, &(u8, u8, u16))| {
        let team = ["a", "b", "c"][usize::from(*team)];
        format!("2026-03-0{day} s{number} {team} {cost}\n")
    };
    drawn.iter().enumerate().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After any change of name, each day has the charges of the new name if it has some, and
    /// otherwise those of the old name. So it is with a second change.
    #[test]
    fn each_day_counts_once(old in drawn(), new in drawn(), newest in drawn()) {
        let mut ledger = Ledger::in_memory().unwrap();
        let mut expect: BTreeMap<u8, u64> = BTreeMap::new();
        let bills = [("one", &old), ("two", &new), ("three", &newest)];
        for (at, (name, bill)) in bills.into_iter().enumerate() {
            let mut of = source(name, charges(&text(bill)));
            of.formerly = bills[..at].iter().map(|(name, _)| (*name).to_owned()).collect();
            let report = try_run(&mut ledger, vec![of], &rules()).unwrap();
            prop_assert!(report.sources[0].failure.is_none());
            let mut days: BTreeMap<u8, u64> = BTreeMap::new();
            for (day, _, cost) in bill {
                *days.entry(*day).or_default() += u64::from(*cost);
            }
            expect.extend(days);
            let all: Sum = bills.iter().map(|(name, _)| stands(&ledger, name)).sum();
            let sum: u64 = expect.values().sum();
            prop_assert_eq!(all, units(i128::from(sum) * 100));
            let posted: Sum = ledger
                .balances(&BalanceFilter::of(Period::all()))
                .unwrap()
                .into_iter()
                .filter(|line| line.account.to_string().starts_with("team/"))
                .map(|line| line.amount)
                .sum();
            prop_assert_eq!(posted, all);
        }
        prop_assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
    }
}
