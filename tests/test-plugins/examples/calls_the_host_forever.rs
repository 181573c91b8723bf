//! Asks the host the same thing for ever.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Request, register_collector, table_decode,
};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("calls-the-host-forever")
            .power("table-decode", "to keep the host busy")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        loop {
            std::hint::black_box(table_decode::sample("nothing", 1).is_ok());
        }
    }
}

register_collector!(Guest);
