//! Says far more than anybody wants to read, and then does its work.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Request, Rows, log, register_collector,
};

struct Guest(bool);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("chatters")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        for line in 0..5_000 {
            log::info(&format!("line {line}"));
        }
        log::warn(&"long ".repeat(10_000));
        Ok(Guest(false))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let done = std::mem::replace(&mut self.0, true);
        Ok(if done {
            None
        } else {
            test_plugins::batch(Rows::Charges(test_plugins::three_charges()))
        })
    }
}

register_collector!(Guest);
