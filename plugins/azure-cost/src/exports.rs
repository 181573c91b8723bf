//! The exports of the source: which of the two costs each of them holds.
//!
//! An actual and an amortized export list the same usage. Each then gives one of the two costs. A
//! manifest tells the cost, or else the name, or else the rows.

use crate::map::{Cost, Options, plain};
use crate::settings::Basis;
use apportion_plugin_sdk::table_decode::{TableInfo, describe, distinct, sample};
use apportion_plugin_sdk::{Error, Problem, log};
use std::collections::{BTreeMap, BTreeSet};
use table_settings::deliveries::{CountingTable, DeliveryChoice, chosen, refuse_twins};

/// Rows that are looked at to tell the cost.
const ROWS: u32 = 1_000;

/// The tables that count. A table with a basis gives that one of the two costs, and any other
/// table gives both.
pub struct Exports {
    pub chosen: DeliveryChoice,
    pub basis: BTreeMap<String, Basis>,
}

/// Tables that state the same days: those of one period, or those in no folder of an export.
type Group = Vec<(CountingTable, Option<Basis>)>;

pub fn exports(options: &Options) -> Result<Exports, Error> {
    let mut chosen = chosen(options.report.as_deref())?;
    for kind in other_kinds(&chosen) {
        let why = format!("it is an export of the kind {kind}, which has no such costs");
        chosen.drop_tables(&why, |counted| counted.kind.as_ref() == Some(&kind));
    }
    keep(&mut chosen, options.cost)?;
    let mut basis = BTreeMap::new();
    for group in groups(&chosen) {
        let group = match options.cost {
            Cost::Actual | Cost::Amortized => continue,
            Cost::Both | Cost::Told => told_by_rows(group)?,
        };
        basis.extend(paired(&group, options.cost)?);
    }
    refuse_same_money(&chosen, &basis)?;
    chosen.tell()?;
    Ok(Exports { chosen, basis })
}

/// Kinds of exports that hold other things than the two costs, such as price sheets.
fn other_kinds(chosen: &DeliveryChoice) -> BTreeSet<String> {
    let is_other =
        |kind: &&String| !["ActualCost", "AmortizedCost", "Usage"].contains(&kind.as_str());
    chosen
        .tables
        .iter()
        .filter_map(|counted| counted.kind.as_ref())
        .filter(is_other)
        .cloned()
        .collect()
}

/// Leaves out exports of the cost that the settings do not ask for.
fn keep(chosen: &mut DeliveryChoice, cost: Cost) -> Result<(), Error> {
    let (other, held, asked) = match cost {
        Cost::Actual => (Basis::Amortized, "amortized", "actual"),
        Cost::Amortized => (Basis::Actual, "actual", "amortized"),
        Cost::Both | Cost::Told => {
            return not_empty(chosen, "no export has actual or amortized costs", None);
        }
    };
    let why = format!("it has {held} costs, and the setting `cost` asks for {asked} ones");
    chosen.drop_tables(&why, |counted| told(counted) == Some(other));
    let message = format!("all exports of the source have {held} costs");
    not_empty(chosen, &message, Some(format!("cost = \"{held}\"")))
}

fn not_empty(chosen: &DeliveryChoice, message: &str, hint: Option<String>) -> Result<(), Error> {
    if chosen.tables.is_empty() {
        return Err(Error::Config(Problem { hint, ..Problem::new(message) }));
    }
    Ok(())
}

/// The cost that an export's manifest or its name tells.
fn told(counted: &CountingTable) -> Option<Basis> {
    match counted.kind.as_deref() {
        Some("ActualCost" | "Usage") => return Some(Basis::Actual),
        Some("AmortizedCost") => return Some(Basis::Amortized),
        _ => {}
    }
    let name = counted.table.to_ascii_lowercase();
    match (name.contains("amorti"), name.contains("actual")) {
        (true, false) => Some(Basis::Amortized),
        (false, true) => Some(Basis::Actual),
        _ => None,
    }
}

fn groups(chosen: &DeliveryChoice) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for counted in &chosen.tables {
        let meets = |group: &&mut Group| {
            group.iter().any(|(known, _)| match (known.range, counted.range) {
                (Some(known), Some(range)) => known.overlaps(&range),
                (None, None) => true,
                _ => false,
            })
        };
        let entry = (counted.clone(), told(counted));
        match groups.iter_mut().find(meets) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}

/// Asks the rows of tables whose names do not tell their cost, where more than one export is there.
fn told_by_rows(mut group: Group) -> Result<Group, Error> {
    if members(&group).len() < 2 {
        return Ok(group);
    }
    for (counted, basis) in &mut group {
        if basis.is_none() {
            *basis = by_rows(&describe(&counted.table).map_err(Error::Unavailable)?)?;
        }
    }
    // The rows of one part tell for all parts of an export.
    let known = group.clone();
    for (counted, basis) in group.iter_mut().filter(|(_, basis)| basis.is_none()) {
        let of_part = |(part, basis): &(CountingTable, Option<Basis>)| {
            basis.filter(|_| part.export.is_some() && part.export == counted.export)
        };
        *basis = known.iter().find_map(of_part);
    }
    Ok(group)
}

/// The exports of a group. Each file in no folder of an export stands for itself.
fn members(group: &Group) -> BTreeSet<&str> {
    group.iter().map(|(counted, _)| counted.export.as_deref().unwrap_or(&counted.table)).collect()
}

