//! Two exports that state the same money.

use super::choice::{CountingTable, DeliveryChoice};
use super::place::Range;
use apportion_plugin_sdk::{Error, Problem};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The accounts in a table; nothing where the table does not tell them.
pub type Accounts<'a> = dyn Fn(&str) -> Result<Option<BTreeSet<String>>, Error> + 'a;

/// The tables of an export that are of the same days. There can be thousands, so their accounts
/// are brought together once, and parts are compared in place of tables.
struct Part<'c> {
    export: String,
    range: Option<Range>,
    tables: Vec<&'c CountingTable>,
}

/// The accounts of a part, each with the first table that has it.
struct Holders<'c> {
    by_account: BTreeMap<String, &'c CountingTable>,
    /// The first table that does not tell its accounts.
    untold: Option<&'c CountingTable>,
}

/// What two parts state both: an account and a table of each that has it. The account is empty
/// where it cannot be known.
struct Twin<'a> {
    account: &'a str,
    one: &'a CountingTable,
    other: &'a CountingTable,
}

/// Refuses two exports that have a billing period of the same account.
///
/// `family` names the kind of a table's rows, such as CUR 2.0. Files that are in no folder of an
/// export are told apart by it. Accounts are asked for only where two exports meet.
pub fn refuse_twins(
    chosen: &DeliveryChoice,
    family: &dyn Fn(&CountingTable) -> String,
    accounts: &Accounts<'_>,
) -> Result<(), Error> {
    let parts = parts(chosen, family);
    let mut known: BTreeMap<usize, Holders<'_>> = BTreeMap::new();
    for (at, part) in parts.iter().enumerate() {
        let others = parts.iter().enumerate().skip(at + 1);
        for (other_at, other) in others.filter(|(_, other)| part.meets(other)) {
            for (at, part) in [(at, part), (other_at, other)] {
                if let Entry::Vacant(vacant) = known.entry(at) {
                    vacant.insert(Holders::of(part, accounts)?);
                }
            }
            let holders = known.get(&at).zip(known.get(&other_at));
            if let Some(twin) = holders.and_then(|(one, two)| twin((part, one), (other, two))) {
                let what = |export: &str, table: &CountingTable| match &table.export {
                    Some(_) => format!("{export} ({})", family(table)),
                    None => format!("{} ({})", table.table, family(table)),
                };
                let (one, two) = (what(&part.export, twin.one), what(&other.export, twin.other));
                return Err(twins(&one, &two, twin.one, twin.account));
            }
        }
    }
    Ok(())
}

fn parts<'c>(
    chosen: &'c DeliveryChoice,
    family: &dyn Fn(&CountingTable) -> String,
) -> Vec<Part<'c>> {
    let mut parts: BTreeMap<(String, Option<Range>), Vec<&CountingTable>> = BTreeMap::new();
    for counted in &chosen.tables {
        let name =
            counted.export.clone().unwrap_or_else(|| format!("files of {}", family(counted)));
        parts.entry((name, counted.range)).or_default().push(counted);
    }
    parts.into_iter().map(|((export, range), tables)| Part { export, range, tables }).collect()
}

impl Part<'_> {
    /// Whether both may have the same days, as parts of two exports.
    fn meets(&self, other: &Part<'_>) -> bool {
        let has_same_days = match (self.range, other.range) {
            (Some(one), Some(other)) => one.overlaps(&other),
            _ => true,
        };
        self.export != other.export && has_same_days
    }
}

impl<'c> Holders<'c> {
    fn of(part: &Part<'c>, accounts: &Accounts<'_>) -> Result<Holders<'c>, Error> {
        let mut holders = Holders { by_account: BTreeMap::new(), untold: None };
        for table in part.tables.iter().copied() {
            match accounts(&table.table)? {
                Some(accounts) => {
                    for account in accounts {
                        holders.by_account.entry(account).or_insert(table);
                    }
                }
                None => holders.untold = holders.untold.or(Some(table)),
            }
        }
        Ok(holders)
    }
}

fn twin<'a>(
    (part, one): (&Part<'a>, &'a Holders<'a>),
    (other_part, two): (&Part<'a>, &'a Holders<'a>),
) -> Option<Twin<'a>> {
    let mut both = one.by_account.iter().filter_map(|(account, table)| {
        Some(Twin { account, one: table, other: two.by_account.get(account)? })
    });
    if let Some(twin) = both.next() {
        return Some(twin);
    }
    if one.untold.is_none() && two.untold.is_none() {
        return None;
    }
    let of = |holders: &Holders<'a>, part: &Part<'a>| {
        holders.untold.or_else(|| part.tables.first().copied())
    };
    Some(Twin { account: "", one: of(one, part)?, other: of(two, other_part)? })
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

#[cfg(test)]
#[path = "tests/twins.rs"]
mod tests;
