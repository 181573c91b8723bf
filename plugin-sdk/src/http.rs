//! The power to ask servers over HTTP. Ask for it as `http` in the manifest.
//!
//! The operator allows servers, methods and paths. The host keeps secrets, follows redirects and
//! repeats requests that may be repeated. In native tests `fixture::http` answers.

pub use crate::bindings::collector::apportion::plugin::http::{
    Header, Method, Place, Request, Response, Secret,
};
use crate::{Error, Problem};

/// Bytes of an answer that an error quotes.
const QUOTED_CHARS: usize = 200;

/// The answer, whatever its status.
pub fn send(request: &Request) -> Result<Response, Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::http::send(request);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::answer_http(request)
}

/// Sends a request. An answer whose status is not 2xx becomes an error.
pub fn ask(request: &Request) -> Result<Response, Error> {
    send(request)?.well(&request.url)
}

/// The slots whose secrets have a value.
pub fn slots() -> Vec<String> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::http::slots();
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::slots()
}

impl Request {
    pub fn get(url: impl Into<String>) -> Request {
        Request {
            method: Method::Get,
            url: url.into(),
            headers: Vec::new(),
            secrets: Vec::new(),
            body: None,
            repeatable: true,
        }
    }

    /// A POST that changes nothing at the server and may be repeated.
    pub fn query(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Request {
        Request { method: Method::Post, body: Some(body.into()), ..Request::get(url) }
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    pub fn json(self) -> Request {
        self.header("content-type", "application/json").header("accept", "application/json")
    }

    /// Has the host put the value of a secret into the request.
    pub fn secret(mut self, slot: impl Into<String>, place: Place) -> Request {
        self.secrets.push(Secret { slot: slot.into(), place });
        self
    }

    /// Adds a parameter to the query, percent-encoded.
    pub fn parameter(mut self, name: &str, value: &str) -> Request {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&encoded(name));
        self.url.push('=');
        self.url.push_str(&encoded(value));
        self
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body)
            .map_err(|error| Error::Transient(format!("the answer is not UTF-8: {error}")))
    }

    /// The response itself, or an error that fits its status.
    pub fn well(self, url: &str) -> Result<Response, Error> {
        let place = url.split('?').next().unwrap_or(url);
        let said = || {
            let text: String =
                String::from_utf8_lossy(&self.body).chars().take(QUOTED_CHARS).collect();
            if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
        };
        match self.status {
            200..=299 => Ok(self),
            401 | 403 | 407 => {
                Err(Error::Auth(format!("{place} answered {}{}", self.status, said())))
            }
            429 => Err(Error::RateLimited(
                self.header("retry-after").and_then(|seconds| seconds.parse().ok()),
            )),
            500..=599 => {
                Err(Error::Unavailable(format!("{place} answered {}{}", self.status, said())))
            }
            status => {
                Err(Error::Config(Problem::new(format!("{place} answered {status}{}", said()))))
            }
        }
    }
}

/// Percent-encodes a part of a query, by RFC 3986.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded() {
        let request = Request::get("http://h/p")
            .parameter("query", "sum(a{b=\"c\"})")
            .parameter("step", "1h");
        assert_eq!(request.url, "http://h/p?query=sum%28a%7Bb%3D%22c%22%7D%29&step=1h");
    }

    #[test]
    fn a_status_is_an_error_of_its_kind() {
        let response = |status: u16| Response {
            status,
            headers: vec![Header { name: "retry-after".into(), value: "7".into() }],
            body: b"no\n".to_vec(),
        };
        let error = |status: u16| response(status).well("http://h/p?key=1").err();
        assert_eq!(error(204), None);
        assert_eq!(error(403), Some(Error::Auth("http://h/p answered 403: no".into())));
        assert_eq!(error(429), Some(Error::RateLimited(Some(7))));
        assert_eq!(error(502), Some(Error::Unavailable("http://h/p answered 502: no".into())));
        assert_eq!(error(404), Some(Error::config("http://h/p answered 404: no")));
    }
}