/// The cost that the first rows tell. Usage that a commitment covers costs nothing in an actual
/// export, and its share of the commitment in an amortized one.
fn by_rows(table: &TableInfo) -> Result<Option<Basis>, Error> {
    let at = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| table.columns.iter().position(|column| plain(&column.name) == *name))
    };
    let Some(charge_type) = at(&["chargetype"]) else { return Ok(None) };
    let (model, cost) = (at(&["pricingmodel"]), at(crate::map::COSTS));
    let cell = |row: &[String], at: Option<usize>| {
        at.and_then(|at| row.get(at)).map_or_else(String::new, |cell| cell.trim().to_lowercase())
    };
    let of_row = |row: &Vec<String>| {
        let is_covered = ["reservation", "savingsplan"].contains(&cell(row, model).as_str());
        match cell(row, Some(charge_type)).as_str() {
            "unusedreservation" | "unusedsavingsplan" => Some(Basis::Amortized),
            "purchase" if is_covered => Some(Basis::Actual),
            "usage" if is_covered => {
                let is_zero = !cell(row, cost).contains(|digit| ('1'..='9').contains(&digit));
                Some(if is_zero { Basis::Actual } else { Basis::Amortized })
            }
            _ => None,
        }
    };
    let rows = sample(&table.name, ROWS).map_err(Error::Unavailable)?;
    Ok(rows.iter().find_map(of_row))
}

/// The cost that each table of a group gives, where the group has both.
fn paired(group: &Group, cost: Cost) -> Result<BTreeMap<String, Basis>, Error> {
    let is_amortized =
        |(_, basis): &&(CountingTable, Option<Basis>)| *basis == Some(Basis::Amortized);
    let (amortized, others): (Group, Group) =
        group.iter().cloned().partition(|entry| is_amortized(&entry));
    if amortized.is_empty() || others.is_empty() {
        return Ok(single(group, cost));
    }
    if cost == Cost::Told
        && let Some((counted, _)) = others.iter().find(|(_, basis)| basis.is_none())
    {
        return Err(untold(counted));
    }
    // Exports come in pairs. Files in no folder of an export can be any number of parts.
    let is_export = group.iter().all(|(counted, _)| counted.export.is_some());
    let (actual_count, amortized_count) = (members(&others).len(), members(&amortized).len());
    if is_export && actual_count != amortized_count {
        let message = format!(
            "of the same days there are {actual_count} exports with actual costs and \
             {amortized_count} with amortized ones: some usage would lack one of its two costs"
        );
        return Err(Error::Config(Problem::new(message).hint("cost = \"actual\"")));
    }
    // With `both`, what is not known to be amortized is actual.
    let of = |(counted, basis): &(CountingTable, Option<Basis>)| {
        (counted.table.clone(), basis.unwrap_or(Basis::Actual))
    };
    Ok(group.iter().map(of).collect())
}

/// A group with one of the two costs: it stands for both, unless the settings say that files in no
/// folder have one each.
fn single(group: &Group, cost: Cost) -> BTreeMap<String, Basis> {
    if cost != Cost::Both {
        return BTreeMap::new();
    }
    let (exports, loose): (Group, Group) =
        group.iter().cloned().partition(|(counted, _)| counted.export.is_some());
    if let Some((counted, _)) = exports.first() {
        let table = &counted.table;
        log::warn(&format!("{table}: only one of the two costs is there, and stands for both"));
    }
    loose
        .into_iter()
        .map(|(counted, basis)| (counted.table, basis.unwrap_or(Basis::Actual)))
        .collect()
}

fn untold(counted: &CountingTable) -> Error {
    let message = format!(
        "other files of the same days have amortized costs, and neither a manifest nor the name \
         nor the rows tell which costs {} has",
        counted.table
    );
    // With `amortized`, files that are not told are amortized, and with `both` they are actual.
    let hint = "cost = \"amortized\" | \"both\"";
    Error::Config(Problem::new(message).hint(hint).table(&counted.table))
}

/// Refuses exports of the same cost, days and subscriptions.
fn refuse_same_money(
    chosen: &DeliveryChoice,
    basis: &BTreeMap<String, Basis>,
) -> Result<(), Error> {
    for wanted in [None, Some(Basis::Actual), Some(Basis::Amortized)] {
        let tables =
            chosen.tables.iter().filter(|counted| basis.get(&counted.table).copied() == wanted);
        let same = DeliveryChoice { tables: tables.cloned().collect(), deliveries: Vec::new() };
        let family = match wanted {
            Some(Basis::Actual) => "actual costs",
            Some(Basis::Amortized) => "amortized costs",
            // An actual and an amortized export can look the same.
            None => "costs of a kind that is not told",
        };
        refuse_twins(&same, &|_: &CountingTable| family.to_owned(), &subscriptions)?;
    }
    Ok(())
}

fn subscriptions(name: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let table = describe(name).map_err(Error::Unavailable)?;
    let column = ["subscriptionid", "subscriptionguid"]
        .iter()
        .find_map(|spelling| table.columns.iter().find(|column| plain(&column.name) == *spelling));
    let Some(column) = column else { return Ok(None) };
    let cells = distinct(name, &column.name, u32::MAX).map_err(Error::Unavailable)?;
    let cells: BTreeSet<String> = cells
        .iter()
        .map(|cell| cell.trim().to_lowercase())
        .filter(|cell| !cell.is_empty())
        .collect();
    Ok(Some(cells).filter(|cells| !cells.is_empty()))
}
