//! The collector `focus-file`: maps the columns of FOCUS 1.0 to 1.4 tables to charges.
//!
//! It sees headers, never rows and never a path: the host reads the tables. Problems of a table's
//! columns are found here, before a row is read. Each names the file, the column and the line that
//! mends it.

mod dataset;
mod map;
mod options;

use apportion_plugin_sdk::table_decode::{self, TableInfo};
use apportion_plugin_sdk::{
    Batch, Collector, Error, Feed, Kind, Manifest, Mapping, Origin, Problem, Request, Rows, log,
    register_collector,
};
use options::{EmptyEffectiveCost, Options};
use std::collections::BTreeSet;
use table_settings::charges::{Pages, check, wishes};
use table_settings::deliveries::{CountingTable, DeliveryChoice, chosen, refuse_twins};
use table_settings::find_spelled;

struct FocusFile(Pages);

impl Collector for FocusFile {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "focus-file",
            env!("CARGO_PKG_VERSION"),
            "Bills in FOCUS 1.0 to 1.4, as CSV, gzipped CSV or Parquet files",
        )
        .power(
            "table-decode",
            "to read the headers of the bill's files, and to have the host read their rows",
        )
        .optional_power("file", "to read the manifests, which say which files of an export count")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "Cost and Usage rows, one charge each")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = options::parse(config)?;
        let mut empty = Vec::new();
        let mut problems = check(exports(&options), |table, _| {
            let mapping = map::map(table, &options)?;
            empty.extend(empty_costs(table, &mapping, &options)?);
            Ok(vec![Rows::Mapped(mapping)])
        })?;
        problems.extend(empty);
        Ok(problems)
    }

    fn open(request: Request) -> Result<FocusFile, Error> {
        let options = options::parse(&request.config)?;
        let exports = exports(&options)?;
        let map = |table: &TableInfo, _: &CountingTable| {
            let mapping = map::map(table, &options)?;
            let version = dataset::version(table);
            log::info(&format!(
                "{}: FOCUS {version}, {} of {} columns are used",
                table.name,
                mapping.feeds.len(),
                table.columns.len()
            ));
            for wish in wishes(&mapping) {
                log::warn(&wish.message);
            }
            if let Some(Problem { message, hint: Some(hint), .. }) =
                empty_costs(table, &mapping, &options)?
            {
                log::warn(&format!("{message}; hint: {hint}"));
            }
            Ok(vec![Rows::Mapped(mapping)])
        };
        Pages::of(&exports, map).map(FocusFile)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

/// The tables that count, once it is certain that none of them counts what another does.
fn exports(options: &Options) -> Result<DeliveryChoice, Error> {
    let exports = chosen(options.report.as_deref())?;
    refuse_twins(&exports, &|_: &CountingTable| "FOCUS".to_owned(), &accounts)?;
    exports.tell()?;
    Ok(exports)
}

/// The accounts that a table has charges of.
fn accounts(name: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let table = table_decode::describe(name).map_err(Error::Unavailable)?;
    for column in ["SubAccountId", "BillingAccountId"] {
        if let Some(header) = find_spelled(&table, column)? {
            let cells =
                table_decode::distinct(name, &header, u32::MAX).map_err(Error::Unavailable)?;
            let cells: BTreeSet<String> =
                cells.into_iter().filter(|cell| !cell.trim().is_empty()).collect();
            return Ok(Some(cells).filter(|cells| !cells.is_empty()));
        }
    }
    Ok(None)
}

/// Tells that effective costs are empty in the first rows of a table, because the host will set
/// such rows aside.
fn empty_costs(
    table: &TableInfo,
    mapping: &Mapping,
    options: &Options,
) -> Result<Option<Problem>, Error> {
    const ROWS: u32 = 100;
    if options.empty_effective_cost == EmptyEffectiveCost::Billed {
        return Ok(None);
    }
    let from = mapping.feeds.iter().find(|from| from.feed == Feed::EffectiveCost);
    let Some(Origin::Column(header)) = from.map(|from| &from.origin) else { return Ok(None) };
    let at = table.columns.iter().position(|column| column.name == *header);
    let rows = table_decode::sample(&table.name, ROWS).map_err(Error::Unavailable)?;
    let is_empty = |cell: &String| cell.trim().is_empty() || mapping.nulls.contains(cell);
    let any = rows.iter().any(|row| at.and_then(|at| row.get(at)).is_some_and(is_empty));
    Ok(any.then(|| {
        Problem::new(format!(
            "{} has rows whose {header} is empty, which are set aside",
            table.name
        ))
        .hint("empty_effective_cost = \"billed\"")
        .table(&table.name)
        .column(header.as_str())
    }))
}

register_collector!(FocusFile);

#[cfg(test)]
#[path = "tests/exports.rs"]
mod tests;
