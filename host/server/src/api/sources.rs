//! How the sources stand, and what plugins cost.

use crate::api::answer::Asked;
use crate::api::openapi::{Body, Operation};
use crate::error::Problem;
use crate::parameters::Parameters;
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use pipeline::plugin_cost::totals;
use reports::coverage::status;
use serde::Serialize;
use serde_json::Value;

pub const SOURCES: Operation = Operation {
    path: "/api/v1/sources",
    id: "list_sources",
    summary: "How each source stands: when it was collected, why it failed, when it is due, which days are missing; and what plugins cost.",
    parameters: &[],
    body: Body::Json("Sources"),
    errors: &[400, 500, 503],
};

const MINUTE_MS: i64 = 60_000;

#[derive(Serialize)]
struct Sources {
    sources: Vec<Value>,
    plugin_costs: Vec<Value>,
}

pub async fn sources(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    Parameters::read(&asked.uri, &[], &[])?;
    let facts = state.installation().sources();
    let now_ms = state.installation().now_ms();
    // What is due and missing changes with time, without a run.
    asked
        .answer_at(&state, now_ms / MINUTE_MS, move |ledger| {
            let of_source = |facts| Ok::<_, Problem>(status(ledger, facts, now_ms)?.document());
            Ok(Sources {
                sources: facts.iter().map(of_source).collect::<Result<_, _>>()?,
                plugin_costs: totals(&ledger.plugin_costs()?)
                    .iter()
                    .map(|total| total.document())
                    .collect(),
            })
        })
        .await
}
