//! The plan of the rules that were saved last, in every state that it can be in.

use super::estate::FixedRules;
use super::{StatusCode, TestServer};
use axum::body::Body;
use axum::http::Request;
use domain::charge::ChargeLine;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::period::{Day, Period};
use domain::port::{Decider, Explanation, NoAllocators, RuleFacts, Rules};
use domain::tag::TagSchema;
use installation::planner::PlanView;
use ledger::Reader;
use ledger::code::LEDGER_BUSY;
use pipeline::feed::Patience;
use pipeline::plan::{Plan, PlanOptions, plan};
use pipeline::run::RunOptions;
use serde_json::json;
use std::sync::Arc;

/// No rule at all, so that nobody pays.
struct NoRules;

impl Rules for NoRules {
    fn generation(&self) -> &str {
        "generation-none"
    }

    fn facts(&self) -> &[RuleFacts] {
        &[]
    }

    fn tables(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn cell(&self, _: &str, _: &[String], _: Day) -> Option<String> {
        None
    }

    fn decider(&self) -> Box<dyn Decider + '_> {
        Box::new(IdleDecider(vec![Outcome { verdict: Verdict::Unallocated }]))
    }
}

struct IdleDecider(Vec<Outcome>);

impl Decider for IdleDecider {
    fn decide(
        &mut self,
        _: &Dictionary,
        _: ResourceId,
        _: Day,
        _: Option<&ChargeLine>,
    ) -> OutcomeId {
        OutcomeId::UNALLOCATED
    }

    fn later_stages(&mut self, _: Day) -> Vec<OutcomeId> {
        Vec::new()
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.0
    }

    fn calls(&self) -> u64 {
        0
    }

    fn explain(
        &mut self,
        _: &Dictionary,
        _: ResourceId,
        _: Day,
        _: Option<&ChargeLine>,
    ) -> Explanation {
        Explanation::default()
    }
}

fn made(served: &TestServer) -> Plan {
    let ledger = Reader::open(&served.folder.path().join("apportion.db")).expect("a ledger");
    let mut scratch = ledger.scratch(&mut |_, _| {}).expect("a scratch copy");
    let rules_of = |_: &[RuleFacts],
                    _: &[(String, String)]|
     -> Result<Box<dyn Rules>, Diagnostic> { Ok(Box::new(FixedRules::new())) };
    let run = RunOptions {
        sources: Vec::new(),
        rules: &NoRules,
        allocators: &NoAllocators,
        tag_schema: &TagSchema::default(),
        dimensions: &Field::default_dimensions(),
        collect: false,
        threads: 1,
        sources_at_once: 1,
        patience: Patience { tries: 1, wait: &|_| {} },
        at_ms: 1_770_271_628_009,
        now_ms: &|| 1_770_271_628_009,
        version: "0.1.0".into(),
    };
    let options = PlanOptions {
        run,
        uncollected: Vec::new(),
        rules_of: &rules_of,
        period: Period::all(),
        as_of: None,
    };
    plan(&mut scratch, options, &mut |_| {}).expect("a plan")
}

fn show(served: &TestServer, view: PlanView) {
    served.plan.show(view);
}

#[tokio::test]
async fn a_plan_is_shown_while_it_is_made_when_it_is_made_and_when_it_cannot_be() {
    let served = TestServer::new();
    let nothing = json!({ "state": "none", "generation": null, "plan": null, "finding": null });
    assert_eq!(served.good("/api/v1/plan", "LatestPlan").await, nothing);

    show(&served, PlanView::Making { generation: "generation-none".into() });
    let body = served.good("/api/v1/plan", "LatestPlan").await;
    assert_eq!(
        (&body["state"], &body["generation"]),
        (&json!("making"), &json!("generation-none"))
    );

    show(&served, PlanView::Made(Arc::new(made(&served))));
    let body = served.good("/api/v1/plan", "LatestPlan").await;
    assert_eq!((&body["state"], &body["generation"]), (&json!("made"), &json!("generation-none")));
    let plan = &body["plan"];
    assert_eq!(
        plan["generation"],
        json!({ "before": "generation-one", "after": "generation-none" })
    );
    // In USD payments has 10 + 2.5 and a third of 3, search has 4 and the rest of 3, and a nano is
    // nobody's.
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let change = |name: &str, before: &str, after: &str, change: &str| {
        let (before, after, change) = (usd(before), usd(after), usd(change));
        json!({ "name": name, "before": before, "after": after, "change": change })
    };
    let teams: Vec<_> = plan["teams"]
        .as_array()
        .expect("teams")
        .iter()
        .filter(|team| team["before"]["currency"] == "USD")
        .cloned()
        .collect();
    assert_eq!(
        teams,
        [
            change("payments", "13.500000000", "0.000000000", "-13.500000000"),
            change("search", "6.000000000", "0.000000000", "-6.000000000"),
            change("unallocated", "0.000000001", "19.500000001", "19.500000000"),
        ]
    );
    assert_eq!(plan["rules_silent"], json!(["direct/compute", "shared/network"]));
    assert_eq!(
        plan["moved"],
        json!([{ "amount": "1.000000000", "currency": "EUR" }, usd("19.500000000")])
    );

    show(
        &served,
        PlanView::Failed {
            generation: "g".into(),
            finding: Diagnostic::new(LEDGER_BUSY, "another run is writing"),
        },
    );
    let body = served.good("/api/v1/plan", "LatestPlan").await;
    assert_eq!(
        (&body["state"], &body["finding"]["code"], &body["plan"]),
        (&json!("failed"), &json!("L105"), &json!(null))
    );
}

#[tokio::test]
async fn a_plan_that_is_known_is_not_sent_again() {
    let served = TestServer::new();
    show(&served, PlanView::Made(Arc::new(made(&served))));
    let first = served.get("/api/v1/plan").await;
    let again = |etag: String| {
        Request::get("/api/v1/plan")
            .header("host", "localhost")
            .header("if-none-match", etag)
            .body(Body::empty())
    };
    let known = served.ask(again(first.header("etag").into()).expect("a request")).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    show(&served, PlanView::None);
    assert_eq!(
        served.ask(again(first.header("etag").into()).expect("a request")).await.status,
        StatusCode::OK
    );
    let post = Request::post("/api/v1/plan")
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request");
    assert_eq!(served.ask(post).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
