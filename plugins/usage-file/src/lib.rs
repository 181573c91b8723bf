//! The collector `usage-file`: maps the columns of tables to usage that rules share costs by.
//!
//! It sees headers, never rows and never a path. The host reads the tables, and adds up their rows
//! day by day.

mod map;
mod options;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, Rows, UsageMapping, log,
    register_collector,
};
use options::Options;
use table_settings::charges::granted_tables;

struct UsageFile {
    mappings: std::vec::IntoIter<UsageMapping>,
}

impl Collector for UsageFile {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "usage-file",
            env!("CARGO_PKG_VERSION"),
            "Usage to share costs by, as CSV, gzipped CSV or Parquet files",
        )
        .power(
            "table-decode",
            "to read the headers of the files, and to have the host read their rows",
        )
        .config_schema(include_str!("config-schema.json"))
        .stream("usage", "quantities of a metric by day and by whom they belong to")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        let mut problems = Vec::new();
        for table in granted_tables()? {
            match map::map(&table, &options) {
                Ok(_) => {}
                Err(
                    Error::Config(problem)
                    | Error::MissingColumn(problem)
                    | Error::DuplicateColumn(problem),
                ) => problems.push(problem),
                Err(error) => return Err(error),
            }
        }
        Ok(problems)
    }

    fn open(request: Request) -> Result<UsageFile, Error> {
        let options = Options::parse(&request.config)?;
        let mut mappings = Vec::new();
        for table in granted_tables()? {
            let mapping = map::map(&table, &options)?;
            let keys: Vec<&str> = mapping.keys.iter().map(|from| from.key.as_str()).collect();
            log::info(&format!(
                "{}: {} metrics, keys {}",
                table.name,
                mapping.metrics.len(),
                keys.join(", ")
            ));
            mappings.push(mapping);
        }
        Ok(UsageFile { mappings: mappings.into_iter() })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.mappings.next().map(|mapping| Batch::new(Rows::MappedUsage(mapping))))
    }
}

register_collector!(UsageFile);
