//! What bills say beside amounts, as the ledger keeps it; and amounts that are larger than one
//! charge.

mod columnar;
mod decided;
mod products;
mod weighed;

use crate::fakes::{balances, rules, source, try_run};
use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMillisecondArray};
use domain::charge::{KeptDetails, RawCharge};
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::mapping::{Choice, Feed, FeedFrom, Mapping, Origin, Value};
use domain::period::{DateOrder, Period};
use domain::port::{Batch, CollectRequest, GrantedTable, Rows};
use domain::run::RunState;
use domain::terms::{Term, TermsId};
use domain::text_form::TextForm;
use ledger::Ledger;
use ledger::segment::{Details, NO_HOUR, PriceList, SegmentCharges, decode_with};
use pipeline::report::RunReport;
use pipeline::source::Source;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use test_support::fakes::FakeCollector;

/// `start service team billed list contracted list_price contracted_price pricing consumed unit
/// invoice`, one charge a line; `-` is nothing.
fn charges(text: &str) -> Vec<RawCharge> {
    let charge = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |at: usize| match words[at] {
            "-" => String::new(),
            word => word.to_owned(),
        };
        let dimensions = [("service_name", 1), ("pricing_unit", 10), ("invoice_id", 11)];
        RawCharge {
            charge_period_start: word(0),
            billed_cost: word(3),
            effective_cost: word(3),
            billing_currency: "IDR".into(),
            list_cost: word(4),
            contracted_cost: word(5),
            list_unit_price: word(6),
            contracted_unit_price: word(7),
            pricing_quantity: word(8),
            consumed_quantity: word(9),
            dimensions: dimensions
                .iter()
                .map(|(name, at)| (Field::by_name(name).unwrap(), word(*at)))
                .filter(|(_, text)| !text.is_empty())
                .collect(),
            tags: vec![("team".into(), word(2))],
            ..RawCharge::default()
        }
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(charge).collect()
}

fn bill(kept: KeptDetails, text: &str) -> Source {
    Source { kept, ..source("bill", charges(text)) }
}

fn run(ledger: &mut Ledger, kept: KeptDetails, text: &str) -> RunReport {
    try_run(ledger, vec![bill(kept, text)], &rules()).unwrap()
}

/// The stored charges, in the words that `charges` reads, with the hour in place of the start.
fn stored(ledger: &Ledger) -> Vec<String> {
    let dictionary = ledger.dictionary().unwrap();
    let prices = PriceList::of(&dictionary);
    let (mut columns, mut details) = (SegmentCharges::default(), Details::default());
    let mut lines = Vec::new();
    for day in ledger.source_days(Period::all()).unwrap() {
        for segment in ledger.segments(&day.source_day).unwrap() {
            decode_with(&segment.data, &prices, &mut columns, &mut details).unwrap();
            for row in 0..columns.resources.len() {
                lines.push(line(&dictionary, &columns, &details, row));
            }
        }
    }
    lines.sort();
    lines
}

fn line(
    dictionary: &Dictionary,
    columns: &SegmentCharges,
    details: &Details,
    row: usize,
) -> String {
    let resource = ResourceId(columns.resources[row]);
    let terms = TermsId(details.terms.get(row).copied().unwrap_or_default());
    let known = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let nanos = |nanos: Option<i128>| {
        nanos.map_or("-".into(), |nanos| domain::money::Sum::from_nanos(nanos).plain())
    };
    let figure = |figure: Option<domain::figure::Figure>| {
        figure.map_or("-".into(), |figure| figure.to_string())
    };
    let term = |term| known(dictionary.term_text(terms, term).to_owned());
    let hour = details.hours.get(row).copied().unwrap_or(NO_HOUR);
    [
        if hour == NO_HOUR { "-".into() } else { hour.to_string() },
        dictionary.dimension_text(resource, Field::SERVICE_NAME).to_owned(),
        dictionary.tag_text(resource, "team").to_owned(),
        nanos(Some(columns.billed[row].into())),
        nanos(details.list_cost.get(row)),
        nanos(details.contracted_cost.get(row)),
        term(Term::ListUnitPrice),
        term(Term::ContractedUnitPrice),
        figure(details.pricing_quantity.get(row)),
        figure(details.consumed_quantity.get(row)),
        term(Term::PricingUnit),
        term(Term::InvoiceId),
    ]
    .join(" ")
}

