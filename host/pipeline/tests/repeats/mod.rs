//! The same money in two spellings, in one source or in two.

mod flattened;
mod renamed;

use crate::fakes::{charges, rules, source, try_run};
use arrow_array::{ArrayRef, Decimal128Array, StringArray, TimestampMillisecondArray};
use domain::charge::KeptDetails;
use domain::code::Code;
use domain::field::Field;
use domain::mapping::{Feed, FeedFrom, Mapping, Origin, TagColumn};
use domain::money::Sum;
use domain::period::DateOrder;
use domain::port::{Batch, CollectRequest, GrantedTable, Rows};
use domain::text_form::TextForm;
use ledger::Ledger;
use pipeline::code::{CHARGES_REPEATED, SUMS_REPEATED};
use pipeline::report::RunReport;
use pipeline::source::{Accrual, RepeatPolicy, Source};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use test_support::fakes::FakeCollector;

/// Maps the columns that the header has, in any case, with or without underscores.
fn mapping(table: &str, header: &[&str]) -> Mapping {
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "");
    let column = |name: &str| header.iter().find(|column| plain(column) == name);
    let feeds = [
        (Feed::BillingPeriodStart, "billingperiod"),
        (Feed::ChargePeriodStart, "start"),
        (Feed::Dimension(Field::SERVICE_NAME), "service"),
        (Feed::Dimension(Field::SUB_ACCOUNT_ID), "account"),
        (Feed::PricingQuantity, "quantity"),
        (Feed::ListUnitPrice, "listprice"),
        (Feed::BilledCost, "cost"),
        (Feed::EffectiveCost, "effective"),
        (Feed::EffectiveCost, "cost"),
    ];
    let told = feeds.into_iter().filter_map(|(feed, name)| Some((feed, *column(name)?)));
    let origin = |column: &str| Origin::Column(column.into());
    let feeds = told.map(|(feed, column)| FeedFrom { feed, origin: origin(column) });
    let currency = FeedFrom { feed: Feed::BillingCurrency, origin: Origin::Constant("USD".into()) };
    let team = column("team").map(|team| TagColumn { key: "team".into(), column: (*team).into() });
    Mapping {
        table: table.into(),
        feeds: feeds.chain([currency]).collect(),
        tag_maps: Vec::new(),
        tag_columns: team.into_iter().collect(),
        skips: Vec::new(),
        nulls: Vec::new(),
        date_order: DateOrder::Iso,
        tag_prefixes: Vec::new(),
        short_rows: false,
        billing_period: None,
    }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A source of CSV files. The first line of each is its header.
    fn source(&self, name: &str, files: &[(&str, &str)]) -> Source {
        let (mut tables, mut batches) = (Vec::new(), Vec::new());
        for (file, text) in files {
            let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
            let path = self.0.path().join(format!("{name} {file}"));
            std::fs::write(&path, lines.join("\n") + "\n").unwrap();
            let header: Vec<&str> = lines[0].split(',').collect();
            tables.push(GrantedTable { name: (*file).into(), path, form: TextForm::default() });
            let rows = Rows::Mapped(mapping(file, &header));
            batches.push(Batch { rows, ..Batch::default() });
        }
        of_tables(name, tables, batches)
    }
}

fn of_tables(name: &str, tables: Vec<GrantedTable>, batches: Vec<Batch>) -> Source {
    let of = source(name, Vec::new());
    let request = CollectRequest { tables, ..of.request };
    Source { collector: Box::new(FakeCollector::new(batches)), request, ..of }
}

fn run(sources: Vec<Source>) -> RunReport {
    try_run(&mut Ledger::in_memory().unwrap(), sources, &rules()).unwrap()
}

/// The refusal of the last source, if there is one.
fn refused(report: &RunReport, code: Code) -> Option<String> {
    let failure = report.sources.last()?.failure.clone()?;
    assert_eq!(failure.code, code, "{}", failure.message);
    Some(failure.message)
}

fn refusal(report: &RunReport) -> Option<String> {
    refused(report, CHARGES_REPEATED)
}

const MARCH: &str = "start,service,account,team,cost
    2026-03-02,ec2,1,a,10
    2026-03-02,s3,1,b,2.5
    2026-03-03,ec2,2,a,1.25";

