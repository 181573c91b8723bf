//! Behaves well, in Arrow: the stream was written by another implementation of Arrow, in two record
//! batches.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, Rows, register_collector};

struct Guest(bool);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("collects-arrow")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest(false))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let done = std::mem::replace(&mut self.0, true);
        Ok(if done {
            None
        } else {
            test_plugins::batch(Rows::Arrow(include_bytes!("../fixtures/charges.arrow").to_vec()))
        })
    }
}

register_collector!(Guest);
