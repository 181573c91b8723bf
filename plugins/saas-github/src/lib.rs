//! The collector `saas-github`: GitHub's bill of an organization, by product, SKU and repository.

mod usage;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use json_api::{From, Pages, Window, missing_secrets};
use usage::{Options, SLOT, Usage};

struct GitHub(Pages<Usage>);

impl Collector for GitHub {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "saas-github",
            env!("CARGO_PKG_VERSION"),
            "GitHub: billed usage of an organization, such as Actions and Copilot",
        )
        .optional_power("http", "to ask GitHub for the billed usage")
        .optional_power("file", "to read answers of GitHub that were kept as files")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge for each item of usage")
        .restated_for_days(35)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        let mut problems = if options.from == From::Api {
            missing_secrets(&[SLOT], &options.url)
        } else {
            Vec::new()
        };
        problems.extend(options.counted_twice());
        Ok(problems)
    }

    fn open(request: Request) -> Result<GitHub, Error> {
        let options = Options::parse(&request.config)?;
        match options.from {
            From::Files => Pages::files(Usage::new(&options)).map(GitHub),
            From::Api => Ok(GitHub(Pages::ask(
                Usage::new(&options),
                usage::requests(&options, Window::wanted(&request, options.months)?)?,
            ))),
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.0.next()
    }
}

register_collector!(GitHub);
