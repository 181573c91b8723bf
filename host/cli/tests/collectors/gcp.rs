//! Google Cloud's billing export in BigQuery: bad answers, and days without rows.

use crate::failing::{Failing, fail};
use crate::scenes::asking::{SECRET, collect};
use crate::scenes::gcp::source;
use serde_json::Value;
use test_support::server::http::{Answer, HttpServer};

#[test]
fn bad_answers_are_gaps_and_not_zeros() {
    let job = r#""jobReference": {"jobId": "j"}"#;
    let schema = r#""schema": {"fields": [{"name": "cost", "type": "NUMERIC"}]}"#;
    let page = |rest: &str| Answer::json(format!(r#"{{{job}, "jobComplete": true, {rest}}}"#));
    let cases = [
        (
            Answer::status(
                401,
                r#"{"error": {"code": 401, "message": "Request had invalid authentication credentials."}}"#,
            ),
            "P201",
            "Request had invalid authentication credentials.; the service account needs the roles",
        ),
        (
            Answer::status(
                404,
                r#"{"error": {"code": 404, "message": "Not found: Table billing:export.x"}}"#,
            ),
            "P103",
            "Not found: Table billing:export.x",
        ),
        (Answer::status(503, ""), "P201", "answered 503"),
        (Answer::json("<html>"), "P201", "a page of HTML"),
        (
            Answer::json(r#"{"jobComplete": "yes"}"#),
            "P201",
            "#/jobComplete: it is text, not true or false",
        ),
        (Answer::json(r#"{"jobComplete": true, "ro"#), "P201", "ends in the middle"),
        (
            page(&format!(r#"{schema}, "rows": [], "totalRows": "7""#)),
            "P201",
            "it says 7, and 0 came",
        ),
        (page(&format!(r#"{schema}, "rows": [], "pageToken": "t""#)), "P201", "go in a circle"),
    ];
    let servers = cases.clone().map(|(answer, _, _)| {
        HttpServer::start(move |asked| {
            assert_eq!(asked.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
            answer.clone()
        })
    });
    let failing = |number: usize| {
        let (_, code, words) = &cases[number];
        Failing { source: source(&servers[number].url(), "partitioned = true"), code, words }
    };
    fail(&(0..cases.len()).map(failing).collect::<Vec<_>>());
}

#[test]
fn days_without_rows_are_no_fault() {
    let server = HttpServer::start(|_| {
        Answer::json(
            r#"{"jobReference": {"jobId": "j"}, "jobComplete": true, "schema": {"fields": []}, "totalRows": "0"}"#,
        )
    });
    let (_, source) = collect(&source(&server.url(), "partitioned = true"), 0);
    assert_eq!(
        (&source["charges"], &source["set_aside"], &source["failure"]),
        (&0.into(), &0.into(), &Value::Null)
    );
}
