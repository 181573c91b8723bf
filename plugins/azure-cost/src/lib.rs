//! The collector `azure-cost`: Azure's cost exports, of all agreements and versions that name their
//! columns, and Azure's two APIs for costs.

mod charge_type;
mod dates;
mod details;
mod exports;
mod map;
mod query;
mod settings;

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, Rows, register_collector,
};
use details::Details;
use exports::Exports;
use json_api::{From, Window, missing_secrets};
use map::Options;
use query::Query;
use settings::{Api, Basis, Mode, SLOT};
use table_settings::charges::{Pages, check};
use table_settings::deliveries::CountingTable;

enum AzureCost {
    Exports(Pages),
    Query(json_api::Pages<Query>),
    Details(json_api::Pages<Details>),
}

impl Collector for AzureCost {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "azure-cost",
            env!("CARGO_PKG_VERSION"),
            "Azure costs: exports of EA, MCA and pay-as-you-go, actual and amortized; the Cost \
             Management query API; usage details",
        )
        .optional_power(
            "table-decode",
            "to read the headers of exports, and to have the host \
            read their rows",
        )
        .optional_power("http", "to ask Azure Resource Manager for costs")
        .optional_power(
            "file",
            "to read the manifests of exports, and answers of Azure that were kept as files",
        )
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a row")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        if settings::mode(config)? == Mode::Exports {
            let options = Options::parse(config)?;
            let exports = match exports::exports(&options) {
                Err(Error::Config(problem)) => return Ok(vec![problem]),
                exports => exports?,
            };
            let basis = exports.basis;
            return check(Ok(exports.chosen), |table, counted| {
                mapped(table, counted, &options, basis.get(&table.name).copied())
            });
        }
        let api = Api::parse(config)?;
        Ok(if api.from == From::Api { missing_secrets(&[SLOT], &api.url) } else { Vec::new() })
    }

    fn open(request: Request) -> Result<AzureCost, Error> {
        let mode = settings::mode(&request.config)?;
        if mode == Mode::Exports {
            let options = Options::parse(&request.config)?;
            let Exports { chosen, basis } = exports::exports(&options)?;
            let map = |table: &TableInfo, counted: &CountingTable| {
                mapped(table, counted, &options, basis.get(&table.name).copied())
            };
            return Pages::of(&chosen, map).map(AzureCost::Exports);
        }
        let api = Api::parse(&request.config)?;
        let window = Window::wanted(&request, api.months)?;
        match (mode, api.from) {
            (Mode::Details, From::Files) => {
                json_api::Pages::files(Details::new(&api)).map(AzureCost::Details)
            }
            (Mode::Details, From::Api) => Ok(AzureCost::Details(json_api::Pages::ask(
                Details::new(&api),
                details::requests(&api, window),
            ))),
            (_, From::Files) => json_api::Pages::files(Query::new(api)).map(AzureCost::Query),
            (_, From::Api) => {
                let (query, requests) = query::begin(api, window);
                Ok(AzureCost::Query(json_api::Pages::ask(query, requests)))
            }
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        match self {
            AzureCost::Exports(pages) => Ok(pages.next()),
            AzureCost::Query(pages) => pages.next(),
            AzureCost::Details(pages) => pages.next(),
        }
    }
}

fn mapped(
    table: &TableInfo,
    counted: &CountingTable,
    options: &Options,
    basis: Option<Basis>,
) -> Result<Vec<Rows>, Error> {
    let mut rows = map::map(table, options, basis)?;
    for rows in &mut rows {
        if let Rows::Mapped(mapping) = rows {
            mapping.date_order = dates::order(table, counted, mapping, options)?;
        }
    }
    Ok(rows)
}

register_collector!(AzureCost);

#[cfg(test)]
#[path = "tests/exports.rs"]
mod tests;
