//! The settings of collectors that ask a server: its address and the credentials.

use crate::{text, texts_by_key};
use apportion_plugin_sdk::http::{Place, Request, slots};
use apportion_plugin_sdk::{Error, Problem};
use serde_json::{Map, Value};

/// Headers that hold credentials.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address, without a slash at the end.
    pub url: String,
    /// The user of basic authentication.
    pub user: Option<String>,
    pub headers: Vec<(String, String)>,
}

impl Server {
    /// The settings of a server.
    pub const KEYS: [&str; 3] = ["url", "user", "headers"];

    /// Reads a server from the settings; nothing where they have no address.
    pub fn read(config: &Map<String, Value>, example: &str) -> Result<Option<Server>, Error> {
        let Some(given) = config.get("url") else { return Ok(None) };
        Ok(Some(Server {
            url: url(given, example)?,
            user: config.get("user").map(|user| text("user", user)).transpose()?,
            headers: headers(config.get("headers"))?,
        }))
    }

    /// A request with the secret that has a value: `token` as a bearer, or `password` for basic
    /// authentication.
    pub fn get(&self, path: &str) -> Request {
        let mut request =
            Request::get(format!("{}{path}", self.url)).header("accept", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let slots = slots();
        let has = |slot: &str| slots.iter().any(|known| known == slot);
        match (has("token"), has("password")) {
            (true, _) => request.secret("token", Place::Bearer),
            (false, true) => request.secret("password", Place::Basic(self.user.clone())),
            (false, false) => request,
        }
    }
}

fn url(given: &Value, example: &str) -> Result<String, Error> {
    let url = text("url", given)?;
    let address = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if address.is_none_or(|address| address.is_empty() || address.contains(['?', '#', '@', ' '])) {
        let message = format!(
            "url cannot be '{url}': it is an address with http:// or https://, and without user, \
             query or fragment"
        );
        return Err(Error::Config(Problem::new(message).hint(format!("url = \"{example}\""))));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn headers(given: Option<&Value>) -> Result<Vec<(String, String)>, Error> {
    let headers =
        given.map_or_else(|| Ok(Vec::new()), |headers| texts_by_key("headers", headers))?;
    match headers
        .iter()
        .find(|(name, _)| SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()))
    {
        None => Ok(headers),
        Some((name, _)) => Err(Error::Config(
            Problem::new(format!(
                "{name} is a secret, which the settings of a plugin must not hold"
            ))
            .hint("give the source a secret with the slot `token` or `password`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::fixture;

    fn read(config: &str) -> Result<Option<Server>, Error> {
        Server::read(
            serde_json::from_str::<Value>(config).unwrap().as_object().unwrap(),
            "http://p:9090",
        )
    }

    #[test]
    fn a_secret_goes_where_its_slot_says() {
        let server = read(
            r#"{"url": "https://p/prefix/", "user": "ann", "headers": {"X-Scope-OrgID": "7"}}"#,
        )
        .unwrap()
        .unwrap();
        let request = server.get("/api");
        assert_eq!((request.url.as_str(), request.secrets.len()), ("https://p/prefix/api", 0));
        assert!(
            request
                .headers
                .iter()
                .any(|header| (header.name.as_str(), header.value.as_str())
                    == ("X-Scope-OrgID", "7"))
        );
        fixture::secrets(&["password"]);
        let request = server.get("/api");
        assert_eq!(
            (request.secrets[0].slot.as_str(), &request.secrets[0].place),
            ("password", &Place::Basic(Some("ann".into())))
        );
        fixture::secrets(&["password", "token"]);
        let request = server.get("/api");
        assert_eq!((request.secrets.len(), &request.secrets[0].place), (1, &Place::Bearer));
    }

    #[test]
    fn secrets_have_no_place_in_the_settings() {
        let refused = |config: &str| match read(config) {
            Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
            other => panic!("{config} gave {other:?}"),
        };
        for config in [
            r#"{"url": "p:9090"}"#,
            r#"{"url": "http://u:secret@p"}"#,
            r#"{"url": "http://p?token=x"}"#,
            r#"{"url": "https://"}"#,
        ] {
            let (message, hint) = refused(config);
            assert!(message.starts_with("url cannot be '"), "{message}");
            assert_eq!(hint, "url = \"http://p:9090\"");
        }
        let (message, hint) = refused(r#"{"url": "http://p", "headers": {"Authorization": "x"}}"#);
        assert_eq!(
            message,
            "Authorization is a secret, which the settings of a plugin must not hold"
        );
        assert_eq!(hint, "give the source a secret with the slot `token` or `password`");
        assert_eq!(read("{}"), Ok(None));
    }
}
