//! What the rules that were saved last would change in the money.

use crate::api::answer::Asked;
use crate::api::openapi::{Body, Operation};
use crate::api::rules::Finding;
use crate::error::Problem;
use crate::parameters::Parameters;
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use installation::planner::PlanView;
use serde::Serialize;
use serde_json::Value;

pub const PLAN: Operation = Operation {
    path: "/api/v1/plan",
    id: "get_plan",
    summary: "What the rules that were saved last would change in the money. Nothing is posted by it; `apportion apply` does that.",
    parameters: &[],
    body: Body::Json("LatestPlan"),
    errors: &[400, 500],
};

#[derive(Serialize)]
struct LatestPlan {
    state: &'static str,
    generation: Option<String>,
    plan: Option<Value>,
    finding: Option<Finding>,
}

pub async fn plan(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    Parameters::read(&asked.uri, &[], &[])?;
    let view = state.installation().latest_plan().view();
    let content = match &view {
        PlanView::None => (String::new(), 0, String::new()),
        PlanView::Making { generation } => (generation.clone(), 0, String::new()),
        PlanView::Made(plan) => (plan.generation.clone(), plan.at_ms, String::new()),
        PlanView::Failed { generation, finding } => (generation.clone(), 0, finding.to_string()),
    };
    asked.answer_of(content, || LatestPlan::new(view))
}

impl LatestPlan {
    fn new(view: PlanView) -> LatestPlan {
        let empty = |state, generation| LatestPlan { state, generation, plan: None, finding: None };
        match view {
            PlanView::None => empty("none", None),
            PlanView::Making { generation } => empty("making", Some(generation)),
            PlanView::Made(plan) => LatestPlan {
                plan: Some(plan.document()),
                ..empty("made", Some(plan.generation.clone()))
            },
            PlanView::Failed { generation, finding } => LatestPlan {
                finding: Some(Finding::new(finding)),
                ..empty("failed", Some(generation))
            },
        }
    }
}
