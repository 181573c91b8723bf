//! Uses a power while it is only asked to describe itself.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Request, register_collector, table_decode,
};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        let tables = table_decode::tables().map_or(0, |tables| tables.len());
        test_plugins::collector("grabs-power-early")
            .power("table-decode", &format!("to look into {tables} tables"))
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(None)
    }
}

register_collector!(Guest);
