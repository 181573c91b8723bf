//! Requests that are refused, each with a status, a code and a hint.

use super::{TestServer, refused};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

/// A path, then its status, code and detail, then the hint.
const ASKED_WRONGLY: &str = "
/api/v1/costs/team/paymnets
404 N201 no team 'paymnets' ever bore a cost
did you mean `payments`?

/api/v1/costs/team/suspense
404 N201 no team 'suspense' ever bore a cost
/api/v1/costs?group_by=team lists the teams

/api/v1/costs/team/provider%2Faws
404 N201 no team 'provider/aws' ever bore a cost
/api/v1/costs?group_by=team lists the teams

/api/v1/costs/team/team%2Fpayments
404 N201 no team 'team/payments' ever bore a cost
/api/v1/costs?group_by=team lists the teams

/api/v1/costs?goup_by=team
400 N202 there is no parameter 'goup_by'
did you mean `group_by`?

/api/v1/costs?colour=red
400 N202 there is no parameter 'colour'
it takes group_by, filter, axis, start_date, end_date, granularity, metric, sort, top, limit, \
page_token

/api/v1/rules?a=b
400 N202 there is no parameter 'a'
this path takes no parameters

/api/v1/costs?limit=1&limit=2
400 N202 the parameter 'limit' is given twice
give it once

/api/v1/costs?limit=0
400 N202 limit: '0' is not a number from 1 to 1000
limit=100

/api/v1/costs?limit=1001
400 N202 limit: '1001' is not a number from 1 to 1000
limit=100

/api/v1/costs?group_by=taem
400 N202 group_by: costs have no 'taem' to group or filter by
did you mean `team`?

/api/v1/costs?filter=payments
400 N202 filter: 'payments' is not a name and a value
write `team=payments`, or `team!=payments` for all others

/api/v1/costs?filter=team:!payments
400 N202 no cost has the team '!payments'
did you mean `team!=payments`?

/api/v1/costs?filter=team!=paymants
400 N202 no cost has the team 'paymants'
did you mean `payments`?

/api/v1/costs?filter=team:payments&filter=team!=payments
400 N202 nothing can have the team 'payments' and not have it
leave one of the two out

/api/v1/costs?filter=currency:usd
400 N202 no cost has the currency 'usd'
did you mean `USD`?

/api/v1/costs?granularity=hourly
400 N202 granularity: there is no 'hourly'
use daily, weekly, monthly, quarterly, yearly, total

/api/v1/costs?granularity=quartely
400 N202 granularity: there is no 'quartely'
did you mean `quarterly`?

/api/v1/costs?sort=amont
400 N202 sort: there is no 'amont'
did you mean `amount`?

/api/v1/costs?top=0
400 N202 top: '0' is not a number from 1 on
top=10

/api/v1/explain?what=payments&depth=deep
400 N202 depth: there is no 'deep'
use summary, rules, resources or all

/api/v1/costs?metric=lst_cost
400 N202 metric: there is no 'lst_cost'
did you mean `list_cost`?

/api/v1/costs?metric=margin
400 N202 metric: there is no 'margin'
it is one of effective_cost, billed_cost, list_cost, contracted_cost, pricing_quantity, \
consumed_quantity

/api/v1/costs/team/payments?start_date=2026-02-30
400 N202 start_date: '2026-02-30' is not a date such as 2026-03-31
start_date=2026-03-31

/api/v1/costs?end_date=tomorrow
400 N202 end_date: 'tomorrow' is not a date such as 2026-03-31
end_date=2026-03-31

/api/v1/costs?start_date=2026-03-01&end_date=2026-02-01
400 N202 end_date: the period ends on 2026-02-01, before start_date 2026-03-01
both dates are included: give them in their order

/api/v1/explain?what=entry:x
404 N201 there is no entry 'x'
entries are numbered from 1: /api/v1/explain?what=entry:1

/api/v1/explain?what=zzzzzzzzzzzz
404 N201 nothing in the ledger is called 'zzzzzzzzzzzz'
name a team, a resource id, an account such as `unallocated`, or `entry:1`; \
/api/v1/costs?group_by=team lists the teams

/api/v1/explain?what=payments&service_name=zzzzzzzzzzzz
404 N201 nothing was charged for the service 'zzzzzzzzzzzz'
/api/v1/costs?group_by=service_name lists the services

/api/v1/cost
404 S201 there is nothing at /api/v1/cost
did you mean /api/v1/costs?

/wp-login.php
404 S201 there is nothing at /wp-login.php
all paths are in /api/v1/openapi.json

/api/v1/costs/team/%ff
400 N202 the request cannot be understood: 400 Bad Request
all paths are in /api/v1/openapi.json
";

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_name() {
    let served = TestServer::new();
    for case in ASKED_WRONGLY.trim().split("\n\n") {
        let lines: Vec<&str> = case.lines().collect();
        let [path, refusal, hint] = lines[..] else { panic!("{case}") };
        let words: Vec<&str> = refusal.splitn(3, ' ').collect();
        let [status, code, detail] = words[..] else { panic!("{case}") };
        let expect = refused(status.parse().expect("a status"), code, detail, hint);
        assert_eq!(served.get(path).await.refusal(), expect, "{path}");
    }
    assert!(served.log.text().is_empty(), "what clients do wrong is not the operator's concern");
}

#[tokio::test]
async fn a_problem_has_all_its_members() {
    let problem = TestServer::new().get("/api/v1/costs/team/nobody").await.problem();
    let expect = json!({
        "type": "urn:apportion:problem:N201", "title": "Nothing in the ledger has that name.",
        "status": 404,
        "detail": "no team 'nobody' ever bore a cost", "code": "N201",
        "hint": "/api/v1/costs?group_by=team lists the teams",
    });
    assert_eq!(problem, expect);
}

#[tokio::test]
async fn other_methods_are_refused_and_head_is_answered() {
    let served = TestServer::new();
    let ask = |method: &str| {
        Request::builder()
            .method(method)
            .uri("/api/v1/costs")
            .header("host", "localhost")
            .body(Body::empty())
            .expect("a request")
    };
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = served.ask(ask(method)).await;
        assert_eq!(
            answer.refusal(),
            refused(405, "S202", &format!("/api/v1/costs does not take {method}"), "use GET")
        );
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
    let head = served.ask(ask("HEAD")).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn requests_that_name_another_host_are_refused() {
    let served = TestServer::new();
    let with_host = |host: &'static str| {
        Request::get("/api/v1/costs").header("host", host).body(Body::empty()).expect("a request")
    };
    for host in ["127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost"] {
        assert_eq!(served.ask(with_host(host)).await.status, StatusCode::OK, "{host}");
    }
    let rebound = served.ask(with_host("costs.attacker.example:8080")).await;
    let expect = refused(
        421,
        "S203",
        "'costs.attacker.example:8080' is not a name of this machine",
        "use localhost, 127.0.0.1 or [::1]",
    );
    assert_eq!(rebound.refusal(), expect);
    let nameless =
        served.ask(Request::get("/api/v1/costs").body(Body::empty()).expect("a request")).await;
    assert_eq!(nameless.status, StatusCode::MISDIRECTED_REQUEST);
    let absolute = Request::get("http://costs.attacker.example/api/v1/costs")
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request");
    assert_eq!(served.ask(absolute).await.status, StatusCode::MISDIRECTED_REQUEST);
}
