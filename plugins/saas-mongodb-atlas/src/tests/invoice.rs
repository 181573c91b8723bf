//! Whole collections, with Atlas played by a closure.

use super::*;
use crate::Atlas;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Collector, Period, Rows as Form, fixture};

const ROOT: &str = "https://cloud.mongodb.com/api/atlas/v2/orgs/66d7254246a21a41036ff2e9/invoices";

fn collect(config: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    fixture::run("atlas", "2024-10-20T00:00:00Z");
    let config = config.replacen('{', r#"{"organization_id": "66d7254246a21a41036ff2e9""#, 1);
    let period = Some(Period { start: "2024-09-01".into(), end: "2024-11-01".into() });
    let mut atlas = Atlas::open(apportion_plugin_sdk::Request { config, period, state: None })?;
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = atlas.next()? {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page.iter().map(|charge| {
            format!(
                "{} {} {} {}",
                &charge.charge_period_start[..10],
                charge.service_name,
                charge.charge_category,
                charge.billed_cost
            )
        }));
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    Ok((charges, rejected))
}

fn invoice(id: &str, day: &str, cents: &str) -> String {
    format!(
        r#"{{"id": "{id}", "orgId": "o", "salesTaxCents": 7, "startDate": "2024-09-01T00:00:00Z",
            "lineItems": [
            {{"sku": "ATLAS_AWS_INSTANCE_M10", "startDate": "{day}T00:00:00Z",
            "quantity": 6.035e-7, "unitPriceDollars": 0.02, "totalPriceCents": {cents},
              "groupId": "g", "groupName": "Project 0", "clusterName": "c", "unit": "GB",
              "tags": {{"team": ["data"]}}}},
            {{"sku": "X", "startDate": "{day}", "quantity": "many", "unitPriceDollars": 1}}]}}"#
    )
}

/// Two invoices are wanted. One of them is pending, and is in the list too. A third one is too old.
fn answer(url: &str) -> Result<Response, Error> {
    let body = match url.strip_prefix(ROOT).unwrap() {
        "/pending" => invoice("b", "2024-10-10", "1234"),
        "?pageNum=1&itemsPerPage=100&includeCount=true" => r#"{"totalCount": 3, "results": [
            {"id": "b", "statusName": "PENDING", "startDate": "2024-10-01T00:00:00Z",
            "endDate": "2024-11-01T00:00:00Z"},
            {"id": "a", "statusName": "PAID", "startDate": "2024-09-01T00:00:00Z",
            "endDate": "2024-10-01T00:00:00Z"},
            {"id": "0", "statusName": "PAID", "startDate": "2024-08-01T00:00:00Z",
            "endDate": "2024-09-01T00:00:00Z"}]}"#
            .into(),
        "/a" => invoice("a", "2024-09-30", "-5"),
        other => panic!("{other}"),
    };
    Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
}

#[test]
fn each_wanted_invoice_is_read_once() {
    fixture::http(|asked| answer(&asked.url));
    let (charges, rejected) = collect("{}").unwrap();
    let expect = [
        "2024-10-10 MongoDB Atlas Usage 12.34",
        "2024-09-01 Tax Tax 0.07",
        "2024-09-30 MongoDB Atlas Credit -0.05",
        "2024-09-01 Tax Tax 0.07",
    ];
    assert_eq!(charges, expect);
    let place = |id: &str| {
        format!(
            "/api/atlas/v2/orgs/66d7254246a21a41036ff2e9/invoices/{id}#/lineItems/1: it has no \
             `totalPriceCents`"
        )
    };
    assert_eq!(rejected, [place("pending"), place("a")]);
}

#[test]
fn what_is_below_a_cent_can_be_computed() {
    fixture::http(|asked| answer(&asked.url));
    let (charges, rejected) = collect(r#"{, "cost": "computed"}"#).unwrap();
    assert_eq!(charges[0], "2024-10-10 MongoDB Atlas Usage 0.00000001207");
    assert!(rejected[0].ends_with("#/lineItems/1/quantity: 'many' is not a number"));
}

#[test]
fn a_list_that_gives_the_same_page_again_fails_the_collection() {
    fixture::http(|asked| {
        let entry = |number: usize| {
            format!(
                r#"{{"id": "i{number}", "statusName": "PAID", "startDate": "2023-01-01T00:00:00Z",
                    "endDate": "2023-02-01T00:00:00Z"}}"#
            )
        };
        let body = if asked.url.ends_with("/pending") {
            invoice("b", "2024-10-10", "1")
        } else {
            format!(r#"{{"results": [{}]}}"#, (0..PAGE).map(entry).collect::<Vec<_>>().join(","))
        };
        Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
    });
    match collect("{}") {
        Err(Error::Unavailable(message)) => {
            assert!(message.contains("gave the same page twice"), "{message}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_id_that_is_none_is_refused() {
    let error = Options::parse(r#"{"organization_id": "acme"}"#).err();
    assert!(
        matches!(error, Some(Error::Config(problem)) if problem.message.starts_with("organization_id is not the id of an organization"))
    );
}
