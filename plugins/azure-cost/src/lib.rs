//! The collector `azure-cost`: Azure's cost exports, of all agreements and versions that name their
//! columns, and Azure's two APIs for costs.

mod charge_type;
mod details;
mod map;
mod query;
mod settings;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use details::Details;
use json_api::{From, Window, missing_secrets};
use map::Options;
use query::Query;
use settings::{Api, Mode, SLOT};
use table_settings::charges::{Pages, check};

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
        .optional_power("file", "to read answers of Azure that were kept as files")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a row")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        if settings::mode(config)? == Mode::Exports {
            let options = Options::parse(config)?;
            return check(|table| map::map(table, &options));
        }
        let api = Api::parse(config)?;
        Ok(if api.from == From::Api { missing_secrets(&[SLOT], &api.url) } else { Vec::new() })
    }

    fn open(request: Request) -> Result<AzureCost, Error> {
        let mode = settings::mode(&request.config)?;
        if mode == Mode::Exports {
            let options = Options::parse(&request.config)?;
            return Pages::open(|table| map::map(table, &options)).map(AzureCost::Exports);
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

register_collector!(AzureCost);
