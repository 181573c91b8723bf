//! The API in process, against a ledger made by a run; and once over a real socket.

mod document;
mod estate;
mod plans;
mod schema;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use domain::diagnostic::Diagnostic;
use domain::port::{RuleFacts, Rules};
use estate::FixedRules;
use installation::Installation;
use installation::clock::Clock;
use installation::planner::LatestPlan;
use installation::rules::RulesInForce;
use installation::settings::{Need, Settings, SettingsPlace};
use serde_json::{Value, json};
use server::{ServerOptions, State, router};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;

/// A server over a ledger in a folder of its own.
struct Served {
    router: Router,
    folder: tempfile::TempDir,
    log: Log,
    plan: LatestPlan,
    _logging: DefaultGuard,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
    }

    /// The problem without its request id, which must be that of the header.
    fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let mut problem = self.json();
        schema::check("Problem", &problem);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(problem["status"], self.status.as_u16());
        problem.as_object_mut().expect("an object").remove("request_id");
        problem
    }

    fn refusal(&self) -> (u16, String, String, String) {
        let problem = self.problem();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("code"), text("detail"), text("hint"))
    }
}

fn refused(status: u16, code: &str, detail: &str, hint: &str) -> (u16, String, String, String) {
    (status, code.into(), detail.into(), hint.into())
}

/// Rules that are fixed, after a save that was not taken.
struct FixedInForce;

impl RulesInForce for FixedInForce {
    fn current(&self) -> Arc<dyn Rules> {
        Arc::new(FixedRules::new())
    }

    fn generation_count(&self) -> u64 {
        3
    }

    fn findings(&self) -> Vec<Diagnostic> {
        vec![
            Diagnostic::new(rule_engine::code::RULE_SYNTAX, "expecting ';'")
                .at("rules/direct/compute.rhai", 4, 7)
                .hint("end the line with ';'"),
        ]
    }

    fn stored(
        &self,
        _: &[RuleFacts],
        _: &[(String, String)],
    ) -> Result<Box<dyn Rules>, Diagnostic> {
        Ok(Box::new(FixedRules::new()))
    }
}

const SETTINGS: &str = "[sources.aws]
plugin = \"focus-file\"
paths = [\"bills\"]
schedule = \"15 */6 * * *\"
";

/// Half a day after the run.
const NOW_MS: i64 = 1_770_271_628_009 + 43_200_000;

/// An installation in a folder, with fixed rules and a clock that stands.
fn options(folder: &Path) -> ServerOptions {
    let config = folder.join("apportion.toml");
    std::fs::write(&config, SETTINGS).expect("the settings");
    let place = SettingsPlace { config: Some(config), ledger: Some(folder.join("apportion.db")) };
    let settings = Settings::load(&place, Need::File).expect("good settings");
    let clock = Clock::Fixed(NOW_MS);
    ServerOptions {
        installation: Installation::with_parts(settings, Arc::new(FixedInForce), clock),
        listen: ([127, 0, 0, 1], 0).into(),
        token: None,
    }
}

/// Takes what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("the log")).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Served {
    fn without_ledger() -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let options = options(folder.path());
        let plan = options.installation.latest_plan().clone();
        Served { router: router(State::new(options)), folder, log, plan, _logging: logging }
    }

    fn new() -> Served {
        let served = Served::without_ledger();
        served.run(estate::charges());
        served
    }

    fn run(&self, charges: Vec<domain::charge::RawCharge>) {
        estate::run_once(&self.folder.path().join("apportion.db"), charges);
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        Answer { status: parts.status, headers: parts.headers, body: body.to_vec() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(
            Request::get(path)
                .header("host", "localhost:8080")
                .body(Body::empty())
                .expect("a request"),
        )
        .await
    }

    async fn good(&self, path: &str, schema: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        let body = answer.json();
        schema::check(schema, &body);
        body
    }
}

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

