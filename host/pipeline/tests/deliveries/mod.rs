//! Deliveries state money, and take it back. The bills are files, as sources have them.

mod asked;
mod repeats;
mod restated;

use crate::fakes::{balances, foretold, rules, source, try_rehearsal, try_run};
use domain::code::Code;
use domain::field::Field;
use domain::mapping::{Feed, FeedFrom, Mapping, Origin, TagColumn};
use domain::period::DateOrder;
use domain::port::{Batch, CollectRequest, Delivery, GrantedTable, Rows};
use domain::run::RunState;
use domain::text_form::TextForm;
use ledger::Ledger;
use pipeline::report::{RunReport, SourceReport};
use pipeline::source::{DeliveryExtent, RepeatPolicy, Source};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;
use test_support::fakes::FakeCollector;

const HEADER: &str = "period,start,service,team,cost,currency\n";

fn mapping(table: &str) -> Mapping {
    let feed = |feed, column: &str| FeedFrom { feed, origin: Origin::Column(column.into()) };
    Mapping {
        table: table.into(),
        feeds: vec![
            feed(Feed::BillingPeriodStart, "period"),
            feed(Feed::ChargePeriodStart, "start"),
            feed(Feed::Dimension(Field::SERVICE_NAME), "service"),
            feed(Feed::BilledCost, "cost"),
            feed(Feed::EffectiveCost, "cost"),
            feed(Feed::BillingCurrency, "currency"),
        ],
        tag_maps: Vec::new(),
        tag_columns: vec![TagColumn { key: "team".into(), column: "team".into() }],
        skips: Vec::new(),
        nulls: Vec::new(),
        date_order: DateOrder::Iso,
        tag_prefixes: Vec::new(),
        short_rows: false,
        billing_period: None,
    }
}

/// Bills of the source `aws`: name and rows of each file.
struct Bills {
    folder: TempDir,
    deliveries: Vec<Delivery>,
    extent: Option<DeliveryExtent>,
    repeats: RepeatPolicy,
    asked: Option<(&'static str, &'static str)>,
}

impl Bills {
    fn new() -> Bills {
        Bills {
            folder: tempfile::tempdir().unwrap(),
            deliveries: Vec::new(),
            extent: None,
            repeats: RepeatPolicy::Refuse,
            asked: None,
        }
    }

    fn source(&self, files: &[(&str, &str)]) -> Source {
        let (mut tables, mut batches) = (Vec::new(), Vec::new());
        batches.push(Batch { deliveries: self.deliveries.clone(), ..Batch::default() });
        for (name, rows) in files {
            let path = self.folder.path().join(name);
            let rows = rows.trim().lines().map(|row| format!("{}\n", row.trim()));
            std::fs::write(&path, HEADER.to_owned() + &rows.collect::<String>()).unwrap();
            tables.push(GrantedTable { name: (*name).into(), path, form: TextForm::default() });
            batches.push(Batch { rows: Rows::Mapped(mapping(name)), ..Batch::default() });
        }
        let of = source("aws", Vec::new());
        let period = self.asked.map(|(start, end)| {
            domain::period::Period::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
        });
        Source {
            collector: Box::new(FakeCollector::new(batches)),
            request: CollectRequest { tables, period, ..of.request },
            delivery: self.extent,
            repeats: self.repeats,
            ..of
        }
    }

    fn run(&self, ledger: &mut Ledger, files: &[(&str, &str)]) -> RunReport {
        // Whatever happens, a rehearsal says it beforehand.
        let rehearsal = try_rehearsal(ledger, vec![self.source(files)], &rules()).unwrap();
        let report = try_run(ledger, vec![self.source(files)], &rules()).unwrap();
        assert_eq!(rehearsal.fault, None);
        assert_eq!(foretold(of_source(&rehearsal.report)), foretold(of_source(&report)));
        report
    }
}

fn of_source(report: &RunReport) -> &SourceReport {
    &report.sources[0]
}

