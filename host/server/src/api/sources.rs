//! How the sources stand, and what plugins cost.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::parameters::{NoParameters, Parameters};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use pipeline::plugin_cost::{TotalCostDocument, totals};
use reports::coverage::document::SourceDocument;
use reports::coverage::read::status;
use schemars::JsonSchema;
use serde::Serialize;

pub const SOURCES: Operation = Operation {
    path: "/api/v1/sources",
    id: "list_sources",
    summary: "How each source stands: when it was collected, why it failed, when it is due, \
        which days are missing; and what plugins cost.",
    placeholder: None,
    parameters: NoParameters::described,
    body: Body::Json(schema_of::<Sources>),
    errors: &[400, 500, 503],
};

const MINUTE_MS: i64 = 60_000;

#[derive(Serialize, JsonSchema)]
struct Sources {
    sources: Vec<SourceDocument>,
    plugin_costs: Vec<TotalCostDocument>,
}

pub async fn sources(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    NoParameters::read(&request.uri)?;
    let facts = state.installation().sources();
    let now_ms = state.installation().now_ms();
    // What is due and missing changes with time, without a run.
    request
        .answer_at(&state, now_ms / MINUTE_MS, move |ledger| {
            let of_source = |facts| -> Result<SourceDocument, Problem> {
                Ok(SourceDocument::from(&status(ledger, facts, now_ms)?).for_client())
            };
            Ok(Sources {
                sources: facts.iter().map(of_source).collect::<Result<_, _>>()?,
                plugin_costs: totals(&ledger.plugin_costs()?)
                    .iter()
                    .map(TotalCostDocument::from)
                    .collect(),
            })
        })
        .await
}