#[test]
fn the_same_bill_in_two_spellings_is_refused() {
    let others = [
        // Zeros behind the point, a power of ten, a moment for the day, and another order.
        "start,service,account,team,cost
         2026-03-03T00:00:00Z,ec2,2,a,1.250
         2026-03-02 00:00:00,s3,1,b,25e-1
         2026-03-02T00:00:00Z,ec2,1,a,10.00",
        // Headers of another style, columns in another order.
        "Cost,TEAM,Ser_vice,Account,START
         10,a,ec2,1,2026-03-02
         2.5,b,s3,1,2026-03-02
         1.25,a,ec2,2,2026-03-03",
        // A used column more or less.
        "start,service,account,cost
         2026-03-02,ec2,1,10
         2026-03-02,s3,1,2.5
         2026-03-03,ec2,2,1.25",
        "billing_period,start,service,account,team,cost,effective
         2026-03-01,2026-03-02,ec2,1,a,10,10.0
         2026-03-01,2026-03-02,s3,1,b,2.5,2.5
         2026-03-01,2026-03-03,ec2,2,a,1.25,1.25",
    ];
    for other in others {
        let folder = Folder::new();
        for files in [[("a.csv", MARCH), ("b.csv", other)], [("a.csv", other), ("b.csv", MARCH)]] {
            let report = run(vec![folder.source("bills", &files)]);
            assert_eq!(
                refusal(&report).as_deref(),
                Some(
                    "b.csv and a.csv both have the same 2 charges of 2026-03-02, 12.500000000 USD \
                     billed, and the same charges of another day: they would count twice"
                ),
                "{other}"
            );
        }
        let report =
            run(vec![folder.source("a", &[("a", MARCH)]), folder.source("b", &[("b", other)])]);
        assert!(refusal(&report).is_some(), "{other}");
    }
}

#[test]
fn equal_amounts_alone_are_no_repetition() {
    let none = |first: &str, second: &str| {
        let folder = Folder::new();
        let report = run(vec![folder.source("bills", &[("a.csv", first), ("b.csv", second)])]);
        assert_eq!(refusal(&report), None, "{first}\n{second}");
        let sources =
            vec![folder.source("a", &[("a.csv", first)]), folder.source("b", &[("b.csv", second)])];
        let report = run(sources);
        assert_eq!(refusal(&report), None, "{first}\n{second}");
        assert_eq!(report.sources[1].warnings, [], "{first}\n{second}");
    };
    // Two accounts with the same fees, also where there are many.
    let fees = |account: u8| {
        let fees = (1..=5).map(|fee| format!("2026-03-0{fee},support,{account},{fee}.5\n"));
        "start,service,account,cost\n".to_owned() + &fees.collect::<String>()
    };
    none(&fees(1), &fees(2));
    // Charges of nothing.
    let nothing = "start,service,cost\n2026-03-01,ec2,0\n2026-03-01,s3,0";
    none(nothing, nothing);
}

#[test]
fn hours_of_the_same_amounts_stand_beside_each_other() {
    let hour = |hour: &str, header: &str, told: &str| {
        let row = |service: &str, cost: &str| {
            format!("2026-03-02T{hour}:00:00Z,{service}{told},{cost}\n")
        };
        let rows = row("ec2", "1") + &row("s3", "2") + &row("sqs", "3");
        format!("start,service{header},cost\n{rows}")
    };
    let folder = Folder::new();
    let (first, second) = (hour("00", "", ""), hour("01", "", ""));
    let named = hour("02", ",account", ",1");
    let hours = [("0.csv", first.as_str()), ("1.csv", &second), ("2.csv", &named)];
    assert_eq!(refusal(&run(vec![folder.source("bills", &hours)])), None);
    // The first hour once more, with its account.
    let again = hour("00", ",account", ",1");
    let all = [hours[0], hours[1], hours[2], ("3.csv", again.as_str())];
    assert_eq!(
        refusal(&run(vec![folder.source("bills", &all)])).as_deref(),
        Some(
            "3.csv and 0.csv both have the same 3 charges of 2026-03-02, 6.000000000 USD billed: \
             they would count twice"
        )
    );
}

fn warned(report: &RunReport) -> Vec<String> {
    let warnings = report.sources.iter().flat_map(|source| &source.warnings);
    let of_sums = warnings.filter(|warning| warning.code == SUMS_REPEATED);
    of_sums.map(|warning| warning.message.clone()).collect()
}