const BILL: &str = "
    2026-03-01T05:30:00Z compute a 1.1136 1.2 1.1136 0.05 0.0464 24 24 Hours INV-1
    2026-03-01T23:00:00Z storage b 2 3.5 2 0.2000 0.2 10 123456789012345678901234567890 GB INV-1
    2026-03-01T00:00:00Z requests a 0.4 - 0.4 - 0.0000004 1e6 1000000 Requests INV-2
    2026-03-01T00:00:00Z tax a 7 - - - - - - - -
    2026-03-02T00:00:00Z storage b -2 -2 -2 0.20 0.2 -10 -10.0 GB INV-2
";

#[test]
fn what_a_bill_says_of_its_charges_is_kept_to_the_digit() {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = run(&mut ledger, KeptDetails::ALL, BILL);
    assert_eq!(report.state, RunState::Complete);
    assert_eq!(
        stored(&ledger),
        [
            "0 requests a 0.4 - 0.4 - 0.0000004 1000000 1000000 Requests INV-2",
            "0 storage b -2 -2 -2 0.2 0.2 -10 -10 GB INV-2",
            "0 tax a 7 - - - - - - - -",
            "23 storage b 2 3.5 2 0.2 0.2 10 123456789012345678901234567890 GB INV-1",
            "5 compute a 1.1136 1.2 1.1136 0.05 0.0464 24 24 Hours INV-1",
        ]
    );
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn what_the_settings_leave_out_is_unknown_and_not_zero() {
    for (kept, compute) in [
        (KeptDetails::NONE, "- compute a 1.1136 - - - - - - - -"),
        (
            KeptDetails { prices: true, ..KeptDetails::NONE },
            "- compute a 1.1136 1.2 1.1136 0.05 0.0464 - - Hours -",
        ),
        (
            KeptDetails { quantities: true, ..KeptDetails::NONE },
            "- compute a 1.1136 - - - - 24 24 Hours -",
        ),
        (
            KeptDetails { invoice: true, ..KeptDetails::NONE },
            "- compute a 1.1136 - - - - - - - INV-1",
        ),
        (KeptDetails { hours: true, ..KeptDetails::NONE }, "5 compute a 1.1136 - - - - - - - -"),
        (KeptDetails::default(), "- compute a 1.1136 1.2 1.1136 0.05 0.0464 24 24 Hours INV-1"),
    ] {
        let mut ledger = Ledger::in_memory().unwrap();
        run(&mut ledger, kept, BILL);
        assert!(stored(&ledger).contains(&compute.to_owned()), "{kept:?}: {:?}", stored(&ledger));
        assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, [], "{kept:?}");
    }
}

/// A day whose charges say more than before is stated again, and its entries stay as they are.
#[test]
fn a_day_is_stated_again_once_when_other_details_are_kept() {
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, KeptDetails::NONE, BILL);
    let days = |report: &RunReport| {
        let source = &report.sources[0];
        (source.days_changed, source.days_unchanged)
    };
    let report = run(&mut ledger, KeptDetails::ALL, BILL);
    assert_eq!((days(&report), report.entries_posted), ((2, 0), 0));
    let report = run(&mut ledger, KeptDetails::ALL, BILL);
    assert_eq!(days(&report), (0, 2));
    // A corrected quantity alone is a change too.
    let corrected = BILL.replace(" 24 24 Hours", " 25 24 Hours");
    let report = run(&mut ledger, KeptDetails::ALL, &corrected);
    assert_eq!((days(&report), report.entries_posted), ((1, 1), 0));
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

