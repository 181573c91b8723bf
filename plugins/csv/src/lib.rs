//! The collector `csv`: any table of charges. The settings map its columns, so no code is needed.

mod map;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use map::Options;
use table_settings::charges::{Pages, check_all};

struct Csv(Pages);

impl Collector for Csv {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "csv",
            env!("CARGO_PKG_VERSION"),
            "Charges in any CSV, gzipped CSV or Parquet files, by the columns that the settings \
             name",
        )
        .power(
            "table-decode",
            "to read the headers of the files, and to have the host read their \
            rows",
        )
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a row")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        check_all(|table| map::map(table, &options))
    }

    fn open(request: Request) -> Result<Csv, Error> {
        let options = Options::parse(&request.config)?;
        Pages::open(|table| map::map(table, &options)).map(Csv)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

register_collector!(Csv);
