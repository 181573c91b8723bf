//! The shared parts of the test plugins. Each plugin is one file in `examples/`. It misbehaves in
//! one way, or behaves well in one form.

use apportion_plugin_sdk::{Batch, Charge, Dimension, Field, Kind, Manifest, Rows, Tag};

pub fn collector(name: &str) -> Manifest {
    Manifest::new(Kind::Collector, name, "0.1.0", "a collector for tests")
        .stream("charges", "made up")
}

pub fn allocator(name: &str) -> Manifest {
    Manifest::new(Kind::Allocator, name, "0.1.0", "an allocator for tests")
}

pub fn batch(rows: Rows) -> Option<Batch> {
    Some(Batch::new(rows))
}

/// The same three charges that `fixtures/charges.arrow` and `collects_json` have.
pub fn three_charges() -> Vec<Charge> {
    let account = || vec![Dimension { field: Field::SubAccountId, value: "99".into() }];
    vec![
        charge(
            "2026-03-01T00:00:00Z",
            ["12.50", "12.50", "USD", "Compute", "Usage"],
            account(),
            &[("team", "payments")],
        ),
        charge(
            "2026-03-02T00:00:00Z",
            ["-3.25", "-3.25", "USD", "Compute", "Credit"],
            account(),
            &[],
        ),
        charge(
            "2026-03-03T00:00:00Z",
            ["0.01", "1E-8", "EUR", "Storage", "Usage"],
            Vec::new(),
            &[("team", "search"), ("env", "prod")],
        ),
    ]
}

pub fn charge(
    start: &str,
    [billed, effective, currency, service, category]: [&str; 5],
    dimensions: Vec<Dimension>,
    tags: &[(&str, &str)],
) -> Charge {
    Charge {
        charge_period_start: start.into(),
        billed_cost: billed.into(),
        effective_cost: effective.into(),
        billing_currency: currency.into(),
        service_name: service.into(),
        charge_category: category.into(),
        dimensions,
        tags: tags
            .iter()
            .map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() })
            .collect(),
        ..Charge::default()
    }
}
