//! The collector `aws-cur`: AWS Cost and Usage Reports, CUR 1.0 (CSV) and CUR 2.0 (Parquet or CSV).

mod columns;
mod cost;
mod map;
mod options;
mod quantity;
mod report;
mod split;

use apportion_plugin_sdk::table_decode;
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, Rows, register_collector,
};
use options::Options;
use table_settings::charges::{Pages, check};
use table_settings::deliveries::{DeliveryChoice, chosen};

struct AwsCur(Pages);

/// The folder of a table with the status of a report.
const STATUS: &str = "/cost_and_usage_data_status/";

impl Collector for AwsCur {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "aws-cur",
            env!("CARGO_PKG_VERSION"),
            "AWS Cost and Usage Reports: CUR 1.0 and 2.0, as CSV, gzipped CSV or Parquet files",
        )
        .power(
            "table-decode",
            "to read the headers of the files, and to have the host read their rows",
        )
        .optional_power("file", "to read the manifests, which say which files of a report count")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a line item")
        .stream("usage", "split costs of tasks and pods, by the resource that they ran on")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        check(reports(&options), |table, _| mapped(table, &options))
    }

    fn open(request: Request) -> Result<AwsCur, Error> {
        let options = Options::parse(&request.config)?;
        let reports = reports(&options)?;
        Pages::of(&reports, |table, _| mapped(table, &options)).map(AwsCur)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

/// The tables that count, once it is certain that none of them counts what another does.
fn reports(options: &Options) -> Result<DeliveryChoice, Error> {
    let mut reports = chosen(options.report.as_deref())?;
    // AWS writes it for Athena, beside the months of a report in Parquet.
    reports
        .drop_tables("it tells whether the report is being written, and has no lines", |counted| {
            counted.table.contains(STATUS)
        });
    if reports.tables.is_empty() {
        return Err(Error::config("no file of a report was given to the source"));
    }
    report::refuse_twins(&reports)?;
    reports.tell()?;
    Ok(reports)
}

fn mapped(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let rows = map::map(table, options)?;
    report::refuse_unknown_cost(table, options)?;
    if let Some(column) = split::split_mark(table, options)? {
        // The host gives some thousand values at most. Should a later row be no split row, the
        // mapping finds no billed cost in it, and the host sets the row aside.
        let marks =
            table_decode::distinct(&table.name, column, u32::MAX).map_err(Error::Unavailable)?;
        split::refuse_other_rows(table, column, &marks, options)?;
    }
    Ok(rows)
}

register_collector!(AwsCur);

#[cfg(test)]
#[path = "tests/reports.rs"]
mod tests;
