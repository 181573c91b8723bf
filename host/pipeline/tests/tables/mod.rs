//! Tables of text as people write them, through whole runs.

use crate::fakes::{rules, source, try_run};
use domain::code::AMOUNT_COMMA;
use domain::field::Field;
use domain::mapping::{
    Choice, Condition, Feed, FeedFrom, KeyFrom, Mapping, MetricFrom, Origin, Skip, Term,
    UsageMapping, Value,
};
use domain::period::DateOrder;
use domain::port::{Batch, GrantedTable, Rows};
use domain::run::RunState;
use domain::text_form::{DecimalMark, TextForm};
use ledger::Ledger;
use pipeline::code::ID_ROUNDED;
use pipeline::report::SourceReport;
use pipeline::source::Source;
use test_support::fakes::FakeCollector;

const COMMA: TextForm = TextForm {
    delimiter: b',',
    encoding: domain::text_form::Encoding::Utf8,
    skip_lines: 0,
    decimal_mark: DecimalMark::Comma,
};

fn column(name: &str) -> Origin {
    Origin::Column(name.into())
}

fn mapping(billed: Origin) -> Mapping {
    let feed = |feed, origin| FeedFrom { feed, origin };
    Mapping {
        table: "bill.csv".into(),
        feeds: vec![
            feed(Feed::BilledCost, billed),
            feed(Feed::EffectiveCost, column("Cost")),
            feed(Feed::BillingCurrency, column("Currency")),
            feed(Feed::ChargePeriodStart, column("Date")),
            feed(Feed::Dimension(Field::SUB_ACCOUNT_ID), column("Account")),
        ],
        tag_maps: Vec::new(),
        tag_columns: Vec::new(),
        skips: vec![Skip { column: "Account".into(), values: vec!["Total".into()] }],
        nulls: Vec::new(),
        date_order: DateOrder::Iso,
        tag_prefixes: Vec::new(),
        short_rows: false,
        billing_period: None,
    }
}

/// Runs one source over one table.
fn collected(text: &str, form: TextForm, rows: Rows) -> SourceReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    std::fs::write(&path, text).unwrap();
    let batch = Batch { rows, ..Batch::default() };
    let mut of_table = Source {
        collector: Box::new(FakeCollector::new(vec![batch])),
        ..source("aws", Vec::new())
    };
    of_table.request.tables = vec![GrantedTable { name: "bill.csv".into(), path, form }];
    let mut ledger = Ledger::in_memory().unwrap();
    let mut report = try_run(&mut ledger, vec![of_table], &rules()).unwrap();
    assert_eq!(
        report.state == RunState::Complete,
        report.sources[0].failure.is_none() && report.sources[0].set_aside == 0
    );
    report.sources.remove(0)
}

fn billed(report: &SourceReport) -> Vec<&str> {
    report.totals.iter().map(|(_, billed, _)| billed.as_str()).collect()
}

const COMMAS: &str = "Account,Date,Cost,Currency\na,2026-03-01,\"12,5\",EUR\n\
     a,2026-03-01,\"1.234,56\",EUR\na,2026-03-01,1.234,EUR\na,2026-03-02,3.75,EUR\n";

#[test]
fn numbers_with_a_decimal_comma_are_refused_or_read_but_never_guessed() {
    let rows = || Rows::Mapped(mapping(column("Cost")));
    let refused = collected(COMMAS, TextForm::default(), rows());
    let failure = refused.failure.unwrap();
    assert_eq!(failure.code, AMOUNT_COMMA);
    assert_eq!(
        failure.message,
        "bill.csv has numbers with a decimal comma, so that none of its numbers is certain: Cost: \
         '12,5' is not a decimal number"
    );
    assert_eq!(failure.location.as_ref().unwrap().to_string(), "bill.csv:2:14");
    assert!(failure.hint_text().unwrap().ends_with("\ndecimal_comma = true"));
    assert_eq!(refused.charges, 0);
    // 12.50 + 1234.56 + 1234; the last row is no number with a decimal comma.
    let read = collected(COMMAS, COMMA, rows());
    assert_eq!((billed(&read), read.set_aside), (vec!["2481.06"], 1));
    assert!(read.rejected[0].reason.contains("'3.75' is not a number with a decimal comma"));
    assert_eq!(read.rejected[0].location, "bill.csv:5:14");
}

