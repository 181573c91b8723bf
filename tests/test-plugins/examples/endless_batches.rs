//! Returns batches for ever, with rows or without, as its settings say.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, Rows, register_collector};

struct Guest(bool);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("endless-batches")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        Ok(Guest(request.config == "rows"))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(test_plugins::batch(Rows::Charges(if self.0 {
            test_plugins::three_charges()
        } else {
            Vec::new()
        })))
    }
}

register_collector!(Guest);
