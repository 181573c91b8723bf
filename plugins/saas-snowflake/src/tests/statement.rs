//! Whole collections, with Snowflake played by a closure.

use super::*;
use crate::Snowflake;
use apportion_plugin_sdk::http::{Method, Request as Asked, Response};
use apportion_plugin_sdk::{Collector, Error, Period, Rows as Form, fixture};

const CREDITS: &str = r#"{"url": "https://o-a.snowflakecomputing.com", "price_per_credit": "3.00",
    "prices": {"AI_SERVICES": "2.20"}, "account": "a", "role": "BILLING"}"#;

fn collect(config: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    fixture::run("snow", "2026-03-20T00:00:00Z");
    let period = Some(Period { start: "2026-03-01".into(), end: "2026-03-03".into() });
    let mut snowflake = Snowflake::open(apportion_plugin_sdk::Request {
        config: config.into(),
        period,
        state: None,
    })?;
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = snowflake.next()? {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page.iter().map(|charge| {
            format!(
                "{} {} {} {} {}",
                &charge.charge_period_start[..10],
                charge.service_name,
                charge.charge_category,
                charge.billing_currency,
                charge.billed_cost
            )
        }));
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    Ok((charges, rejected))
}

fn answer(status: u16, body: &str) -> Result<Response, Error> {
    Ok(Response { status, headers: Vec::new(), body: body.into() })
}

/// Snowflake is not done at first, then has two partitions.
fn partitions(asked: &Asked) -> Result<Response, Error> {
    let token_type = asked
        .headers
        .iter()
        .find(|header| header.name == "x-snowflake-authorization-token-type")
        .unwrap();
    assert_eq!(token_type.value, "PROGRAMMATIC_ACCESS_TOKEN");
    match (
        asked.method,
        asked.url.strip_prefix("https://o-a.snowflakecomputing.com/api/v2/statements").unwrap(),
    ) {
        (Method::Post, "") => {
            let body: serde_json::Value =
                serde_json::from_slice(asked.body.as_deref().unwrap()).unwrap();
            assert_eq!(body["role"], "BILLING");
            assert!(body["statement"].as_str().unwrap().contains(
                "WHERE USAGE_DATE >= '2026-03-01' AND USAGE_DATE < '2026-03-03' GROUP BY"
            ));
            answer(
                202,
                r#"{"code": "333334", "message": "Asynchronous execution in progress.",
                    "statementHandle": "01b-2"}"#,
            )
        }
        (Method::Get, "/01b-2") => answer(
            200,
            r#"{"resultSetMetaData": {"numRows": 4, "format": "jsonv2",
                "rowType": [{"name": "USAGE_DATE"}, {"name": "SERVICE_TYPE"},
                {"name": "CREDITS_BILLED"}],
                "partitionInfo": [{"rowCount": 3}, {"rowCount": 1}]}, "code": "090001",
                "statementHandle": "01b-2",
                "data": [["2026-03-01", "WAREHOUSE_METERING", "12.345678901"], ["2026-03-01",
                "AI_SERVICES", "0.000000001"], ["2026-03-02", "SERVERLESS_TASK", null]]}"#,
        ),
        (Method::Get, "/01b-2?partition=1") => answer(
            200,
            r#"{"data": [["2026-03-02", "WAREHOUSE_METERING", "-1"], ["2026-03-02", "short"]]}"#,
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn credits_cost_their_price_exactly() {
    fixture::http(partitions);
    let (charges, rejected) = collect(CREDITS).unwrap();
    // 12.345678901 × 3.00 and 0.000000001 × 2.20, by hand.
    let expect = [
        "2026-03-01 WAREHOUSE_METERING Usage USD 37.037036703",
        "2026-03-01 AI_SERVICES Usage USD 0.0000000022",
        "2026-03-02 WAREHOUSE_METERING Usage USD -3",
    ];
    assert_eq!(charges, expect);
    let faults = [
        "/api/v2/statements/01b-2#/data/2: it has nothing in the column CREDITS_BILLED",
        "/api/v2/statements/01b-2#/data/1: it has 2 cells under 3 columns",
    ];
    assert_eq!(rejected, faults);
}

#[test]
fn usage_in_currency_is_what_snowflake_says() {
    fixture::http(|_| {
        answer(
            200,
            r#"{"resultSetMetaData": {"rowType": [{"name": "USAGE_DATE"},
                {"name": "SERVICE_TYPE"}, {"name": "USAGE_TYPE"}, {"name": "IS_ADJUSTMENT"},
                {"name": "CURRENCY"}, {"name": "USAGE_IN_CURRENCY"}]},
                "data": [["2026-03-01", "COMPUTE", "compute", "false", "EUR", "5.10"],
                ["2026-03-01", "STORAGE", "storage", "true", "EUR", "-0.10"]]}"#,
        )
    });
    let (charges, rejected) =
        collect(r#"{"url": "https://o-a.snowflakecomputing.com", "report": "currency"}"#).unwrap();
    assert_eq!(
        charges,
        ["2026-03-01 COMPUTE Usage EUR 5.10", "2026-03-01 STORAGE Adjustment EUR -0.10"]
    );
    assert!(rejected.is_empty());
}

#[test]
fn a_statement_that_never_ends_and_a_handle_that_leads_elsewhere_fail_the_collection() {
    fixture::http(|_| answer(202, r#"{"code": "333334", "statementHandle": "x"}"#));
    assert_eq!(
        collect(CREDITS),
        Err(Error::Transient("/api/v2/statements/x is still not done".into()))
    );
    fixture::http(|_| answer(202, r#"{"code": "333334", "statementHandle": "../../admin"}"#));
    assert!(
        matches!(collect(CREDITS), Err(Error::Unavailable(message)) if message.contains("it is not the handle of a statement"))
    );
}

#[test]
fn a_price_is_text_and_has_to_be_there() {
    let message = |config: &str| match Options::parse(config) {
        Err(Error::Config(problem)) => problem.message,
        other => panic!("{other:?}"),
    };
    assert!(
        message(r#"{"url": "https://h"}"#).starts_with("the setting `price_per_credit` is missing")
    );
    assert_eq!(
        message(r#"{"url": "https://h", "price_per_credit": 3.0}"#),
        "price_per_credit must be a decimal written as text, not 3.0"
    );
    assert_eq!(
        message(r#"{"url": "https://h", "price_per_credit": "3", "prices": {"AI": 2}}"#),
        "prices.AI must be a decimal written as text, not 2"
    );
    assert_eq!(message(r#"{"price_per_credit": "3"}"#), "the setting `url` is missing");
}
