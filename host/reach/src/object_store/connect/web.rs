//! SourceFiles of web servers: one URL, one file.

use super::{CONNECT, ObjectFetch, ObjectHead, StoreAccess, changed, no_certificate};
use crate::code;
use crate::failure::{Failure, FailureKind};
use crate::object_store::address::Address;
use crate::object_store::trouble;
use base64::Engine;
use domain::hint::Hint;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::zeroize::Zeroizing;
use std::ops::Range;
use std::time::Duration;
use url::Url;

#[derive(Clone)]
pub struct WebFile {
    client: Client,
    url: Url,
    /// The address as messages show it, without a signature.
    name: String,
    authorization: Option<HeaderValue>,
    /// The longest wait that a server is granted.
    silence: Duration,
}

const TRIES: u32 = 4;
const REDIRECTS_MAX: usize = 5;

impl WebFile {
    pub fn new(access: &StoreAccess, address: &Address) -> Result<WebFile, Failure> {
        let name = address.key.clone();
        access.check_tls(&name)?;
        let mut url = Url::parse(&name).map_err(|_| trouble::no_address(&name))?;
        // The signature of a URL is a secret. It is kept apart from the settings and is never
        // shown.
        if let Some(query) = access.value("query", &access.keys.query)? {
            access.add_query(&query);
            url.set_query(Some(query.expose().trim_start_matches('?')));
        }
        let allow_http = access.allow_http;
        let redirects = reqwest::redirect::Policy::custom(move |attempt| {
            let leaves_tls = attempt.url().scheme() != "https" && !allow_http;
            if leaves_tls || attempt.previous().len() > REDIRECTS_MAX {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(access.silence)
            .no_gzip()
            .redirect(redirects)
            .user_agent("apportion");
        if let Some(bytes) = access.certificates()? {
            let certificates = reqwest::Certificate::from_pem_bundle(&bytes)
                .map_err(|_| no_certificate(access.ca_file.as_ref()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| {
            trouble::of(
                FailureKind::Config,
                domain::code::CONFIG_VALUE,
                format!("{name} cannot be asked: {error}"),
            )
        })?;
        Ok(WebFile {
            client,
            url,
            name,
            authorization: authorization(access)?,
            silence: access.silence,
        })
    }

    /// Asks for the file's size and version. A server that refuses HEAD is asked with GET, and its
    /// answer is not read.
    pub async fn head(&self) -> Result<ObjectHead, Failure> {
        let response = self.ask(Method::HEAD, &HeaderMap::new()).await?;
        let response = match response.status() {
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::FORBIDDEN => self.ask(Method::GET, &HeaderMap::new()).await?,
            _ => response,
        };
        let response = self.expect(response)?;
        let headers = response.headers();
        let size = text(headers, CONTENT_LENGTH.as_str())
            .and_then(|size| size.parse().ok())
            .ok_or_else(|| self.no_size())?;
        let etag = text(headers, ETAG.as_str()).filter(|etag| !etag.starts_with("W/"));
        Ok(ObjectHead {
            key: self.name.clone(),
            size,
            etag,
            modified: text(headers, LAST_MODIFIED.as_str()),
        })
    }

    pub async fn fetch(&self, size: u64) -> Result<ObjectFetch, Failure> {
        let response = self.expect(self.ask(Method::GET, &HeaderMap::new()).await?)?;
        let now = text(response.headers(), CONTENT_LENGTH.as_str())
            .and_then(|size| size.parse::<u64>().ok());
        if now.is_some_and(|now| now != size) {
            return Err(changed(&self.name));
        }
        let etag = text(response.headers(), ETAG.as_str()).filter(|etag| !etag.starts_with("W/"));
        Ok(ObjectFetch::Web(Box::new(WebFetch {
            web: self.clone(),
            response,
            etag,
            taken: 0,
            tries_left: TRIES,
        })))
    }

    pub async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range_value(range.start, Some(range.end - 1)));
        let response = self.expect(self.ask(Method::GET, &headers).await?)?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(self
                .failed(FailureKind::Config, "the server does not give parts of files")
                .hint("name smaller files"));
        }
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let bytes = response
            .bytes()
            .await
            .map_err(|error| self.failed(FailureKind::Transient, &cause(&error)))?;
        Ok(bytes.iter().copied().take(length).collect())
    }

    /// One answer, after some tries if they are needed.
    async fn ask(&self, method: Method, headers: &HeaderMap) -> Result<Response, Failure> {
        let mut pause = Duration::from_millis(100);
        for left in (0..TRIES).rev() {
            let failure = match self.request(method.clone()).headers(headers.clone()).send().await {
                Ok(response) if left > 0 && is_passing(response.status()) => {
                    let wait = text(response.headers(), "retry-after")
                        .and_then(|seconds| seconds.parse().ok())
                        .map(Duration::from_secs);
                    pause = wait.map_or(pause, |wait| wait.min(self.silence));
                    None
                }
                Ok(response) => return Ok(response),
                Err(error) => {
                    match trouble::untrusted(&format!("{} cannot be fetched", self.name), &error) {
                        Some(failure) => return Err(failure),
                        None => Some(self.failed(FailureKind::Transient, &cause(&error))),
                    }
                }
            };
            if let Some(failure) = failure.filter(|_| left == 0) {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause *= 4;
        }
        Err(self.failed(FailureKind::Transient, "it does not answer"))
    }

    fn request(&self, method: Method) -> RequestBuilder {
        let request =
            self.client.request(method, self.url.clone()).header(ACCEPT_ENCODING, "identity");
        match &self.authorization {
            Some(value) => request.header(reqwest::header::AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    fn expect(&self, response: Response) -> Result<Response, Failure> {
        let status = response.status();
        match status {
            _ if status.is_success() => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(trouble::of(
                FailureKind::Auth,
                code::STORE_REFUSED,
                format!(
                    "{} cannot be fetched: the server refuses it with status {}",
                    self.name,
                    status.as_u16()
                ),
            )
            .hint(
                Hint::text("write `bearer`, `basic` or `query` in [sources.NAME.store], such as ")
                    .then(Hint::setting("bearer = { env = \"VARIABLE\" }")),
            )),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(trouble::of(
                FailureKind::Config,
                code::STORE_NOT_FOUND,
                format!("there is no file at {}", self.name),
            )
            .hint("correct `paths`")),
            _ if status.is_redirection() => Err(self
                .failed(FailureKind::Config, "it is sent on to a place without TLS, or too often")),
            _ => {
                let failed = |kind: FailureKind| {
                    self.failed(
                        kind,
                        &format!("the server answers with status {}", status.as_u16()),
                    )
                };
                Err(if is_passing(status) {
                    failed(FailureKind::Transient)
                        .hint("it was tried several times; run again later")
                } else {
                    failed(FailureKind::Config)
                })
            }
        }
    }

    fn failed(&self, kind: FailureKind, why: &str) -> Failure {
        trouble::of(kind, code::STORE_FAILED, format!("{} cannot be fetched: {why}", self.name))
            .hint("check the address with `curl -I ADDRESS`")
    }

    fn no_size(&self) -> Failure {
        trouble::of(
            FailureKind::Config,
            code::STORE_FAILED,
            format!("{} cannot be fetched: the server does not say how long it is", self.name),
        )
        .hint(
            "without a Content-Length nobody can tell whether all of it came; let the \
                 server give the file as it lies there",
        )
    }
}

/// A file that is being fetched.
pub struct WebFetch {
    web: WebFile,
    response: Response,
    etag: Option<String>,
    taken: u64,
    tries_left: u32,
}

impl WebFetch {
    pub async fn piece(&mut self) -> Result<Option<bytes::Bytes>, Failure> {
        loop {
            match self.response.chunk().await {
                Ok(piece) => {
                    self.taken += piece.as_ref().map_or(0, |piece| piece.len() as u64);
                    return Ok(piece);
                }
                Err(error) if self.tries_left == 0 || self.etag.is_none() => {
                    return Err(self.web.failed(
                        FailureKind::Transient,
                        &format!("it broke off after {} bytes: {}", self.taken, cause(&error)),
                    ));
                }
                Err(_) => self.take_up().await?,
            }
        }
    }

    /// Goes on where the answer broke off, if the file is still the same.
    async fn take_up(&mut self) -> Result<(), Failure> {
        self.tries_left -= 1;
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range_value(self.taken, None));
        if let Some(etag) = self.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_RANGE, etag);
        }
        let response = self.web.expect(self.web.ask(Method::GET, &headers).await?)?;
        let starts_there = text(response.headers(), CONTENT_RANGE.as_str())
            .is_some_and(|range| range.starts_with(&format!("bytes {}-", self.taken)));
        if response.status() != StatusCode::PARTIAL_CONTENT || !starts_there {
            return Err(self.web.failed(
                FailureKind::Transient,
                &format!(
                    "it broke off after {} bytes, and the server does not go on from there",
                    self.taken
                ),
            ));
        }
        self.response = response;
        Ok(())
    }
}

fn range_value(start: u64, last: Option<u64>) -> HeaderValue {
    let range =
        last.map_or_else(|| format!("bytes={start}-"), |last| format!("bytes={start}-{last}"));
    HeaderValue::from_str(&range).unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn authorization(access: &StoreAccess) -> Result<Option<HeaderValue>, Failure> {
    let bearer = access.value("bearer", &access.keys.bearer)?;
    let value = match (bearer, access.value("basic", &access.keys.basic)?) {
        (Some(token), _) => Zeroizing::new(["Bearer ", token.expose()].concat()),
        (None, Some(pair)) => {
            access.blots.add_pair(pair.expose());
            let pair = Zeroizing::new(base64::prelude::BASE64_STANDARD.encode(pair.expose()));
            Zeroizing::new(["Basic ", &pair].concat())
        }
        (None, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        trouble::of(
            FailureKind::Config,
            domain::code::CONFIG_VALUE,
            "a secret has characters that no header can hold",
        )
        .hint("check where its value is kept")
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The innermost reason, unless it quotes a URL, which can carry a signature.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    if text.contains("://") { "the request failed".into() } else { text }
}
