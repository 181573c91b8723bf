//! The common parts of all JSON answers: the state that they are read from, and the tag that saves
//! a second answer.

use crate::VERSION;
use crate::error::Problem;
use crate::page_token;
use crate::state::{Mark, State};
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use ledger::Reader;
use serde::Serialize;
use std::convert::Infallible;

/// A request to read: its path with its query, and the answers that the client has already.
pub struct ReadRequest {
    pub uri: Uri,
    if_none_match: Option<String>,
}

impl FromRequestParts<State> for ReadRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<ReadRequest, Infallible> {
        let known =
            parts.headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).map(str::to_owned);
        Ok(ReadRequest { uri: parts.uri.clone(), if_none_match: known })
    }
}

impl ReadRequest {
    fn has(&self, etag: &str) -> bool {
        let tags = self.if_none_match.as_deref().unwrap_or_default();
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    }

    fn etag(&self, version: &str, mark: impl std::hash::Hash) -> String {
        let asked = self.uri.path_and_query().map_or("", |asked| asked.as_str());
        format!("\"{}\"", page_token::digest((version, asked, mark)))
    }

    /// Answers in JSON from one state of the ledger, or says that the client has that answer
    /// already.
    pub async fn answer<T: Serialize>(
        self,
        state: &State,
        work: impl Fn(&Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        self.answer_at(state, (), work).await
    }

    /// The same where the answer depends on `moment` as well.
    pub async fn answer_at<T: Serialize>(
        self,
        state: &State,
        moment: impl std::hash::Hash + Send + 'static,
        work: impl Fn(&Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        state
            .read(move |ledger, mark: Mark| {
                let etag = self.etag(VERSION, (mark, &moment));
                if self.has(&etag) {
                    return Ok(unchanged(&etag));
                }
                json(&etag, &work(ledger)?)
            })
            .await
    }

    /// The same for an answer that is not from the ledger. It depends on `content` and nothing
    /// else.
    pub fn answer_of<T: Serialize>(
        &self,
        content: impl std::hash::Hash,
        work: impl FnOnce() -> T,
    ) -> Result<Response, Problem> {
        let etag = self.etag(VERSION, content);
        if self.has(&etag) { Ok(unchanged(&etag)) } else { json(&etag, &work()) }
    }
}

fn unchanged(etag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, [(ETAG, etag.to_owned())]).into_response()
}

fn json<T: Serialize>(etag: &str, body: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Problem::internal(format!("an answer cannot be written: {error}")))?;
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (ETAG, etag.to_owned())], body)
        .into_response())
}
