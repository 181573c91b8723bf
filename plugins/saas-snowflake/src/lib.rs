//! The collector `saas-snowflake`: credits × their price, or Snowflake's own figures in the
//! contract's currency.

mod sql;
mod statement;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use json_api::{From, Pages, Window, missing_secrets};
use sql::{Options, SLOT};
use statement::Statements;

struct Snowflake(Pages<Statements>);

impl Collector for Snowflake {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "saas-snowflake",
            env!("CARGO_PKG_VERSION"),
            "Snowflake: credits by day and service, priced, or usage in currency",
        )
        .optional_power("http", "to have Snowflake answer one statement about usage")
        .optional_power("file", "to read answers of Snowflake that were kept as files")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge for each day, account and kind of service")
        .restated_for_days(45)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        Ok(if options.from == From::Api {
            missing_secrets(&[SLOT], &options.url)
        } else {
            Vec::new()
        })
    }

    fn open(request: Request) -> Result<Snowflake, Error> {
        let options = Options::parse(&request.config)?;
        match options.from {
            From::Files => Pages::files(Statements::new(options)).map(Snowflake),
            From::Api => {
                let window = Window::wanted(&request, options.months)?;
                let first = sql::request(&options, window);
                Ok(Snowflake(Pages::ask(Statements::new(options), first.into_iter().collect())))
            }
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.0.next()
    }
}

register_collector!(Snowflake);
