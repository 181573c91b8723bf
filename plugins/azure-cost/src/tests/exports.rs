//! Exports in their folders: the runs that count, which of the two costs they have, and the order
//! of their dates.

use crate::AzureCost;
use apportion_plugin_sdk::fixture::{self, Table, refusal};
use apportion_plugin_sdk::{DateOrder, Error, Feed, Mapping, Origin};

const HEADER: &str = "SubscriptionId,Date,MeterCategory,CostInBillingCurrency,BillingCurrencyCode,\
    ChargeType,PricingModel";
/// Usage that a reservation covers costs nothing in the actual export.
const ACTUAL: &str =
    "s1,03/31/2026,VM,10.00,EUR,Usage,OnDemand\ns1,03/01/2026,VM,0,EUR,Usage,Reservation";
const AMORTIZED: &str =
    "s1,03/31/2026,VM,10.00,EUR,Usage,OnDemand\ns1,03/01/2026,VM,6.00,EUR,Usage,Reservation";
const PLAIN: &str = "s1,03/31/2026,VM,10.00,EUR,Usage,OnDemand";

fn table(name: &str, rows: &str) -> Table {
    Table::of(name, &format!("{HEADER}\n{rows}\n"))
}

fn collect(
    tables: Vec<Table>,
    files: &[(&str, &str)],
    config: &str,
) -> Result<Vec<Mapping>, Error> {
    fixture::mappings::<AzureCost>(tables, files, config)
}

/// The tables that count, with the costs that they give.
fn costs(result: Result<Vec<Mapping>, Error>) -> Vec<String> {
    let gives = |mapping: &Mapping, feed: Feed| {
        let from = mapping.feeds.iter().find(|from| from.feed == feed).unwrap();
        from.origin != Origin::Constant("0".into())
    };
    let shown = |mapping: &Mapping| {
        let costs = match (gives(mapping, Feed::BilledCost), gives(mapping, Feed::EffectiveCost)) {
            (true, true) => "both",
            (true, false) => "billed",
            (false, true) => "effective",
            (false, false) => "none",
        };
        format!("{}: {costs}", mapping.table)
    };
    result.unwrap().iter().map(shown).collect()
}

#[test]
fn the_newest_run_of_each_month_counts_with_its_billing_period() {
    let run = |run: &str| table(&format!("in/acme/20260301-20260331/{run}/part_0.csv"), PLAIN);
    let mappings = collect(vec![run("202603030310/a"), run("202603040310/b")], &[], "").unwrap();
    assert_eq!(mappings.len(), 1);
    assert_eq!(mappings[0].table, "in/acme/20260301-20260331/202603040310/b/part_0.csv");
    assert_eq!(mappings[0].billing_period.as_deref(), Some("2026-03-01"));
    let left_out: Vec<_> =
        fixture::take_found().into_iter().filter(|found| found.left_out.is_some()).collect();
    assert_eq!(left_out.len(), 1);
    assert_eq!(left_out[0].name, "in/acme/20260301-20260331/202603030310/a");
}

