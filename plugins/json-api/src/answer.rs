//! One answer of a server, and the errors of answers that are not the JSON that was asked for.

use apportion_plugin_sdk::http::{Request, Response, send, slots};
use apportion_plugin_sdk::{Error, Problem, run_info};
use serde_json::Value;

/// Characters of an answer that an error quotes.
const QUOTED_CHARS: usize = 300;

/// The words for an operator when the API refuses.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// The vendor, such as `Datadog`.
    pub name: &'static str,
    /// The permissions that the credential needs, as a sentence without a full stop.
    pub credential: &'static str,
}

impl Api {
    /// Sends a request and reads the answer as JSON.
    pub fn ask(&self, request: &Request) -> Result<Value, Error> {
        let place = request.url.split('?').next().unwrap_or(&request.url);
        json(place, &self.well(send(request)?, place)?.body)
    }

    fn well(&self, response: Response, place: &str) -> Result<Response, Error> {
        let said = || said(&response.body);
        let status = response.status;
        match status {
            200..=299 => Ok(response),
            401 | 403 | 407 => Err(Error::Auth(format!(
                "{place} answered {status}{}; {}",
                said(),
                self.credential
            ))),
            429 => Err(Error::RateLimited(patience(&response))),
            408 | 425 => Err(Error::Transient(format!("{place} answered {status}{}", said()))),
            500..=599 => Err(Error::Unavailable(format!("{place} answered {status}{}", said()))),
            404 => {
                let problem = Problem::new(format!("{place} answered 404{}", said()));
                Err(Error::Config(problem.hint(format!(
                    "check the names in the settings; {} also answers 404 where {}",
                    self.name, self.credential
                ))))
            }
            _ => Err(Error::Config(Problem::new(format!("{place} answered {status}{}", said())))),
        }
    }
}

/// The secrets without a value, each with the lines of the settings that give it one.
pub fn missing_secrets(needed: &[&str], url: &str) -> Vec<Problem> {
    let known = slots();
    let missing = needed.iter().filter(|slot| !known.iter().any(|known| known == *slot));
    missing
        .map(|slot| {
            let section = format!("[sources.{}.secrets.{slot}]", run_info::source());
            Problem::new(format!("the secret `{slot}` has no value"))
                .hint(format!("{section}\nenv = \"{}\"\nfor = [\"{url}/\"]", slot.to_uppercase()))
        })
        .collect()
}

/// Reads JSON; numbers keep their digits.
pub fn json(place: &str, body: &[u8]) -> Result<Value, Error> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if starts_like_html(body) {
        let message = format!(
            "{place} answered with a page of HTML, not with JSON: is there a proxy or a login \
             page in between?"
        );
        return Err(Error::Unavailable(message));
    }
    serde_json::from_slice(body).map_err(|error| {
        if body.trim_ascii().is_empty() {
            Error::Transient(format!("{place} answered with nothing"))
        } else if error.is_eof() {
            Error::Transient(format!(
                "{place} answered with JSON that ends in the middle, after {} bytes",
                body.len()
            ))
        } else {
            Error::Unavailable(format!("{place} answered with what is not JSON: {error}"))
        }
    })
}

fn starts_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// How long to wait: the longest time that a header gives.
fn patience(response: &Response) -> Option<u32> {
    let says_when = |name: &str| {
        name.eq_ignore_ascii_case("retry-after")
            || name.to_ascii_lowercase().ends_with("-retry-after")
    };
    let waits = response.headers.iter().filter(|header| says_when(&header.name));
    waits.filter_map(|header| header.value.trim().parse().ok()).max()
}

/// The message of an error, from the places where APIs put it, or else the beginning of the answer.
fn said(body: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let text_at = |pointer: &str| value.as_ref()?.pointer(pointer)?.as_str().map(str::to_owned);
    let message = [
        "/error/message",
        "/errors/0/detail",
        "/errors/0",
        "/error_description",
        "/message",
        "/detail",
        "/error",
    ]
    .iter()
    .find_map(|pointer| text_at(pointer));
    let code = ["/error/code", "/errorCode", "/code"].iter().find_map(|pointer| text_at(pointer));
    let text = match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (None, Some(message)) => message,
        _ if starts_like_html(body) => "a page of HTML".into(),
        _ => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let text: String = text.chars().take(QUOTED_CHARS).collect();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::fixture;
    use apportion_plugin_sdk::http::Header;

    const API: Api = Api { name: "Example", credential: "the token needs the scope `bills.read`" };

    fn answer(status: u16, body: &'static str) -> Result<Value, Error> {
        let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
        let headers = vec![
            header("retry-after", "7"),
            header("x-ms-ratelimit-microsoft.costmanagement-entity-retry-after", "21"),
        ];
        fixture::http(move |_| {
            Ok(Response { status, headers: headers.clone(), body: body.into() })
        });
        API.ask(&Request::get("https://h/v1/bills?key=1"))
    }

    #[test]
    fn each_refusal_has_its_kind_and_what_the_server_said() {
        assert_eq!(
            answer(403, r#"{"error": {"code": "RBACAccessDenied", "message": "not authorized"}}"#),
            Err(Error::Auth(
                "https://h/v1/bills answered 403: RBACAccessDenied: not authorized; \
                the token needs the scope `bills.read`"
                    .into()
            ))
        );
        assert_eq!(answer(429, ""), Err(Error::RateLimited(Some(21))));
        assert_eq!(
            answer(503, "<html>"),
            Err(Error::Unavailable("https://h/v1/bills answered 503: a page of HTML".into()))
        );
        assert_eq!(
            answer(400, r#"{"errors": ["bad month"]}"#),
            Err(Error::config("https://h/v1/bills answered 400: bad month"))
        );
    }

    #[test]
    fn what_is_not_json_is_told_apart() {
        let unavailable = |reason: &str| {
            Err(Error::Unavailable(format!("https://h/v1/bills answered with {reason}")))
        };
        let transient = |reason: &str| {
            Err(Error::Transient(format!("https://h/v1/bills answered with {reason}")))
        };
        assert_eq!(
            answer(200, " <!doctype html>"),
            unavailable(
                "a page of HTML, not with JSON: is there a proxy or a login page in between?"
            )
        );
        assert_eq!(
            answer(200, r#"{"data": [{"cost": 1.5}, {"co"#),
            transient("JSON that ends in the middle, after 29 bytes")
        );
        assert_eq!(answer(200, ""), transient("nothing"));
        assert_eq!(
            answer(200, "no"),
            unavailable("what is not JSON: expected ident at line 1 column 2")
        );
    }
}