/// `period day currency billed` of each standing statement.
fn stated(ledger: &Ledger) -> Vec<String> {
    let statements = ledger.statements("aws").unwrap();
    let line = |(day, totals): &(domain::run::DeliveryDay, domain::run::DayTotals)| {
        let period = day.billing_period.map_or("-".into(), |day| day.to_string());
        let place = &day.source_day;
        let billed = totals.billed.rounded_text(2);
        format!("{period} {} {} {billed}", place.day, place.currency)
    };
    statements.iter().map(line).collect()
}

fn failure(report: &RunReport) -> (Code, String) {
    let failure = of_source(report).failure.clone().unwrap();
    (failure.code, format!("{} | {}", failure.message, failure.hint.unwrap()))
}

#[test]
fn a_correction_in_a_later_bill_leaves_the_first_bill_alone() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let january = "2026-01-01,2026-01-15,compute,a,100,USD
                   2026-01-01,2026-01-16,compute,a,50,USD";
    bills.run(&mut ledger, &[("bill.csv", january)]);
    let march = "2026-03-01,2026-03-02,compute,a,10,USD
                 2026-03-01,2026-01-15,compute,a,-7,USD";
    let report = bills.run(&mut ledger, &[("bill.csv", march)]);
    assert_eq!(of_source(&report).withdrawn, []);
    assert_eq!(
        stated(&ledger),
        [
            "2026-01-01 2026-01-15 USD 100.00",
            "2026-03-01 2026-01-15 USD -7.00",
            "2026-01-01 2026-01-16 USD 50.00",
            "2026-03-01 2026-03-02 USD 10.00"
        ]
    );
    // 100 − 7 + 50 + 10.
    assert!(balances(&ledger).contains(&"team/a compute 153.000000000".to_owned()));
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn the_correction_of_a_closed_month_is_posted_in_the_open_one() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills.run(&mut ledger, &[("bill.csv", "2026-01-01,2026-01-15,compute,a,100,USD")]);
    let day: domain::period::Day = "2026-01-15".parse().unwrap();
    ledger.close_period(day.month(), 1, "done").unwrap();
    bills.run(&mut ledger, &[("bill.csv", "2026-03-01,2026-01-15,compute,a,-7,USD")]);
    let month = |month: domain::period::Month| {
        let filter = ledger::BalanceFilter::of(month.period());
        let balances = ledger.balances(&filter).unwrap();
        let teams = balances.iter().filter(|line| line.account.to_string() == "team/a");
        teams.map(|line| line.amount.rounded_text(2)).collect::<Vec<_>>()
    };
    assert_eq!(month(day.month()), ["100.00"]);
    assert_eq!(month(day.month().next()), ["-7.00"]);
}

#[test]
fn a_day_that_the_final_bill_lacks_is_taken_back_and_said() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let provisional = "2026-03-01,2026-03-02,compute,a,30,USD
                       2026-03-01,2026-03-03,compute,a,31,USD
                       2026-02-01,2026-03-03,compute,a,1,USD";
    bills.run(&mut ledger, &[("march.csv", provisional)]);
    let report = bills.run(&mut ledger, &[("march.csv", "2026-03-01,2026-03-03,compute,a,31,USD")]);
    let withdrawn = &of_source(&report).withdrawn;
    assert_eq!(withdrawn.len(), 1);
    let gone = &withdrawn[0];
    assert_eq!(gone.billing_period.unwrap().to_string(), "2026-03-01");
    assert_eq!((gone.days, gone.billed.rounded_text(2)), (1, "30.00".into()));
    // The bill of February is not there any more, and nobody said that it was wrong.
    assert_eq!(
        stated(&ledger),
        ["2026-02-01 2026-03-03 USD 1.00", "2026-03-01 2026-03-03 USD 31.00"]
    );
}

#[test]
fn a_delivery_without_rows_takes_its_period_back() {
    let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills.run(&mut ledger, &[("a.csv", "2026-03-01,2026-03-02,compute,a,30,USD")]);
    bills.run(&mut ledger, &[("a.csv", "")]);
    assert_eq!(stated(&ledger), ["2026-03-01 2026-03-02 USD 30.00"]);
    let march = Some("2026-03-01".parse().unwrap());
    let older = Some("a newer run has the same month".to_owned());
    let delivery = |left_out| Delivery { name: "m".into(), billing_period: march, left_out };
    bills.deliveries = vec![delivery(older)];
    bills.run(&mut ledger, &[("a.csv", "")]);
    assert_eq!(stated(&ledger), ["2026-03-01 2026-03-02 USD 30.00"]);
    bills.deliveries.push(delivery(None));
    let report = bills.run(&mut ledger, &[("a.csv", "")]);
    assert_eq!(of_source(&report).deliveries.len(), 2);
    assert_eq!(stated(&ledger), Vec::<String>::new());
}

