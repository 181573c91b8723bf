//! Deliveries: files that belong together, such as a run of an export or the report of a month.
//!
//! Exports are written anew until their billing period is closed, and older runs stay beside newer
//! ones. Of each billing period the newest run counts. Manifests name the files of a run; without
//! them the folders do. A run whose manifest names files that are not there is not counted: the
//! newest complete one is. What is left out is said.

mod choice;
mod manifest;
mod place;
mod run;
mod twins;

pub use choice::CountingTable;
pub use choice::DeliveryChoice;
pub use twins::refuse_twins;

use crate::closest;
use apportion_plugin_sdk::deliveries::Delivery;
use apportion_plugin_sdk::file::Entry;
use apportion_plugin_sdk::{Error, Problem, deliveries, file, log, table_decode};
use choice::Files;
use place::Place;

/// The most deliveries that the host is told of. It takes 4,000, and a plugin may find its own.
const TOLD_MAX: usize = 3_900;

/// The source's tables that count, by their deliveries. `report` is the name of the only export
/// that is meant, if the settings name one.
pub fn chosen(report: Option<&str>) -> Result<DeliveryChoice, Error> {
    let tables = table_decode::names().map_err(Error::Unavailable)?;
    if tables.is_empty() {
        return Err(Error::config("no file was given to the source"));
    }
    match file::entries() {
        // Without the power `file` only the folders' names tell the runs.
        Err(Error::Config(_)) => choose(&tables, None, report),
        entries => {
            let read = |name: &str| file::read_all(name, manifest::BYTES_MAX);
            choose(&tables, Some(Files { entries: &entries?, read: &read }), report)
        }
    }
}

/// The same for given names and files.
pub fn choose(
    tables: &[String],
    files: Option<Files<'_>>,
    report: Option<&str>,
) -> Result<DeliveryChoice, Error> {
    let Some(report) = report else { return choice::choose(tables, files) };
    let is_meant = |name: &str| Place::of(name).is_some_and(|place| place.export_name() == report);
    let (meant, other): (Vec<String>, Vec<String>) =
        tables.iter().cloned().partition(|table| is_meant(table));
    if meant.is_empty() {
        return Err(no_report(tables, report));
    }
    let entries: Option<Vec<Entry>> = files
        .as_ref()
        .map(|files| files.entries.iter().filter(|entry| is_meant(&entry.name)).cloned().collect());
    let files = files.zip(entries.as_deref()).map(|(files, entries)| Files { entries, ..files });
    let mut chosen = choice::choose(&meant, files)?;
    for table in other {
        let name = Place::of(&table).map_or(table, |place| place.delivery());
        chosen.leave_out(name, None, format!("the setting `report` asks for {report} alone"));
    }
    Ok(chosen)
}

fn no_report(tables: &[String], report: &str) -> Error {
    let mut known: Vec<String> = tables
        .iter()
        .filter_map(|table| Place::of(table).map(|place| place.export_name().to_owned()))
        .collect();
    known.sort();
    known.dedup();
    let known = known.iter().map(String::as_str);
    let hint = match closest(report, known.clone()).or_else(|| known.clone().next()) {
        Some(name) => format!("report = \"{name}\""),
        None => "take the setting `report` out: no file is in the folders of an export".into(),
    };
    let message = format!("the setting `report` names {report}, and no file is of that export");
    Error::Config(Problem::new(message).hint(hint))
}

impl DeliveryChoice {
    /// Tells the host of the deliveries. The host tells the operator what is left out.
    pub fn tell(&self) -> Result<(), Error> {
        let is_counted = |delivery: &&Delivery| delivery.left_out.is_none();
        let counted = self.deliveries.iter().filter(is_counted);
        let left_out = self.deliveries.iter().filter(|delivery| !is_counted(delivery));
        for delivery in counted.chain(left_out).take(TOLD_MAX) {
            deliveries::found(delivery)?;
        }
        let untold = self.deliveries.len().saturating_sub(TOLD_MAX);
        if untold > 0 {
            log::warn(&format!("{untold} more deliveries were found than can be listed"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "deliveries/tests.rs"]
mod tests;
