//! The cost API of Azure: one question for each kind of cost, and bad answers.

use crate::failing::{Failing, fail};
use crate::scenes::asking::collect;
use crate::scenes::azure::source;
use test_support::server::http::{Answer, HttpServer};

/// The collector asks for both costs. The billed cost is in one answer, and the effective cost in
/// the other.
#[test]
fn billed_and_effective_cost_come_from_two_questions() {
    let server = HttpServer::start(|asked| {
        let is_actual = asked.body.contains(r#""type":"ActualCost""#);
        let rows = match (asked.body.contains(r#""from":"2026-10-01T"#), is_actual) {
            (true, true) => {
                r#"[120.000000000001, "Reservations", 20261001, "Purchase", "EUR"], [0, "Virtual Machines", 20261001, "Usage", "EUR"]"#
            }
            (true, false) => r#"[4.25, "Virtual Machines", 20261001, "Usage", "EUR"]"#,
            (false, _) => "",
        };
        let columns = ["Cost", "ServiceName", "UsageDate", "ChargeType", "Currency"]
            .map(|name| format!(r#"{{"name": "{name}", "type": "String"}}"#))
            .join(",");
        Answer::json(format!(
            r#"{{"properties": {{"nextLink": null, "columns": [{columns}], "rows": [{rows}]}}}}"#
        ))
    });
    let (_, source) = collect(
        &source(&server, "mode = 'query', group_by = ['ServiceName', 'ChargeType']", "2026-10-01"),
        0,
    );
    let total = &source["totals"][0];
    assert_eq!(
        (&total["billed_cost"], &total["effective_cost"], &source["charges"]),
        (&"120.000000000001".into(), &"4.25".into(), &3.into())
    );
}

#[test]
fn bad_answers_are_gaps_and_not_zeros() {
    let circle =
        r#"{"properties": {"nextLink": "NEXT", "columns": [{"name": "Cost"}], "rows": []}}"#;
    let cases = [
        (
            Answer::status(
                403,
                r#"{"error": {"code": "RBACAccessDenied", "message": "The client does not have authorization."}}"#,
            ),
            "P201",
            "RBACAccessDenied: The client does not have authorization.; the application needs the role `Cost Management Reader`",
        ),
        (
            Answer::status(
                400,
                r#"{"error": {"code": "BadRequest", "message": "Invalid query definition"}}"#,
            ),
            "P103",
            "BadRequest: Invalid query definition",
        ),
        (Answer::status(500, ""), "P201", "answered 500"),
        (
            Answer::status(429, "")
                .header("x-ms-ratelimit-microsoft.costmanagement-entity-retry-after", "7200"),
            "P201",
            "come back in 7200 s",
        ),
        (Answer::json("<html>"), "P201", "a page of HTML"),
        (
            Answer::json(r#"{"properties": {"columns": 1, "rows": []}}"#),
            "P201",
            "#/properties/columns: it is a number, not a list",
        ),
        (Answer::json(r#"{"properties": {"col"#), "P201", "ends in the middle"),
        (Answer::json(circle), "P201", "go in a circle"),
    ];
    let servers = cases.clone().map(|(answer, _, _)| {
        HttpServer::start(move |asked| {
            let own = format!("http://{}{}", asked.header("host").expect("a host"), asked.target);
            Answer {
                body: String::from_utf8_lossy(&answer.body).replace("NEXT", &own).into_bytes(),
                ..answer.clone()
            }
        })
    });
    let failing = |number: usize| {
        let (_, code, words) = &cases[number];
        Failing { source: source(&servers[number], "mode = 'query'", "2026-11-01"), code, words }
    };
    fail(&(0..cases.len()).map(failing).collect::<Vec<_>>());
}
