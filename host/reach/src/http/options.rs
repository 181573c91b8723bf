//! The settings of a source's HTTP client, and the check of a request against them.

use super::address::{Networks, RefusedAddress};
use super::area::{Area, normal};
use super::{HttpMethod, shown};
use crate::failure::Failure;
use crate::secret::SecretKeeper;
use crate::toml_table;
use domain::hint::Hint;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// A line of `allow`, the list of allowed requests: `GET https://api.example.com/v1/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedRequest {
    pub method: HttpMethod,
    pub area: Area,
}

impl AllowedRequest {
    /// Refuses a text that is no such line, with the reason.
    pub fn parse(text: &str) -> Result<AllowedRequest, String> {
        let (method, area) = text.split_once(' ').ok_or("it is not a method and a URL")?;
        let method = HttpMethod::ALL.into_iter().find(|known| known.name() == method);
        let method = method.ok_or_else(|| {
            format!("the methods are {}", HttpMethod::ALL.map(HttpMethod::name).join(", "))
        })?;
        Ok(AllowedRequest { method, area: Area::parse(area.trim_start())? })
    }

    /// A GET that is allowed allows the HEAD of the same URL.
    fn holds(&self, method: HttpMethod, url: &Url) -> bool {
        (self.method == method || (self.method, method) == (HttpMethod::Get, HttpMethod::Head))
            && self.area.holds(url)
    }
}

impl fmt::Display for AllowedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.area)
    }
}

/// A proxy of the operator's.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub url: Url,
    /// Where `user:password` is kept, if the proxy asks for it.
    pub auth: Option<SecretKeeper>,
    /// Hosts that are asked without the proxy: names with all names below them, addresses, and
    /// ranges of addresses.
    pub except: Vec<String>,
}

impl Proxy {
    /// Refuses a text that is no address of a proxy, with the reason.
    pub fn at(url: &str) -> Result<Proxy, String> {
        Ok(Proxy { url: normal(url)?, auth: None, except: Vec::new() })
    }
}

/// The requests that one source may make, and how they are made.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The name of the source.
    pub source: String,
    pub allow: Vec<AllowedRequest>,
    /// Addresses that may be connected to although they are not public.
    pub networks: Networks,
    /// Of one attempt, from the name's resolution to the last byte.
    pub timeout: Duration,
    /// The longest body of an answer, unpacked.
    pub response_bytes: u64,
    /// The most requests of one run, with all repetitions and redirections.
    pub requests: u64,
    pub requests_per_minute: Option<u32>,
    /// How often a request is repeated, if it may be repeated.
    pub retries: u32,
    /// The wait before the first repetition. Each further wait is twice as long.
    pub first_wait: Duration,
    /// The longest that one request waits, all its repetitions together.
    pub waiting: Duration,
    pub proxy: Option<Proxy>,
    /// Certificates in PEM that are trusted as signers, beside those that the machine trusts.
    pub ca_file: Option<PathBuf>,
}

impl HttpOptions {
    pub const TIMEOUT: Duration = Duration::from_secs(60);
    pub const RESPONSE_BYTES: u64 = 32 << 20;
    pub const REQUESTS: u64 = 10_000;
    pub const RETRIES: u32 = 4;
    pub const FIRST_WAIT: Duration = Duration::from_millis(500);
    pub const WAITING: Duration = Duration::from_secs(120);

    /// Nothing is allowed yet.
    pub fn new(source: impl Into<String>) -> HttpOptions {
        HttpOptions {
            source: source.into(),
            allow: Vec::new(),
            networks: Networks::default(),
            timeout: HttpOptions::TIMEOUT,
            response_bytes: HttpOptions::RESPONSE_BYTES,
            requests: HttpOptions::REQUESTS,
            requests_per_minute: None,
            retries: HttpOptions::RETRIES,
            first_wait: HttpOptions::FIRST_WAIT,
            waiting: HttpOptions::WAITING,
            proxy: None,
            ca_file: None,
        }
    }

    /// The section of the settings.
    pub fn section(&self) -> String {
        toml_table::header(&["sources", &self.source, "http"])
    }

    /// The section of the settings, and a line to write into it.
    pub fn setting(&self, line: impl fmt::Display) -> Hint {
        Hint::setting(format!("{}\n{line}", self.section()))
    }

    /// The line that allows this request beside those that are allowed already.
    fn setting_that_allows(&self, method: HttpMethod, url: &Url) -> Hint {
        let mut area = url.clone();
        area.set_query(None);
        let known = self.allow.iter().map(|allowed| format!("{:?}", allowed.to_string()));
        let all: Vec<String> =
            known.chain([format!("{:?}", format!("{} {area}", method.name()))]).collect();
        self.setting(format!("allow = [{}]", all.join(", ")))
    }

    pub fn check(&self, method: HttpMethod, url: &Url) -> Result<(), Failure> {
        if !self.allow.iter().any(|allowed| allowed.holds(method, url)) {
            let message =
                format!("source '{}' does not allow {} {}", self.source, method.name(), shown(url));
            return Err(Failure::denied(message, self.setting_that_allows(method, url)));
        }
        self.networks.check(url).map_err(|refused| self.refused(&refused))
    }

    pub fn refused(&self, refused: &RefusedAddress) -> Failure {
        let bits = if refused.address.is_ipv4() { 32 } else { 128 };
        let message = format!("{refused}, and source '{}' grants no such network", self.source);
        let line = format!("networks = [\"{}/{bits}\"]", refused.address);
        Failure::denied(message, self.setting(line))
    }
}
