//! A request as it leaves: checked, in one spelling, with secrets at their places.

use super::{Method, Options, Place, Request, Response, normal};
use crate::failure::{Failure, Kind};
use crate::secret::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// Headers that say who asks: theirs are the slots' values.
const SECRET: [&str; 4] =
    ["authorization", "cookie", "proxy-authorization", "x-amz-security-token"];
/// Headers that belong to the connection, and the host's client sets.
const CONNECTION: [&str; 11] = [
    "host",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "forwarded",
];

pub struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    pub repeatable: bool,
    pub secrets: Vec<Placed>,
}

/// The value of a slot at its place.
pub struct Placed {
    slot: String,
    place: Place,
    value: Value,
}

impl Placed {
    /// What of it is to be blotted.
    pub fn forms(&self) -> Vec<String> {
        let value = self.value.expose();
        match &self.place {
            Place::Bearer | Place::Header(_) | Place::Query(_) => vec![value.to_owned()],
            Place::Basic(Some(user)) => {
                vec![value.to_owned(), STANDARD.encode(format!("{user}:{value}"))]
            }
            Place::Basic(None) => {
                let (user, password) = value.split_once(':').unwrap_or(("", value));
                // With an empty password, the user is a key.
                let hidden = if password.is_empty() { user } else { password };
                vec![value.to_owned(), hidden.to_owned(), STANDARD.encode(value)]
            }
        }
    }

    fn header(&self) -> Option<(String, String)> {
        let value = self.value.expose();
        match &self.place {
            Place::Bearer => Some(("authorization".into(), format!("Bearer {value}"))),
            Place::Basic(Some(user)) => Some((
                "authorization".into(),
                format!("Basic {}", STANDARD.encode(format!("{user}:{value}"))),
            )),
            Place::Basic(None) => {
                Some(("authorization".into(), format!("Basic {}", STANDARD.encode(value))))
            }
            Place::Header(name) => Some((name.clone(), value.to_owned())),
            Place::Query(_) => None,
        }
    }
}

fn refuse(message: String) -> Failure {
    Failure::new(Kind::Config, message)
}

impl Outgoing {
    /// What the guest asked for, without secrets yet.
    pub fn new(options: &Options, request: &Request) -> Result<Outgoing, Failure> {
        let url = normal(&request.url).map_err(|reason| {
            refuse(format!("source '{}' cannot ask for this: {reason}", options.source))
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let lower = name.to_ascii_lowercase();
            if SECRET.contains(&lower.as_str())
                || CONNECTION.contains(&lower.as_str())
                || lower.starts_with("proxy-")
            {
                return Err(refuse(format!(
                    "a plugin cannot set the header '{}'",
                    name.escape_debug()
                ))
                .hint(
                    "credentials belong into a secret slot of the source; the rest is the host's",
                ));
            }
            let name = HeaderName::try_from(lower).map_err(|_| {
                refuse(format!("'{}' is not the name of a header", name.escape_debug()))
            })?;
            let value = HeaderValue::try_from(value.as_str()).map_err(|_| {
                refuse(format!("the header '{name}' has a value that cannot be sent"))
            })?;
            headers.append(name, value);
        }
        let repeatable = request.repeatable || request.method != Method::Post;
        Ok(Outgoing {
            method: request.method,
            url,
            headers,
            body: request.body.clone(),
            repeatable,
            secrets: Vec::new(),
        })
    }

    /// Puts a secret to its place, which must be free.
    pub fn put(&mut self, slot: &str, place: &Place, value: Value) -> Result<(), Failure> {
        let placed = Placed { slot: slot.to_owned(), place: place.clone(), value };
        match (place, placed.header()) {
            (Place::Query(name), _) => {
                if self.url.query_pairs().any(|(known, _)| known == name.as_str()) {
                    return Err(refuse(format!(
                        "the parameter '{}' of the secret '{slot}' stands in the URL already",
                        name.escape_debug()
                    )));
                }
            }
            (Place::Basic(Some(user)), _)
                if user.contains(':') || user.chars().any(char::is_control) =>
            {
                return Err(refuse(format!("'{}' cannot be a user", user.escape_debug())));
            }
            (_, Some((name, value))) => {
                let lower = name.to_ascii_lowercase();
                let is_connection =
                    CONNECTION.contains(&lower.as_str()) || lower.starts_with("proxy-");
                let is_taken = self.headers.contains_key(&lower)
                    || self.secrets.iter().any(|other| other.is_header(&lower));
                if is_connection
                    || is_taken
                    || HeaderName::try_from(lower).is_err()
                    || HeaderValue::try_from(value).is_err()
                {
                    return Err(refuse(format!(
                        "the secret '{slot}' cannot go into the header '{}'",
                        name.escape_debug()
                    )));
                }
            }
            (_, None) => {}
        }
        self.secrets.push(placed);
        Ok(())
    }

    /// Its next step: other servers get no body after a GET, and get asked with GET where the redirection says so.
    pub fn redirected(self, response: &Response, url: Url) -> Outgoing {
        let becomes_get = response.status == 303
            || (matches!(response.status, 301 | 302) && self.method == Method::Post);
        if !becomes_get || self.method == Method::Head {
            return Outgoing { url, ..self };
        }
        let mut headers = self.headers;
        headers.remove("content-type");
        Outgoing {
            method: Method::Get,
            url,
            headers,
            body: None,
            repeatable: true,
            secrets: self.secrets,
        }
    }

    pub fn keep_secrets(&mut self, may_go: impl Fn(&str, &Url) -> bool) {
        let url = &self.url;
        self.secrets.retain(|secret| may_go(&secret.slot, url));
    }

    /// The URL with the secrets that belong into it; one that the server repeated in a redirection is not doubled.
    pub fn full_url(&self) -> Url {
        let mut url = self.url.clone();
        for secret in &self.secrets {
            let Place::Query(name) = &secret.place else { continue };
            let others: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(known, _)| known != name.as_str())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            if others.len() < url.query_pairs().count() {
                url.query_pairs_mut().clear().extend_pairs(&others);
            }
            url.query_pairs_mut().append_pair(name, secret.value.expose());
        }
        url
    }

    /// The headers with the secrets that belong into them.
    pub fn full_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        for (name, value) in self.secrets.iter().filter_map(Placed::header) {
            if let (Ok(name), Ok(mut value)) =
                (HeaderName::try_from(name.to_ascii_lowercase()), HeaderValue::try_from(value))
            {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        headers
    }
}

impl Placed {
    fn is_header(&self, name: &str) -> bool {
        self.header().is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}
