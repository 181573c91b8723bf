//! Wants ever more memory.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, register_collector};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("eats-memory")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(vec![1_u8; 1 << 20]);
            std::hint::black_box(&hoard);
        }
    }
}

register_collector!(Guest);
