//! Asks for a power that no host has.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, register_collector};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("asks-for-an-unknown-power")
            .power("table-decod", "to look into tables")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(None)
    }
}

register_collector!(Guest);
