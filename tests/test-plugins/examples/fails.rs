//! Reports the failure that its settings name.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Problem, Request, register_collector,
};

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("fails")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        match config {
            "problems" => Ok(vec![
                Problem::new("this is wrong").hint("do that"),
                Problem::new("and \x1b[31mthat\x1b[0m\ntoo").table("a.csv").column("B"),
            ]),
            _ => Ok(Vec::new()),
        }
    }

    fn open(request: Request) -> Result<Guest, Error> {
        let problem = Problem::new("it is wrong").hint("make it right").table("a.csv").column("B");
        Err(match request.config.as_str() {
            "config" => Error::Config(problem),
            "missing-column" => Error::MissingColumn(problem),
            "duplicate-column" => Error::DuplicateColumn(problem),
            "auth" => Error::Auth("the key has expired".into()),
            "rate-limited" => Error::RateLimited(Some(30)),
            "transient" => Error::Transient("the line is bad".into()),
            "unavailable" => Error::Unavailable("nobody is there".into()),
            _ => Error::Bug("two and two are five".into()),
        })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(None)
    }
}

register_collector!(Guest);
