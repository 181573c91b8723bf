//! Whole collections: files in the folders of reports, with and without manifests.

use crate::AwsCur;
use apportion_plugin_sdk::fixture::{self, Table, refusal};
use apportion_plugin_sdk::{Collector, Error, Mapping};

const CUR1: &str = "bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/LineItemType,\
    lineItem/UsageStartDate,lineItem/ProductCode,lineItem/CurrencyCode,lineItem/UnblendedCost";
const CUR2: &str = "bill_payer_account_id,bill_billing_period_start_date,\
    line_item_line_item_type,line_item_usage_start_date,line_item_product_code,\
    line_item_currency_code,line_item_unblended_cost";

fn table(name: &str, header: &str, payer: &str, month: &str) -> Table {
    Table::of(name, &format!("{header}\n{payer},{month}-01T00:00:00Z,Usage,{month}-02,S3,USD,1\n"))
}

fn collect(
    tables: Vec<Table>,
    files: &[(&str, &str)],
    config: &str,
) -> Result<Vec<Mapping>, Error> {
    fixture::mappings::<AwsCur>(tables, files, config)
}

#[test]
fn the_folder_of_a_report_decides_its_billing_period() {
    let manifest = r#"{"reportKeys": ["r/20260201-20260301/aa/r-1.csv"]}"#;
    // The rows name another month than the folder.
    let tables = vec![table("in/r/20260201-20260301/aa/r-1.csv", CUR1, "1", "2026-03")];
    let files = [("in/r/20260201-20260301/r-Manifest.json", manifest)];
    let mappings = collect(tables, &files, "").unwrap();
    assert_eq!(mappings[0].billing_period.as_deref(), Some("2026-02-01"));
    let found = fixture::take_found();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].billing_period.as_deref(), found[0].left_out.as_deref()),
        (Some("2026-02-01"), None)
    );
    // No day is called complete: other months may have lines of it.
    assert_eq!(fixture::take_said(), []);
    // Without a folder the rows say it.
    let mappings = collect(vec![table("cur.csv", CUR1, "1", "2026-03")], &[], "").unwrap();
    assert_eq!(mappings[0].billing_period, None);
    assert!(
        mappings[0]
            .feeds
            .iter()
            .any(|from| { from.feed == apportion_plugin_sdk::Feed::BillingPeriodStart })
    );
}

