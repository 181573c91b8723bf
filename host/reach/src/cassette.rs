//! Recordings of what a plugin asked over HTTP and was answered, to be played again with the network off.
//!
//! A recording is taken where the plugin stands: secrets are put into a request after that point, and blotted out of its
//! answer before it. So no recording can hold one.

use crate::code;
use crate::failure::{Failure, Kind};
use crate::http::{Http, Request, Response};
use domain::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who answers the requests of a plugin: the network, or a recording of it.
pub trait Exchange: Send + Sync {
    fn send(&self, request: &Request) -> Result<Response, Failure>;
    /// Slots of secrets that have a value.
    fn slots(&self) -> Vec<String>;
}

impl Exchange for Http {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        Http::send(self, request)
    }

    fn slots(&self) -> Vec<String> {
        Http::slots(self)
    }
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub request: RecordedRequest,
    pub response: RecordedResponse,
}

/// What tells one request from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct RecordedResponse {
    /// 0 where there was no answer; `failure` then says why.
    pub status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Body,
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
pub enum Body {
    Text(String),
    Bytes { hex: String },
}

impl Default for Body {
    fn default() -> Body {
        Body::Text(String::new())
    }
}

impl Body {
    fn of(bytes: &[u8]) -> Body {
        match std::str::from_utf8(bytes) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Bytes { hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect() },
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        let hex = match self {
            Body::Text(text) => return Ok(text.clone().into_bytes()),
            Body::Bytes { hex } => hex,
        };
        let byte =
            |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
        bytes.ok_or_else(|| "a body in hex has something else in it".to_owned())
    }
}

/// Headers that are of no use to a plugin, and may let somebody in.
const HEADERS_LEFT_OUT: [&str; 6] = [
    "set-cookie",
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "cookie",
    "x-amz-security-token",
];

impl RecordedRequest {
    fn of(request: &Request) -> RecordedRequest {
        RecordedRequest {
            method: request.method.name().into(),
            url: request.url.clone(),
            body: request.body.as_deref().map(Body::of),
        }
    }
}

impl RecordedResponse {
    fn of(answer: &Result<Response, Failure>) -> RecordedResponse {
        match answer {
            Ok(response) => {
                let kept = response
                    .headers
                    .iter()
                    .filter(|(name, _)| !HEADERS_LEFT_OUT.contains(&name.as_str()));
                RecordedResponse {
                    status: response.status,
                    headers: kept.cloned().collect(),
                    body: Body::of(&response.body),
                    failure: None,
                }
            }
            Err(failure) => {
                let (kind, seconds) = name_of(failure.kind);
                let failure = RecordedFailure {
                    kind: kind.into(),
                    seconds,
                    message: failure.diagnostic.message.clone(),
                };
                RecordedResponse {
                    status: 0,
                    headers: BTreeMap::new(),
                    body: Body::default(),
                    failure: Some(failure),
                }
            }
        }
    }

    /// The answer once more.
    pub fn answer(&self) -> Result<Response, Failure> {
        if let Some(failure) = &self.failure {
            return Err(Failure::new(
                kind_of(&failure.kind, failure.seconds),
                failure.message.clone(),
            ));
        }
        let body = self.body.bytes().map_err(|reason| {
            Failure::new(Kind::Config, format!("the recording cannot be played: {reason}"))
        })?;
        Ok(Response {
            status: self.status,
            headers: self.headers.clone().into_iter().collect(),
            body,
        })
    }
}

fn name_of(kind: Kind) -> (&'static str, Option<u32>) {
    match kind {
        Kind::Config => ("config", None),
        Kind::Auth => ("auth", None),
        Kind::RateLimited(seconds) => ("rate-limited", seconds),
        Kind::Transient => ("transient", None),
        Kind::Unavailable => ("unavailable", None),
    }
}

fn kind_of(name: &str, seconds: Option<u32>) -> Kind {
    match name {
        "auth" => Kind::Auth,
        "rate-limited" => Kind::RateLimited(seconds),
        "transient" => Kind::Transient,
        "unavailable" => Kind::Unavailable,
        _ => Kind::Config,
    }
}

/// Passes everything on, and keeps what was asked and answered.
pub struct Recorder {
    inner: Arc<dyn Exchange>,
    taken: Mutex<Vec<Recorded>>,
}

impl Recorder {
    pub fn new(inner: Arc<dyn Exchange>) -> Recorder {
        Recorder { inner, taken: Mutex::new(Vec::new()) }
    }

    /// What was recorded until now.
    pub fn taken(&self) -> Vec<Recorded> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Exchange for Recorder {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let answer = self.inner.send(request);
        let recorded = Recorded {
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
    exchanges: Vec<Recorded>,
    /// The answer to what was not recorded.
    otherwise: Option<RecordedResponse>,
    slots: Vec<String>,
    /// How often each recorded request was asked.
    asked: Mutex<Vec<RecordedRequest>>,
}

impl Player {
    pub fn new(
        exchanges: Vec<Recorded>,
        otherwise: Option<RecordedResponse>,
        slots: Vec<String>,
    ) -> Player {
        Player { exchanges, otherwise, slots, asked: Mutex::new(Vec::new()) }
    }
}

impl Exchange for Player {
    /// A request that was recorded several times is answered as it was, in that order; then the last answer stays.
    fn send(&self, request: &Request) -> Result<Response, Failure> {
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
            let diagnostic = Diagnostic::new(code::PLUGIN_CASSETTE, message)
                .hint("the plugin asks something else than when it was recorded: record again with `apportion run --record DIR`");
            return Err(Failure { kind: Kind::Config, diagnostic });
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
    use crate::http::Method;

    struct Echo;

    impl Exchange for Echo {
        fn send(&self, request: &Request) -> Result<Response, Failure> {
            match request.url.strip_prefix("http://h/") {
                Some("late") => Err(Failure::new(Kind::RateLimited(Some(7)), "later")),
                Some(path) => Ok(Response {
                    status: 200,
                    headers: vec![
                        ("set-cookie".into(), "session=1".into()),
                        ("etag".into(), "x".into()),
                    ],
                    body: if path == "bytes" { vec![0xff, 0x00] } else { path.as_bytes().to_vec() },
                }),
                None => Err(Failure::new(Kind::Unavailable, "nobody")),
            }
        }

        fn slots(&self) -> Vec<String> {
            vec!["token".into()]
        }
    }

    fn get(url: &str) -> Request {
        Request {
            method: Method::Get,
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
        let bodies = |answers: &[Result<Response, Kind>]| {
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
        let recorded = |body: &str| Recorded {
            request: RecordedRequest { method: "GET".into(), url: "http://h/a".into(), body: None },
            response: RecordedResponse {
                status: 200,
                headers: BTreeMap::new(),
                body: Body::Text(body.into()),
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
