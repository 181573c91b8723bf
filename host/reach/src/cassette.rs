//! Recordings of a plugin's requests over HTTP and their answers, played again without a network.
//!
//! A recording is taken between the plugin and the client. Secrets are put into a request behind
//! that point, and blotted out of its answer before that point. So no recording can hold one.

use crate::code;
use crate::failure::{Failure, FailureKind};
use crate::http::{Http, HttpRequest, HttpResponse};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers the requests of a plugin: from the network, or from a recording.
pub trait Exchange: Send + Sync {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure>;
    /// Slots of secrets that have a value.
    fn slots(&self) -> Vec<String>;
}

impl Exchange for Http {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        Http::send(self, request)
    }

    fn slots(&self) -> Vec<String> {
        Http::slots(self)
    }
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedExchange {
    pub request: RecordedRequest,
    pub response: RecordedResponse,
}

/// The parts of a request by which it is found in a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<RecordedBody>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct RecordedResponse {
    /// 0 if there was no answer. `failure` then says why.
    pub status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: RecordedBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RecordedFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedFailure {
    /// `config`, `auth`, `rate-limited`, `transient` or `unavailable`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    pub message: String,
}

/// Text as it is, anything else in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecordedBody {
    Text(String),
    Bytes { hex: String },
}

impl Default for RecordedBody {
    fn default() -> RecordedBody {
        RecordedBody::Text(String::new())
    }
}

impl RecordedBody {
    fn of(bytes: &[u8]) -> RecordedBody {
        match std::str::from_utf8(bytes) {
            Ok(text) => RecordedBody::Text(text.to_owned()),
            Err(_) => RecordedBody::Bytes {
                hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            },
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        let hex = match self {
            RecordedBody::Text(text) => return Ok(text.clone().into_bytes()),
            RecordedBody::Bytes { hex } => hex,
        };
        let byte =
            |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
        bytes.ok_or_else(|| "a body in hex has something else in it".to_owned())
    }
}

/// Headers that are not recorded: they hold credentials, and no plugin reads them.
const HEADERS_LEFT_OUT: [&str; 6] = [
    "set-cookie",
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "cookie",
    "x-amz-security-token",
];

impl RecordedRequest {
    fn of(request: &HttpRequest) -> RecordedRequest {
        RecordedRequest {
            method: request.method.name().into(),
            url: request.url.clone(),
            body: request.body.as_deref().map(RecordedBody::of),
        }
    }
}

impl RecordedResponse {
    fn of(answer: &Result<HttpResponse, Failure>) -> RecordedResponse {
        match answer {
            Ok(response) => {
                let kept = response
                    .headers
                    .iter()
                    .filter(|(name, _)| !HEADERS_LEFT_OUT.contains(&name.as_str()));
                RecordedResponse {
                    status: response.status,
                    headers: kept.cloned().collect(),
                    body: RecordedBody::of(&response.body),
                    failure: None,
                }
            }
            Err(failure) => {
                let seconds = match failure.kind {
                    FailureKind::RateLimited(seconds) => seconds,
                    _ => None,
                };
                let failure = RecordedFailure {
                    kind: failure.kind.name().into(),
                    seconds,
                    message: failure.diagnostic.message.clone(),
                };
                RecordedResponse {
                    status: 0,
                    headers: BTreeMap::new(),
                    body: RecordedBody::default(),
                    failure: Some(failure),
                }
            }
        }
    }

    /// The recorded answer.
    pub fn answer(&self) -> Result<HttpResponse, Failure> {
        if let Some(failure) = &self.failure {
            return Err(Failure::new(
                kind_of(&failure.kind, failure.seconds),
                failure.message.clone(),
            ));
        }
        let body = self.body.bytes().map_err(|reason| {
            Failure::new(FailureKind::Config, format!("the recording cannot be played: {reason}"))
        })?;
        Ok(HttpResponse {
            status: self.status,
            headers: self.headers.clone().into_iter().collect(),
            body,
        })
    }
}

fn kind_of(name: &str, seconds: Option<u32>) -> FailureKind {
    match name {
        "auth" => FailureKind::Auth,
        "rate-limited" => FailureKind::RateLimited(seconds),
        "transient" => FailureKind::Transient,
        "unavailable" => FailureKind::Unavailable,
        _ => FailureKind::Config,
    }
}

/// Passes requests on, and keeps them with their answers.
pub struct Recorder {
    inner: Arc<dyn Exchange>,
    taken: Mutex<Vec<RecordedExchange>>,
}

impl Recorder {
    pub fn new(inner: Arc<dyn Exchange>) -> Recorder {
        Recorder { inner, taken: Mutex::new(Vec::new()) }
    }

    /// The recording so far.
    pub fn taken(&self) -> Vec<RecordedExchange> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Exchange for Recorder {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let answer = self.inner.send(request);
        let recorded = RecordedExchange {
            request: RecordedRequest::of(request),
            response: RecordedResponse::of(&answer),
        };
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        answer
    }

