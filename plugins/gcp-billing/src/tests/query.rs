//! Whole collections, with BigQuery played by a closure.

use crate::GcpBilling;
use apportion_plugin_sdk::http::{Method, Request as Asked, Response};
use apportion_plugin_sdk::{Collector, Error, Period, Rows as Form, fixture};

const SCHEMA: &str = r#"{"fields": [{"name": "usage_start_time", "type": "STRING",
    "mode": "NULLABLE"}, {"name": "service", "type": "RECORD", "fields": [{"name": "id",
    "type": "STRING"}, {"name": "description", "type": "STRING"}]},
    {"name": "labels", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "key",
    "type": "STRING"}, {"name": "value", "type": "STRING"}]},
    {"name": "cost", "type": "NUMERIC"}, {"name": "currency", "type": "STRING"},
    {"name": "credits", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "name",
    "type": "STRING"}, {"name": "amount", "type": "NUMERIC"}]}]}"#;

fn row(day: &str, team: &str, cost: &str, credits: &[&str]) -> String {
    let credits: Vec<String> = credits
        .iter()
        .map(|amount| format!(r#"{{"v": {{"f": [{{"v": "CUD"}}, {{"v": "{amount}"}}]}}}}"#))
        .collect();
    format!(
        r#"{{"f": [{{"v": "{day}"}}, {{"v": {{"f": [{{"v": "1"}}, {{"v": "Compute"}}]}}}},
            {{"v": [{{"v": {{"f": [{{"v": "team"}}, {{"v": "{team}"}}]}}}}]}},
            {{"v": "{cost}"}}, {{"v": "USD"}}, {{"v": [{}]}}]}}"#,
        credits.join(", ")
    )
}

fn collect(config: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    fixture::run("gcp", "2026-11-05T00:00:00Z");
    let period = Some(Period { start: "2026-10-01".into(), end: "2026-11-01".into() });
    let mut gcp = GcpBilling::open(apportion_plugin_sdk::Request {
        config: config.into(),
        period,
        state: None,
    })?;
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = gcp.next()? {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page.iter().map(|charge| {
            let tags: Vec<String> =
                charge.tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
            format!(
                "{} {} {} {} {}",
                &charge.charge_period_start[..10],
                charge.service_name,
                charge.charge_category,
                charge.billed_cost,
                tags.join(" ")
            )
        }));
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    Ok((charges, rejected))
}

const CONFIG: &str = r#"{"mode": "query", "project": "billing", "dataset": "export",
    "table": "gcp_v1", "page_rows": 2, "location": "EU""#;

fn answer(body: String) -> Result<Response, Error> {
    Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
}

