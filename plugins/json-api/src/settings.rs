//! The settings of a source that asks an API, read strictly: an unknown key is an error.

use crate::node::is_number;
use apportion_plugin_sdk::{Error, Problem};
use serde_json::{Map, Value};
use table_settings::{flag, known, object, text, texts, texts_by_key, word};

/// The settings by name.
#[derive(Clone, Debug)]
pub struct Settings(Map<String, Value>);

/// The origin of answers: the API or saved files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Api,
    Files,
}

/// Reads the setting `from`, which all of these collectors have.
pub fn from(settings: &Settings) -> Result<From, Error> {
    Ok(settings.word("from", &[("api", From::Api), ("files", From::Files)])?.unwrap_or(From::Api))
}

impl Settings {
    /// Reads JSON; `keys` lists all known settings.
    pub fn read(config: &str, keys: &[&'static str]) -> Result<Settings, Error> {
        let config = table_settings::settings(config)?;
        let settings = object("the settings", &config)?;
        known("setting", settings, keys)?;
        Ok(Settings(settings.clone()))
    }

    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        let value = self.0.get(key).map(|value| text(key, value)).transpose()?;
        match value {
            Some(value) if value.trim().is_empty() => Err(Error::config(format!("{key} is empty"))),
            value => Ok(value),
        }
    }

    /// A text that has to be there; the error shows `example`.
    pub fn needed(&self, key: &str, example: &str) -> Result<String, Error> {
        let missing = || {
            Error::Config(
                Problem::new(format!("the setting `{key}` is missing"))
                    .hint(format!("config = {{ {key} = \"{example}\" }}")),
            )
        };
        self.text(key)?.ok_or_else(missing)
    }

    /// The root of a server, without a slash at its end.
    pub fn url(&self, key: &str, usual: &str) -> Result<String, Error> {
        let url = self.text(key)?.unwrap_or_else(|| usual.to_owned());
        let is_url = (url.starts_with("https://") || url.starts_with("http://"))
            && !url.contains(['?', '#', ' ']);
        if !is_url {
            return Err(Error::Config(
                Problem::new(format!("{key} cannot be \"{url}\""))
                    .hint(format!("{key} = \"{usual}\"")),
            ));
        }
        Ok(url.trim_end_matches('/').to_owned())
    }

    /// A name that goes into a path. A name that could lead out of the path is refused.
    pub fn segment(&self, key: &str, example: &str) -> Result<String, Error> {
        let name = self.needed(key, example)?;
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && name.chars().any(|c| c != '.');
        if is_name {
            Ok(name)
        } else {
            Err(Error::Config(
                Problem::new(format!("{key} cannot be \"{name}\""))
                    .hint(format!("{key} = \"{example}\"")),
            ))
        }
    }

    pub fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        self.0.get(key).map(|value| word(key, value, words)).transpose()
    }

    /// Several of some words.
    pub fn words<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<Vec<T>>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let items = value
            .as_array()
            .ok_or_else(|| Error::config(format!("{key} must be a list of texts, not {value}")))?;
        items.iter().map(|item| word(key, item, words)).collect::<Result<_, _>>().map(Some)
    }

    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Error> {
        self.0.get(key).map(|value| texts(key, value)).transpose()
    }

    pub fn texts_by_key(&self, key: &str) -> Result<Vec<(String, String)>, Error> {
        self.0.get(key).map_or(Ok(Vec::new()), |value| texts_by_key(key, value))
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        self.0.get(key).map(|value| flag(key, value)).transpose()
    }

    /// A decimal written as text, so that no float comes near it.
    pub fn decimal(&self, key: &str) -> Result<Option<String>, Error> {
        self.0.get(key).map(|value| decimal(key, value)).transpose()
    }

    /// Decimals by key, each written as text.
    pub fn decimals(&self, key: &str) -> Result<Vec<(String, String)>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(Vec::new()) };
        object(key, value)?
            .iter()
            .map(|(name, value)| Ok((name.clone(), decimal(&format!("{key}.{name}"), value)?)))
            .collect()
    }

    /// A whole number within bounds.
    pub fn whole(&self, key: &str, least: i64, most: i64) -> Result<Option<i64>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let found = value.as_i64().filter(|value| (least..=most).contains(value));
        found.map(Some).ok_or_else(|| {
            Error::config(format!(
                "{key} must be a whole number from {least} to {most}, not {value}"
            ))
        })
    }

    /// The number of months before the run's own that are collected where no period is asked for.
    pub fn months(&self, usual: i32) -> Result<i32, Error> {
        let months = self.whole("months", 0, 120)?;
        Ok(months.and_then(|months| i32::try_from(months).ok()).unwrap_or(usual))
    }

    /// A currency of three letters.
    pub fn currency(&self, key: &str, usual: &str) -> Result<String, Error> {
        let currency = self.text(key)?.unwrap_or_else(|| usual.to_owned());
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code {
            Ok(currency)
        } else {
            Err(Error::Config(
                Problem::new(format!("{key} cannot be \"{currency}\""))
                    .hint(format!("{key} = \"USD\"")),
            ))
        }
    }
}

pub(crate) fn decimal(key: &str, value: &Value) -> Result<String, Error> {
    let text = value.as_str().filter(|text| is_number(text));
    text.map(str::to_owned).ok_or_else(|| {
        Error::Config(
            Problem::new(format!("{key} must be a decimal written as text, not {value}"))
                .hint(format!("{key} = \"3.00\"")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<impl std::fmt::Debug, Error>) -> (String, Option<String>) {
        match result {
            Err(Error::Config(problem)) => (problem.message, problem.hint),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn settings_are_read_strictly() {
        let read = |config: &str| {
            Settings::read(config, &["organization", "months", "price", "url", "from"])
        };
        assert_eq!(
            refusal(read(r#"{"organisation": "a"}"#)),
            (
                "there is no setting 'organisation'".into(),
                Some("did you mean `organization`?".into())
            )
        );
        let settings = read(
            r#"{"organization": "../x", "months": 1.5, "price": 3.0,
            "url": "api.example.com", "from": "file"}"#,
        )
        .unwrap();
        assert_eq!(
            refusal(settings.segment("organization", "acme")),
            ("organization cannot be \"../x\"".into(), Some("organization = \"acme\"".into()))
        );
        assert_eq!(
            refusal(settings.months(2)).0,
            "months must be a whole number from 0 to 120, not 1.5"
        );
        assert_eq!(
            refusal(settings.decimal("price")),
            (
                "price must be a decimal written as text, not 3.0".into(),
                Some("price = \"3.00\"".into())
            )
        );
        assert_eq!(
            refusal(settings.url("url", "https://api.example.com")).1,
            Some("url = \"https://api.example.com\"".into())
        );
        assert_eq!(refusal(from(&settings)).1, Some("from = \"api\" | \"files\"".into()));
        assert_eq!(
            refusal(read("").unwrap().needed("organization", "acme")).1,
            Some("config = { organization = \"acme\" }".into())
        );
    }
}
