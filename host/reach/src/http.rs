//! HTTP: requests that the operator allows. Secrets are put in last, and taken out of the answers.

mod address;
mod area;
mod client;
mod options;
mod outgoing;
mod redirect;
mod retry;
mod token;
mod userinfo;

pub use address::Networks;
pub use area::{Area, decoded, normal};
pub use options::{AllowedRequest, HttpOptions, Proxy};
pub use userinfo::{has_userinfo, masked, masked_url};

use crate::failure::{Failure, FailureKind};
use crate::runtime::{self, milliseconds};
use crate::secret::{Blots, SecretValue, Secrets};
use crate::toml_table;
use client::{Client, NoAnswer};
use domain::hint::Hint;
use outgoing::OutgoingRequest;
use retry::{Pace, Patience};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use token::Tokens;
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    Get,
    Head,
    Post,
}

impl HttpMethod {
    pub const ALL: [HttpMethod; 3] = [HttpMethod::Get, HttpMethod::Head, HttpMethod::Post];

    pub fn name(self) -> &'static str {
        match self {
            HttpMethod::Get => "GET",
            HttpMethod::Head => "HEAD",
            HttpMethod::Post => "POST",
        }
    }
}

/// Where the value of a secret belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    Bearer,
    /// The user. Without a user, the value is `user:password` as a whole.
    Basic(Option<String>),
    Header(String),
    Query(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: HttpMethod,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub secrets: Vec<(String, SecretPlace)>,
    pub body: Option<Vec<u8>>,
    /// Whether the request does no harm when it is sent twice.
    pub repeatable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A URL as messages show it: without its query, which may hold names of customers or keys.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.into()
}

/// The HTTP client of one source, with its allowed requests, its secrets and its pace.
pub struct Http {
    options: HttpOptions,
    secrets: Secrets,
    client: Client,
    tokens: Tokens,
    blots: Blots,
    pace: Mutex<Pace>,
}

impl Http {
    /// Connects to nothing yet.
    pub fn new(options: HttpOptions, secrets: Secrets) -> Http {
        let pace = Mutex::new(Pace::new(options.requests, options.requests_per_minute));
        Http {
            client: Client::default(),
            tokens: Tokens::default(),
            blots: Blots::default(),
            pace,
            options,
            secrets,
        }
    }