/// Less than three amounts are no proof, and no reason to say nothing.
#[test]
fn few_charges_of_which_one_table_says_less_are_warned_about() {
    let bill = |columns: &str, told: &str| {
        format!("start,{columns},cost\n2026-03-01,{told},10\n2026-03-02,{told},7\n")
    };
    let (more, less) = (bill("service,account", "support,1"), bill("service", "support"));
    let folder = Folder::new();
    for (first, second) in [(&more, &less), (&less, &more)] {
        let report = run(vec![folder.source("bills", &[("a.csv", first), ("b.csv", second)])]);
        assert_eq!(refusal(&report), None);
        let said = "the same amounts in as many charges of 2 days, from 2026-03-01 to 2026-03-02, \
                    17.000000000 USD billed, and one of the two says less of them: their money may \
                    count twice";
        assert_eq!(warned(&report), [format!("b.csv and a.csv have {said}")]);
        let sources =
            vec![folder.source("a", &[("a.csv", first)]), folder.source("b", &[("b.csv", second)])];
        let report = run(sources);
        assert_eq!(refusal(&report), None);
        assert_eq!(warned(&report), [format!("b: the source 'a' has {said}")]);
    }
    // Another amount, or another account, is another charge.
    for other in [less.replace(",7", ",8"), more.replace("support,1", "s,2")] {
        let report = run(vec![folder.source("bills", &[("a.csv", &more), ("b.csv", &other)])]);
        assert_eq!((refusal(&report), warned(&report)), (None, Vec::new()), "{other}");
    }
}

#[test]
fn two_tables_that_name_services_otherwise_are_warned_about() {
    let rows = |names: [&str; 3]| {
        let row = |(name, cost): (&&str, u8)| format!("2026-03-02,{name},1,{cost}.25\n");
        let rows: String = names.iter().zip(1..).map(row).collect();
        format!("start,service,account,cost\n{rows}")
    };
    let folder = Folder::new();
    let (short, long) = (rows(["ec2", "s3", "sqs"]), rows(["Compute", "Storage", "Queues"]));
    let report = run(vec![folder.source("bills", &[("a.csv", &short), ("b.csv", &long)])]);
    assert_eq!(refusal(&report), None);
    // 1.25 + 2.25 + 3.25.
    assert_eq!(
        warned(&report),
        ["b.csv and a.csv have the same amounts in as many charges of 2026-03-02, 6.750000000 \
             USD billed, under other names of services: their money may count twice"]
    );
    // The services of another account, and one file for each of two services with one amount.
    for other in [long.replace(",1,", ",2,"), "start,service,cost\n2026-03-02,x,6.75\n".into()] {
        let report = run(vec![folder.source("bills", &[("a.csv", &short), ("b.csv", &other)])]);
        assert_eq!((refusal(&report), warned(&report)), (None, Vec::new()), "{other}");
    }
}

/// CUR by the hour beside FOCUS by the day: other rows, names and effective costs.
#[test]
fn a_bill_in_two_formats_is_refused_where_each_service_costs_the_same() {
    let cur = "start,service,cost,effective
               2026-03-02T00:00:00Z,AmazonEC2,4,1
               2026-03-02T01:00:00Z,AmazonEC2,6,1
               2026-03-02T00:00:00Z,AmazonS3,2.5,2.5
               2026-03-02T00:00:00Z,AWSSupport,0,7
               2026-03-03T00:00:00Z,AmazonEC2,3,3";
    let focus = "start,service,cost,effective
                 2026-03-02,Compute,10,12
                 2026-03-02,Storage,2.5,2.5
                 2026-03-03,Compute,3,2";
    let folder = Folder::new();
    let sources = |focus: &str| {
        vec![folder.source("cur", &[("c.csv", cur)]), folder.source("focus", &[("f.csv", focus)])]
    };
    assert_eq!(
        refusal(&run(sources(focus))).as_deref(),
        Some(
            "the source 'cur' has the same billed sum of each service of 2 days, from 2026-03-02 \
             to 2026-03-03, 15.500000000 USD billed: they would count twice"
        )
    );
    // One of the three sums is another one, and then two are left.
    let other = focus.replace("03-03,Compute,3", "03-03,Compute,3.01");
    assert_eq!(refusal(&run(sources(&other))), None);
    // The same sums of days, by other services: a warning, as before.
    let other = "start,service,cost
                 2026-03-02,All,12.5
                 2026-03-03,All,3
                 2026-03-04,All,5";
    let cur = cur.to_owned() + "\n2026-03-04,AmazonEC2,4,4\n2026-03-04,AmazonS3,1,1";
    let report = run(vec![
        folder.source("cur", &[("c.csv", &cur)]),
        folder.source("focus", &[("f.csv", other)]),
    ]);
    assert_eq!(refusal(&report), None);
    assert_eq!(warned(&report).len(), 1, "{:?}", warned(&report));
}

