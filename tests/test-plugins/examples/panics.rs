//! Panics.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, register_collector};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("panics")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        panic!("the moon is full")
    }
}

register_collector!(Guest);
