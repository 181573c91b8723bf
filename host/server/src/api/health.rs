//! Whether the process is alive, and whether it can answer.

use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::state::State;
use axum::Json;
use axum::extract::State as Shared;
use schemars::JsonSchema;
use serde::Serialize;

pub const HEALTHZ: Operation = Operation {
    path: "/healthz",
    id: "is_alive",
    summary: "Whether the process is alive. It does not look at the ledger.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Json(schema_of::<Health>),
    errors: &[],
};

pub const READYZ: Operation = Operation {
    path: "/readyz",
    id: "is_ready",
    summary: "Whether the ledger can be read by this version.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Json(schema_of::<Health>),
    errors: &[500, 503],
};

#[derive(Serialize, JsonSchema)]
pub struct Health {
    status: &'static str,
}

pub async fn healthz() -> Json<Health> {
    Json(Health { status: "alive" })
}

pub async fn readyz(Shared(state): Shared<State>) -> Result<Json<Health>, Problem> {
    state.read(|_, _| Ok(())).await?;
    Ok(Json(Health { status: "ready" }))
}
