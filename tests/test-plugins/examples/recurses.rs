//! Calls itself until the stack is full.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, register_collector};

struct Guest;

fn deeper(depth: u64) -> u64 {
    let frame = [depth; 64];
    std::hint::black_box(&frame);
    if depth == u64::MAX { 0 } else { deeper(depth + 1) + std::hint::black_box(frame)[3] }
}

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("recurses")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest)
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Err(Error::Bug(deeper(0).to_string()))
    }
}

register_collector!(Guest);