/// Equal stacks in two accounts cost the same to the last digit.
#[test]
fn equal_services_of_other_owners_are_no_repetition() {
    let bill = |column: &str, owner: &str| {
        let rows = (1..=4).map(|cost| format!("2026-03-02,s{cost},{owner},{cost}.5\n"));
        format!("start,service,{column},cost\n{}", rows.collect::<String>())
    };
    let folder = Folder::new();
    let (one, two) = (bill("account", "1"), bill("account", "2"));
    let sources =
        vec![folder.source("a", &[("a.csv", &one)]), folder.source("b", &[("b.csv", &two)])];
    assert_eq!(refusal(&run(sources)), None);
}

/// Each source has half of the hours of a day, in which everything costs the same.
#[test]
fn hours_of_two_sources_are_compared_where_both_keep_them() {
    let hours = |hours: std::ops::Range<u8>| {
        let row = |hour: u8| {
            let costs = [("ec2", "0.25"), ("s3", "0.125"), ("sqs", "0.125")];
            costs
                .map(|(name, cost)| format!("2026-03-02T{hour:02}:00:00Z,{name},1,{cost}\n"))
                .concat()
        };
        format!("start,service,account,cost\n{}", hours.map(row).collect::<String>())
    };
    let (am, pm) = (hours(0..12), hours(12..24));
    let folder = Folder::new();
    let kept = KeptDetails { hours: true, ..KeptDetails::default() };
    let report = |second: &str, kept: [KeptDetails; 2]| {
        let mut sources =
            vec![folder.source("am", &[("a.csv", &am)]), folder.source("pm", &[("p.csv", second)])];
        sources.iter_mut().zip(kept).for_each(|(source, kept)| source.kept = kept);
        run(sources)
    };
    assert_eq!(refusal(&report(&pm, [kept, kept])), None);
    let same = "the source 'am' has the same charges of 2026-03-02, 6.000000000 USD billed: they \
                would count twice";
    assert_eq!(refusal(&report(&am, [kept, kept])).as_deref(), Some(same));
    // Nobody can tell the hours apart then, and the hint says how.
    for kept in [[KeptDetails::default(), kept], [kept, KeptDetails::default()]] {
        let report = report(&pm, kept);
        assert_eq!(refusal(&report).as_deref(), Some(same));
        let failure = report.sources[1].failure.as_ref().unwrap().to_string();
        assert!(failure.contains("let `details` of both keep \"hours\""), "{failure}");
    }
}

/// 2026-03-02 begins at millisecond 1,772,409,600,000.
fn write_parquet(path: &Path) {
    const DAY: i64 = 1_772_409_600_000;
    let costs = Decimal128Array::from(vec![100_000, 25_000, 12_500]);
    let columns: [(&str, ArrayRef); 5] = [
        ("start", Arc::new(TimestampMillisecondArray::from(vec![DAY, DAY, DAY + 86_400_000]))),
        ("service", Arc::new(StringArray::from(vec!["ec2", "s3", "ec2"]))),
        ("account", Arc::new(StringArray::from(vec!["1", "1", "2"]))),
        ("team", Arc::new(StringArray::from(vec!["a", "b", "a"]))),
        ("cost", Arc::new(costs.with_precision_and_scale(20, 4).unwrap())),
    ];
    crate::fakes::write_parquet(path, columns);
}

#[test]
fn csv_beside_parquet_of_the_same_charges_is_refused() {
    let folder = Folder::new();
    let path = folder.0.path().join("b.parquet");
    write_parquet(&path);
    let header = ["start", "service", "account", "team", "cost"];
    let batch = || Batch { rows: Rows::Mapped(mapping("b.parquet", &header)), ..Batch::default() };
    let table =
        || GrantedTable { name: "b.parquet".into(), path: path.clone(), form: TextForm::default() };
    let csv = folder.source("bills", &[("a.csv", MARCH)]).request.tables;
    let batches =
        vec![Batch { rows: Rows::Mapped(mapping("a.csv", &header)), ..Batch::default() }, batch()];
    let both = of_tables("bills", csv.into_iter().chain([table()]).collect(), batches);
    assert_eq!(
        refusal(&run(vec![both])).as_deref(),
        Some(
            "b.parquet and a.csv both have the same 2 charges of 2026-03-02, 12.500000000 USD \
             billed, and the same charges of another day: they would count twice"
        )
    );
    let beside = of_tables("other", vec![table()], vec![batch()]);
    let report = run(vec![folder.source("bills", &[("a.csv", MARCH)]), beside]);
    assert_eq!(
        refusal(&report).as_deref(),
        Some(
            "the source 'bills' has the same charges of 2 days, from 2026-03-02 to 2026-03-03, \
             13.750000000 USD billed: they would count twice"
        )
    );
}