#[test]
fn files_of_single_days_take_nothing_back() {
    let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills.extent = Some(DeliveryExtent::Day);
    bills.run(&mut ledger, &[("1.csv", "2026-03-01,2026-03-01,compute,a,1,USD")]);
    bills.run(&mut ledger, &[("2.csv", "2026-03-01,2026-03-02,compute,a,2,USD")]);
    assert_eq!(
        stated(&ledger),
        ["2026-03-01 2026-03-01 USD 1.00", "2026-03-01 2026-03-02 USD 2.00"]
    );
}

#[test]
fn a_currency_that_a_day_does_not_have_any_more_is_taken_back() {
    for period in ["2026-03-01", ""] {
        let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
        let rows =
            format!("{period},2026-03-02,compute,a,10,USD\n{period},2026-03-02,storage,a,8,EUR");
        bills.run(&mut ledger, &[("a.csv", &rows)]);
        let rows =
            format!("{period},2026-03-02,compute,a,10,USD\n{period},2026-03-02,storage,a,9,USD");
        bills.run(&mut ledger, &[("a.csv", &rows)]);
        let period = if period.is_empty() { "-" } else { period };
        assert_eq!(stated(&ledger), [format!("{period} 2026-03-02 USD 19.00")]);
    }
}

#[test]
fn without_billing_periods_days_are_stated_as_a_whole() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills
        .run(&mut ledger, &[("a.csv", ",2026-03-01,compute,a,1,USD\n,2026-03-02,compute,a,2,USD")]);
    bills.run(&mut ledger, &[("a.csv", ",2026-03-02,compute,a,3,USD")]);
    assert_eq!(stated(&ledger), ["- 2026-03-01 USD 1.00", "- 2026-03-02 USD 3.00"]);
    // The source tells its periods from now on. Its period is stated as a whole, and a correction
    // in a later period leaves the day alone.
    let later = "2026-04-01,2026-03-02,compute,a,-1,USD";
    bills.run(&mut ledger, &[("a.csv", later)]);
    let first =
        ["- 2026-03-01 USD 1.00", "- 2026-03-02 USD 3.00", "2026-04-01 2026-03-02 USD -1.00"];
    assert_eq!(stated(&ledger), first);
    let rows = format!("2026-03-01,2026-03-02,compute,a,4,USD\n{later}");
    let report = bills.run(&mut ledger, &[("a.csv", &rows)]);
    let gone = &of_source(&report).withdrawn;
    assert_eq!((gone.len(), gone[0].billed.rounded_text(2)), (1, "1.00".into()));
    assert_eq!(
        stated(&ledger),
        ["2026-03-01 2026-03-02 USD 4.00", "2026-04-01 2026-03-02 USD -1.00"]
    );
    // And it stops telling them.
    bills.run(&mut ledger, &[("a.csv", ",2026-03-02,compute,a,5,USD")]);
    assert_eq!(stated(&ledger), ["- 2026-03-02 USD 5.00"]);
}

#[test]
fn nothing_is_taken_back_as_long_as_rows_cannot_be_read() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let whole = "2026-03-01,2026-03-01,compute,a,1,USD
                 2026-03-01,2026-03-02,compute,a,2,USD";
    bills.run(&mut ledger, &[("a.csv", whole)]);
    let broken = "2026-03-01,2026-03-01,compute,a,1,USD
                  2026-03-01,2026-03-02,compute,a,two,USD";
    let report = bills.run(&mut ledger, &[("a.csv", broken)]);
    assert_eq!(report.state, RunState::Incomplete);
    assert_eq!((of_source(&report).days_kept, of_source(&report).withdrawn.len()), (1, 0));
    assert_eq!(stated(&ledger).len(), 2);
}

