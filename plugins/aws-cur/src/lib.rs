//! The collector `aws-cur`: Cost and Usage Reports of AWS, as CUR 1.0 (CSV) and CUR 2.0 (Parquet or CSV) write them.

mod map;

use apportion_plugin_sdk::{Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector};
use map::Options;
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
        .power("table-decode", "to read the headers of the files, and to have the host read their rows")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a line item")
        .stream("usage", "split costs of tasks and pods, by the resource that they ran on")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        check(|table| map::map(table, &options))
    }

    fn open(request: Request) -> Result<AwsCur, Error> {
        let options = Options::parse(&request.config)?;
        Pages::open(|table| map::map(table, &options)).map(AwsCur)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

register_collector!(AwsCur);
