//! Exports in their folders, and what is said of empty costs.

use crate::FocusFile;
use apportion_plugin_sdk::fixture::{self, Table};
use apportion_plugin_sdk::{Collector, Error, Mapping};

const HEADER: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,\
    BillingPeriodStart,SubAccountId,\
     ServiceName,ChargeCategory";

fn table(name: &str, account: &str) -> Table {
    Table::of(name, &format!("{HEADER}\n1,1,USD,2026-03-02,2026-03-01,{account},S,Usage\n"))
}

fn collect(
    tables: Vec<Table>,
    files: &[(&str, &str)],
    config: &str,
) -> Result<Vec<Mapping>, Error> {
    fixture::mappings::<FocusFile>(tables, files, config)
}

#[test]
fn the_newest_run_of_each_vendor_s_export_counts() {
    let azure = |run: &str| {
        table(&format!("in/acme-focus/20260301-20260331/{run}/part_0_0001.csv"), "sub-1")
    };
    let aws = table("in/focus/data/BILLING_PERIOD=2026-03/focus-00001.csv", "111");
    let manifest = r#"{"dataFiles": ["s3://b/focus/data/BILLING_PERIOD=2026-03/focus-00001.csv"]}"#;
    let files = [("in/focus/metadata/BILLING_PERIOD=2026-03/focus-Manifest.json", manifest)];
    let tables = vec![azure("202603030310/aaaa"), azure("202603040310/bbbb"), aws];
    let mappings = collect(tables, &files, "").unwrap();
    let tables: Vec<&str> = mappings.iter().map(|mapping| mapping.table.as_str()).collect();
    assert_eq!(
        tables,
        [
            "in/acme-focus/20260301-20260331/202603040310/bbbb/part_0_0001.csv",
            "in/focus/data/BILLING_PERIOD=2026-03/focus-00001.csv"
        ]
    );
    assert!(mappings.iter().all(|mapping| mapping.billing_period.as_deref() == Some("2026-03-01")));
}

#[test]
fn a_manifest_that_names_no_files_refuses_the_export() {
    let tables = || vec![table("focus/data/BILLING_PERIOD=2026-03/focus-00001.csv", "111")];
    let files = [("focus/metadata/BILLING_PERIOD=2026-03/focus-Manifest.json", "{}")];
    match collect(tables(), &files, "") {
        Err(Error::Config(problem)) => assert_eq!(
            problem.message,
            "focus/data/BILLING_PERIOD=2026-03 is not complete: its manifest names no files"
        ),
        other => panic!("{other:?}"),
    }
    assert_eq!(collect(tables(), &[], "").unwrap().len(), 1);
}

#[test]
fn two_exports_of_one_account_are_refused() {
    let tables = |other: &str| {
        vec![
            table("in/focus-1-0/data/BILLING_PERIOD=2026-03/a.csv", "111"),
            table("in/focus-1-2/data/BILLING_PERIOD=2026-03/b.csv", other),
        ]
    };
    match collect(tables("111"), &[], "") {
        Err(Error::Config(problem)) => {
            assert!(problem.message.contains("both have the account 111"), "{problem:?}");
            assert_eq!(problem.hint.as_deref(), Some("report = \"focus-1-0\""));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(collect(tables("222"), &[], "").unwrap().len(), 2);
    assert_eq!(collect(tables("111"), &[], r#"{"report": "focus-1-2"}"#).unwrap().len(), 1);
}

#[test]
fn empty_effective_costs_are_said_with_the_setting() {
    let rows = "0.75,,USD,2026-03-02,2026-03-01,111,S,Tax\n";
    let table = |rows: &str| vec![Table::of("f.csv", &format!("{HEADER}\n{rows}"))];
    fixture::files(Vec::new());
    for rows in [rows.to_owned(), rows.replace(",,", ",NULL,")] {
        fixture::tables(table(&rows));
        let problems = FocusFile::check("").unwrap();
        assert_eq!(problems.len(), 1);
        assert_eq!(
            problems[0].message,
            "f.csv has rows whose EffectiveCost is empty, which are set aside"
        );
        assert_eq!(problems[0].hint.as_deref(), Some("empty_effective_cost = \"billed\""));
        assert_eq!(FocusFile::check(r#"{"empty_effective_cost": "billed"}"#).unwrap(), []);
    }
    fixture::tables(table(&rows.replace(",,", ",0,")));
    assert_eq!(FocusFile::check("").unwrap(), []);
}
