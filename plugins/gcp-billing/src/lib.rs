//! The collector `gcp-billing`: rows of Google Cloud's billing export, with their credits.

mod map;

use apportion_plugin_sdk::{Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector};
use map::Options;
use table_settings::charges::{Pages, check};

struct GcpBilling(Pages);

impl Collector for GcpBilling {
    fn manifest() -> Manifest {
        Manifest::new(Kind::Collector, "gcp-billing", env!("CARGO_PKG_VERSION"), "Google Cloud billing exports, with credits taken off")
            .power("table-decode", "to read the headers of the files, and to have the host read their rows")
            .config_schema(include_str!("config-schema.json"))
            .stream("charges", "one charge a row")
            .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        check(|table| map::map(table, &options))
    }

    fn open(request: Request) -> Result<GcpBilling, Error> {
        let options = Options::parse(&request.config)?;
        Pages::open(|table| map::map(table, &options)).map(GcpBilling)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

register_collector!(GcpBilling);
