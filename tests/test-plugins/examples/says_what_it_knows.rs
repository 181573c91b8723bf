//! Says with its only page that March is complete, and after it that February is unknown. Its
//! settings may be a wrong date, or `often`: then it says so for ever.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Period, Request, Rows, coverage, register_collector,
};

struct Guest {
    config: String,
    pages: u32,
}

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("says-what-it-knows")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        Ok(Guest { config: request.config, pages: 0 })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.pages += 1;
        let days = |start: &str, end: &str| Period { start: start.into(), end: end.into() };
        match (self.pages, self.config.as_str()) {
            (1, "") => {
                coverage::complete(&days("2026-03-01", "2026-04-01"))?;
                Ok(test_plugins::batch(Rows::Charges(test_plugins::three_charges())))
            }
            (1, "often") => loop {
                coverage::complete(&days("2026-03-01", "2026-04-01"))?;
            },
            (1, start) => coverage::complete(&days(start, "2026-04-01")).map(|()| None),
            _ => {
                coverage::unknown(&days("2026-02-01", "2026-03-01"), "it was asleep").map(|()| None)
            }
        }
    }
}

register_collector!(Guest);
