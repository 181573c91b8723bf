//! The two changes that clients can ask for: to approve the rules of the latest plan, and to post
//! it.
//!
//! A client with the token may ask; the token's file is guarded as well as the ledger. A request
//! names the plan by the digests that its sender looked at. So a save in between cannot slip
//! another plan in.

use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::state::State;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use installation::planner::PlanView;
use pipeline::code;
use pipeline::plan::Plan;
use pipeline::run::document::RunReportDocument;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub const APPROVE: Operation = Operation {
    path: "/api/v1/plan/approve",
    id: "approve_plan",
    summary: "Records that somebody has looked at the latest plan and approves its rules.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Change {
        request: schema_of::<ApproveRequest>,
        answer: schema_of::<ApprovalDocument>,
    },
    errors: &[400, 401, 403, 409, 500, 503],
};

pub const APPLY: Operation = Operation {
    path: "/api/v1/plan/apply",
    id: "apply_plan",
    summary: "Posts exactly what the latest plan says, \
        or nothing if anything has moved since it was made.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Change {
        request: schema_of::<ApplyRequest>,
        answer: schema_of::<RunReportDocument>,
    },
    errors: &[400, 401, 403, 409, 500, 503],
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApproveRequest {
    /// The rules of the plan that was looked at: generation.after of it.
    generation: String,
    /// Who approves.
    by: String,
    /// Why.
    note: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApplyRequest {
    /// The rules of the plan: generation.after of it.
    generation: String,
    /// The outcome of the plan that was looked at.
    outcome: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Approval")]
pub struct ApprovalDocument {
    generation: String,
    by: String,
    note: String,
}

pub async fn approve(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ApprovalDocument>, Problem> {
    check_token(&state, &headers)?;
    let request: ApproveRequest = read(&body)?;
    let plan = latest(&state, &request.generation)?;
    let installation = state.installation().clone();
    blocking(move || {
        installation.approve(&plan, &request.by, &request.note)?;
        let (generation, by) = (request.generation.as_str(), request.by.as_str());
        tracing::info!(generation, by, "rules were approved over HTTP");
        let ApproveRequest { generation, by, note } = request;
        Ok(Json(ApprovalDocument { generation, by, note }))
    })
    .await
}

pub async fn apply(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<RunReportDocument>, Problem> {
    check_token(&state, &headers)?;
    let request: ApplyRequest = read(&body)?;
    let plan = latest(&state, &request.generation)?;
    if plan.outcome != request.outcome {
        return Err(moved("the latest plan has another outcome").into());
    }
    let installation = state.installation().clone();
    blocking(move || installation.apply(&plan).map(|report| Json(RunReportDocument::from(&report))))
        .await
}

/// Refuses a request without the right token, and every request where there is none. The log says
/// so, and never what was sent.
fn check_token(state: &State, headers: &HeaderMap) -> Result<(), Problem> {
    let checked = given_token(state, headers);
    if let Err(problem) = &checked {
        tracing::warn!("a change was refused: {}: {}", problem.code, problem.detail);
    }
    checked
}

fn given_token(state: &State, headers: &HeaderMap) -> Result<(), Problem> {
    let token = state.token().ok_or_else(Problem::changes_off)?;
    let given = headers
        .get(AUTHORIZATION)
        .ok_or_else(|| Problem::token_refused("the request has no token"))?;
    let given =
        given.to_str().ok().and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default();
    if is_same(given.trim().as_bytes(), token.as_bytes()) {
        Ok(())
    } else {
        Err(Problem::token_refused("the token is not the right one"))
    }
}

/// Takes the same time wherever the texts differ, so that nobody finds a token byte by byte.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::parameter(
            format!("the body cannot be read: {error}"),
            Hint::endpoint("/api/v1/openapi.json").then(" says what it holds"),
        )
    })
}

fn latest(state: &State, generation: &str) -> Result<Arc<Plan>, Problem> {
    match state.installation().latest_plan().view() {
        PlanView::Made(plan) if plan.generation == generation => Ok(plan),
        PlanView::Made(_) => Err(moved("the latest plan is for other rules").into()),
        PlanView::Making { .. } => {
            Err(moved("a plan is being made for rules that were saved since").into())
        }
        PlanView::Failed { .. } | PlanView::None => Err(moved(
            "there is no plan: the last run used the rules in force, or no plan could be made",
        )
        .into()),
    }
}

fn moved(why: &str) -> Diagnostic {
    Diagnostic::new(code::PLAN_RULES_MOVED, why).hint(
        Hint::text("look at what would change now: ").then(Hint::endpoint("GET /api/v1/plan")),
    )
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Diagnostic> + Send + 'static,
) -> Result<T, Problem> {
    let span = tracing::Span::current();
    let done = tokio::task::spawn_blocking(move || span.in_scope(work))
        .await
        .map_err(|error| Problem::internal(format!("a change broke off: {error}")))?;
    done.map_err(Problem::from)
}
