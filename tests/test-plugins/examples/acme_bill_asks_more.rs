//! The next version of a vendor's plugin, which asks for a power that the first one did not.

use apportion_plugin_sdk::http::{Request as Question, ask};
use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Request, Rows, register_collector,
};

struct Guest(bool);

impl Collector for Guest {
    fn manifest() -> Manifest {
        Manifest::new(Kind::Collector, "acme-bill", "1.1.0", "What Acme charges")
            .optional_power("http", "to fetch the newest prices")
            .stream("charges", "three charges")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        if request.config.contains("newest") {
            ask(&Question::get("https://acme.example/prices"))?;
        }
        Ok(Guest(false))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let done = std::mem::replace(&mut self.0, true);
        Ok(if done {
            None
        } else {
            test_plugins::batch(Rows::Charges(test_plugins::three_charges()))
        })
    }
}

register_collector!(Guest);
