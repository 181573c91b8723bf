//! Returns more than anybody wants: rows or bytes, as its settings say.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Rejected, Request, Rows, log, register_collector,
};

struct Guest(String);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("huge-output")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        log::info("about to return very much");
        Ok(Guest(request.config))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let charge = || test_plugins::three_charges().swap_remove(0);
        let rows = match self.0.as_str() {
            "rows" => Rows::Charges((0..2_000).map(|_| charge()).collect()),
            "text" => Rows::Charges(vec![test_plugins::charge(
                &"x".repeat(8 << 20),
                ["1", "1", "USD", "a", "Usage"],
                Vec::new(),
                &[],
            )]),
            "json" => Rows::Json(vec![b' '; 8 << 20]),
            _ => {
                let rejected = Rejected {
                    location: "a:1".into(),
                    reason: "no".into(),
                    excerpt: String::new(),
                };
                let rejected = vec![rejected; 2_000];
                return Ok(Some(Batch { rejected, ..Batch::new(Rows::Charges(Vec::new())) }));
            }
        };
        Ok(test_plugins::batch(rows))
    }
}

register_collector!(Guest);
