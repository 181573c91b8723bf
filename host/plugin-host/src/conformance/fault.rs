//! Servers that misbehave, in front of the recording of one that does not.

use reach::cassette::Exchange;
use reach::failure::{Failure, FailureKind};
use reach::http::{HttpRequest, HttpResponse};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The misbehaviour of a server.
#[derive(Clone, Debug)]
pub enum ServerFault {
    Status(u16, Option<u32>),
    /// No answer at all.
    Late,
    /// Another body in place of the right one.
    Body(BodyChange),
    /// The first answer again and again.
    Again,
}

/// Makes an answer malformed.
type BodyChange = fn(&[u8]) -> Vec<u8>;

/// Replies that cannot be understood, each with its name.
pub const MALFORMED: [(&str, BodyChange); 5] = [
    ("empty", |_| Vec::new()),
    ("half of it", |body| body[..body.len() / 2].to_vec()),
    ("a web page", |_| b"<html><body>Sign in</body></html>".to_vec()),
    ("another shape", |_| b"[1, \"two\", null]".to_vec()),
    ("wrong types", wrong_types),
];

/// Every value that is not an object or a list becomes an object.
fn wrong_types(body: &[u8]) -> Vec<u8> {
    fn change(value: &mut Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(change),
            Value::Array(elements) => elements.iter_mut().for_each(change),
            leaf => *leaf = serde_json::json!({ "unexpected": true }),
        }
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return b"\x00\xff\xfe".to_vec();
    };
    change(&mut value);
    value.to_string().into_bytes()
}

/// Answers well for some requests, and then with the fault.
pub struct FaultyServer {
    inner: Arc<dyn Exchange>,
    fault: ServerFault,
    /// How many requests are answered well first.
    well: usize,
    asked: AtomicUsize,
    first: std::sync::Mutex<Option<HttpResponse>>,
}

impl FaultyServer {
    pub fn new(inner: Arc<dyn Exchange>, fault: ServerFault, well: usize) -> FaultyServer {
        FaultyServer {
            inner,
            fault,
            well,
            asked: AtomicUsize::new(0),
            first: std::sync::Mutex::new(None),
        }
    }
}

impl Exchange for FaultyServer {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.well {
            return self.inner.send(request);
        }
        match &self.fault {
            ServerFault::Status(status, wait) => {
                let headers = wait
                    .iter()
                    .map(|seconds| ("retry-after".to_owned(), seconds.to_string()))
                    .collect();
                Ok(HttpResponse { status: *status, headers, body: b"{\"error\": \"no\"}".to_vec() })
            }
            ServerFault::Late => {
                Err(Failure::new(FailureKind::Transient, "the server did not answer in time"))
            }
            ServerFault::Body(change) => {
                let answer = self.inner.send(request)?;
                Ok(HttpResponse { body: change(&answer.body), ..answer })
            }
            ServerFault::Again => {
                let mut first =
                    self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if let Some(answer) = &*first {
                    return Ok(answer.clone());
                }
                let answer = self.inner.send(request)?;
                *first = Some(answer.clone());
                Ok(answer)
            }
        }
    }

    fn slots(&self) -> Vec<String> {
        self.inner.slots()
    }
}