/// Two formats of one bill: services have other names, and one says the team.
#[test]
fn two_formats_of_a_bill_in_two_sources_are_refused() {
    let cur = "start,service,account,cost
               2026-03-02,AmazonEC2,1,10
               2026-03-02,AmazonS3,1,2.5
               2026-03-03,AmazonEC2,1,10
               2026-03-03,AmazonS3,2,3";
    let focus = "start,service,account,team,cost
                 2026-03-02,Elastic Compute Cloud,1,a,10.00
                 2026-03-02,Simple Storage Service,1,b,2.50
                 2026-03-03,Simple Storage Service,2,b,3.00
                 2026-03-03,Elastic Compute Cloud,1,a,10.00";
    let folder = Folder::new();
    let sources = |focus: &str| {
        vec![folder.source("cur", &[("c.csv", cur)]), folder.source("focus", &[("f.csv", focus)])]
    };
    // 10 and 2.5 on the first day are two amounts, and the second day has the third one.
    assert_eq!(
        refusal(&run(sources(focus))).as_deref(),
        Some(
            "the source 'cur' has the same amounts in as many charges of 2 days, from 2026-03-02 \
             to 2026-03-03, 25.500000000 USD billed: they would count twice"
        )
    );
    // The same amounts of another account.
    assert_eq!(refusal(&run(sources(&focus.replace(",1,", ",7,")))), None);
    let mut meant = sources(focus);
    meant.iter_mut().for_each(|source| source.repeats = RepeatPolicy::Count);
    let report = run(meant);
    assert_eq!(refusal(&report), None);
    assert_eq!(report.sources[1].warnings, []);
}

/// List costs that are quantity × price are stored as such, and need the prices to be read.
#[test]
fn equal_sums_of_other_accounts_with_prices_are_no_repetition() {
    let folder = Folder::new();
    let bill = |account: &str| {
        format!("start,account,quantity,listprice,cost\n2026-03-01,{account},3,4,10\n")
    };
    let (one, two) = (bill("a"), bill("b"));
    let sources =
        vec![folder.source("one", &[("a.csv", &one)]), folder.source("two", &[("b.csv", &two)])];
    let report = run(sources);
    assert_eq!(refusal(&report), None);
    assert!(report.sources.iter().all(|source| source.failure.is_none()), "{:?}", report.sources);
    let sources =
        vec![folder.source("one", &[("a.csv", &one)]), folder.source("two", &[("b.csv", &one)])];
    assert!(refusal(&run(sources)).is_some_and(|refusal| refusal.contains("10.000000000 USD")));
}

/// `day cost…`: the charges of days.
fn by_days(days: &[&str]) -> String {
    let mut text = "start,service,cost\n".to_owned();
    for day in days {
        let mut words = day.split_whitespace();
        let date = words.next().unwrap();
        for (number, cost) in words.enumerate() {
            text += &format!("2026-03-{date},service {number},{cost}\n");
        }
    }
    text
}

#[test]
fn the_same_sums_of_days_in_two_sources_are_warned_about() {
    let folder = Folder::new();
    let warnings = |first: &[&str], second: &[&str]| -> Vec<String> {
        let (first, second) = (by_days(first), by_days(second));
        let sources = vec![
            folder.source("cur", &[("c.csv", &first)]),
            folder.source("focus", &[("f.csv", &second)]),
        ];
        let report = run(sources);
        assert_eq!(refusal(&report), None);
        assert_eq!(report.sources[0].warnings, []);
        let warnings = report.sources[1].warnings.iter();
        let text = |warning: &domain::diagnostic::Diagnostic| {
            assert_eq!(warning.code, SUMS_REPEATED);
            warning.message.clone()
        };
        warnings.map(text).collect()
    };
    let hourly = ["02 1 2 3", "03 2 2 3", "04 2.5 2 4", "05 1 1 1"];
    // 6, 7, 8.5 and another sum.
    assert_eq!(
        warnings(&hourly, &["02 6", "03 7.00", "04 8.5", "05 99"]),
        ["focus: the source 'cur' has the same billed sum of 3 days, from 2026-03-02 to \
             2026-03-04: their money may count twice"]
    );
    // In one source, the tables are named.
    let (hours, days) = (by_days(&hourly), by_days(&["02 6", "03 7", "04 8.5"]));
    let report = run(vec![folder.source("cur", &[("hours.csv", &hours), ("days.csv", &days)])]);
    assert_eq!(refusal(&report), None);
    let warned: Vec<&str> =
        report.sources[0].warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        warned,
        ["days.csv and hours.csv have the same billed sum of 3 days, from 2026-03-02 to \
             2026-03-04: their money may count twice"]
    );
    // Two sums are too few.
    assert!(warnings(&hourly[..3], &["02 6", "03 7", "04 9"]).is_empty());
    // Flat fees: every day has one of two sums.
    let fees = ["02 9 1", "03 9 1", "04 9 1", "05 9 2"];
    assert!(warnings(&fees, &["02 10", "03 10", "04 10", "05 11"]).is_empty());
    // Of other days.
    assert!(warnings(&hourly, &["12 6", "13 7", "14 8.5"]).is_empty());
}