#[test]
fn rows_of_days_that_were_not_asked_for_are_counted() {
    let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills.run(&mut ledger, &[("a.csv", "2026-01-01,2026-01-15,compute,a,100,USD")]);
    bills.asked = Some(("2026-01-01", "2026-04-01"));
    bills.run(&mut ledger, &[("a.csv", "2026-03-01,2026-03-02,compute,a,10,USD")]);
    bills.asked = Some(("2026-03-01", "2026-04-01"));
    let rows = "2026-03-01,2026-03-02,compute,a,10,USD
                2026-03-01,2026-01-15,compute,a,-7,USD";
    let report = bills.run(&mut ledger, &[("a.csv", rows)]);
    assert_eq!(of_source(&report).outside_period, 1);
    assert_eq!(
        stated(&ledger),
        ["2026-01-01 2026-01-15 USD 100.00", "2026-03-01 2026-03-02 USD 10.00"]
    );
}

#[test]
fn a_row_without_a_period_leaves_other_periods_alone() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills.run(&mut ledger, &[("feb.csv", "2026-02-01,2026-03-01,compute,a,50,EUR")]);
    let march = "2026-03-01,2026-03-01,compute,a,5,EUR\n,2026-03-01,tax,a,1,EUR";
    bills.run(&mut ledger, &[("mar.csv", march)]);
    assert_eq!(
        stated(&ledger),
        [
            "- 2026-03-01 EUR 1.00",
            "2026-02-01 2026-03-01 EUR 50.00",
            "2026-03-01 2026-03-01 EUR 5.00"
        ]
    );
}

#[test]
fn a_slice_of_days_does_not_take_the_period_before_back() {
    let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let february = "2026-02-01,2026-02-01,compute,a,100,USD
                    2026-02-01,2026-02-02,compute,a,200,USD";
    bills.run(&mut ledger, &[("feb.csv", february)]);
    let slice = "2026-02-01,2026-03-01,compute,a,4,USD
                 2026-03-01,2026-03-01,compute,a,5,USD";
    let report = bills.run(&mut ledger, &[("mar.csv", slice)]);
    let (code, text) = failure(&report);
    assert_eq!(code, pipeline::code::PERIOD_UNCLEAR);
    assert_eq!(
        text,
        "of the billing period of 2026-02-01, 2 days that were collected before are missing in \
         the files, and 0 days are there: the files may be the whole period or some days of it | \
         in [sources.aws], write `delivery = \"billing_period\"` to have the missing days taken \
         back, or `delivery = \"day\"` to keep them"
    );
    assert_eq!(stated(&ledger).len(), 2);
    bills.extent = Some(DeliveryExtent::Day);
    bills.run(&mut ledger, &[("mar.csv", slice)]);
    assert_eq!(stated(&ledger).len(), 4);
    bills.extent = Some(DeliveryExtent::BillingPeriod);
    bills.run(&mut ledger, &[("mar.csv", slice)]);
    assert_eq!(
        stated(&ledger),
        ["2026-02-01 2026-03-01 USD 4.00", "2026-03-01 2026-03-01 USD 5.00"]
    );
}

#[test]
fn a_day_whose_only_row_is_set_aside_keeps_what_stands() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    bills.run(&mut ledger, &[("a.csv", "2026-03-01,2026-03-01,compute,a,10,USD")]);
    for broken in ["soon,2026-03-01,compute,a,10,USD", "2026-03-01,2026-03-01,compute,a,x,USD"] {
        let report = bills.run(&mut ledger, &[("a.csv", broken)]);
        assert_eq!(report.state, RunState::Incomplete);
        assert_eq!(stated(&ledger), ["2026-03-01 2026-03-01 USD 10.00"]);
    }
}

/// Period, day and currency of a row by number, its team and cents.
type Row = (u8, u8, u8, u8, i32);

fn row() -> impl Strategy<Value = Row> {
    (0_u8..3, 0_u8..5, 0_u8..2, 0_u8..2, -500_i32..500)
}

