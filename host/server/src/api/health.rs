//! Whether the process is alive, and whether all that it needs is well.

use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::readiness::{Part, ReadinessFault};
use crate::state::State;
use axum::Json;
use axum::extract::State as Shared;
use domain::diagnostic::Diagnostic;
use installation::settings::change::SettingsChange;
use ledger::Reader;
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
    summary: "Whether the rules and the settings on disk are good, the ledger can be read, the \
        last scheduled run posted, and every source was collected by its last attempt. \
        If not, the problem's `reasons` say what is to be mended; reports are answered as long \
        as the ledger can be read.",
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
    let mut reasons = of_process(&state);
    let names: Vec<String> =
        state.installation().sources().into_iter().map(|source| source.name).collect();
    match state.read(move |ledger, _| Ok(of_ledger(ledger, &names)?)).await {
        Ok(of_ledger) => reasons.extend(of_ledger),
        Err(problem) => {
            if let Some(inner) = &problem.inner {
                tracing::error!("not ready: {inner}");
            }
            reasons.push(ReadinessFault {
                part: Part::Ledger,
                source: None,
                code: Some(problem.code.text().to_owned()),
                message: problem.detail,
            });
        }
    }
    match reasons.is_empty() {
        true => Ok(Json(Health { status: "ready" })),
        false => Err(Problem::not_ready(reasons)),
    }
}

/// The rules and settings on disk, if what is in force is older, and a run that came to nothing.
fn of_process(state: &State) -> Vec<ReadinessFault> {
    let rules = state.installation().rules().diagnostics;
    let mut reasons: Vec<ReadinessFault> =
        rules.into_iter().map(|finding| ReadinessFault::of(Part::Rules, finding)).collect();
    if let SettingsChange::Broken(findings) = state.installation().settings_change() {
        reasons.extend(
            findings.into_iter().map(|finding| ReadinessFault::of(Part::Settings, finding)),
        );
    }
    let failure = state.installation().runs().figures().failure;
    reasons.extend(failure.map(|finding| ReadinessFault::of(Part::Run, finding)));
    reasons
}

fn of_ledger(ledger: &Reader, sources: &[String]) -> Result<Vec<ReadinessFault>, Diagnostic> {
    let mut reasons = Vec::new();
    for source in sources {
        let last = ledger.attempts(source)?.pop();
        if let Some(failure) = last.and_then(|attempt| attempt.attempt.failure) {
            reasons.push(ReadinessFault {
                part: Part::Source,
                source: Some(source.clone()),
                code: Some(failure.code),
                message: failure.message,
            });
        }
    }
    Ok(reasons)
}
