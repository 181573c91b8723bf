//! Finds the deliveries of two months, of which one is left out, and hands over a charge with every
//! field. After its only page it finds a third. Its settings may be the beginning of a billing
//! period, `nameless`, `groundless`, or `often`: then it finds deliveries for ever.

use apportion_plugin_sdk::deliveries::{Delivery, found};
use apportion_plugin_sdk::{
    Batch, Charge, Collector, Error, Manifest, Request, Rows, register_collector,
};

struct Guest {
    config: String,
    pages: u32,
}

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("finds-deliveries")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        Ok(Guest { config: request.config, pages: 0 })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        self.pages += 1;
        match (self.pages, self.config.as_str()) {
            (1, "") => {
                found(&Delivery::new("march/run-2").billing_period("2026-03-01"))?;
                let older = Delivery::new("march/run-1").billing_period("2026-03-01");
                found(&older.left_out("a newer run has the same month"))?;
                Ok(test_plugins::batch(Rows::Charges(vec![charge()])))
            }
            (1, "often") => loop {
                found(&Delivery::new("again"))?;
            },
            (1, "nameless") => found(&Delivery::new(" ")).map(|()| None),
            (1, "groundless") => found(&Delivery::new("run").left_out("")).map(|()| None),
            (1, start) => found(&Delivery::new("run").billing_period(start)).map(|()| None),
            _ => found(&Delivery::new("loose file")).map(|()| None),
        }
    }
}

fn charge() -> Charge {
    let amounts = ["8.00", "6.00", "USD", "Compute", "Usage"];
    Charge {
        billing_period_start: Some("2026-03-01".into()),
        pricing_quantity: Some("4".into()),
        consumed_quantity: Some("14400".into()),
        list_unit_price: Some("2.50".into()),
        contracted_unit_price: Some("2.00".into()),
        list_cost: Some("10.00".into()),
        contracted_cost: Some("8.00".into()),
        ..test_plugins::charge("2026-03-31T00:00:00Z", amounts, Vec::new(), &[])
    }
}

register_collector!(Guest);