fn text(&(period, day, currency, team, cents): &Row) -> String {
    // The last one of the periods is not told.
    let period = ["2026-01-01", "2026-02-01", ""][usize::from(period)];
    let currency = ["USD", "EUR"][usize::from(currency)];
    let team = ["a", "b"][usize::from(team)];
    let sign = if cents < 0 { "-" } else { "" };
    let (units, cents) = (cents.abs() / 100, cents.abs() % 100);
    format!("{period},2026-01-0{},compute,{team},{sign}{units}.{cents:02},{currency}\n", day + 1)
}

/// The sums of cents that a list of rows states.
fn sums(rows: &[Row]) -> BTreeMap<(u8, u8, u8), i64> {
    let mut sums = BTreeMap::new();
    for (period, day, currency, _, cents) in rows {
        *sums.entry((*period, *day, *currency)).or_insert(0) += i64::from(*cents);
    }
    sums
}

/// The standing statements in the same form.
fn standing(ledger: &Ledger) -> BTreeMap<(u8, u8, u8), i64> {
    let first: domain::period::Day = "2026-01-01".parse().unwrap();
    let number = |(day, totals): (domain::run::DeliveryDay, domain::run::DayTotals)| {
        let period = match day.billing_period {
            None => 2,
            Some(period) => u8::from(period > first),
        };
        let place = day.source_day;
        let charged = (place.day.epoch_days() - first.epoch_days()) as u8;
        let currency = u8::from(place.currency.to_string() == "EUR");
        ((period, charged, currency), (totals.billed.nanos() / 10_000_000) as i64)
    };
    ledger.statements("aws").unwrap().into_iter().map(number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However rows are cut into files, and in whatever order, the ledger is the same.
    #[test]
    fn files_and_their_order_do_not_matter(
        rows in prop::collection::vec((row(), 0_usize..4), 1..30),
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let mut bills = Bills::new();
        bills.repeats = RepeatPolicy::Count;
        let all: Vec<Row> = rows.iter().map(|(row, _)| *row).collect();
        let mut whole = Ledger::in_memory().unwrap();
        let one: String = all.iter().map(text).collect();
        bills.run(&mut whole, &[("all.csv", &one)]);
        let mut parts = vec![String::new(); 4];
        for (row, part) in rows.iter().rev() {
            parts[*part] += &text(row);
        }
        let names = ["a.csv", "b.csv", "c.csv", "d.csv"];
        let files: Vec<(&str, &str)> =
            order.iter().map(|part| (names[*part], parts[*part].as_str())).collect();
        let mut cut = Ledger::in_memory().unwrap();
        bills.run(&mut cut, &files);
        prop_assert_eq!(standing(&cut), sums(&all));
        prop_assert_eq!(standing(&whole), standing(&cut));
        prop_assert_eq!(balances(&whole), balances(&cut));
        // And once more: nothing is posted.
        let report = bills.run(&mut cut, &[("all.csv", &one)]);
        prop_assert_eq!((report.entries_posted, report.entries_reversed), (0, 0));
    }

    /// A delivery replaces its own billing periods and nothing else.
    #[test]
    fn a_delivery_replaces_its_own_periods(
        deliveries in prop::collection::vec(prop::collection::vec(row(), 0..12), 1..6),
    ) {
        let mut bills = Bills::new();
        bills.repeats = RepeatPolicy::Count;
        bills.extent = Some(DeliveryExtent::BillingPeriod);
        let mut ledger = Ledger::in_memory().unwrap();
        let mut expected: BTreeMap<(u8, u8, u8), i64> = BTreeMap::new();
        for rows in deliveries {
            // A day without periods is a whole day, and beside others it is a part of one.
            let rows: Vec<Row> = rows.into_iter().filter(|row| row.0 < 2).collect();
            let file: String = rows.iter().map(text).collect();
            bills.run(&mut ledger, &[("bill.csv", &file)]);
            expected.retain(|(period, ..), _| rows.iter().all(|row| row.0 != *period));
            expected.extend(sums(&rows));
            prop_assert_eq!(&standing(&ledger), &expected);
        }
        let verified = ledger.verify(&mut |_| {}).unwrap();
        prop_assert_eq!(verified.findings, []);
    }
}
