//! The collector `saas-openai`: an organization's costs of the OpenAI API, by day, project and line
//! item.

mod costs;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use costs::{Costs, Options, SLOT};
use json_api::{From, Pages, Window, missing_secrets};

struct OpenAi(Pages<Costs>);

impl Collector for OpenAi {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "saas-openai",
            env!("CARGO_PKG_VERSION"),
            "OpenAI: costs of an organization by day, project and line item",
        )
        .optional_power("http", "to ask OpenAI for the costs")
        .optional_power("file", "to read answers of OpenAI that were kept as files")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge for each day, project and line item")
        .restated_for_days(7)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        Ok(if options.from == From::Api {
            missing_secrets(&[SLOT], &options.url)
        } else {
            Vec::new()
        })
    }

    fn open(request: Request) -> Result<OpenAi, Error> {
        let options = Options::parse(&request.config)?;
        match options.from {
            From::Files => Pages::files(Costs::new(options, None)).map(OpenAi),
            From::Api => {
                let window = Window::wanted(&request, options.months)?;
                let first = costs::request(&options, window);
                Ok(OpenAi(Pages::ask(
                    Costs::new(options, Some(window)),
                    first.into_iter().collect(),
                )))
            }
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.0.next()
    }
}

register_collector!(OpenAi);
