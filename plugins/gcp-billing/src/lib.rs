//! The collector `gcp-billing`: Google Cloud's billing export with its credits, from files or from
//! BigQuery.

mod map;
mod query;
mod row;
mod settings;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use json_api::{Window, missing_secrets};
use map::Options;
use query::Query;
use row::Lines;
use settings::{Mode, SLOT, Table};
use table_settings::charges::{Pages, check_all};

enum GcpBilling {
    Exports(Pages),
    Json(json_api::Pages<Lines>),
    Query(json_api::Pages<Query>),
}

impl Collector for GcpBilling {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "gcp-billing",
            env!("CARGO_PKG_VERSION"),
            "Google Cloud billing exports, with their credits: CSV, Parquet, JSON, or the table \
             in BigQuery",
        )
        .optional_power(
            "table-decode",
            "to read the headers of exports, and to have the host \
            read their rows",
        )
        .optional_power("http", "to ask BigQuery for the rows of the table")
        .optional_power("file", "to read exports in JSON")
        .config_schema(include_str!("config-schema.json"))
        .stream(
            "charges",
            "one charge a row, and one for each credit if they are charges of \
            their own",
        )
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        match settings::mode(config)? {
            Mode::Exports => {
                let options = Options::parse(config)?;
                check_all(|table| map::map(table, &options))
            }
            Mode::Json => settings::credits(config).map(|_| Vec::new()),
            Mode::Query => Ok(missing_secrets(&[SLOT], &Table::parse(config)?.url)),
        }
    }

    fn open(request: Request) -> Result<GcpBilling, Error> {
        match settings::mode(&request.config)? {
            Mode::Exports => {
                let options = Options::parse(&request.config)?;
                Pages::open(|table| map::map(table, &options)).map(GcpBilling::Exports)
            }
            Mode::Json => {
                json_api::Pages::files(Lines { credits: settings::credits(&request.config)? })
                    .map(GcpBilling::Json)
            }
            Mode::Query => {
                let table = Table::parse(&request.config)?;
                let first = query::first(&table, Window::wanted(&request, table.months)?);
                Ok(GcpBilling::Query(json_api::Pages::ask(
                    Query::new(table),
                    first.into_iter().collect(),
                )))
            }
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        match self {
            GcpBilling::Exports(pages) => Ok(pages.next()),
            GcpBilling::Json(pages) => pages.next(),
            GcpBilling::Query(pages) => pages.next(),
        }
    }
}

register_collector!(GcpBilling);
