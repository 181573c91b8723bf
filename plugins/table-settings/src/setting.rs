//! Settings in JSON, read strictly: an unknown key is an error.

use crate::closest;
use apportion_plugin_sdk::{DateOrder, Error, Problem, Skip};
use serde_json::{Map, Value};

/// The settings of a source; without settings, an empty table.
pub fn settings(config: &str) -> Result<Value, Error> {
    let config = if config.trim().is_empty() { "{}" } else { config };
    serde_json::from_str(config)
        .map_err(|error| Error::config(format!("the settings are not JSON: {error}")))
}

/// Refuses an unknown key.
pub fn known(what: &str, given: &Map<String, Value>, keys: &[&str]) -> Result<(), Error> {
    match given.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(unknown(what, key, keys.iter().copied())),
        None => Ok(()),
    }
}

pub fn object<'a>(what: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| Error::config(format!("{what} must be a table, not {value}")))
}

pub fn text(what: &str, value: &Value) -> Result<String, Error> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::config(format!("{what} must be text, not {value}")))
}

pub fn flag(what: &str, value: &Value) -> Result<bool, Error> {
    value
        .as_bool()
        .ok_or_else(|| Error::config(format!("{what} must be true or false, not {value}")))
}

/// One of some words, as the value that belongs to it.
pub fn word<T: Copy>(what: &str, value: &Value, words: &[(&str, T)]) -> Result<T, Error> {
    let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
    found.map(|(_, meant)| *meant).ok_or_else(|| {
        let known: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        Error::Config(
            Problem::new(format!("{what} cannot be {value}"))
                .hint(format!("{what} = {}", known.join(" | "))),
        )
    })
}

pub fn texts(what: &str, value: &Value) -> Result<Vec<String>, Error> {
    let list = value
        .as_array()
        .ok_or_else(|| Error::config(format!("{what} must be a list of texts, not {value}")))?;
    list.iter().map(|value| text(what, value)).collect()
}

pub fn texts_by_key(what: &str, value: &Value) -> Result<Vec<(String, String)>, Error> {
    object(what, value)?
        .iter()
        .map(|(key, value)| Ok((key.clone(), text(&format!("{what}.{key}"), value)?)))
        .collect()
}

pub fn date_order(value: &Value) -> Result<DateOrder, Error> {
    match value.as_str() {
        Some("iso") => Ok(DateOrder::Iso),
        Some("mdy") => Ok(DateOrder::MonthDayYear),
        Some("dmy") => Ok(DateOrder::DayMonthYear),
        _ => Err(Error::Config(
            Problem::new(format!("date_order cannot be {value}"))
                .hint("date_order = \"iso\" | \"mdy\" | \"dmy\""),
        )),
    }
}

pub fn skips(value: &Value) -> Result<Vec<Skip>, Error> {
    let list = value
        .as_array()
        .ok_or_else(|| Error::config(format!("skip must be a list of tables, not {value}")))?;
    list.iter().map(skip).collect()
}

fn skip(value: &Value) -> Result<Skip, Error> {
    let entry = object("an entry of skip", value)?;
    known("key of skip", entry, &["column", "values"])?;
    match (entry.get("column"), entry.get("values")) {
        (Some(column), Some(values)) => {
            Ok(Skip { column: text("skip.column", column)?, values: texts("skip.values", values)? })
        }
        _ => Err(Error::Config(
            Problem::new("an entry of skip needs a column and values")
                .hint("skip = [{ column = \"x_RowType\", values = [\"total\"] }]"),
        )),
    }
}

/// The error for an unknown word. It names the word that was probably meant, or all known words.
pub fn unknown<'a>(
    what: &str,
    written: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Error {
    let hint = match closest(written, known.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Error::Config(Problem::new(format!("there is no {what} '{written}'")).hint(hint))
}
