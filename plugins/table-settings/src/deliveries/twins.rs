//! Two exports that state the same money.

use super::choice::{CountingTable, DeliveryChoice};
use apportion_plugin_sdk::{Error, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// The accounts in a table; nothing where the table does not tell them.
pub type Accounts<'a> = dyn Fn(&str) -> Result<Option<BTreeSet<String>>, Error> + 'a;

/// Refuses two exports that have a billing period of the same account.
///
/// `family` names the kind of a table's rows, such as CUR 2.0. Files that are in no folder of an
/// export are told apart by it. Accounts are asked for only where two exports meet.
pub fn refuse_twins(
    chosen: &DeliveryChoice,
    family: &dyn Fn(&CountingTable) -> String,
    accounts: &Accounts<'_>,
) -> Result<(), Error> {
    let mut exports: BTreeMap<String, Vec<&CountingTable>> = BTreeMap::new();
    for counted in &chosen.tables {
        let name =
            counted.export.clone().unwrap_or_else(|| format!("files of {}", family(counted)));
        exports.entry(name).or_default().push(counted);
    }
    let exports: Vec<(&String, &Vec<&CountingTable>)> = exports.iter().collect();
    let mut known: BTreeMap<&str, Option<BTreeSet<String>>> = BTreeMap::new();
    for (at, (name, tables)) in exports.iter().enumerate() {
        for (other_name, others) in &exports[at + 1..] {
            for (table, other) in pairs(tables, others) {
                for counted in [table, other] {
                    if !known.contains_key(counted.table.as_str()) {
                        known.insert(&counted.table, accounts(&counted.table)?);
                    }
                }
                let of =
                    |counted: &CountingTable| known.get(counted.table.as_str()).cloned().flatten();
                if let Some(shared) = shared(of(table), of(other)) {
                    let what = |name: &str, counted: &CountingTable| match &counted.export {
                        Some(_) => format!("{name} ({})", family(counted)),
                        None => format!("{} ({})", counted.table, family(counted)),
                    };
                    let (one, two) = (what(name, table), what(other_name, other));
                    return Err(twins(&one, &two, table, &shared));
                }
            }
        }
    }
    Ok(())
}

/// Tables of two exports that may have the same days.
fn pairs<'c>(
    tables: &[&'c CountingTable],
    others: &[&'c CountingTable],
) -> Vec<(&'c CountingTable, &'c CountingTable)> {
    let meet = |one: &CountingTable, other: &CountingTable| match (one.range, other.range) {
        (Some(one), Some(other)) => one.overlaps(&other),
        _ => true,
    };
    let mut pairs = Vec::new();
    for table in tables {
        pairs
            .extend(others.iter().filter(|other| meet(table, other)).map(|other| (*table, *other)));
    }
    pairs
}

/// An account that is in both, or an empty text where that cannot be known.
fn shared(one: Option<BTreeSet<String>>, other: Option<BTreeSet<String>>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => one.intersection(&other).next().cloned(),
        _ => Some(String::new()),
    }
}

fn twins(one: &str, two: &str, table: &CountingTable, account: &str) -> Error {
    let whose = if account.is_empty() {
        "and nothing says that they are of different accounts".into()
    } else {
        format!("and both have the account {account}")
    };
    let message = format!(
        "{one} and {two} would count the same money twice: they have the same days, {whose}"
    );
    let hint = match &table.export {
        Some(export) => {
            format!("report = \"{}\"", super::place::split(export).1)
        }
        None => "narrow the source's `paths` to one of them".into(),
    };
    Error::Config(Problem::new(message).hint(hint).table(&table.table))
}
