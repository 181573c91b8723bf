//! Whole collections, with Datadog played by a closure.

use super::*;
use crate::Datadog;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Collector, Period, Rows as Form, fixture};

/// The shape of the documentation, with figures of its own.
const MONTH: &str = r#"{"data": [{"type": "cost_by_org", "id": "1", "attributes": {
    "org_name": "my-org", "public_id": "abc", "region": "us", "total_cost": 0.0,
    "date": "2026-04-01T00:00:00Z",
    "charges": [
        {"product_name": "infra_host", "charge_type": "committed", "cost": 0},
        {"product_name": "infra_host", "charge_type": "on_demand", "cost": 1.10000000000000000001},
        {"product_name": "infra_host", "charge_type": "total", "cost": 1.1},
        {"product_name": "logs", "charge_type": "total", "cost": 2.5}
    ]}}]}"#;

fn request(config: &str) -> apportion_plugin_sdk::Request {
    let period = Some(Period { start: "2026-04-01".into(), end: "2026-06-01".into() });
    apportion_plugin_sdk::Request { config: config.into(), period, state: None }
}

fn collect(body: &'static str) -> (Vec<Charge>, Vec<apportion_plugin_sdk::Rejected>) {
    fixture::run("dd", "2026-06-10T00:00:00Z");
    fixture::http(move |asked| {
        let url = "https://api.datadoghq.eu/api/v2/usage/historical_cost?view=sub-org&start_month=2026-04&end_month=2026-05";
        assert_eq!(asked.url, url);
        assert_eq!(
            asked.secrets.iter().map(|secret| secret.slot.as_str()).collect::<Vec<_>>(),
            SLOTS
        );
        Ok(Response { status: 200, headers: Vec::new(), body: body.into() })
    });
    let mut datadog = Datadog::open(request(r#"{"site": "datadoghq.eu"}"#))
        .map_err(|error| format!("{error:?}"))
        .unwrap();
    let batch = datadog.next().unwrap().unwrap();
    assert_eq!(datadog.next().map(|batch| batch.is_none()), Ok(true));
    let Form::Charges(charges) = batch.rows else { panic!() };
    (charges, batch.rejected)
}

#[test]
fn parts_are_charges_and_totals_only_where_there_are_no_parts() {
    let (charges, rejected) = collect(MONTH);
    let shown: Vec<String> = charges
        .iter()
        .map(|charge| {
            format!(
                "{} {} {} {}",
                charge.charge_period_start,
                charge.service_name,
                charge.charge_category,
                charge.billed_cost
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "2026-04-01T00:00:00Z infra_host Purchase 0",
            "2026-04-01T00:00:00Z infra_host Usage 1.10000000000000000001",
            "2026-04-01T00:00:00Z logs Usage 2.5",
        ]
    );
    assert!(rejected.is_empty());
}

#[test]
fn what_is_not_understood_is_set_aside_and_nothing_else() {
    let (charges, rejected) = collect(
        r#"{"data": [{"attributes": {"date": "2026-04-01", "charges": [
            {"product_name": "a", "charge_type": "on_demand", "cost": 1}, {"product_name": "b",
            "charge_type": "on_demand", "cost": {}}]}},
            {"attributes": {"date": "2026-04-01"}}]}"#,
    );
    assert_eq!(
        charges.iter().map(|charge| charge.service_name.as_str()).collect::<Vec<_>>(),
        ["a"]
    );
    let faults: Vec<String> =
        rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)).collect();
    let place = "/api/v2/usage/historical_cost#/data";
    let expect = [
        format!("{place}/0/attributes/charges/1/cost: it is an object, not a number"),
        format!("{place}/1/attributes: it has no `charges`"),
    ];
    assert_eq!(faults, expect);
}

#[test]
fn months_without_data_are_an_empty_page() {
    assert_eq!(collect(r#"{"data": []}"#), (Vec::new(), Vec::new()));
}

#[test]
fn a_check_names_the_secrets_that_are_missing() {
    fixture::run("dd", "2026-06-10T00:00:00Z");
    fixture::secrets(&["api_key"]);
    let problems = Datadog::check("{}").unwrap();
    let hints: Vec<&str> = problems.iter().filter_map(|problem| problem.hint.as_deref()).collect();
    assert_eq!(
        hints,
        ["[sources.dd.secrets.application_key]\nenv = \"APPLICATION_KEY\"\nfor = \
             [\"https://api.datadoghq.com/\"]"]
    );
}
