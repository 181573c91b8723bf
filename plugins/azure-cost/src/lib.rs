//! The collector `azure-cost`: cost exports of Azure, of all agreements and versions that name their columns.

mod map;

use apportion_plugin_sdk::{Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector};
use map::Options;
use table_settings::charges::{Pages, check};

struct AzureCost(Pages);

impl Collector for AzureCost {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "azure-cost",
            env!("CARGO_PKG_VERSION"),
            "Azure cost exports: actual and amortized, of EA, MCA and pay-as-you-go",
        )
        .power("table-decode", "to read the headers of the files, and to have the host read their rows")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a row")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        check(|table| map::map(table, &options))
    }

    fn open(request: Request) -> Result<AzureCost, Error> {
        let options = Options::parse(&request.config)?;
        Pages::open(|table| map::map(table, &options)).map(AzureCost)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

register_collector!(AzureCost);
