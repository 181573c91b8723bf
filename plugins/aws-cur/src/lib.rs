//! The collector `aws-cur`: AWS Cost and Usage Reports, CUR 1.0 (CSV) and CUR 2.0 (Parquet or CSV).

mod columns;
mod cost;
mod manifest;
mod map;
mod options;
mod split;

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Period, Problem, Request, Rows, register_collector,
};
use apportion_plugin_sdk::{coverage, file, log, table_decode};
use options::Options;
use table_settings::charges::{Pages, check};

struct AwsCur(Pages);

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
        check(|table| mapped(table, &options))
    }

    fn open(request: Request) -> Result<AwsCur, Error> {
        let options = Options::parse(&request.config)?;
        Pages::of(&tables()?, |table| mapped(table, &options)).map(AwsCur)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

fn mapped(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let rows = map::map(table, options)?;
    if let Some(column) = split::split_mark(table, options)? {
        // The host gives some thousand values at most. Should a later row be no split row, the
        // mapping finds no billed cost in it, and the host sets the row aside.
        let marks =
            table_decode::distinct(&table.name, column, u32::MAX).map_err(Error::Unavailable)?;
        split::refuse_other_rows(table, column, &marks, options)?;
    }
    Ok(rows)
}

/// The names of the tables to read.
fn tables() -> Result<Vec<String>, Error> {
    let tables = table_decode::names().map_err(Error::Unavailable)?;
    if tables.is_empty() {
        return Err(Error::config("no file was given to the source"));
    }
    let entries = match file::entries() {
        // Without the power `file` there are no manifests, so every file counts.
        Err(Error::Config(_)) => return Ok(tables),
        entries => entries?,
    };
    let chosen =
        manifest::choose(tables, &entries, &|name| file::read_all(name, manifest::BYTES_MAX))?;
    if let Some(first) = chosen.skipped.first() {
        log::warn(&format!(
            "{} files are left out, which no manifest of their month names any more, such as \
             {first}",
            chosen.skipped.len()
        ));
    }
    for [start, end] in chosen.complete {
        coverage::complete(&Period { start, end })?;
    }
    if chosen.read.is_empty() {
        Err(Error::config("the manifests name none of the files that were given to the source"))
    } else {
        Ok(chosen.read)
    }
}

register_collector!(AwsCur);