#[test]
fn an_estimate_that_is_right_gives_way_to_its_bill() {
    let folder = Folder::new();
    let mut ledger = Ledger::in_memory().unwrap();
    // The same amounts as the bill, by other services. They give way to the bill as a whole.
    let accrual = || Accrual {
        bill: "bill".into(),
        formerly: Vec::new(),
        by: Vec::new(),
        settled_after_days: 0,
    };
    let estimate = || Source {
        accrues_for: Some(accrual()),
        ..source(
            "estimate",
            charges("2026-03-02 vm a 10\n2026-03-02 disk b 2.5\n2026-03-03 vm a 1.25"),
        )
    };
    try_run(&mut ledger, vec![estimate()], &rules()).unwrap();
    let both = vec![estimate(), folder.source("bill", &[("b.csv", MARCH)])];
    let report = try_run(&mut ledger, both, &rules()).unwrap();
    assert!(report.sources.iter().all(|source| source.failure.is_none()));
    assert!(report.sources.iter().all(|source| source.warnings.is_empty()));
    let sum = |source: &str| -> Sum {
        ledger.statements(source).unwrap().iter().map(|(_, totals)| totals.billed).sum()
    };
    // 10 + 2.5 + 1.25.
    assert_eq!((sum("bill"), sum("estimate")), (Sum::from_nanos(13_750_000_000), Sum::ZERO));
}

#[test]
fn repeats_are_seen_from_whichever_source_comes_later() {
    let folder = Folder::new();
    let mut ledger = Ledger::in_memory().unwrap();
    let first = || folder.source("cur", &[("c.csv", MARCH)]);
    try_run(&mut ledger, vec![first()], &rules()).unwrap();
    // A correction on the way: the second bill differs in one day only.
    let other = MARCH.replace("1.25", "1.26");
    let both = vec![first(), folder.source("focus", &[("f.csv", &other)])];
    let report = try_run(&mut ledger, both, &rules()).unwrap();
    assert_eq!(
        refusal(&report).as_deref(),
        Some(
            "the source 'cur' has the same charges of 2026-03-02, 12.500000000 USD billed: they \
             would count twice"
        )
    );
    let stands = ledger.statements("cur").unwrap().iter().map(|(_, totals)| totals.billed).sum();
    // 10 + 2.5 + 1.25, once.
    assert_eq!(Sum::from_nanos(13_750_000_000), stands);
}

/// A character that some program lost is told with its column, whatever the money is.
#[test]
fn names_with_lost_characters_are_told() {
    let bill = "start,service,account,team,cost
                2026-03-02,Stra\u{FFFD}enmeister,1,a,1
                2026-03-02,Stra\u{FFFD}e,1,b\u{FFFD},2
                2026-03-02,Stra\u{DF}e,1,c,3";
    let folder = Folder::new();
    let report = run(vec![folder.source("bills", &[("a.csv", bill)])]);
    assert_eq!(report.sources[0].charges, 3);
    let warned: Vec<String> = report.sources[0].warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warned.len(), 2, "{warned:?}");
    for (text, column) in warned.iter().zip(["service has", "team has"]) {
        assert!(text.starts_with("a.csv: F114: ") && text.contains(column), "{text}");
        assert!(text.contains("`encoding = \"windows-1252\"`"), "{text}");
    }
    let clean = bill.replace('\u{FFFD}', "x");
    let report = run(vec![folder.source("bills", &[("a.csv", &clean)])]);
    assert_eq!(report.sources[0].warnings, []);
}