/// A bill without details has the same statement whatever would be kept.
#[test]
fn a_day_without_details_is_not_stated_again() {
    let bill = "2026-03-01 compute a 5 - - - - - - - -";
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, KeptDetails::NONE, bill);
    let report = run(&mut ledger, KeptDetails::ALL, bill);
    assert_eq!((report.sources[0].days_changed, report.sources[0].days_unchanged), (0, 1));
}

#[test]
fn what_is_no_number_sets_its_row_aside() {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = run(
        &mut ledger,
        KeptDetails::ALL,
        "2026-03-01 compute a 1 1 1 1 1 1 1 h i
         2026-03-01 compute b 1 1 1 1 1 NaN 1 h i
         2026-03-01 compute c 1 1 1 1 1 1 many h i
         2026-03-01 compute d 1 1 1 free 1 1 1 h i
         2026-03-01 compute e 1 1 Infinity 1 1 1 1 h i
         2026-03-01 compute f 1 $1 1 1 1 1 1 h i",
    );
    assert_eq!(report.state, RunState::Incomplete);
    let source = &report.sources[0];
    assert_eq!((source.charges, source.set_aside), (1, 5));
    let reasons: Vec<&str> = source.rejected.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "F201: pricing-quantity: 'NaN' is not a decimal number",
            "F201: consumed-quantity: 'many' is not a decimal number",
            "F201: list-unit-price: 'free' is not a decimal number",
            "F201: contracted-cost: 'Infinity' is not a decimal number",
            "F201: list-cost: '$1' is not a decimal number",
        ]
    );
    // Nothing of the rows set aside has slipped into the columns of the others.
    assert_eq!(stored(&ledger), ["- compute a 1 1 1 1 1 1 1 h i"]);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

/// A charge holds 9,223,372,036.854775807. The first row needs two charges, the second two, and
/// the third 98: 97 of them hold 894,667,087,574.913253279.
#[test]
fn amounts_beyond_one_charge_are_charged_exactly() {
    let mut ledger = Ledger::in_memory().unwrap();
    let bill = "2026-03-01 compute a 9500000000 9600000000 9500000000 1 1 9500000000 1 kg INV-1
                2026-03-02 compute a 12000000000.5 - - - - - - - -
                2026-03-03 compute b -9e11 - - - - - - - -";
    let report = run(&mut ledger, KeptDetails::ALL, bill);
    assert_eq!(report.state, RunState::Complete);
    assert_eq!((report.sources[0].charges, report.sources[0].set_aside), (3, 0));
    // 9,500,000,000 + 12,000,000,000.5.
    assert_eq!(
        balances(&ledger)[..2].to_vec(),
        ["provider/bill - 878499999999.500000000", "team/a compute 21500000000.500000000",]
    );
    let lines = stored(&ledger);
    assert_eq!(lines.len(), 2 + 2 + 98);
    // All that is known stands with the first piece, and the second adds nothing to any sum.
    let of_day = lines.iter().filter(|line| line.ends_with("INV-1")).cloned();
    assert_eq!(
        of_day.collect::<Vec<_>>(),
        [
            "- compute a 276627963.145224193 0 0 1 1 0 0 kg INV-1",
            "- compute a 9223372036.854775807 9600000000 9500000000 1 1 9500000000 1 kg INV-1",
        ]
    );
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
    let report = run(&mut ledger, KeptDetails::ALL, bill);
    assert_eq!((report.sources[0].days_unchanged, report.entries_posted), (3, 0));
}

#[test]
fn an_amount_beyond_a_hundred_charges_is_set_aside() {
    let mut ledger = Ledger::in_memory().unwrap();
    let bill = "2026-03-01 compute a -1e12 - - - - - - - -
                2026-03-01 compute a 1e40 - - - - - - - -
                2026-03-01 compute a 1 1e40 - - - - - - -
                2026-03-01 compute a 1 - - - - - - - -";
    let report = run(&mut ledger, KeptDetails::ALL, bill);
    let source = &report.sources[0];
    assert_eq!((source.charges, source.set_aside), (1, 3));
    // A list cost is not posted, so it has no limit but that of its column.
    let limit = "is beyond ±922337203685 currency units, the largest amount of one row";
    let reasons: Vec<&str> = source.rejected.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            format!("F201: billed-cost: '-1000000000000' {limit}"),
            format!("F201: billed-cost: '1e40' {limit}"),
            "F201: list-cost: '1e40' is larger than any amount".into(),
        ]
    );
}