/// `1.234` may be a thousand where another number of the table has a decimal comma.
#[test]
fn a_decimal_comma_in_any_number_of_a_charge_refuses_its_table() {
    let head = "Account,Date,Cost,Currency,Told\na,2026-03-01,1.234,EUR,1\n";
    for feed in [
        Feed::ListUnitPrice,
        Feed::ContractedUnitPrice,
        Feed::PricingQuantity,
        Feed::ConsumedQuantity,
        Feed::ListCost,
        Feed::ContractedCost,
    ] {
        let rows = || {
            let mut mapping = mapping(column("Cost"));
            mapping.feeds.push(FeedFrom { feed, origin: column("Told") });
            Rows::Mapped(mapping)
        };
        let certain = format!("{head}a,2026-03-01,2,EUR,\"0,10\"\n");
        let refused = collected(&certain, TextForm::default(), rows());
        let failure = refused.failure.unwrap();
        assert_eq!(failure.code, AMOUNT_COMMA, "{feed:?}");
        assert!(failure.message.ends_with(": Told: '0,10' is not a decimal number"), "{feed:?}");
        assert_eq!(failure.location.unwrap().to_string(), "bill.csv:3:20", "{feed:?}");
        assert_eq!(refused.charges, 0, "{feed:?}");
        // 1234 + 2.
        let read = collected(&certain, COMMA, rows());
        assert_eq!((billed(&read), read.set_aside), (vec!["1236"], 0), "{feed:?}");
        // A comma that may group thousands makes only its own row doubtful.
        let grouped = format!("{head}a,2026-03-01,2,EUR,\"1,234\"\n");
        let read = collected(&grouped, TextForm::default(), rows());
        assert_eq!((billed(&read), read.set_aside), (vec!["1.234"], 1), "{feed:?}");
        // No number at all, in a table whose decimal commas are known.
        let endless = format!("{head}a,2026-03-01,2,EUR,\"1,5e20000\"\n");
        let read = collected(&endless, COMMA, rows());
        assert_eq!((billed(&read), read.set_aside), (vec!["1234"], 1), "{feed:?}");
    }
}

#[test]
fn sums_of_columns_have_the_decimal_mark_of_their_table() {
    let term = |column: &str, subtract| Term { column: column.into(), subtract, member: None };
    let sum = Value::Sum(vec![term("Cost", false), term("Tax", true)]);
    let billed_cost = Origin::FirstOf(vec![Choice { when: Vec::new(), value: sum }]);
    let text = "Account,Date,Cost,Tax,Currency\na,2026-03-01,\"1.000,5\",\"0,25\",EUR\n\
         a,2026-03-01,2,1.5,EUR\n";
    let rows = || Rows::Mapped(mapping(billed_cost.clone()));
    let read = collected(text, COMMA, rows());
    // 1000.5 − 0.25; 1.5 is no number with a decimal comma.
    assert_eq!((billed(&read), read.set_aside), (vec!["1000.25"], 1));
    let refused = collected(text, TextForm::default(), rows());
    assert_eq!(refused.failure.map(|failure| failure.code), Some(AMOUNT_COMMA));
}