/// BigQuery is not done at first, then has two pages.
fn pages(asked: &Asked, total: u32) -> Result<Response, Error> {
    let job = r#""jobReference": {"projectId": "billing", "jobId": "job_1", "location": "EU"}"#;
    match (
        asked.method,
        asked
            .url
            .strip_prefix("https://bigquery.googleapis.com/bigquery/v2/projects/billing/queries")
            .unwrap(),
    ) {
        (Method::Post, "") => {
            let body: serde_json::Value =
                serde_json::from_slice(asked.body.as_deref().unwrap()).unwrap();
            assert!(body["requestId"].as_str().unwrap().len() <= 36);
            let wanted = "FROM `billing.export.gcp_v1` WHERE usage_start_time >= \
                TIMESTAMP('2026-10-01') AND usage_start_time < TIMESTAMP('2026-11-01') AND \
                (_PARTITIONTIME >= TIMESTAMP('2026-10-01')";
            assert!(body["query"].as_str().unwrap().contains(wanted));
            answer(format!(r#"{{{job}, "jobComplete": false}}"#))
        }
        (Method::Get, "/job_1?maxResults=2&timeoutMs=30000&location=EU") => {
            let rows = [
                row("2026-10-01", "red", "1.10", &["-0.30", "-1e-7"]),
                row("2026-10-02", "", "2.20", &[]),
            ]
            .join(",");
            answer(format!(
                r#"{{{job}, "jobComplete": true, "schema": {SCHEMA}, "rows": [{rows}],
                    "totalRows": "{total}", "pageToken": "t"}}"#
            ))
        }
        (Method::Get, "/job_1?maxResults=2&timeoutMs=30000&location=EU&pageToken=t") => {
            let rows = [row("2026-10-03", "red", "much", &[])].join(",");
            answer(format!(
                r#"{{{job}, "jobComplete": true, "rows": [{rows}], "totalRows": "{total}"}}"#
            ))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn credits_are_taken_off_or_charges_of_their_own() {
    fixture::http(|asked| pages(asked, 3));
    let (charges, rejected) = collect(&format!("{CONFIG}}}")).unwrap();
    assert_eq!(
        charges,
        ["2026-10-01 Compute Usage 0.7999999 team=red", "2026-10-02 Compute Usage 2.2 "]
    );
    assert_eq!(
        rejected,
        ["/bigquery/v2/projects/billing/queries/job_1#/rows/0/cost: 'much' is not a number"]
    );
    let (charges, _) = collect(&format!(r#"{CONFIG}, "credits": "charges"}}"#)).unwrap();
    let expect = [
        "2026-10-01 Compute Usage 1.10 team=red",
        "2026-10-01 Compute Credit -0.30 team=red",
        "2026-10-01 Compute Credit -1e-7 team=red",
        "2026-10-02 Compute Usage 2.20 ",
    ];
    assert_eq!(charges, expect);
    assert_eq!(
        collect(&format!(r#"{CONFIG}, "credits": "gross"}}"#)).unwrap().0[0],
        "2026-10-01 Compute Usage 1.10 team=red"
    );
}

#[test]
fn fewer_rows_than_there_are_fail_the_collection() {
    fixture::http(|asked| pages(asked, 4));
    assert!(
        matches!(collect(&format!("{CONFIG}}}")), Err(Error::Unavailable(message)) if message.contains("/totalRows: it says 4, and 3 came"))
    );
}

#[test]
fn lines_of_json_are_rows_and_broken_ones_are_set_aside() {
    let lines = [
        concat!(
            r#"{"usage_start_time": "2026-10-01 07:00:00 UTC", "cost": 0.1, "currency": "USD", "#,
            r#""service": {"description": "Compute"}, "#,
            r#""labels": [{"key": "team", "value": "red"}], "#,
            r#""credits": [{"name": "CUD", "amount": "-0.3"}]}"#,
        ),
        "",
        r#"{"usage_start_time": "2026-10-02", "cost": "2", "currency": "EUR", "cost_type": "tax"}"#,
        r#"{"usage_start_time": "2026-10-02", "cos"#,
    ]
    .join("\n");
    fixture::files(vec![("a.json".into(), lines.into())]);
    let (charges, rejected) = collect(r#"{"mode": "json"}"#).unwrap();
    assert_eq!(
        charges,
        ["2026-10-01 Compute Usage -0.2 team=red", "2026-10-02 Google Cloud Tax 2 "]
    );
    assert_eq!(rejected, ["a.json#/2: it is text, not an object"]);
}

#[test]
fn names_that_would_change_the_query_are_refused() {
    let message = |config: &str| match crate::Table::parse(config) {
        Err(Error::Config(problem)) => problem.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        message(r#"{"project": "p", "dataset": "d` WHERE", "table": "t"}"#),
        "dataset cannot be \"d` WHERE\""
    );
    assert_eq!(
        message(r#"{"project": "p", "dataset": "d", "table": "t.u"}"#),
        "table cannot be \"t.u\""
    );
    assert_eq!(message(r#"{"project": "p", "dataset": "d"}"#), "the setting `table` is missing");
}
