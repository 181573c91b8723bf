//! The changes in money that the rules saved last would make.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::api::rules::Finding;
use crate::error::Problem;
use crate::parameters::{NoParameters, Parameters};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use installation::planner::PlanView;
use pipeline::plan::document::PlanDocument;
use schemars::JsonSchema;
use serde::Serialize;

pub const PLAN: Operation = Operation {
    path: "/api/v1/plan",
    id: "get_plan",
    summary: "The changes in money that the rules saved last would make. \
        Nothing is posted by it; POST /api/v1/plan/apply does that.",
    placeholder: None,
    parameters: NoParameters::described,
    body: Body::Json(schema_of::<LatestPlan>),
    errors: &[400, 500],
};

/// A plan is made for every save of the rules that is taken, and at the start for rules or settings
/// that the last run did not use. The newest wins.
#[derive(Serialize, JsonSchema)]
struct LatestPlan {
    /// none: the last run used these rules and settings, and nothing was saved since the start.
    #[schemars(extend("enum" = ["none", "making", "made", "failed"]))]
    state: &'static str,
    /// Digest of the rules.
    generation: Option<String>,
    plan: Option<PlanDocument>,
    finding: Option<Finding>,
}

pub async fn plan(Shared(state): Shared<State>, request: ReadRequest) -> Result<Response, Problem> {
    NoParameters::read(&request.uri)?;
    let view = state.installation().latest_plan().view();
    let content = match &view {
        PlanView::None => (String::new(), 0, String::new()),
        PlanView::Making { generation } => (generation.clone(), 0, String::new()),
        PlanView::Made(plan) => (plan.generation.clone(), plan.at_ms, String::new()),
        PlanView::Failed { generation, finding } => (generation.clone(), 0, finding.to_string()),
    };
    request.answer_of(content, || LatestPlan::new(view))
}

impl LatestPlan {
    fn new(view: PlanView) -> LatestPlan {
        let empty = |state, generation| LatestPlan { state, generation, plan: None, finding: None };
        match view {
            PlanView::None => empty("none", None),
            PlanView::Making { generation } => empty("making", Some(generation)),
            PlanView::Made(plan) => LatestPlan {
                plan: Some(PlanDocument::from(&*plan)),
                ..empty("made", Some(plan.generation.clone()))
            },
            PlanView::Failed { generation, finding } => LatestPlan {
                finding: Some(Finding::of_plan(finding)),
                ..empty("failed", Some(generation))
            },
        }
    }
}