#[test]
fn credits_are_numbers_or_lists_that_are_read_whole() {
    let term = |column: &str, member: Option<&str>| Term {
        column: column.into(),
        subtract: false,
        member: member.map(str::to_owned),
    };
    let sum = Value::Sum(vec![term("Cost", None), term("Credits", Some("amount"))]);
    let filled = Condition { column: "Cost".into(), values: vec![String::new()], negated: true };
    let net = Origin::FirstOf(vec![Choice { when: vec![filled], value: sum }]);
    let read = |rows: &[(&str, &str)]| {
        let mut text = String::from("Account,Date,Cost,Credits,Currency\n");
        for (cost, credits) in rows {
            let quoted = credits.replace('"', "\"\"");
            text.push_str(&format!("a,2026-03-01,{cost},\"{quoted}\",USD\n"));
        }
        collected(&text, TextForm::default(), Rows::Mapped(mapping(net.clone())))
    };
    // 8 + 5 + 7 + 2.5.
    let good = [
        ("10.00", "-2.00"),
        ("5.00", "0"),
        ("7.00", "[]"),
        ("4.00", r#"[{"name": "a", "amount": -1}, {"amount": "-0.5"}]"#),
    ];
    let report = read(&good);
    assert_eq!((billed(&report), report.set_aside), (vec!["22.5"], 0));
    let broken = [
        ("10.00", r#"[{"name":"a","amount":-1.00},{"name":"b","amo"#),
        ("20.00", "garbage"),
        ("40.00", r#"[{"name":"a","credit_amount":-4.00}]"#),
        ("80.00", r#"[{"name":"a","amount":"-8,00"}]"#),
        ("", r#"[{"name":"a","amount":-3.00}]"#),
    ];
    for row in broken {
        let report = read(&[good[0], row]);
        assert_eq!((billed(&report), report.set_aside), (vec!["8"], 1), "{row:?}");
    }
    assert_eq!(read(&broken).set_aside, 5);
}

#[test]
fn one_comma_behind_a_thousand_other_faults_is_found() {
    let mut text = String::from("Account,Date,Cost,Currency\n");
    (0..1500).for_each(|_| text.push_str("a,2026-03-01,none,EUR\n"));
    text.push_str("a,2026-03-01,\"0,5\",EUR\n");
    let refused = collected(&text, TextForm::default(), Rows::Mapped(mapping(column("Cost"))));
    let failure = refused.failure.unwrap();
    assert_eq!(failure.location.unwrap().to_string(), "bill.csv:1502:14");
}

#[test]
fn commas_that_may_group_thousands_set_their_rows_aside() {
    let text = "Account,Date,Cost,Currency\na,2026-03-01,\"1,234\",USD\na,2026-03-01,2.5,USD\n\
         a,2026-03-01,\"1,234.56\",USD\n";
    let read = collected(text, TextForm::default(), Rows::Mapped(mapping(column("Cost"))));
    assert_eq!((billed(&read), read.set_aside), (vec!["2.5"], 2));
}

#[test]
fn quantities_have_the_decimal_mark_of_their_table() {
    let usage = || {
        Rows::MappedUsage(UsageMapping {
            table: "bill.csv".into(),
            period_start: column("Date"),
            metrics: vec![MetricFrom {
                metric: Origin::Constant("cores".into()),
                value: "Cost".into(),
                unit: Origin::Constant("h".into()),
            }],
            keys: vec![KeyFrom { key: "team".into(), origin: column("Account") }],
            tags: None,
            skips: Vec::new(),
            nulls: Vec::new(),
            date_order: DateOrder::Iso,
        })
    };
    let read = collected(COMMAS, COMMA, usage());
    assert_eq!(read.usage.metrics[0].total.to_string(), "2481.060000000");
    assert_eq!(read.set_aside, 1);
    let refused = collected(COMMAS, TextForm::default(), usage());
    assert_eq!(refused.failure.map(|failure| failure.code), Some(AMOUNT_COMMA));
}

#[test]
fn a_row_that_is_no_charge_may_lack_its_currency() {
    let text = "Account,Date,Cost,Currency\na,2026-03-01,10,EUR\nTotal,,10,\nTotal,,10,EURO\n";
    let read = collected(text, TextForm::default(), Rows::Mapped(mapping(column("Cost"))));
    assert_eq!((billed(&read), read.set_aside), (vec!["10"], 0));
}

#[test]
fn ids_that_were_rounded_are_said_once_a_column() {
    let text = "Account,Date,Cost,Currency\n001234567890,2026-03-01,1,USD\n\
         1.23457E+11,2026-03-01,1,USD\n1.23458E+11,2026-03-01,1,USD\n";
    let read = collected(text, TextForm::default(), Rows::Mapped(mapping(column("Cost"))));
    let said: Vec<_> =
        read.warnings.iter().map(|said| (said.code, said.message.as_str())).collect();
    let message = "Account has ids that were rounded as numbers, such as 1.23457E+11";
    assert_eq!(said, [(ID_ROUNDED, message)]);
    assert_eq!((read.charges, read.set_aside), (3, 0));
}