    /// The answer, whatever its status.
    pub fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let began = Instant::now();
        let mut answer = self.follow(request);
        // A token can end before its time, when its key was changed or its server forgot it. The
        // request is sent once more with a new token.
        if answer.as_ref().is_ok_and(|answer| answer.status == 401)
            && self.forget_tokens(request, began)
        {
            answer = self.follow(request);
        }
        match answer {
            Ok(HttpResponse { status, headers, body }) => {
                let headers = headers
                    .into_iter()
                    .map(|(name, value)| (name, self.blots.text(&value)))
                    .collect();
                Ok(HttpResponse { status, headers, body: self.blots.bytes(body) })
            }
            Err(failure) => Err(failure.without(&self.blots)),
        }
    }

    /// The secrets that the operator named.
    pub fn slots(&self) -> Vec<String> {
        self.secrets.slots.keys().cloned().collect()
    }

    fn follow(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let mut outgoing = OutgoingRequest::new(&self.options, request)?;
        self.options.check(outgoing.method, &outgoing.url)?;
        for (slot, place) in &request.secrets {
            let value = self.value(slot, &outgoing.url)?;
            outgoing.put(slot, place, value)?;
        }
        for _ in 0..=redirect::STEPS_MAX {
            // Before it is sent: the answer may repeat a secret.
            self.add_blots(&outgoing);
            let response = self.persist(&outgoing)?;
            let Some(next) = redirect::target(&self.options, &outgoing, &response)? else {
                return Ok(response);
            };
            // A server that was sent a secret could write it into the URL of another server.
            let crosses = next.origin() != outgoing.url.origin();
            if crosses
                && (self.blots.hit(next.as_str()) || self.blots.hit(&area::decoded(next.as_str())))
            {
                let message = format!(
                    "{} redirects to {} with a secret in the URL",
                    shown(&outgoing.url),
                    shown(&next)
                );
                return Err(Failure::denied(
                    message,
                    "nothing allows this; ask whoever runs the server",
                ));
            }
            // Checked after the change of method: a POST that became a GET needs its own line.
            outgoing = outgoing.redirected(&response, next);
            self.options.check(outgoing.method, &outgoing.url)?;
            outgoing.keep_secrets(|slot, url| {
                !crosses
                    && self
                        .secrets
                        .slots
                        .get(slot)
                        .is_some_and(|slot| slot.areas.iter().any(|area| area.holds(url)))
            });
        }
        let message = format!(
            "{} was redirected more than {} times",
            shown(&outgoing.url),
            redirect::STEPS_MAX
        );
        Err(Failure::new(FailureKind::Unavailable, message).hint(
            "a server that redirects in a circle often wants other credentials, \
                 or a `/` at the end of the path",
        ))
    }

    /// From now on, answers and messages are searched for the secrets of this request.
    fn add_blots(&self, outgoing: &OutgoingRequest) {
        for secret in &outgoing.secrets {
            secret.forms().iter().for_each(|form| self.blots.add(form));
        }
    }

    /// Sends, and sends again as long as a repetition does no harm and may help.
    fn persist(&self, outgoing: &OutgoingRequest) -> Result<HttpResponse, Failure> {
        let mut patience = Patience::new(&self.options, outgoing.repeatable);
        let mut attempt = 0_u32;
        loop {
            attempt += 1;
            // Repetitions count like requests, since a server sees no difference.
            self.keep_pace()?;
            let began = Instant::now();
            let answer = self.client.attempt(&self.options, &self.blots, outgoing);
            let wait = patience.before_next(&answer);
            self.log(outgoing, attempt, began, &answer);
            match wait {
                Some(wait) => runtime::wait(wait),
                None => return answer.map_err(|trouble| trouble.failure),
            }
        }
    }

    /// Says how an attempt went. Neither the path nor the words of a failure are logged: both can
    /// hold a secret.
    fn log(
        &self,
        outgoing: &OutgoingRequest,
        attempt: u32,
        began: Instant,
        answer: &Result<HttpResponse, NoAnswer>,
    ) {
        let (source, method) = (self.options.source.as_str(), outgoing.method.name());
        let host = outgoing.url.host_str().unwrap_or_default();
        let ms = milliseconds(began);
        match answer {
            Ok(HttpResponse { status, body, .. }) => {
                let bytes = body.len();
                tracing::debug!(source, method, host, attempt, status, bytes, ms, "answered");
            }
            Err(NoAnswer { failure, .. }) => {
                let kind = failure.kind.name();
                tracing::debug!(source, method, host, attempt, kind, ms, "no answer");
            }
        }
    }

    fn keep_pace(&self) -> Result<(), Failure> {
        let wait =
            self.pace.lock().unwrap_or_else(PoisonError::into_inner).before_next(Instant::now());
        match wait {
            Some(wait) => {
                runtime::wait(wait);
                Ok(())
            }
            None => {
                let HttpOptions { source, requests, .. } = &self.options;
                let message = format!(
                    "source '{source}' made all of the {requests} requests that one run may make"
                );
                let line = format!("requests = {}", requests.saturating_mul(10));
                Err(Failure::denied(message, self.options.setting(line)))
            }
        }
    }

    /// The section of the settings that says where a secret is kept.
    fn section(&self, slot: &str) -> String {
        toml_table::header(&["sources", &self.options.source, "secrets", slot])
    }

    /// The value of a slot, if it may go there.
    fn value(&self, slot: &str, url: &Url) -> Result<SecretValue, Failure> {
        let source = &self.options.source;
        let section = self.section(slot);
        let mut root = url.clone();
        root.set_query(None);
        root.set_path("/");
        let Some(known) = self.secrets.slots.get(slot) else {
            let variable = slot.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            let lines = format!("{section}\nenv = \"{variable}\"\nfor = [\"{root}\"]");
            let message = format!("source '{source}' has no secret '{slot}'");
            return Err(Failure::denied(message, Hint::setting(lines)));
        };
        if !known.areas.iter().any(|area| area.holds(url)) {
            let message =
                format!("the secret '{slot}' of source '{source}' may not go to {}", shown(url));
            let all: Vec<String> = known
                .areas
                .iter()
                .map(|area| format!("\"{area}\""))
                .chain([format!("\"{root}\"")])
                .collect();
            let lines = format!("{section}\nfor = [{}]", all.join(", "));
            return Err(Failure::denied(message, Hint::setting(lines)));
        }
        let value = self.read(slot, &known.keeper)?;
        self.blots.add(value.expose());
        Ok(value)
    }
}