fn mapping(table: &str) -> Mapping {
    let feed = |feed, column: &str| FeedFrom { feed, origin: Origin::Column(column.into()) };
    let field = |name| Feed::Dimension(Field::by_name(name).unwrap());
    Mapping {
        table: table.into(),
        feeds: vec![
            feed(Feed::ChargePeriodStart, "start"),
            feed(field("service_name"), "service"),
            feed(Feed::BilledCost, "cost"),
            feed(Feed::EffectiveCost, "cost"),
            FeedFrom { feed: Feed::BillingCurrency, origin: Origin::Constant("USD".into()) },
            feed(field("invoice_id"), "invoice"),
            feed(Feed::PricingQuantity, "quantity"),
            feed(Feed::ListCost, "list"),
        ],
        tag_maps: Vec::new(),
        tag_columns: Vec::new(),
        skips: Vec::new(),
        nulls: vec!["NULL".into()],
        date_order: DateOrder::Iso,
        tag_prefixes: Vec::new(),
        short_rows: false,
        billing_period: None,
    }
}

/// A bill of files with `start,service,cost,invoice,quantity,list`.
fn files(folder: &TempDir, files: &[(&str, &str)]) -> Source {
    let (mut tables, mut batches) = (Vec::new(), Vec::new());
    for (name, rows) in files {
        let path = folder.path().join(name);
        let header = "start,service,cost,invoice,quantity,list\n";
        std::fs::write(&path, format!("{header}{rows}\n")).unwrap();
        tables.push(GrantedTable { name: (*name).into(), path, form: TextForm::default() });
        batches.push(Batch { rows: Rows::Mapped(mapping(name)), ..Batch::default() });
    }
    let of = source("bill", Vec::new());
    Source {
        collector: Box::new(FakeCollector::new(batches)),
        request: CollectRequest { tables, ..of.request },
        ..of
    }
}

/// An export that was made again may name the invoice by now. Its money is the same.
#[test]
fn the_same_charges_with_other_details_are_refused_as_twice() {
    let (folder, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory().unwrap());
    let source = files(
        &folder,
        &[
            ("first.csv", "2026-03-01,compute,10,,1,12"),
            ("final.csv", "2026-03-01,compute,10,INV-1,2,13"),
        ],
    );
    let report = try_run(&mut ledger, vec![source], &rules()).unwrap();
    let failure = report.sources[0].failure.clone().unwrap();
    assert_eq!(failure.code, pipeline::code::CHARGES_REPEATED);
    assert_eq!(stored(&ledger), Vec::<String>::new());
}

#[test]
fn the_nulls_of_a_table_are_unknown() {
    let (folder, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory().unwrap());
    let rows = "2026-03-01,compute,10,NULL,NULL,NULL\n2026-03-01,storage,10,INV-1,1.50,10";
    let source = files(&folder, &[("bill.csv", rows)]);
    try_run(&mut ledger, vec![source], &rules()).unwrap();
    assert_eq!(
        stored(&ledger),
        ["- compute  10 - - - - - - - -", "- storage  10 10 - - - 1.5 - - INV-1"]
    );
}

