//! Uses a power that its manifest does not ask for.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Request, register_collector, table_decode,
};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("denies-its-power")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        table_decode::tables().map_err(Error::Unavailable).map(|_| Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(None)
    }
}

register_collector!(Guest);
