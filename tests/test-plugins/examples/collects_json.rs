//! Behaves well, in JSON.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, Rows, register_collector};

const CHARGES: &str = r#"[
    {"charge_period_start": "2026-03-01T00:00:00Z", "billed_cost": "12.50", "effective_cost": "12.50", "billing_currency": "USD",
     "service_name": "Compute", "charge_category": "Usage", "sub_account_id": "99", "tags": {"team": "payments"}},
    {"tags": {}, "charge_period_start": "2026-03-02T00:00:00Z", "billed_cost": "-3.25", "effective_cost": "-3.25", "billing_currency": "USD",
     "service_name": "Compute", "charge_category": "Credit", "sub_account_id": "99"},
    {"charge_period_start": "2026-03-03T00:00:00Z", "billed_cost": "0.01", "effective_cost": "1E-8", "billing_currency": "EUR",
     "service_name": "Stor\u0061ge", "charge_category": "Usage", "sub_account_id": null, "tags": {"team": "search", "env": "prod"}}
]"#;

struct Guest(bool);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("collects-json")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest(false))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let done = std::mem::replace(&mut self.0, true);
        Ok(if done { None } else { test_plugins::batch(Rows::Json(CHARGES.into())) })
    }
}

register_collector!(Guest);
