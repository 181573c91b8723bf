//! Problems as clients see them: their status, their text, and the part that only the log gets.

use crate::code;
use crate::readiness::ReadinessFault;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::code::Code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use domain::run::RunId;
use schemars::JsonSchema;
use serde::Serialize;

/// An error as `application/problem+json` says it, and what only the log may know.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: Code,
    pub detail: String,
    pub hint: Option<Hint>,
    /// Of a server that is not ready.
    pub reasons: Vec<ReadinessFault>,
    /// Never shown to clients.
    pub inner: Option<String>,
}

/// RFC 9457, with the code of the catalogue, a hint, and an id that finds the request in the log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemBody {
    #[schemars(extend("format" = "uri"))]
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// Of the catalogue of errors; stable.
    #[schemars(extend("example" = "N202"))]
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    hint: Option<String>,
    /// Only of a server that is not ready: all that is to be mended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReadinessFault>,
    /// Also in the header x-request-id, and in the server's log.
    request_id: String,
}

impl Problem {
    fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code,
            detail: detail.into(),
            hint: None,
            reasons: Vec::new(),
            inner: None,
        }
    }

    fn hint(mut self, hint: impl Into<Hint>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    /// A parameter that cannot be understood.
    pub fn parameter(detail: impl Into<String>, hint: impl Into<Hint>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, domain::code::QUERY_INVALID, detail).hint(hint)
    }

    pub fn not_found(detail: impl Into<String>, hint: impl Into<Hint>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, reports::code::NOTHING_TO_EXPLAIN, detail).hint(hint)
    }

    pub fn no_such_path(path: &str, known: &[&str]) -> Problem {
        let hint = match did_you_mean(path, known.iter().copied()) {
            Some(close) => Hint::text("did you mean ").then(Hint::endpoint(close)).then("?"),
            None => all_paths(),
        };
        Problem::new(
            StatusCode::NOT_FOUND,
            code::NO_SUCH_PATH,
            format!("there is nothing at {path}"),
        )
        .hint(hint)
    }

    pub fn method_refused(method: &str, path: &str, taken: &str) -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            code::METHOD_REFUSED,
            format!("{path} does not take {method}"),
        )
        .hint(format!("use {taken}"))
    }

    pub fn changes_off() -> Problem {
        Problem::new(StatusCode::FORBIDDEN, code::CHANGES_OFF, code::CHANGES_OFF.meaning())
            .hint(Hint::command("serve --token-file apportion.token"))
    }

    pub fn token_refused(detail: &str) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, code::TOKEN_REFUSED, detail).hint(
            "send `Authorization: Bearer <token>` \
                 with the token that the operator of this server gave you",
        )
    }

    pub fn host_refused(host: &str) -> Problem {
        Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            code::HOST_REFUSED,
            format!("'{host}' is not a name of this machine"),
        )
        .hint("use localhost, 127.0.0.1 or [::1]")
    }

    /// A page behind one that was read before a run posted.
    pub fn pages_moved(run: Option<RunId>) -> Problem {
        let by = run.map_or_else(String::new, |run| format!(": run {} has posted", run.0));
        let detail = format!("page_token: the ledger changed after the page before{by}");
        Problem::new(StatusCode::CONFLICT, code::PAGES_MOVED, detail)
            .hint("leave page_token out, and read all pages again")
    }

    pub fn not_ready(reasons: Vec<ReadinessFault>) -> Problem {
        Problem {
            reasons,
            ..Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                code::NOT_READY,
                code::NOT_READY.meaning(),
            )
            .hint("ask the operator of this server, whose log says more")
        }
    }

    pub fn internal(inner: String) -> Problem {
        Problem::withheld(StatusCode::INTERNAL_SERVER_ERROR, domain::code::INTERNAL, inner)
    }

    /// Says only what the code means.
    fn withheld(status: StatusCode, code: Code, inner: String) -> Problem {
        Problem {
            inner: Some(inner),
            ..Problem::new(status, code, code.meaning())
                .hint("ask the operator of this server, whose log says more under the request_id")
        }
    }

    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let body = ProblemBody {
            r#type: format!("urn:apportion:problem:{}", self.code),
            title: self.code.meaning(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.text(),
            hint: self.hint.as_ref().map(client_hint),
            reasons: self.reasons.clone(),
            request_id: request_id.to_owned(),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl From<Diagnostic> for Problem {
    fn from(diagnostic: Diagnostic) -> Problem {
        match diagnostic.code {
            domain::code::QUERY_INVALID => asked_wrongly(StatusCode::BAD_REQUEST, diagnostic),
            ledger::code::APPROVAL_INVALID => asked_wrongly(StatusCode::BAD_REQUEST, diagnostic),
            pipeline::code::PLAN_RULES_MOVED
            | pipeline::code::PLAN_INPUTS_MOVED
            | pipeline::code::PLAN_OTHER_LEDGER
            | pipeline::code::PLAN_NOT_TO_APPLY
            | pipeline::code::APPROVAL_MISSING => asked_wrongly(StatusCode::CONFLICT, diagnostic),
            reports::code::NOTHING_TO_EXPLAIN => asked_wrongly(StatusCode::NOT_FOUND, diagnostic),
            ledger::code::LEDGER_NOT_FOUND
            | ledger::code::LEDGER_NEWER
            | ledger::code::LEDGER_NOT_OURS
            | ledger::code::LEDGER_READ_ONLY => Problem::withheld(
                StatusCode::SERVICE_UNAVAILABLE,
                diagnostic.code,
                diagnostic.to_string(),
            ),
            ledger::code::LEDGER_BUSY => Problem::withheld(
                StatusCode::SERVICE_UNAVAILABLE,
                diagnostic.code,
                diagnostic.to_string(),
            )
            .hint("send the request again in a moment"),
            other => {
                Problem::withheld(StatusCode::INTERNAL_SERVER_ERROR, other, diagnostic.to_string())
            }
        }
    }
}

fn asked_wrongly(status: StatusCode, diagnostic: Diagnostic) -> Problem {
    Problem {
        status,
        code: diagnostic.code,
        detail: diagnostic.message,
        hint: diagnostic.hint,
        reasons: Vec::new(),
        inner: None,
    }
}

/// Hints are for a client: requests and plain words. Where only a command or a setting helps, the
/// client is sent to the operator.
pub fn client_hint(hint: &Hint) -> String {
    let for_operator = "ask the operator of this server";
    hint.for_client().unwrap_or_else(|| for_operator.to_owned())
}

pub fn all_paths() -> Hint {
    Hint::text("all paths are in ").then(Hint::endpoint("/api/v1/openapi.json"))
}

/// The body is written by `guard`, which knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