#[test]
fn an_actual_and_an_amortized_export_are_one_bill() {
    let named = |export: &str, rows: &str| {
        table(&format!("in/{export}/20260301-20260331/part_0.csv"), rows)
    };
    // By their names.
    let pair = || vec![named("acme-actual", PLAIN), named("acme-amortized", PLAIN)];
    let expect = [
        "in/acme-actual/20260301-20260331/part_0.csv: billed",
        "in/acme-amortized/20260301-20260331/part_0.csv: effective",
    ];
    assert_eq!(costs(collect(pair(), &[], "")), expect);
    assert_eq!(costs(collect(pair(), &[], r#"{"cost": "both"}"#)), expect);
    // By the settings only one of them is read, and gives both.
    assert_eq!(
        costs(collect(pair(), &[], r#"{"cost": "actual"}"#)),
        ["in/acme-actual/20260301-20260331/part_0.csv: both"]
    );
    assert_eq!(
        costs(collect(pair(), &[], r#"{"cost": "amortized"}"#)),
        ["in/acme-amortized/20260301-20260331/part_0.csv: both"]
    );
    // By their rows.
    assert_eq!(
        costs(collect(vec![named("one", AMORTIZED), named("two", ACTUAL)], &[], "")),
        [
            "in/one/20260301-20260331/part_0.csv: effective",
            "in/two/20260301-20260331/part_0.csv: billed"
        ]
    );
    // By their manifests, whatever the names and rows say.
    let manifest = |export: &str, kind: &str| {
        format!(
            r#"{{"exportConfig": {{"type": "{kind}"}},
               "blobs": [{{"blobName": "{export}/20260301-20260331/part_0.csv"}}]}}"#
        )
    };
    let (one, two) = (manifest("one", "ActualCost"), manifest("two", "AmortizedCost"));
    let files = [
        ("in/one/20260301-20260331/manifest.json", one.as_str()),
        ("in/two/20260301-20260331/manifest.json", two.as_str()),
    ];
    assert_eq!(
        costs(collect(vec![named("one", PLAIN), named("two", PLAIN)], &files, "")),
        [
            "in/one/20260301-20260331/part_0.csv: billed",
            "in/two/20260301-20260331/part_0.csv: effective"
        ]
    );
}

#[test]
fn files_without_folders_tell_their_cost_too() {
    assert_eq!(
        costs(collect(vec![table("a.csv", ACTUAL), table("b.csv", AMORTIZED)], &[], "")),
        ["a.csv: billed", "b.csv: effective"]
    );
    assert_eq!(
        costs(collect(vec![table("a.csv", PLAIN), table("b.csv", PLAIN)], &[], "")),
        ["a.csv: both", "b.csv: both"]
    );
    let (message, hint) =
        refusal(collect(vec![table("a.csv", PLAIN), table("b.csv", AMORTIZED)], &[], ""));
    assert_eq!(
        message,
        "other files of the same days have amortized costs, and neither a manifest nor the name \
         nor the rows tell which costs a.csv has"
    );
    assert_eq!(hint, "cost = \"amortized\" | \"both\"");
    assert_eq!(
        costs(collect(
            vec![table("a.csv", PLAIN), table("b.csv", AMORTIZED)],
            &[],
            r#"{"cost": "both"}"#
        )),
        ["a.csv: billed", "b.csv: effective"]
    );
}

#[test]
fn a_month_with_one_of_the_two_costs_has_it_for_both() {
    let named = |export: &str, month: &str, rows: &str| {
        table(&format!("in/{export}/{month}/part_0.csv"), rows)
    };
    let tables = vec![
        named("actual", "20260201-20260228", PLAIN),
        named("actual", "20260301-20260331", PLAIN),
        named("amortized", "20260301-20260331", PLAIN),
    ];
    assert_eq!(
        costs(collect(tables, &[], "")),
        [
            "in/actual/20260201-20260228/part_0.csv: both",
            "in/actual/20260301-20260331/part_0.csv: billed",
            "in/amortized/20260301-20260331/part_0.csv: effective",
        ]
    );
}

#[test]
fn exports_of_the_same_money_are_refused() {
    let named = |export: &str, rows: &str| {
        table(&format!("in/{export}/20260301-20260331/part_0.csv"), rows)
    };
    let (message, hint) = refusal(collect(vec![named("one", PLAIN), named("two", PLAIN)], &[], ""));
    assert_eq!(
        message,
        "in/one (costs of a kind that is not told) and in/two (costs of a kind that is not told) \
         would count the same money twice: they have the same days, and both have the account s1"
    );
    assert_eq!(hint, "report = \"one\"");
    assert_eq!(
        costs(collect(vec![named("one", PLAIN), named("two", PLAIN)], &[], r#"{"report": "two"}"#)),
        ["in/two/20260301-20260331/part_0.csv: both"]
    );
    // Exports of two subscriptions are two bills.
    let other = PLAIN.replace("s1", "s2");
    assert_eq!(costs(collect(vec![named("one", PLAIN), named("two", &other)], &[], "")).len(), 2);
    // One amortized export cannot belong to two actual ones.
    let three =
        vec![named("actual-s1", PLAIN), named("actual-s2", &other), named("amortized", PLAIN)];
    let (message, hint) = refusal(collect(three, &[], ""));
    assert!(message.contains("2 exports with actual costs and 1 with amortized ones"), "{message}");
    assert_eq!(hint, "cost = \"actual\"");
}

#[test]
fn other_kinds_of_exports_are_left_out() {
    let prices = r#"{"exportConfig": {"type": "PriceSheet"},
        "blobs": [{"blobName": "prices/20260301-20260331/part_0.csv"}]}"#;
    let tables = vec![
        table("in/acme/20260301-20260331/part_0.csv", PLAIN),
        table("in/prices/20260301-20260331/part_0.csv", PLAIN),
    ];
    let files = [("in/prices/20260301-20260331/manifest.json", prices)];
    assert_eq!(costs(collect(tables, &files, "")), ["in/acme/20260301-20260331/part_0.csv: both"]);
    let found = fixture::take_found();
    let why = found.iter().find_map(|found| found.left_out.clone());
    assert_eq!(
        why.as_deref(),
        Some("it is an export of the kind PriceSheet, which has no such costs")
    );
}

#[test]
fn a_price_sheet_of_no_folder_states_no_month() {
    let sheet = r#"{"exportConfig": {"type": "PriceSheet"},
        "blobs": [{"blobName": "prices/20260201-20260228/a/part_0.csv"}]}"#;
    let tables =
        vec![table("acme/20260301-20260331/part_0.csv", PLAIN), table("sheet/part_0.csv", PLAIN)];
    let files = [("sheet/manifest.json", sheet)];
    assert_eq!(costs(collect(tables, &files, "")), ["acme/20260301-20260331/part_0.csv: both"]);
    // February is not stated: what an earlier collection said of it stays.
    let stated: Vec<(String, Option<String>, bool)> = fixture::take_found()
        .into_iter()
        .map(|found| (found.name, found.billing_period, found.left_out.is_none()))
        .collect();
    let february = Some("2026-02-01".to_owned());
    let march = Some("2026-03-01".to_owned());
    assert_eq!(
        stated,
        [
            ("acme/20260301-20260331".to_owned(), march, true),
            ("sheet/manifest.json".to_owned(), february, false),
        ]
    );
}

fn order(name: &str, dates: &[&str], config: &str) -> Result<DateOrder, Error> {
    let rows: Vec<String> = dates.iter().map(|date| PLAIN.replace("03/31/2026", date)).collect();
    let rows = rows.join("\n");
    collect(vec![table(name, &rows)], &[], config).map(|mappings| mappings[0].date_order)
}

#[test]
fn days_above_twelve_tell_the_order_of_dates() {
    let (mdy, dmy) = (DateOrder::MonthDayYear, DateOrder::DayMonthYear);
    for (dates, expect) in [
        (&["03/01/2026", "03/31/2026"][..], mdy),
        (&["01/03/2026", "31/03/2026"], dmy),
        (&["13/03/2026 00:00:00"], dmy),
        (&["2026-03-01"], mdy),
        (&["03/03/2026"], mdy),
    ] {
        assert_eq!(order("e.csv", dates, "").unwrap(), expect, "{dates:?}");
    }
}

#[test]
fn dates_that_can_be_of_both_orders_are_refused() {
    let refused = |dates: &[&str]| match order("e.csv", dates, "") {
        Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(&["05/03/2026", "12/03/2026"]),
        (
            "e.csv does not tell whether its dates begin with the day: 05/03/2026 can be \
             2026-03-05 or 2026-05-03"
                .into(),
            "date_order = \"dmy\" | \"mdy\"".into()
        )
    );
    assert_eq!(
        refused(&["31/03/2026", "03/31/2026"]).0,
        "e.csv has dates of both orders: 31/3/2026 and 3/31/2026"
    );
    let said = order("e.csv", &["05/03/2026", "12/03/2026"], r#"{"date_order": "dmy"}"#);
    assert_eq!(said.unwrap(), DateOrder::DayMonthYear);
}

#[test]
fn the_folder_and_the_billing_period_tell_the_order_of_early_days() {
    let march = "acme/20260301-20260331/part_0.csv";
    assert_eq!(order(march, &["03/01/2026", "03/02/2026"], "").unwrap(), DateOrder::MonthDayYear);
    assert_eq!(order(march, &["01/03/2026", "02/03/2026"], "").unwrap(), DateOrder::DayMonthYear);
    let with_period = |start: &str, end: &str| {
        let header = format!("{HEADER},BillingPeriodStartDate,BillingPeriodEndDate");
        let row = PLAIN.replace("03/31/2026", "03/02/2026");
        let text = format!("{header}\n{row},{start},{end}\n");
        collect(vec![Table::of("e.csv", &text)], &[], "").map(|mappings| mappings[0].date_order)
    };
    assert_eq!(with_period("03/01/2026", "03/31/2026").unwrap(), DateOrder::MonthDayYear);
    assert_eq!(with_period("01/02/2026", "").unwrap(), DateOrder::DayMonthYear);
    assert!(with_period("01/01/2026", "").is_err());
}

#[test]
fn a_late_row_tells_the_order_of_all_dates() {
    let (mdy, dmy) = (DateOrder::MonthDayYear, DateOrder::DayMonthYear);
    let order_of = |start: &str, early: &str, late: &[&str]| {
        let row = |date: &str| format!("{},{start}", PLAIN.replace("03/31/2026", date));
        let mut rows = vec![row(early); 1_001];
        rows.extend(late.iter().map(|date| row(date)));
        let text = format!("{HEADER},BillingPeriodStartDate\n{}\n", rows.join("\n"));
        collect(vec![Table::of("e.csv", &text)], &[], "").map(|mappings| mappings[0].date_order)
    };
    // A period that begins on 3 January, and not on 1 March.
    assert_eq!(order_of("01/03/2026", "01/05/2026", &["01/15/2026"]).unwrap(), mdy);
    assert_eq!(order_of("03/01/2026", "05/01/2026", &["15/01/2026"]).unwrap(), dmy);
    // 1 May is in no period of 1 March, and 5 January is in that of 3 January.
    assert_eq!(order_of("01/03/2026", "01/05/2026", &["01/06/2026"]).unwrap(), mdy);
    // 2 February is the last day of the period that begins on 3 January.
    assert_eq!(order_of("01/03/2026", "01/05/2026", &["02/02/2026"]).unwrap(), mdy);
    assert_eq!(order_of("01/03/2026", "02/03/2026", &["12/03/2026"]).unwrap(), dmy);
    let refused = |start: &str, early: &str, late: &[&str]| match order_of(start, early, late) {
        Err(Error::Config(problem)) => problem.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused("03/01/2026", "03/15/2026", &["15/03/2026"]),
        "e.csv has dates of both orders: 15/3/2026 and 3/15/2026"
    );
    assert_eq!(
        refused("13/01/2026", "01/14/2026", &[]),
        "e.csv has dates of both orders: 13/1/2026 and 1/14/2026"
    );
    // Its only day is the same in both orders, and its billing period is not.
    assert_eq!(
        refused("03/02/2026", "03/03/2026", &[]),
        "e.csv does not tell whether its dates begin with the day: 03/02/2026 can be 2026-02-03 or \
         2026-03-02"
    );
}

#[test]
fn folder_and_billing_period_must_tell_the_same_order() {
    let text =
        format!("{HEADER},BillingPeriodStartDate\n{},03/01/2026\n", PLAIN.replace("31", "05"));
    let collected = |name: &str| collect(vec![Table::of(name, &text)], &[], "");
    assert_eq!(collected("a.csv").unwrap()[0].date_order, DateOrder::MonthDayYear);
    assert_eq!(
        collected("a/20260301-20260331/p.csv").unwrap()[0].date_order,
        DateOrder::MonthDayYear
    );
    let (message, hint) = refusal(collected("a/20260501-20260531/p.csv"));
    assert_eq!(
        message,
        "a/20260501-20260531/p.csv does not tell whether its dates begin with the day: 03/05/2026 \
         can be 2026-05-03 or 2026-03-05"
    );
    assert_eq!(hint, "date_order = \"dmy\" | \"mdy\"");
}
