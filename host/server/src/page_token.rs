//! Opaque marks of where a page ended.
//!
//! A token holds the sort key of the last row and not a count of rows. So rows that come or go
//! between two pages neither double nor hide others. It also holds a digest of its query: a token
//! of another query is refused. Of amounts it holds the run that they stand by: pages of two states
//! do not add up, so a token is refused once another run has posted.

use crate::error::Problem;
use domain::diagnostic::Diagnostic;
use domain::run::RunId;
use ledger::Reader;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Raised when the meaning of tokens changes.
const VERSION: u64 = 2;

/// Digest of the part of a query that pages must share. `DefaultHasher::new` has fixed keys.
pub fn digest(query: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    query.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The last run that had posted when a page was read; none in lists that only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageState(Option<i64>);

impl PageState {
    pub const NONE: PageState = PageState(None);

    pub fn of(ledger: &Reader) -> Result<PageState, Diagnostic> {
        Ok(PageState(ledger.last_posted_run()?.map(|posted| posted.id.0)))
    }

    /// Refuses the page behind one that was read from another state.
    pub fn follows(self, before: Option<PageState>) -> Result<(), Problem> {
        match before {
            Some(before) if before != self => Err(Problem::pages_moved(self.0.map(RunId))),
            _ => Ok(()),
        }
    }
}

pub fn write(query: &str, state: PageState, key: Value) -> String {
    let text = json!([VERSION, query, state.0, key]).to_string();
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The refusal of a token that no answer of this API has given.
pub fn broken() -> Problem {
    Problem::parameter(
        "page_token: this is not a token of this API",
        "leave it out to get the first page",
    )
}

/// A list of texts within a key.
pub fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The state and the key in a token, if the token belongs to this query.
pub fn read(token: &str, query: &str) -> Result<(PageState, Value), Problem> {
    let Value::Array(parts) = decode(token).ok_or_else(broken)? else { return Err(broken()) };
    let Ok([version, of_query, state, key]) = <[Value; 4]>::try_from(parts) else {
        return Err(broken());
    };
    if version != VERSION || of_query != query {
        return Err(Problem::parameter(
            "page_token: this token belongs to another query",
            "repeat the query that returned it, or leave the token out",
        ));
    }
    Ok((PageState(state.as_i64()), key))
}

fn decode(token: &str) -> Option<Value> {
    let digits = token.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| {
        std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes: Vec<u8> = digits.chunks_exact(2).map(byte).collect::<Option<_>>()?;
    serde_json::from_slice(&bytes).ok()
}
