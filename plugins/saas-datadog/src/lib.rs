//! The collector `saas-datadog`: the costs of Datadog's products, by organization and month.

mod cost;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use cost::{Costs, Options, SLOTS};
use json_api::{From, Pages, Window, missing_secrets};

struct Datadog(Pages<Costs>);

impl Collector for Datadog {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "saas-datadog",
            env!("CARGO_PKG_VERSION"),
            "Datadog: the cost of each product, by organization and month",
        )
        .optional_power("http", "to ask Datadog for the costs")
        .optional_power("file", "to read answers of Datadog that were kept as files")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge for each organization, month, product and kind of charge")
        .restated_for_days(75)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        Ok(if options.from == From::Api {
            missing_secrets(&SLOTS, &options.url)
        } else {
            Vec::new()
        })
    }

    fn open(request: Request) -> Result<Datadog, Error> {
        let options = Options::parse(&request.config)?;
        let costs = Costs::new(&options);
        match options.from {
            From::Files => Pages::files(costs).map(Datadog),
            From::Api => Ok(Datadog(Pages::ask(
                costs,
                cost::requests(&options, Window::wanted(&request, options.months)?),
            ))),
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.0.next()
    }
}

register_collector!(Datadog);
