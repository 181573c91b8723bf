//! Runs, and the rows that a run set aside.

use crate::api::answer::Asked;
use crate::api::openapi::{Body, LIMIT, Operation, PAGE_TOKEN, RUN_ID};
use crate::error::Problem;
use crate::page_token;
use crate::parameters::Parameters;
use crate::state::State;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use domain::charge::Rejected;
use domain::diagnostic::Diagnostic;
use domain::period::instant;
use domain::run::RunId;
use ledger::{Reader, RunRow};
use serde::Serialize;
use serde_json::Value;

pub const RUNS: Operation = Operation {
    path: "/api/v1/runs",
    id: "list_runs",
    summary: "Runs, the latest first.",
    parameters: &[LIMIT, PAGE_TOKEN],
    body: Body::Json("Runs"),
    errors: &[400, 500, 503],
};

pub const RUN: Operation = Operation {
    path: "/api/v1/runs/{id}",
    id: "get_run",
    summary: "One run, with the first rows of each source that it set aside.",
    parameters: &[RUN_ID, LIMIT],
    body: Body::Json("RunDetail"),
    errors: &[400, 404, 500, 503],
};

#[derive(Serialize)]
struct Runs {
    runs: Vec<Run>,
    next_page_token: Option<String>,
}

#[derive(Serialize)]
struct Run {
    id: i64,
    /// `unfinished`: under way, or interrupted.
    state: &'static str,
    version: String,
    started_at: String,
    ended_at: Option<String>,
    /// Digest of the rules.
    generation: Option<String>,
    charges: u64,
    rejected: u64,
    note: String,
}

#[derive(Serialize)]
struct RunDetail {
    #[serde(flatten)]
    run: Run,
    rejected_by_source: Vec<RejectedCount>,
    rejected_rows: Vec<RejectedRow>,
}

#[derive(Serialize)]
struct RejectedCount {
    source: String,
    count: u64,
}

#[derive(Serialize)]
struct RejectedRow {
    source: String,
    location: String,
    reason: String,
    excerpt: String,
}

pub async fn runs(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let parameters = Parameters::read(&asked.uri, &["limit", "page_token"], &[])?;
    let limit = parameters.limit()?;
    let digest = page_token::digest("runs");
    let key = parameters.page_token().map(|token| page_token::read(token, &digest)).transpose()?;
    let before = key.as_ref().and_then(Value::as_i64).unwrap_or(i64::MAX);
    asked
        .answer(&state, move |ledger| {
            // One more than asked for tells whether there is another page.
            let mut page = ledger.runs_before(RunId(before), limit + 1)?;
            let has_more = page.len() > limit;
            page.truncate(limit);
            let next = page
                .last()
                .filter(|_| has_more)
                .map(|last| page_token::write(&digest, last.id.0.into()));
            let runs =
                page.into_iter().map(|run| Run::new(ledger, run)).collect::<Result<_, _>>()?;
            Ok(Runs { runs, next_page_token: next })
        })
        .await
}

pub async fn run(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let limit = Parameters::read(&asked.uri, &["limit"], &[])?.limit()?;
    asked
        .answer(&state, move |ledger| {
            let wanted = id.parse().ok().map(RunId);
            let found = wanted.map(|id| ledger.run(id)).transpose()?.flatten();
            let found = found.ok_or_else(|| {
                Problem::not_found(format!("there is no run '{id}'"), "/api/v1/runs lists the runs")
            })?;
            Ok(RunDetail::read(ledger, found, limit)?)
        })
        .await
}

impl Run {
    fn new(ledger: &Reader, run: RunRow) -> Result<Run, Diagnostic> {
        let mut shown = Run {
            id: run.id.0,
            state: "unfinished",
            version: run.version,
            started_at: instant(run.started_at_ms),
            ended_at: None,
            generation: None,
            charges: 0,
            rejected: 0,
            note: String::new(),
        };
        if let Some(end) = run.end {
            shown.state = end.state.name();
            shown.ended_at = Some(instant(end.at_ms));
            shown.generation = end
                .generation
                .map(|generation| ledger.generation(generation))
                .transpose()?
                .flatten()
                .map(|generation| generation.to_string());
            (shown.charges, shown.rejected, shown.note) = (end.charges, end.rejected, end.note);
        }
        Ok(shown)
    }
}

impl RunDetail {
    fn read(ledger: &Reader, run: RunRow, limit: usize) -> Result<RunDetail, Diagnostic> {
        let id = run.id;
        let row = |(source, Rejected { location, reason, excerpt })| RejectedRow {
            source,
            location,
            reason,
            excerpt,
        };
        Ok(RunDetail {
            run: Run::new(ledger, run)?,
            rejected_by_source: ledger
                .rejected_counts(id)?
                .into_iter()
                .map(|(source, count)| RejectedCount { source, count })
                .collect(),
            rejected_rows: ledger.rejected(id, limit)?.into_iter().map(row).collect(),
        })
    }
}
