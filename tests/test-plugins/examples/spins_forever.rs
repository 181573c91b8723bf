//! Never comes back: from describe, open or next, as its settings say.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, register_collector};

struct Guest;

fn spin() -> ! {
    loop {
        std::hint::black_box(());
    }
}

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("spins-forever")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        if request.config == "open" { spin() } else { Ok(Guest) }
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        spin()
    }
}

register_collector!(Guest);
