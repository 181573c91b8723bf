//! The API in process, against a ledger made by a run; and once over a real socket.

mod costs;
mod document;
mod estate;
mod measures;
mod operation;
mod periods;
mod plans;
mod refusals;
mod schema;
mod serving;

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
struct TestServer {
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

/// Fixed rules in force, after a save that was refused.
struct FixedInForce;

impl RulesInForce for FixedInForce {
    fn current(&self) -> Result<Arc<dyn Rules>, Diagnostic> {
        Ok(Arc::new(FixedRules::new()))
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

/// An installation in a folder, with fixed rules and a clock that stands still.
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

/// Keeps the log lines of this thread.
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

impl TestServer {
    fn without_ledger() -> TestServer {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let options = options(folder.path());
        let plan = options.installation.latest_plan().clone();
        TestServer { router: router(State::new(options)), folder, log, plan, _logging: logging }
    }

    fn new() -> TestServer {
        let served = TestServer::without_ledger();
        served.run(estate::charges());
        served
    }

    fn run(&self, charges: Vec<domain::charge::RawCharge>) {
        estate::run_once(&self.folder.path().join("apportion.db"), charges, None);
    }

    /// A run whose only source fails.
    fn run_failing(&self) {
        let failure = Diagnostic::new(domain::code::CONFIG_VALUE, "the server is away");
        estate::run_once(&self.folder.path().join("apportion.db"), Vec::new(), Some(failure));
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
