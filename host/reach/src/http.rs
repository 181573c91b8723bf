//! HTTP: requests that the operator allows, with secrets put in, and answers with secrets taken out.

mod address;
mod area;
mod client;
mod outgoing;
mod redirect;
mod retry;
mod token;

pub use address::Networks;
pub use area::{Area, normal};

use crate::failure::{Failure, Kind};
use crate::runtime;
use crate::secret::{Blots, Keeper, Secrets, Value};
use client::Client;
use outgoing::Outgoing;
use retry::{Pace, Patience};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use token::Tokens;
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
}

impl Method {
    pub const ALL: [Method; 3] = [Method::Get, Method::Head, Method::Post];

    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
        }
    }
}

/// Where the value of a secret belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Bearer,
    /// The user; without one the value is `user:password` itself.
    Basic(Option<String>),
    Header(String),
    Query(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub secrets: Vec<(String, Place)>,
    pub body: Option<Vec<u8>>,
    /// Whether it does no harm to send it twice.
    pub repeatable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A line of the list of what may be asked: `GET https://api.example.com/v1/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub method: Method,
    pub area: Area,
}

impl Allowed {
    /// Refuses what is no such line, with the reason.
    pub fn parse(text: &str) -> Result<Allowed, String> {
        let (method, area) = text.split_once(' ').ok_or("it is not a method and a URL")?;
        let method = Method::ALL.into_iter().find(|known| known.name() == method);
        let method = method.ok_or_else(|| {
            format!("the methods are {}", Method::ALL.map(Method::name).join(", "))
        })?;
        Ok(Allowed { method, area: Area::parse(area.trim_start())? })
    }

    /// Who may get may also ask for the head of it.
    fn holds(&self, method: Method, url: &Url) -> bool {
        (self.method == method || (self.method, method) == (Method::Get, Method::Head))
            && self.area.holds(url)
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.area)
    }
}

/// A server that asks on our behalf.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub url: Url,
    /// Where `user:password` is kept, if it wants to know who asks.
    pub auth: Option<Keeper>,
    /// Hosts that are asked without it: names with all that end in them, addresses, ranges of addresses.
    pub except: Vec<String>,
}

impl Proxy {
    /// Refuses what is no address of a proxy, with the reason.
    pub fn at(url: &str) -> Result<Proxy, String> {
        Ok(Proxy { url: normal(url)?, auth: None, except: Vec::new() })
    }
}

/// What one source may ask, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the source.
    pub source: String,
    pub allow: Vec<Allowed>,
    /// Addresses that may be connected to although they are not public.
    pub networks: Networks,
    /// Of one attempt, from the name's resolution to the last byte.
    pub timeout: Duration,
    /// The longest body of an answer, unpacked.
    pub response_bytes: u64,
    /// The most requests of one run, with all repetitions and redirections.
    pub requests: u64,
    pub requests_per_minute: Option<u32>,
    /// How often a request is repeated that may be.
    pub retries: u32,
    /// What is waited for before the first repetition; each next time it is twice as long.
    pub first_wait: Duration,
    /// The most that one request waits, all its repetitions together.
    pub waiting: Duration,
    pub proxy: Option<Proxy>,
    /// Certificates in PEM that servers' certificates may be signed by, beside those that the machine trusts.
    pub ca_file: Option<PathBuf>,
}

impl Options {
    pub const TIMEOUT: Duration = Duration::from_secs(60);
    pub const RESPONSE_BYTES: u64 = 32 << 20;
    pub const REQUESTS: u64 = 10_000;
    pub const RETRIES: u32 = 4;
    pub const FIRST_WAIT: Duration = Duration::from_millis(500);
    pub const WAITING: Duration = Duration::from_secs(120);

    /// Nothing is allowed yet.
    pub fn new(source: impl Into<String>) -> Options {
        Options {
            source: source.into(),
            allow: Vec::new(),
            networks: Networks::default(),
            timeout: Options::TIMEOUT,
            response_bytes: Options::RESPONSE_BYTES,
            requests: Options::REQUESTS,
            requests_per_minute: None,
            retries: Options::RETRIES,
            first_wait: Options::FIRST_WAIT,
            waiting: Options::WAITING,
            proxy: None,
            ca_file: None,
        }
    }

    /// The section of the settings, and a line to write into it.
    fn line(&self, line: impl fmt::Display) -> String {
        format!("[sources.{}.http]\n{line}", toml_key(&self.source))
    }

    /// The line that allows what is allowed already and this too.
    fn line_that_allows(&self, method: Method, url: &Url) -> String {
        let mut area = url.clone();
        area.set_query(None);
        let known = self.allow.iter().map(|allowed| format!("{:?}", allowed.to_string()));
        let all: Vec<String> =
            known.chain([format!("{:?}", format!("{} {area}", method.name()))]).collect();
        self.line(format!("allow = [{}]", all.join(", ")))
    }

    fn check(&self, method: Method, url: &Url) -> Result<(), Failure> {
        if !self.allow.iter().any(|allowed| allowed.holds(method, url)) {
            let message =
                format!("source '{}' does not allow {} {}", self.source, method.name(), shown(url));
            return Err(Failure::denied(message, self.line_that_allows(method, url)));
        }
        self.networks.check(url).map_err(|refused| self.refused(&refused))
    }

    fn refused(&self, refused: &address::Refused) -> Failure {
        let bits = if refused.address.is_ipv4() { 32 } else { 128 };
        let message = format!("{refused}, and source '{}' grants no such network", self.source);
        Failure::denied(message, self.line(format!("networks = [\"{}/{bits}\"]", refused.address)))
    }
}

/// The key of a table as TOML has it.
pub(crate) fn toml_key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.chars().all(is_bare) && !name.is_empty() {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

/// A URL as messages have it: what is in its query is nobody's business.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.into()
}

/// What one source may ask, and the client that does.
pub struct Http {
    options: Options,
    secrets: Secrets,
    client: Client,
    tokens: Tokens,
    blots: Blots,
    pace: Mutex<Pace>,
}

impl Http {
    /// Connects to nothing yet.
    pub fn new(options: Options, secrets: Secrets) -> Http {
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
    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        let began = Instant::now();
        let mut answer = self.follow(request);
        // A token can end before its time: its key was changed, or the server forgot it. A new one gets one try.
        if answer.as_ref().is_ok_and(|answer| answer.status == 401)
            && self.forget_tokens(request, began)
        {
            answer = self.follow(request);
        }
        match answer {
            Ok(Response { status, headers, body }) => {
                let headers = headers
                    .into_iter()
                    .map(|(name, value)| (name, self.blots.text(&value)))
                    .collect();
                Ok(Response { status, headers, body: self.blots.bytes(body) })
            }
            Err(failure) => {
                Err(Failure { diagnostic: self.blots.diagnostic(failure.diagnostic), ..failure })
            }
        }
    }

    /// The secrets that the operator named.
    pub fn slots(&self) -> Vec<String> {
        self.secrets.slots.keys().cloned().collect()
    }

    fn follow(&self, request: &Request) -> Result<Response, Failure> {
        let mut outgoing = Outgoing::new(&self.options, request)?;
        self.options.check(outgoing.method, &outgoing.url)?;
        for (slot, place) in &request.secrets {
            let value = self.value(slot, &outgoing.url)?;
            outgoing.put(slot, place, value)?;
        }
        for _ in 0..=redirect::MOST {
            self.blot_what_goes_out(&outgoing);
            let response = self.persist(&outgoing)?;
            let Some(next) = redirect::target(&self.options, &outgoing, &response)? else {
                return Ok(response);
            };
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
        let message =
            format!("{} was redirected more than {} times", shown(&outgoing.url), redirect::MOST);
        Err(Failure::new(Kind::Unavailable, message)
            .hint("a server that redirects in a circle often wants other credentials, or a `/` at the end of the path"))
    }

    fn blot_what_goes_out(&self, outgoing: &Outgoing) {
        outgoing
            .secrets
            .iter()
            .for_each(|secret| secret.forms().iter().for_each(|form| self.blots.add(form)));
    }

    /// Sends, and sends again as long as that does no harm and there is hope.
    fn persist(&self, outgoing: &Outgoing) -> Result<Response, Failure> {
        let mut patience = Patience::new(&self.options, outgoing.repeatable);
        loop {
            self.keep_pace()?;
            let answer = self.client.attempt(&self.options, &self.blots, outgoing);
            match patience.before_next(&answer) {
                Some(wait) => runtime::wait(wait),
                None => return answer.map_err(|trouble| trouble.failure),
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
                let message = format!(
                    "source '{}' made all of the {} requests that one run may make",
                    self.options.source, self.options.requests
                );
                Err(Failure::denied(
                    message,
                    self.options
                        .line(format!("requests = {}", self.options.requests.saturating_mul(10))),
                ))
            }
        }
    }

    /// The value of a slot, if it may go there.
    fn value(&self, slot: &str, url: &Url) -> Result<Value, Failure> {
        let section =
            format!("[sources.{}.secrets.{}]", toml_key(&self.options.source), toml_key(slot));
        let mut root = url.clone();
        root.set_query(None);
        root.set_path("/");
        let Some(known) = self.secrets.slots.get(slot) else {
            let message = format!("source '{}' has no secret '{slot}'", self.options.source);
            let hint = format!(
                "{section}\nenv = \"{}\"\nfor = [\"{root}\"]",
                slot.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            );
            return Err(Failure::denied(message, hint));
        };
        if !known.areas.iter().any(|area| area.holds(url)) {
            let message = format!(
                "the secret '{slot}' of source '{}' may not go to {}",
                self.options.source,
                shown(url)
            );
            let all: Vec<String> = known
                .areas
                .iter()
                .map(|area| format!("\"{area}\""))
                .chain([format!("\"{root}\"")])
                .collect();
            return Err(Failure::denied(message, format!("{section}\nfor = [{}]", all.join(", "))));
        }
        let value = self.read(slot, &known.keeper)?;
        self.blots.add(value.expose());
        Ok(value)
    }
}
