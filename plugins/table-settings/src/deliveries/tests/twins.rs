//! Accounts of the tables of exports → the exports that state the same money.

use super::*;
use crate::deliveries::choice::choose;

fn choice_of(tables: &[&str]) -> Result<DeliveryChoice, Error> {
    let names: Vec<String> = tables.iter().map(|name| (*name).to_owned()).collect();
    choose(&names, None)
}

#[test]
fn two_exports_of_one_account_are_twins() {
    let tables = [
        "b/cur2/data/BILLING_PERIOD=2026-03/c.csv",
        "b/report/20260301-20260401/a/r-1.csv",
        "b/report/20260401-20260501/a/r-1.csv",
    ];
    let chosen = choice_of(&tables).unwrap();
    let family = |counted: &CountingTable| {
        if counted.table.contains("cur2") { "CUR 2.0".to_owned() } else { "CUR 1.0".to_owned() }
    };
    let refuse = |accounts: &Accounts<'_>| refuse_twins(&chosen, &family, accounts);
    let same = |_: &str| Ok(Some(BTreeSet::from(["1".to_owned()])));
    match refuse(&same) {
        Err(Error::Config(problem)) => {
            assert_eq!(
                problem.message,
                "b/cur2 (CUR 2.0) and b/report (CUR 1.0) would count the same money twice: they \
                 have the same days, and both have the account 1"
            );
            assert_eq!(problem.hint.as_deref(), Some("report = \"cur2\""));
        }
        other => panic!("{other:?}"),
    }
    match refuse(&|_: &str| Ok(None)) {
        Err(Error::Config(problem)) => {
            assert!(problem.message.contains("nothing says that they are of different accounts"))
        }
        other => panic!("{other:?}"),
    }
    // The reports of two payers are two bills.
    assert!(refuse(&|table: &str| Ok(Some(BTreeSet::from([table.to_owned()])))).is_ok());
    // One export alone is not asked for its accounts.
    let alone = choice_of(&tables[1..]).unwrap();
    assert!(refuse_twins(&alone, &family, &|_: &str| panic!()).is_ok());
}

/// Two exports of 300 files each, whose 300 accounts are different ones. Accounts that were copied
/// for each pair of files were 54 million texts.
#[test]
fn many_accounts_of_many_files_are_no_work() {
    let part = |export: &str, part: u32| format!("b/{export}/20260301-20260401/a/r-{part}.csv");
    let names: Vec<String> =
        (0..300).flat_map(|at| [part("acme", at), part("other", at)]).collect();
    let chosen = choose(&names, None).unwrap();
    let asked = std::cell::Cell::new(0);
    let accounts_of = |table: &str| -> BTreeSet<String> {
        asked.set(asked.get() + 1);
        let export = table.split('/').nth(1).unwrap();
        (0..300).map(|account| format!("{export}-{account}")).collect()
    };
    let family = |_: &CountingTable| "CUR 1.0".to_owned();
    refuse_twins(&chosen, &family, &|table: &str| Ok(Some(accounts_of(table)))).unwrap();
    assert_eq!(asked.get(), 600);
    // One account more, in one file of each, is found and named with these files.
    let shared = |table: &str| {
        let mut accounts = accounts_of(table);
        if table.ends_with("/r-7.csv") {
            accounts.insert("twin".into());
        }
        Ok(Some(accounts))
    };
    match refuse_twins(&chosen, &family, &shared) {
        Err(Error::Config(problem)) => {
            assert_eq!(
                problem.message,
                "b/acme (CUR 1.0) and b/other (CUR 1.0) would count the same money twice: they \
                 have the same days, and both have the account twin"
            );
            assert_eq!(problem.table.as_deref(), Some("b/acme/20260301-20260401/a/r-7.csv"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_file_that_does_not_tell_its_accounts_makes_twins() {
    let tables = [
        "a/x/20260301-20260401/p-1.csv",
        "a/x/20260301-20260401/p-2.csv",
        "a/y/20260301-20260401/p-1.csv",
        "loose.csv",
    ];
    let family = |counted: &CountingTable| match &counted.export {
        Some(_) => "CUR 1.0".to_owned(),
        None => "CUR 2.0".to_owned(),
    };
    let refused = |untold: &str| {
        let chosen = choice_of(&tables).unwrap();
        let accounts = |table: &str| {
            Ok(Some(BTreeSet::from([table.to_owned()])).filter(|_| !table.ends_with(untold)))
        };
        match refuse_twins(&chosen, &family, &accounts) {
            Err(Error::Config(problem)) => problem.message,
            other => format!("{other:?}"),
        }
    };
    assert_eq!(refused("none"), "Ok(())");
    let what = "would count the same money twice: they have the same days, and nothing says that \
        they are of different accounts";
    assert_eq!(
        refused("x/20260301-20260401/p-2.csv"),
        format!("a/x (CUR 1.0) and a/y (CUR 1.0) {what}")
    );
    // A file in no folder may have any days.
    assert_eq!(refused("loose.csv"), format!("a/x (CUR 1.0) and loose.csv (CUR 2.0) {what}"));
}
