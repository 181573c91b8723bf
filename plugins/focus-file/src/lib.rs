//! The collector `focus-file`: maps the columns of FOCUS 1.0 to 1.4 tables to charges.
//!
//! It sees headers, never rows and never a path: the host reads the tables. Problems of a table's
//! columns are found here, before a row is read. Each names the file, the column and the line that
//! mends it.

mod dataset;
mod map;
mod options;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Mapping, Problem, Request, Rows, log,
    register_collector,
};
use table_settings::charges::{granted_tables, wishes};

struct FocusFile {
    mappings: std::vec::IntoIter<Mapping>,
}

impl Collector for FocusFile {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "focus-file",
            env!("CARGO_PKG_VERSION"),
            "Bills in FOCUS 1.0 to 1.4, as CSV, gzipped CSV or Parquet files",
        )
        .power(
            "table-decode",
            "to read the headers of the bill's files, and to have the host read their rows",
        )
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "Cost and Usage rows, one charge each")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = options::parse(config)?;
        let mut problems = Vec::new();
        for table in granted_tables()? {
            match map::map(&table, &options) {
                Ok(mapping) => problems.extend(wishes(&mapping)),
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

    fn open(request: Request) -> Result<FocusFile, Error> {
        let options = options::parse(&request.config)?;
        let mut mappings = Vec::new();
        for table in granted_tables()? {
            let mapping = map::map(&table, &options)?;
            let version = dataset::version(&table);
            log::info(&format!(
                "{}: FOCUS {version}, {} of {} columns are used",
                table.name,
                mapping.feeds.len(),
                table.columns.len()
            ));
            for wish in wishes(&mapping) {
                log::warn(&wish.message);
            }
            mappings.push(mapping);
        }
        Ok(FocusFile { mappings: mappings.into_iter() })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.mappings.next().map(|mapping| Batch::new(Rows::Mapped(mapping))))
    }
}

register_collector!(FocusFile);