#[test]
fn what_aws_writes_for_athena_and_redshift_is_left_out() {
    let month = "p/r/20260301-20260401";
    let manifest = r#"{"reportKeys": ["p/r/r/year=2026/month=3/r-1.csv"]}"#;
    let (own, redshift) =
        (format!("{month}/r-Manifest.json"), format!("{month}/a/r-RedshiftManifest.json"));
    let files = [(own.as_str(), manifest), (redshift.as_str(), r#"{"entries": []}"#)];
    let status = "p/r/r/cost_and_usage_data_status/status.csv";
    let tables = || {
        vec![
            table("p/r/r/year=2026/month=3/r-1.csv", CUR1, "1", "2026-03"),
            Table::of(status, "status\nUPDATED\n"),
        ]
    };
    let mappings = collect(tables(), &files, "").unwrap();
    assert_eq!(mappings.len(), 1);
    assert_eq!(mappings[0].billing_period.as_deref(), Some("2026-03-01"));
    let left_out: Vec<String> = fixture::take_found()
        .into_iter()
        .filter(|found| found.left_out.is_some())
        .map(|found| found.name)
        .collect();
    assert_eq!(left_out, [status]);
    let (message, _) = refusal(collect(tables().split_off(1), &[], ""));
    assert_eq!(message, "no file of a report was given to the source");
}

#[test]
fn two_reports_of_one_payer_are_refused_and_one_can_be_named() {
    let tables = |payer: &str, month: &str| {
        vec![
            table("in/cur2/data/BILLING_PERIOD=2026-03/cur2-1.csv", CUR2, "1", "2026-03"),
            table("in/report/20260301-20260401/cccc/report-1.csv", CUR1, payer, month),
        ]
    };
    let (message, hint) = refusal(collect(tables("1", "2026-03"), &[], ""));
    assert_eq!(
        message,
        "in/cur2 (CUR 2.0) and in/report (CUR 1.0) would count the same money twice: they have \
         the same days, and both have the account 1 of 2026-03-01"
    );
    assert_eq!(hint, "report = \"cur2\"");
    let one = collect(tables("1", "2026-03"), &[], r#"{"report": "report"}"#).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].table, "in/report/20260301-20260401/cccc/report-1.csv");
    // Another payer's report is another bill.
    assert_eq!(collect(tables("2", "2026-03"), &[], "").unwrap().len(), 2);
}

#[test]
fn files_of_both_versions_are_refused_without_folders_too() {
    let tables = |month: &str| {
        vec![table("old.csv", CUR1, "1", "2026-03"), table("new.csv", CUR2, "1", month)]
    };
    let (message, hint) = refusal(collect(tables("2026-03"), &[], ""));
    assert!(
        message.starts_with("old.csv (CUR 1.0) and new.csv (CUR 2.0) would count the same money"),
        "{message}"
    );
    assert_eq!(hint, "narrow the source's `paths` to one of them");
    // The new version took over with the next month.
    assert_eq!(collect(tables("2026-04"), &[], "").unwrap().len(), 2);
    let two_files =
        vec![table("a.csv", CUR1, "1", "2026-03"), table("b.csv", CUR1, "1", "2026-03")];
    assert_eq!(collect(two_files, &[], "").unwrap().len(), 2);
}

#[test]
fn an_effective_cost_that_cannot_be_known_is_refused_with_the_columns_to_add() {
    let rows = |line_type: &str| {
        Table::of("cur.csv", &format!("{CUR2}\n1,2026-03-01,{line_type},2026-03-02,E,USD,2\n"))
    };
    for (line_type, columns) in [
        ("SavingsPlanCoveredUsage", "savings_plan_savings_plan_effective_cost"),
        (
            "SavingsPlanRecurringFee",
            "savings_plan_total_commitment_to_date, savings_plan_used_commitment",
        ),
        ("DiscountedUsage", "reservation_effective_cost"),
        (
            "RIFee",
            "reservation_unused_amortized_upfront_fee_for_billing_period, \
             reservation_unused_recurring_fee",
        ),
    ] {
        let (message, hint) = refusal(collect(vec![rows(line_type)], &[], ""));
        assert_eq!(
            message,
            format!(
                "cur.csv has rows of the type {line_type}, whose effective cost cannot be known \
                 without the columns {columns}"
            )
        );
        assert_eq!(
            hint,
            "add the columns to the export, or take the billed cost: effective_cost = \"billed\""
        );
        let billed = collect(vec![rows(line_type)], &[], r#"{"effective_cost": "billed"}"#);
        assert_eq!(billed.unwrap().len(), 1, "{line_type}");
    }
    for line_type in ["Usage", "Tax", "Fee", "Credit"] {
        assert_eq!(collect(vec![rows(line_type)], &[], "").unwrap().len(), 1, "{line_type}");
    }
    // All of them are named at once.
    let text = format!(
        "{CUR2}\n1,2026-03-01,RIFee,2026-03-02,E,USD,2\n1,2026-03-01,DiscountedUsage,2026-03-02,E,\
         USD,2\n"
    );
    let (message, _) = refusal(collect(vec![Table::of("cur.csv", &text)], &[], ""));
    assert!(
        message.contains("the type DiscountedUsage, RIFee,")
            && message.contains("reservation_effective_cost, reservation_unused_amortized"),
        "{message}"
    );
}

#[test]
fn a_check_says_what_a_run_would_say() {
    fixture::files(Vec::new());
    fixture::tables(vec![
        table("r/20260301-20260401/aaaa/r-1.csv", CUR1, "1", "2026-03"),
        table("r/20260301-20260401/bbbb/r-1.csv", CUR1, "1", "2026-03"),
    ]);
    let problems = AwsCur::check("").unwrap();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("are runs of the same period"), "{problems:?}");
}
