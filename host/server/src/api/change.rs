//! The two changes that clients can ask for, both about the latest plan: approve its rules, and post what it says.
//!
//! Who has the token may; the file that holds it is as well guarded as the ledger. A plan is named by the digests that
//! were looked at, so that a save in between cannot slip another one in.

use crate::api::openapi::{Body, Operation};
use crate::error::Problem;
use crate::state::State;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use domain::diagnostic::Diagnostic;
use installation::planner::PlanView;
use installation::run_document::json_of;
use pipeline::code;
use pipeline::plan::Plan;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

pub const APPROVE: Operation = Operation {
    path: "/api/v1/plan/approve",
    id: "approve_plan",
    summary: "Records that somebody has looked at the latest plan and approves its rules.",
    parameters: &[],
    body: Body::Change { request: "ApproveRequest", answer: "Approval" },
    errors: &[400, 401, 403, 409, 500, 503],
};

pub const APPLY: Operation = Operation {
    path: "/api/v1/plan/apply",
    id: "apply_plan",
    summary: "Posts exactly what the latest plan says, or nothing if anything has moved since it was made.",
    parameters: &[],
    body: Body::Change { request: "ApplyRequest", answer: "AppliedPlan" },
    errors: &[400, 401, 403, 409, 500, 503],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApproveRequest {
    generation: String,
    by: String,
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplyRequest {
    generation: String,
    outcome: String,
}

pub async fn approve(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    check_token(&state, &headers)?;
    let request: ApproveRequest = read(&body)?;
    let plan = latest(&state, &request.generation)?;
    let installation = state.installation().clone();
    blocking(move || {
        installation.approve(&plan, &request.by, &request.note)?;
        Ok(Json(
            json!({ "generation": request.generation, "by": request.by, "note": request.note }),
        ))
    })
    .await
}

pub async fn apply(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    check_token(&state, &headers)?;
    let request: ApplyRequest = read(&body)?;
    let plan = latest(&state, &request.generation)?;
    if plan.outcome != request.outcome {
        return Err(moved("the latest plan has another outcome").into());
    }
    let installation = state.installation().clone();
    blocking(move || installation.apply(&plan).map(|report| Json(json_of(&report)))).await
}

/// Refuses a request without the right token, and every request where there is none.
fn check_token(state: &State, headers: &HeaderMap) -> Result<(), Problem> {
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

/// In the same time wherever they differ, so that nobody finds a token byte by byte.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::parameter(
            format!("the body cannot be read: {error}"),
            "/api/v1/openapi.json says what it holds",
        )
    })
}

fn latest(state: &State, generation: &str) -> Result<Arc<Plan>, Problem> {
    match state.installation().latest_plan().view() {
        PlanView::Made(plan) if plan.generation == generation => Ok(plan),
        PlanView::Made(_) => Err(moved("the latest plan is for other rules").into()),
        PlanView::Making { .. } => Err(moved("a plan is being made for rules that were saved since").into()),
        PlanView::Failed { .. } | PlanView::None => {
            Err(moved("there is no plan: nothing was saved since the server was started, or no plan could be made").into())
        }
    }
}

fn moved(why: &str) -> Diagnostic {
    Diagnostic::new(code::PLAN_RULES_MOVED, why)
        .hint("look at what would change now: GET /api/v1/plan")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Diagnostic> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::internal(format!("a change broke off: {error}")))?;
    done.map_err(Problem::from)
}