    fn slots(&self) -> Vec<String> {
        self.inner.slots()
    }
}

/// Answers out of recordings, and never asks the network.
pub struct Player {
    exchanges: Vec<RecordedExchange>,
    /// The answer to a request that was not recorded.
    otherwise: Option<RecordedResponse>,
    slots: Vec<String>,
    /// The requests so far: the second of two equal requests gets the second recorded answer.
    asked: Mutex<Vec<RecordedRequest>>,
}

impl Player {
    pub fn new(
        exchanges: Vec<RecordedExchange>,
        otherwise: Option<RecordedResponse>,
        slots: Vec<String>,
    ) -> Player {
        Player { exchanges, otherwise, slots, asked: Mutex::new(Vec::new()) }
    }
}

impl Exchange for Player {
    /// A request that was recorded several times is answered in the order of the recording. After
    /// the last answer, that answer is given again.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let request = RecordedRequest::of(request);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = asked.iter().filter(|known| **known == request).count();
        let mut answers = self.exchanges.iter().filter(|known| known.request == request);
        let answer = answers
            .clone()
            .nth(before)
            .or_else(|| answers.next_back())
            .map(|known| &known.response);
        let Some(answer) = answer.or(self.otherwise.as_ref()) else {
            let message =
                format!("the recording has no answer to {} {}", request.method, request.url);
            let diagnostic = Diagnostic::new(code::PLUGIN_CASSETTE, message).hint(
                Hint::text(
                    "the plugin asks something else than when it was recorded: record again with ",
                )
                .then(Hint::command("run --record DIR")),
            );
            return Err(Failure { kind: FailureKind::Config, diagnostic });
        };
        asked.push(request);
        answer.answer()
    }

    fn slots(&self) -> Vec<String> {
        self.slots.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpMethod;

    struct Echo;

    impl Exchange for Echo {
        fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
            match request.url.strip_prefix("http://h/") {
                Some("late") => Err(Failure::new(FailureKind::RateLimited(Some(7)), "later")),
                Some(path) => Ok(HttpResponse {
                    status: 200,
                    headers: vec![
                        ("set-cookie".into(), "session=1".into()),
                        ("etag".into(), "x".into()),
                    ],
                    body: if path == "bytes" { vec![0xff, 0x00] } else { path.as_bytes().to_vec() },
                }),
                None => Err(Failure::new(FailureKind::Unavailable, "nobody")),
            }
        }

        fn slots(&self) -> Vec<String> {
            vec!["token".into()]
        }
    }

    fn get(url: &str) -> HttpRequest {
        HttpRequest {
            method: HttpMethod::Get,
            url: url.into(),
            headers: Vec::new(),
            secrets: Vec::new(),
            body: None,
            repeatable: true,
        }
    }

    #[test]
    fn what_was_recorded_is_played_again() {
        let recorder = Recorder::new(Arc::new(Echo));
        let urls = ["http://h/a", "http://h/bytes", "http://h/late", "ftp://x"];
        let first: Vec<_> = urls
            .iter()
            .map(|url| recorder.send(&get(url)).map_err(|failure| failure.kind))
            .collect();
        let text = serde_json::to_string(&recorder.taken()).expect("JSON");
        assert!(!text.contains("session"), "{text}");
        let player =
            Player::new(serde_json::from_str(&text).expect("a recording"), None, recorder.slots());
        let again: Vec<_> =
            urls.iter().map(|url| player.send(&get(url)).map_err(|failure| failure.kind)).collect();
        let bodies = |answers: &[Result<HttpResponse, FailureKind>]| {
            answers
                .iter()
                .map(|answer| answer.clone().map(|answer| answer.body))
                .collect::<Vec<_>>()
        };
        assert_eq!(bodies(&again), bodies(&first));
        assert_eq!(
            again[0].as_ref().map(|answer| answer.headers.clone()),
            Ok(vec![("etag".into(), "x".into())])
        );
        let refusal = player.send(&get("http://h/b")).map_err(|failure| failure.diagnostic.code);
        assert_eq!(refusal, Err(code::PLUGIN_CASSETTE));
    }

    #[test]
    fn the_same_request_is_answered_in_the_order_of_the_recording() {
        let recorded = |body: &str| RecordedExchange {
            request: RecordedRequest { method: "GET".into(), url: "http://h/a".into(), body: None },
            response: RecordedResponse {
                status: 200,
                headers: BTreeMap::new(),
                body: RecordedBody::Text(body.into()),
                failure: None,
            },
        };
        let player = Player::new(vec![recorded("1"), recorded("2")], None, Vec::new());
        let bodies: Vec<_> = (0..3)
            .map(|_| player.send(&get("http://h/a")).map(|answer| answer.body).unwrap_or_default())
            .collect();
        assert_eq!(bodies, [b"1", b"2", b"2"]);
    }
}