/// Exports with columns of one width fill their cells up with blanks.
#[test]
fn blanks_say_nothing_in_every_column() {
    let nothing = ["", " ", "  ", "NULL", " NULL", "NULL  "];
    for empty in nothing {
        let (folder, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory().unwrap());
        let path = folder.path().join("bill.csv");
        let told = [empty; 9].join(",");
        let head = "start,cost,service,invoice,quantity,list,used,price,agreed,net,month";
        std::fs::write(&path, format!("{head}\n2026-03-01,10,{told}\n")).unwrap();
        let mut mapping = mapping("bill.csv");
        let feed = |feed, column: &str| FeedFrom { feed, origin: Origin::Column(column.into()) };
        mapping.feeds.extend([
            feed(Feed::ConsumedQuantity, "used"),
            feed(Feed::ListUnitPrice, "price"),
            feed(Feed::ContractedUnitPrice, "agreed"),
            feed(Feed::ContractedCost, "net"),
            feed(Feed::BillingPeriodStart, "month"),
        ]);
        let batch = Batch { rows: Rows::Mapped(mapping), ..Batch::default() };
        let mut bill = Source {
            collector: Box::new(FakeCollector::new(vec![batch])),
            ..source("bill", Vec::new())
        };
        bill.request.tables =
            vec![GrantedTable { name: "bill.csv".into(), path, form: TextForm::default() }];
        let report = try_run(&mut ledger, vec![bill], &rules()).unwrap();
        assert_eq!(report.state, RunState::Complete, "{empty:?}");
        assert_eq!(stored(&ledger), ["-   10 - - - - - - - -"], "{empty:?}");
    }
}

/// Three moments of 2026-03-02, which begins at millisecond 1,772,409,600,000.
fn write_parquet(path: &Path) {
    let moments = [0, 19_800_000, 86_399_999].map(|of_day| 1_772_409_600_000 + of_day);
    let columns: [(&str, ArrayRef); 3] = [
        ("start", Arc::new(TimestampMillisecondArray::from(moments.to_vec()))),
        ("service", Arc::new(StringArray::from(vec!["night", "morning", "evening"]))),
        ("cost", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ];
    crate::fakes::write_parquet(path, columns);
}

/// Some exports write the start into one of two columns.
#[test]
fn hours_of_typed_moments_are_kept_like_those_of_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.parquet");
    write_parquet(&path);
    let column = Origin::Column("start".into());
    let chosen =
        Origin::FirstOf(vec![Choice { when: Vec::new(), value: Value::Column("start".into()) }]);
    let kept = KeptDetails { hours: true, ..KeptDetails::NONE };
    for (start, kept, hours) in [
        (column.clone(), kept, ["23", "5", "0"]),
        (chosen.clone(), kept, ["23", "5", "0"]),
        (column, KeptDetails::NONE, ["-", "-", "-"]),
        (chosen, KeptDetails::NONE, ["-", "-", "-"]),
    ] {
        let mut ledger = Ledger::in_memory().unwrap();
        let mut mapping = mapping("bill.parquet");
        mapping.feeds.retain(|from| {
            !matches!(
                from.feed,
                Feed::ChargePeriodStart
                    | Feed::PricingQuantity
                    | Feed::ListCost
                    | Feed::Dimension(Field::INVOICE_ID)
            )
        });
        mapping.feeds.push(FeedFrom { feed: Feed::ChargePeriodStart, origin: start });
        let batch = Batch { rows: Rows::Mapped(mapping), ..Batch::default() };
        let mut bill = Source {
            collector: Box::new(FakeCollector::new(vec![batch])),
            kept,
            ..source("bill", Vec::new())
        };
        let (name, form) = ("bill.parquet".into(), TextForm::default());
        bill.request.tables = vec![GrantedTable { name, path: path.clone(), form }];
        let report = try_run(&mut ledger, vec![bill], &rules()).unwrap();
        assert_eq!(report.state, RunState::Complete);
        let days = ledger.source_days(Period::all()).unwrap();
        assert_eq!(
            days.iter().map(|day| day.source_day.day.to_string()).collect::<Vec<_>>(),
            ["2026-03-02"]
        );
        let mut expect: Vec<String> = [("evening", 3), ("morning", 2), ("night", 1)]
            .iter()
            .zip(hours)
            .map(|((service, cost), hour)| format!("{hour} {service}  {cost} - - - - - - - -"))
            .collect();
        expect.sort();
        assert_eq!(stored(&ledger), expect);
    }
}
