//! The collector `saas-mongodb-atlas`: line items of an Atlas organization's invoices, with the
//! pending invoice.

mod invoice;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, register_collector,
};
use invoice::{Invoices, Options, SLOT};
use json_api::{From, Pages, Window, missing_secrets};

struct Atlas(Pages<Invoices>);

impl Collector for Atlas {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "saas-mongodb-atlas",
            env!("CARGO_PKG_VERSION"),
            "MongoDB Atlas: line items of invoices, by project and cluster",
        )
        .optional_power("http", "to ask Atlas for the invoices")
        .optional_power("file", "to read invoices of Atlas that were kept as files")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge for each line item, and one for the tax of an invoice")
        .restated_for_days(35)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let options = Options::parse(config)?;
        Ok(if options.from == From::Api {
            missing_secrets(&[SLOT], &options.url)
        } else {
            Vec::new()
        })
    }

    fn open(request: Request) -> Result<Atlas, Error> {
        let options = Options::parse(&request.config)?;
        match options.from {
            From::Files => Pages::files(Invoices::new(options, None)).map(Atlas),
            From::Api => {
                let window = Window::wanted(&request, options.months)?;
                let first = invoice::requests(&options, window);
                Ok(Atlas(Pages::ask(Invoices::new(options, Some(window)), first)))
            }
        }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.0.next()
    }
}

register_collector!(Atlas);