fn eur(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

#[tokio::test]
async fn a_source_says_how_fresh_it_is_and_its_plugin_what_it_cost() {
    let served = Served::new();
    let body = served.good("/api/v1/sources", "Sources").await;
    let source = &body["sources"][0];
    // It was collected on 2026-02-05 at 06:07:08; the next time of "15 */6" is eight minutes later, and has passed.
    assert_eq!(source["last_success"], json!({ "run": 1, "at": "2026-02-05T06:07:08.009Z" }));
    assert_eq!(
        (&source["due"], &source["schedule"]),
        (&json!("2026-02-05T06:15:00.000Z"), &json!("15 */6 * * *"))
    );
    assert_eq!(
        (&source["failure"], &source["attempts"], &source["gap_days"]),
        (&Value::Null, &json!(1), &json!(0))
    );
    assert_eq!(
        source["newest_day"],
        source["coverage"].as_array().and_then(|spans| spans.last()).expect("a span")["end_date"]
    );
    assert_eq!(body["plugin_costs"][0]["source"], "aws");
    assert_eq!(
        (&body["plugin_costs"][0]["runs"], &body["plugin_costs"][0]["cost"]["starts"]),
        (&json!(1), &json!(1))
    );
    let metrics = served.get("/metrics").await.text();
    for line in [
        "apportion_plugin_starts_total{plugin=\"fixed\",source=\"aws\"} 1",
        "apportion_plugin_denials_total{plugin=\"fixed\",source=\"aws\"} 0",
        "apportion_source_last_success_timestamp_seconds{source=\"aws\"} 1770271628",
        "apportion_source_failed{source=\"aws\"} 0",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_team_sees_its_costs_by_span_service_environment_and_application() {
    let served = Served::new();
    let body = served.good("/api/v1/costs/team/payments", "TeamCosts").await;
    // USD: 10 in January; 2.5 and a third of the network's 3 in February.
    let expect = json!({
        "team": "payments",
        "period": { "start_date": null, "end_date": null },
        "granularity": "monthly",
        "total": [eur("1.000000000"), usd("13.500000000")],
        "costs": [
            { "period_start": "2026-01-01", "cost": usd("10.000000000") },
            { "period_start": "2026-02-01", "cost": eur("1.000000000") },
            { "period_start": "2026-02-01", "cost": usd("3.500000000") },
        ],
        "breakdown": {
            "by_service": [
                { "key": "Compute", "cost": eur("1.000000000") },
                { "key": "Compute", "cost": usd("12.500000000") },
                { "key": "Network", "cost": usd("1.000000000") },
            ],
            "by_environment": [
                { "key": "", "cost": eur("1.000000000") },
                { "key": "prod", "cost": usd("10.000000000") },
                { "key": "dev", "cost": usd("2.500000000") },
                { "key": "", "cost": usd("1.000000000") },
            ],
            "by_application": [
                { "key": "", "cost": eur("1.000000000") },
                { "key": "shop", "cost": usd("10.000000000") },
                { "key": "", "cost": usd("3.500000000") },
            ],
        },
    });
    assert_eq!(body, expect);
}

#[tokio::test]
async fn both_dates_are_included_and_weeks_start_on_monday() {
    let served = Served::new();
    let path =
        "/api/v1/costs/team/payments?start_date=2026-01-30&end_date=2026-02-02&granularity=weekly";
    let body = served.good(path, "TeamCosts").await;
    assert_eq!(body["period"], json!({ "start_date": "2026-01-30", "end_date": "2026-02-02" }));
    // 2026-01-30 is a Friday, so the first week is cut there; 2026-02-02 is a Monday.
    let expect = json!([
        { "period_start": "2026-01-30", "cost": usd("10.000000000") },
        { "period_start": "2026-02-02", "cost": usd("2.500000000") },
    ]);
    assert_eq!(body["costs"], expect);
    let empty = served.good("/api/v1/costs/team/payments?start_date=2027-01-01", "TeamCosts").await;
    assert_eq!(empty["total"], json!([]));
}

#[tokio::test]
async fn costs_are_grouped_and_filtered() {
    let served = Served::new();
    let body = served
        .good(
            "/api/v1/costs?group_by=team,service_name&filter=team:payments&end_date=2026-02-03",
            "Costs",
        )
        .await;
    let expect = json!({
        "period": { "start_date": null, "end_date": "2026-02-03" },
        "granularity": "total",
        "group_by": ["team", "service_name"],
        "filter": ["team:payments"],
        "costs": [
            { "period_start": null, "keys": { "team": "payments", "service_name": "Compute" }, "cost": usd("12.500000000") },
            { "period_start": null, "keys": { "team": "payments", "service_name": "Network" }, "cost": usd("1.000000000") },
        ],
        "totals": [usd("13.500000000")],
        "next_page_token": null,
    });
    assert_eq!(body, expect);
    let by_tag = served
        .good(
            "/api/v1/costs?group_by=tag:environment&filter=team:search&filter=team:unallocated",
            "Costs",
        )
        .await;
    let expect = json!([
        { "period_start": null, "keys": { "tag:environment": "" }, "cost": usd("2.000000001") },
        { "period_start": null, "keys": { "tag:environment": "prod" }, "cost": usd("4.000000000") },
    ]);
    assert_eq!(by_tag["costs"], expect);
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let served = Served::new();
    let whole =
        served.good("/api/v1/costs?group_by=team,service_name&granularity=daily", "Costs").await;
    let whole = whole["costs"].as_array().expect("rows").clone();
    // Day and team: 01-30 payments, 02-02 payments and search, 02-03 payments, search and unallocated, 02-04 payments.
    assert_eq!(whole.len(), 7);
    for limit in 1..=8 {
        let (mut rows, mut token) = (Vec::new(), String::new());
        loop {
            let page = served.good(&format!("/api/v1/costs?group_by=team,service_name&granularity=daily&limit={limit}{token}"), "Costs").await;
            let costs = page["costs"].as_array().expect("rows");
            assert!(
                costs.len() == limit || page["next_page_token"].is_null(),
                "only the last page is short"
            );
            rows.extend(costs.iter().cloned());
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={next}"),
                None => break,
            }
        }
        assert_eq!(rows, whole, "limit {limit}");
    }
}

#[tokio::test]
async fn a_token_is_only_good_for_its_query() {
    let served = Served::new();
    let page = served.good("/api/v1/costs?limit=1", "Costs").await;
    let token = page["next_page_token"].as_str().expect("a token").to_owned();
    let other =
        served.get(&format!("/api/v1/costs?limit=1&group_by=rule&page_token={token}")).await;
    let of_another = refused(
        400,
        "N202",
        "page_token: this token belongs to another query",
        "repeat the query that returned it, or leave the token out",
    );
    assert_eq!(other.refusal(), of_another);
    assert_eq!(served.get(&format!("/api/v1/runs?page_token={token}")).await.refusal(), of_another);
    for junk in ["zz", "0", "7b7d", "5b312c2278225d"] {
        let answer = served.get(&format!("/api/v1/costs?page_token={junk}")).await;
        assert_eq!(
            answer.refusal(),
            refused(
                400,
                "N202",
                "page_token: this is not a token of this API",
                "leave it out to get the first page"
            )
        );
    }
}

#[tokio::test]
async fn a_line_of_an_invoice_is_explained() {
    let served = Served::new();
    let line = "/api/v1/explain?what=payments&service_name=Network&start_date=2026-02-01&end_date=2026-02-28";
    let explained = served.good(line, "Explanation").await;
    // A third of 3.
    assert_eq!(explained["totals"], json!([usd("1.000000000")]));
    assert_eq!(explained["subject"], json!({ "account": "team/payments" }));
    assert_eq!(
        explained["period"],
        json!({ "start_date": "2026-02-01", "end_date": "2026-02-28" })
    );
    let rule = &explained["accounts"][0]["rules"][0];
    assert_eq!(
        (&rule["rule"], &rule["charges"], &rule["resources"][0]["charged"]),
        (&json!("shared/network"), &json!(1), &usd("3.000000000"))
    );
    assert_eq!(explained["sources"][0]["plugin"]["name"], "fixed");
    let whole = served.good("/api/v1/explain?what=payments", "Explanation").await;
    assert_eq!(whole["totals"], json!([eur("1.000000000"), usd("13.500000000")]));
    served.good("/api/v1/explain?what=entry:1", "Explanation").await;
    let refused_of = |path: &'static str| async { served.get(path).await.refusal() };
    assert_eq!(
        refused_of("/api/v1/explain?what=paymants").await,
        refused(
            404,
            "N201",
            "nothing in the ledger is called 'paymants'",
            "did you mean `payments`?"
        )
    );
    assert_eq!(
        refused_of("/api/v1/explain?what=payments&service_name=Netwerk").await,
        refused(
            404,
            "N201",
            "nothing was charged for the service 'Netwerk'",
            "did you mean 'Network'?"
        )
    );
    let (status, code, detail, _) = refused_of("/api/v1/explain").await;
    assert_eq!(
        (status, code.as_str(), detail.as_str()),
        (400, "N202", "what: it is not said what to explain")
    );
}

#[tokio::test]
async fn usage_is_shown_with_its_gaps_and_by_keys() {
    let served = Served::new();
    let usage = served.good("/api/v1/usage", "Usage").await;
    assert_eq!(
        usage["metrics"],
        json!([{
            "metric": "network.egress.bytes", "source": "aws", "unit": "B", "start_date": "2026-02-01", "end_date": "2026-02-04", "days": 2,
            "gaps": [{ "start_date": "2026-02-02", "end_date": "2026-02-03" }], "rows": 3, "total": "15.500000000",
        }])
    );
    assert_eq!(usage["groups"], json!([]));
    let first = served.good("/api/v1/usage?group_by=team&limit=1", "Usage").await;
    let group = |team: &str, total: &str| json!([{ "metric": "network.egress.bytes", "keys": { "team": team }, "total": total, "unit": "B" }]);
    assert_eq!(first["groups"], group("payments", "10.500000000"));
    let token = first["next_page_token"].as_str().expect("a token");
    let second = served
        .good(&format!("/api/v1/usage?group_by=team&limit=1&page_token={token}"), "Usage")
        .await;
    assert_eq!(
        (&second["groups"], &second["next_page_token"]),
        (&group("search", "5.000000000"), &Value::Null)
    );
    let other = served.good("/api/v1/usage?metric=nothing", "Usage").await;
    assert_eq!(other["metrics"], json!([]));
}

#[tokio::test]
async fn runs_are_listed_and_shown_with_the_rows_set_aside() {
    let served = Served::new();
    served.run(estate::charges().into_iter().take(6).collect());
    let digest = served.good("/api/v1/runs/1", "RunDetail").await;
    let run = |id: i64, state: &str, charges: u64, rejected: u64| {
        json!({
            "id": id, "state": state, "version": "0.1.0", "generation": "generation-one", "charges": charges, "rejected": rejected, "note": "",
            "started_at": "2026-02-05T06:07:08.009Z", "ended_at": "2026-02-05T06:07:08.009Z",
        })
    };
    let first = served.good("/api/v1/runs?limit=1", "Runs").await;
    assert_eq!(first["runs"], json!([run(2, "complete", 6, 0)]));
    let token = first["next_page_token"].as_str().expect("a second page");
    let second = served.good(&format!("/api/v1/runs?limit=1&page_token={token}"), "Runs").await;
    assert_eq!(second, json!({ "runs": [run(1, "incomplete", 6, 1)], "next_page_token": null }));
    assert_eq!(digest["rejected_by_source"], json!([{ "source": "aws", "count": 1 }]));
    let row = &digest["rejected_rows"][0];
    assert_eq!(row["source"], "aws");
    assert!(row["reason"].as_str().is_some_and(|reason| reason.contains("a lot")), "{row}");
    let missing = served.get("/api/v1/runs/7").await;
    assert_eq!(
        missing.refusal(),
        refused(404, "N201", "there is no run '7'", "/api/v1/runs lists the runs")
    );
}

#[tokio::test]
async fn rules_are_shown_with_the_findings_of_the_failed_reload() {
    let body = Served::without_ledger().good("/api/v1/rules", "Rules").await;
    assert_eq!(
        (&body["generation"], &body["generation_count"]),
        (&json!("generation-one"), &json!(3))
    );
    let rule = json!({
        "id": "direct/compute", "name": "Compute", "digest": "0".repeat(64), "priority": 100, "owner": "finops@example.com",
        "review_by": "2027-03-31", "description": "Compute has a payer.", "enabled": true, "from": null, "until": null,
    });
    assert_eq!(body["rules"][0], rule);
    let finding = json!({
        "code": "R101", "message": "expecting ';'", "location": { "file": "rules/direct/compute.rhai", "line": 4, "column": 7 },
        "excerpt": null, "hint": "end the line with ';'",
    });
    assert_eq!(body["diagnostics"], json!([finding]));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_name() {
    let served = Served::new();
    let names = "it takes group_by, filter, start_date, end_date, granularity, limit, page_token";
    let dates = "both dates are included: give an end_date from start_date on";
    for (path, expect) in [
        (
            "/api/v1/costs/team/paymnets",
            refused(404, "N201", "no team 'paymnets' ever bore a cost", "did you mean `payments`?"),
        ),
        (
            "/api/v1/costs/team/unallocated",
            refused(
                404,
                "N201",
                "no team 'unallocated' ever bore a cost",
                "/api/v1/costs?group_by=team lists the teams",
            ),
        ),
        (
            "/api/v1/costs?goup_by=team",
            refused(400, "N202", "there is no parameter 'goup_by'", "did you mean `group_by`?"),
        ),
        ("/api/v1/costs?colour=red", refused(400, "N202", "there is no parameter 'colour'", names)),
        (
            "/api/v1/rules?a=b",
            refused(400, "N202", "there is no parameter 'a'", "this path takes no parameters"),
        ),
        (
            "/api/v1/costs?limit=1&limit=2",
            refused(400, "N202", "the parameter 'limit' is given twice", "give it once"),
        ),
        (
            "/api/v1/costs?limit=0",
            refused(400, "N202", "limit: '0' is not a number from 1 to 1000", "limit=100"),
        ),
        (
            "/api/v1/costs?limit=1001",
            refused(400, "N202", "limit: '1001' is not a number from 1 to 1000", "limit=100"),
        ),
        (
            "/api/v1/costs?group_by=taem",
            refused(
                400,
                "N202",
                "group_by: costs have no 'taem' to group or filter by",
                "did you mean `team`?",
            ),
        ),
        (
            "/api/v1/costs?filter=payments",
            refused(
                400,
                "N202",
                "filter: 'payments' is not a name and a value",
                "filter=team:payments, or filter=tag:stage=test",
            ),
        ),
        (
            "/api/v1/costs?granularity=yearly",
            refused(
                400,
                "N202",
                "granularity: there is no 'yearly'",
                "use daily, weekly, monthly or total",
            ),
        ),
        (
            "/api/v1/costs/team/payments?start_date=2026-02-30",
            refused(
                400,
                "N202",
                "start_date: '2026-02-30' is not a date such as 2026-03-31",
                "start_date=2026-03-31",
            ),
        ),
        (
            "/api/v1/costs?end_date=tomorrow",
            refused(
                400,
                "N202",
                "end_date: 'tomorrow' is not a date such as 2026-03-31",
                "end_date=2026-03-31",
            ),
        ),
        (
            "/api/v1/costs?start_date=2026-03-01&end_date=2026-02-01",
            refused(400, "N202", "end_date: the period ends before it starts", dates),
        ),
        (
            "/api/v1/cost",
            refused(404, "S201", "there is nothing at /api/v1/cost", "did you mean /api/v1/costs?"),
        ),
        (
            "/wp-login.php",
            refused(
                404,
                "S201",
                "there is nothing at /wp-login.php",
                "all paths are in /api/v1/openapi.json",
            ),
        ),
        (
            "/api/v1/costs/team/%ff",
            refused(
                400,
                "N202",
                "the request cannot be understood: 400 Bad Request",
                "all paths are in /api/v1/openapi.json",
            ),
        ),
    ] {
        assert_eq!(served.get(path).await.refusal(), expect, "{path}");
    }
    assert!(served.log.text().is_empty(), "what clients do wrong is not the operator's concern");
}

#[tokio::test]
async fn a_problem_has_all_its_members() {
    let problem = Served::new().get("/api/v1/costs/team/nobody").await.problem();
    let expect = json!({
        "type": "urn:apportion:problem:N201", "title": "Nothing in the ledger has that name.", "status": 404,
        "detail": "no team 'nobody' ever bore a cost", "code": "N201", "hint": "/api/v1/costs?group_by=team lists the teams",
    });
    assert_eq!(problem, expect);
}

#[tokio::test]
async fn other_methods_are_refused_and_head_is_answered() {
    let served = Served::new();
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
    let served = Served::new();
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

#[tokio::test]
async fn an_answer_that_the_client_has_is_not_sent_again_until_a_run_posts() {
    let served = Served::new();
    let first = served.get("/api/v1/costs").await;
    let etag = first.header("etag").to_owned();
    let again = |path: &'static str, etag: &str| {
        Request::get(path)
            .header("host", "localhost")
            .header("if-none-match", etag)
            .body(Body::empty())
            .expect("a request")
    };
    let unchanged = served.ask(again("/api/v1/costs", &etag)).await;
    assert_eq!(
        (unchanged.status, unchanged.body.len(), unchanged.header("etag")),
        (StatusCode::NOT_MODIFIED, 0, etag.as_str())
    );
    assert_eq!(
        served.ask(again("/api/v1/costs", &format!("\"other\", W/{etag}"))).await.status,
        StatusCode::NOT_MODIFIED
    );
    assert_eq!(
        served.ask(again("/api/v1/costs?group_by=rule", &etag)).await.status,
        StatusCode::OK
    );
    served.run(estate::charges().into_iter().take(5).collect());
    let changed = served.ask(again("/api/v1/costs", &etag)).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_browsers_need() {
    let served = Served::new();
    for path in ["/api/v1/costs", "/metrics", "/api/v1/costs/team/nobody", "/nowhere"] {
        let answer = served.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
            "{path}"
        );
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_is_a_problem_whose_reason_stays_in_the_log() {
    let served = Served::without_ledger();
    assert_eq!(served.get("/healthz").await.text(), r#"{"status":"alive"}"#);
    let answer = served.get("/readyz").await;
    assert_eq!(
        answer.refusal(),
        refused(
            503,
            "L101",
            "There is no ledger at that path.",
            "the log of `apportion serve` says more"
        )
    );
    let path = served.folder.path().display().to_string();
    assert!(!answer.text().contains(&path));
    let log = served.log.text();
    assert!(
        log.contains(&path)
            && log.contains(answer.header("x-request-id"))
            && log.contains("GET /readyz: 503"),
        "{log}"
    );
    std::fs::write(
        served.folder.path().join("apportion.db"),
        "not a database, but long enough to be looked at".repeat(200),
    )
    .expect("a file");
    let foreign = served.get("/api/v1/costs").await;
    assert_eq!(
        foreign.refusal(),
        refused(
            503,
            "L103",
            "The file is not an Apportion ledger.",
            "the log of `apportion serve` says more"
        )
    );
}

#[tokio::test]
async fn health_and_metrics_follow_the_ledger() {
    let served = Served::new();
    assert_eq!(served.good("/readyz", "Health").await, json!({ "status": "ready" }));
    served.get("/nowhere").await;
    let answer = served.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    for line in [
        "apportion_runs{state=\"incomplete\"} 1",
        "apportion_runs{state=\"complete\"} 0",
        "apportion_last_run_timestamp_seconds 1770271628",
        // Four source-days: one each in USD on three days, one in EUR.
        "apportion_source_days 4",
        "apportion_charges 6",
        // A collection for each and for what no rule took, and a distribution of the network.
        "apportion_entries 6",
        "apportion_unborne_nanos{account=\"unallocated\",currency=\"USD\"} 1",
        "apportion_rules 2",
        "apportion_rule_generations_total 3",
        "apportion_rule_diagnostics 1",
        "apportion_http_requests_total{route=\"/readyz\",status=\"200\"} 1",
        "apportion_http_requests_total{route=\"unmatched\",status=\"404\"} 1",
        "apportion_build_info{version=\"0.1.0\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
    }
    served.run(estate::charges().into_iter().take(6).collect());
    assert!(served.get("/metrics").await.text().contains("apportion_runs{state=\"complete\"} 1\n"));
}

#[tokio::test]
async fn the_page_at_the_root_needs_nothing_from_elsewhere() {
    let answer = Served::without_ledger().get("/").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    let text = answer.text();
    assert!(text.contains("<h1>Apportion</h1>") && text.contains("href=\"/api/v1/openapi.json\""));
    for forbidden in ["<script", "http:", "https:", "<style", "style="] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    let style = Served::without_ledger().get("/style.css").await;
    assert_eq!(
        (style.status, style.header("content-type")),
        (StatusCode::OK, "text/css; charset=utf-8")
    );
    assert!(!style.text().contains("url("));
}

#[tokio::test]
async fn addresses_that_others_can_reach_are_refused() {
    for (listen, expect) in [
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("192.0.2.1:80", "192.0.2.1:80"),
        ("[::]:8080", "[::]:8080"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let listen = listen.parse().expect("an address");
        let options = ServerOptions { listen, ..options(folder.path()) };
        let error =
            server::serve(options, |_| panic!("it must not listen"), std::future::ready(()))
                .await
                .expect_err("it must be refused");
        assert_eq!(error.code, server::code::ADDRESS_REFUSED);
        assert!(error.message.starts_with(expect), "{error}");
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.starts_with("apportion serve --listen 127.0.0.1:"))
        );
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("its address");
    let folder = tempfile::tempdir().expect("a folder");
    let options = ServerOptions { listen, ..options(folder.path()) };
    let error = server::serve(options, |_| panic!("it must not listen"), std::future::ready(()))
        .await
        .expect_err("it must be refused");
    assert_eq!(error.code, server::code::ADDRESS_IN_USE);
    assert!(error.message.starts_with(&format!("{listen} cannot be listened on: ")), "{error}");
}

#[tokio::test]
async fn it_answers_over_a_socket_and_ends_when_told_to() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let served = Served::new();
    let (tell_ready, ready) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let options = options(served.folder.path());
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(server::serve(
        options,
        |address| tell_ready.send(address).expect("somebody waits"),
        shutdown,
    ));
    let address = ready.await.expect("it listens");
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET /api/v1/costs?filter=team:search HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // Search bears 4 and two thirds of the network's 3.
    assert!(answer.contains(r#""cost":{"amount":"6.000000000","currency":"USD"}"#), "{answer}");
    stop.send(()).expect("it still listens");
    assert_eq!(server.await.expect("it does not panic"), Ok(()));
}
