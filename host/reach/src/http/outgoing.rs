//! A request before it is sent: checked, its URL in one spelling, its secrets at their places.

use super::{HttpMethod, HttpOptions, HttpRequest, HttpResponse, SecretPlace, normal};
use crate::failure::{Failure, FailureKind};
use crate::secret::SecretValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use url::Url;

/// Headers for credentials: only the host sets them, from the slots.
const SECRET: [&str; 4] =
    ["authorization", "cookie", "proxy-authorization", "x-amz-security-token"];
/// Headers of the connection: only the host's client sets them.
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

pub struct OutgoingRequest {
    pub method: HttpMethod,
    pub url: Url,
    pub headers: HeaderMap,
    /// Cleared when it is dropped, since a request for a token has a secret in its body.
    pub body: Option<Zeroizing<Vec<u8>>>,
    pub repeatable: bool,
    pub secrets: Vec<PlacedSecret>,
}

/// The value of a slot at its place.
pub struct PlacedSecret {
    slot: String,
    place: SecretPlace,
    value: SecretValue,
}

impl PlacedSecret {
    /// The texts that are blotted out of answers: the value, and its parts and forms in this place.
    pub fn forms(&self) -> Vec<Zeroizing<String>> {
        let value = self.value.expose();
        let owned = |text: &str| Zeroizing::new(text.to_owned());
        match &self.place {
            SecretPlace::Bearer | SecretPlace::Header(_) | SecretPlace::Query(_) => {
                vec![owned(value)]
            }
            SecretPlace::Basic(Some(user)) => vec![owned(value), base64("", &pair(user, value))],
            SecretPlace::Basic(None) => {
                let (user, password) = value.split_once(':').unwrap_or(("", value));
                // With an empty password, the user is a key.
                let hidden = if password.is_empty() { user } else { password };
                vec![owned(value), owned(hidden), base64("", value)]
            }
        }
    }

    fn header(&self) -> Option<(String, Zeroizing<String>)> {
        let value = self.value.expose();
        let authorization = "authorization".to_owned();
        match &self.place {
            SecretPlace::Bearer => {
                Some((authorization, Zeroizing::new(["Bearer ", value].concat())))
            }
            SecretPlace::Basic(Some(user)) => {
                Some((authorization, base64("Basic ", &pair(user, value))))
            }
            SecretPlace::Basic(None) => Some((authorization, base64("Basic ", value))),
            SecretPlace::Header(name) => Some((name.clone(), Zeroizing::new(value.to_owned()))),
            SecretPlace::Query(_) => None,
        }
    }
}

fn pair(user: &str, password: &str) -> Zeroizing<String> {
    Zeroizing::new([user, ":", password].concat())
}

/// The encoded text behind `start`. The buffer has its full size from the beginning, so that no
/// part of a secret stays in a smaller one.
fn base64(start: &str, text: &str) -> Zeroizing<String> {
    let mut encoded =
        Zeroizing::new(String::with_capacity(start.len() + text.len().div_ceil(3) * 4));
    encoded.push_str(start);
    STANDARD.encode_string(text, &mut encoded);
    encoded
}

fn refuse(message: String) -> Failure {
    Failure::new(FailureKind::Config, message)
}

impl OutgoingRequest {
    /// The plugin's request, without secrets yet.
    pub fn new(options: &HttpOptions, request: &HttpRequest) -> Result<OutgoingRequest, Failure> {
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
        let repeatable = request.repeatable || request.method != HttpMethod::Post;
        Ok(OutgoingRequest {
            method: request.method,
            url,
            headers,
            body: request.body.clone().map(Zeroizing::new),
            repeatable,
            secrets: Vec::new(),
        })
    }

    /// Puts a secret in its place, which must be free.
    pub fn put(
        &mut self,
        slot: &str,
        place: &SecretPlace,
        value: SecretValue,
    ) -> Result<(), Failure> {
        let placed = PlacedSecret { slot: slot.to_owned(), place: place.clone(), value };
        match (place, placed.header()) {
            (SecretPlace::Query(name), _) => {
                if self.url.query_pairs().any(|(known, _)| known == name.as_str()) {
                    return Err(refuse(format!(
                        "the parameter '{}' of the secret '{slot}' stands in the URL already",
                        name.escape_debug()
                    )));
                }
            }
            // Servers cut at the first colon, so a user with a colon would end there.
            (SecretPlace::Basic(Some(user)), _)
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
                    || HeaderValue::try_from(value.as_str()).is_err()
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

    /// The request to the URL that an answer redirects to. Where the status of the answer turns it
    /// into a GET, it loses its body.
    pub fn redirected(self, response: &HttpResponse, url: Url) -> OutgoingRequest {
        let becomes_get = response.status == 303
            || (matches!(response.status, 301 | 302) && self.method == HttpMethod::Post);
        if !becomes_get || self.method == HttpMethod::Head {
            return OutgoingRequest { url, ..self };
        }
        let mut headers = self.headers;
        // The type described the body, which is gone.
        headers.remove("content-type");
        OutgoingRequest {
            method: HttpMethod::Get,
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

    /// The URL with its secrets. A secret that the server repeated in a redirection is not doubled.
    pub fn full_url(&self) -> Url {
        let mut url = self.url.clone();
        for secret in &self.secrets {
            let SecretPlace::Query(name) = &secret.place else { continue };
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

    /// The headers with their secrets.
    pub fn full_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        for (name, value) in self.secrets.iter().filter_map(PlacedSecret::header) {
            if let (Ok(name), Ok(mut value)) = (
                HeaderName::try_from(name.to_ascii_lowercase()),
                HeaderValue::try_from(value.as_str()),
            ) {
                // The client does not print the values of such headers.
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        headers
    }
}

impl PlacedSecret {
    fn is_header(&self, name: &str) -> bool {
        self.header().is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}
