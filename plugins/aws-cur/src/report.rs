//! What the rows of a report tell about it: its payer and period, and the lines whose effective
//! cost it cannot tell.

use crate::columns::Columns;
use crate::cost::{TYPE, unknown};
use crate::options::Options;
use apportion_plugin_sdk::table_decode::{TableInfo, describe, sample};
use apportion_plugin_sdk::{Error, Problem};
use std::collections::BTreeSet;
use table_settings::deliveries::{self, CountingTable, DeliveryChoice};

/// Rows that are looked at before the host reads them all.
const ROWS: u32 = 1_000;

/// Refuses two reports with the same month of the same payer.
pub fn refuse_twins(reports: &DeliveryChoice) -> Result<(), Error> {
    let family = |counted: &CountingTable| match describe(&counted.table) {
        Ok(table) if table.columns.iter().any(|column| column.name.contains('/')) => "CUR 1.0",
        _ => "CUR 2.0",
    };
    deliveries::refuse_twins(reports, &|counted| family(counted).to_owned(), &payers)
}

/// The payers of a table, each with the billing period.
fn payers(name: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let table = describe(name).map_err(Error::Unavailable)?;
    let columns = Columns::new(&table);
    let payer = columns.place("bill_payer_account_id");
    let start = columns.place("bill_billing_period_start_date");
    let Some((payer, start)) = payer.zip(start) else { return Ok(None) };
    let rows = sample(name, ROWS).map_err(Error::Unavailable)?;
    let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let payers: BTreeSet<String> = rows
        .iter()
        .map(|row| (cell(row, payer), cell(row, start)))
        .filter(|(payer, _)| !payer.is_empty())
        .map(|(payer, start)| format!("{payer} of {}", start.get(..10).unwrap_or(&start)))
        .collect();
    Ok(Some(payers).filter(|payers| !payers.is_empty()))
}

/// Refuses a report whose first rows have a type that needs columns which the report lacks. Later
/// rows of such a type are set aside.
pub fn refuse_unknown_cost(table: &TableInfo, options: &Options) -> Result<(), Error> {
    let columns = Columns::new(table);
    let unknown = unknown(&columns, options);
    let Some(line_type) = columns.place(TYPE).filter(|_| !unknown.is_empty()) else {
        return Ok(());
    };
    let rows = sample(&table.name, ROWS).map_err(Error::Unavailable)?;
    let is_there = |wanted: &str| {
        rows.iter().any(|row| row.get(line_type).is_some_and(|found| found.trim() == wanted))
    };
    let found: Vec<_> = unknown.iter().filter(|(line_type, _)| is_there(line_type)).collect();
    let Some((_, first)) = found.first() else { return Ok(()) };
    let types: Vec<&str> = found.iter().map(|(line_type, _)| *line_type).collect();
    let mut lacking: Vec<&str> = found.iter().flat_map(|(_, names)| names.clone()).collect();
    lacking.sort_unstable();
    lacking.dedup();
    let message = format!(
        "{} has rows of the type {}, whose effective cost cannot be known without the columns {}",
        table.name,
        types.join(", "),
        lacking.join(", ")
    );
    let problem = Problem::new(message).hint(
        "add the columns to the export, or take the billed cost: effective_cost = \"billed\"",
    );
    Err(Error::MissingColumn(
        problem.table(&table.name).column(first.first().copied().unwrap_or(TYPE)),
    ))
}
