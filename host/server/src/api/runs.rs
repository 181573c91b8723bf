//! Runs, and the rows that a run set aside.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::page_token::{self, PageState};
use crate::parameters::{Limit, Parameters, parameters};
use crate::state::State;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use domain::hint::Hint;
use domain::run::RunId;
use reports::runs::document::{RunDetailDocument, RunsDocument};
use reports::runs::query::{RunQuery, RunsQuery};
use reports::runs::read::{run as run_of, runs as runs_of};

pub const RUNS: Operation = Operation {
    path: "/api/v1/runs",
    id: "list_runs",
    summary: "Runs, the latest first.",
    placeholder: None,
    parameters: RunsParameters::described,
    body: Body::Json(schema_of::<RunsDocument>),
    errors: &[400, 500, 503],
};

pub const RUN: Operation = Operation {
    path: "/api/v1/runs/{id}",
    id: "get_run",
    summary: "One run, with the first rows of each source that it set aside.",
    placeholder: Some(("id", "A run's number.")),
    parameters: RunParameters::described,
    body: Body::Json(schema_of::<RunDetailDocument>),
    errors: &[400, 404, 500, 503],
};

parameters!(RunsParameters {
    /// Rows of one answer.
    limit: Limit,
    /// The next_page_token of the answer before, to the same query.
    page_token: Option<String>,
});

parameters!(RunParameters {
    /// Rows of one answer.
    limit: Limit,
});

pub async fn runs(Shared(state): Shared<State>, request: ReadRequest) -> Result<Response, Problem> {
    let parameters = RunsParameters::read(&request.uri)?;
    let digest = page_token::digest("runs");
    let token = parameters.page_token.as_deref();
    let key = token.map(|token| page_token::read(token, &digest)).transpose()?;
    let before =
        key.map(|(_, key)| key.as_i64().map(RunId).ok_or_else(page_token::broken)).transpose()?;
    let query = RunsQuery { before, limit: parameters.limit.0 };
    request
        .answer(&state, move |ledger| {
            let page = runs_of(ledger, &query)?;
            let last = page.runs.last().filter(|_| page.has_more);
            let next =
                last.map(|last| page_token::write(&digest, PageState::NONE, last.row.id.0.into()));
            Ok(RunsDocument::page(&page, next))
        })
        .await
}

pub async fn run(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let limit = RunParameters::read(&request.uri)?.limit.0;
    request
        .answer(&state, move |ledger| {
            let query = id.parse().ok().map(|id| RunQuery { id: RunId(id), limit });
            let found = query.map(|query| run_of(ledger, &query)).transpose()?.flatten();
            let found = found.ok_or_else(|| no_such_run(&id))?;
            Ok(RunDetailDocument::from(&found))
        })
        .await
}

fn no_such_run(id: &str) -> Problem {
    let hint = Hint::endpoint("/api/v1/runs").then(" lists the runs");
    Problem::not_found(format!("there is no run '{id}'"), hint)
}
