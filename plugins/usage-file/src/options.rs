//! The source's settings.

use apportion_plugin_sdk::{DateOrder, Error, Skip};
use serde_json::Value;
use table_settings::{date_order, object, skips, text, texts, texts_by_key, unknown};

const KEYS: [&str; 11] = [
    "period_start",
    "metric",
    "value",
    "unit",
    "values",
    "keys",
    "tags",
    "constants",
    "nulls",
    "date_order",
    "skip",
];

#[derive(Debug, PartialEq)]
pub struct Options {
    pub period_start: Option<String>,
    /// One header, or a header for each metric.
    pub values: Values,
    pub unit: Option<Word>,
    /// Keys and their headers; without this, all columns without another use are keys.
    pub keys: Option<Vec<(String, String)>>,
    /// The column that holds many keys.
    pub tags: Option<String>,
    pub constants: Vec<(String, String)>,
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
    pub skips: Vec<Skip>,
}

/// A column, or one text for all rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    Column(String),
    Constant(String),
}

#[derive(Debug, PartialEq)]
pub enum Values {
    /// One column of quantities: its metric and its header.
    Long { metric: Option<Word>, value: Option<String> },
    /// Metrics and their headers.
    Wide(Vec<(String, String)>),
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let (mut metric, mut value, mut wide) = (None, None, None);
        let mut options = Options {
            period_start: None,
            values: Values::Long { metric: None, value: None },
            unit: None,
            keys: None,
            tags: None,
            constants: Vec::new(),
            nulls: vec!["NULL".into(), "null".into()],
            date_order: DateOrder::Iso,
            skips: Vec::new(),
        };
        let config = table_settings::settings(config)?;
        for (key, given) in object("the settings", &config)? {
            match key.as_str() {
                "period_start" => options.period_start = Some(text(key, given)?),
                "metric" => metric = Some(word(key, given)?),
                "value" => value = Some(text(key, given)?),
                "unit" => options.unit = Some(word(key, given)?),
                "values" => wide = Some(texts_by_key(key, given)?),
                "keys" => options.keys = Some(keys(given)?),
                "tags" => options.tags = Some(text(key, given)?),
                "constants" => options.constants = texts_by_key(key, given)?,
                "nulls" => options.nulls = texts(key, given)?,
                "date_order" => options.date_order = date_order(given)?,
                "skip" => options.skips = skips(given)?,
                _ => return Err(unknown("setting", key, KEYS)),
            }
        }
        options.values = match (wide, metric, value) {
            (None, metric, value) => Values::Long { metric, value },
            (Some(wide), None, None) if !wide.is_empty() => Values::Wide(wide),
            (Some(_), None, None) => return Err(Error::config("values names no metric")),
            (Some(_), ..) => {
                return Err(Error::config(
                    "values stands in the place of metric and value: give one or the other",
                ));
            }
        };
        Ok(options)
    }
}

/// `"gib"`, or `{ column = "unit" }`.
fn word(what: &str, given: &Value) -> Result<Word, Error> {
    let Some(table) = given.as_object() else { return Ok(Word::Constant(text(what, given)?)) };
    match (table.len(), table.get("column")) {
        (1, Some(column)) => Ok(Word::Column(text(&format!("{what}.column"), column)?)),
        _ => Err(Error::config(format!(
            "{what} must be text or {{ column = \"<header>\" }}, not {given}"
        ))),
    }
}

/// `["team", "pod"]`, or `{ team = "Owner Team" }`.
fn keys(given: &Value) -> Result<Vec<(String, String)>, Error> {
    if given.is_array() {
        return Ok(texts("keys", given)?.into_iter().map(|key| (key.clone(), key)).collect());
    }
    texts_by_key("keys", given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: &str) -> String {
        match Options::parse(config) {
            Err(Error::Config(problem)) => {
                format!("{} | {}", problem.message, problem.hint.unwrap_or_default())
            }
            other => panic!("{config} gave {other:?}"),
        }
    }

    #[test]
    fn metrics_stand_in_one_column_or_in_several() {
        let options = Options::parse(
            r#"{"metric": "requests", "value": "n", "unit": {"column": "u"}, "keys": ["team"]}"#,
        )
        .unwrap();
        assert_eq!(
            options.values,
            Values::Long {
                metric: Some(Word::Constant("requests".into())),
                value: Some("n".into())
            }
        );
        assert_eq!(
            (options.unit, options.keys),
            (Some(Word::Column("u".into())), Some(vec![("team".into(), "team".into())]))
        );
        let options = Options::parse(
            r#"{"values": {"cpu": "CPU h"}, "keys": {"team": "Owner"},
            "constants": {"cluster": "eu"}}"#,
        )
        .unwrap();
        assert_eq!(options.values, Values::Wide(vec![("cpu".into(), "CPU h".into())]));
        assert_eq!(options.keys, Some(vec![("team".into(), "Owner".into())]));
        assert_eq!(options.constants, [("cluster".into(), "eu".into())]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (config, refused) in [
            (r#"{"metrics": "a"}"#, "there is no setting 'metrics' | did you mean `metric`?"),
            (
                r#"{"values": {"a": "b"}, "value": "c"}"#,
                "values stands in the place of metric and value: give one or the other | ",
            ),
            (r#"{"values": {}}"#, "values names no metric | "),
            (
                r#"{"unit": {"colum": "u"}}"#,
                r#"unit must be text or { column = "<header>" }, not {"colum":"u"} | "#,
            ),
            (r#"{"unit": 1}"#, "unit must be text, not 1 | "),
            (r#"{"keys": "team"}"#, "keys must be a table, not \"team\" | "),
        ] {
            assert_eq!(refusal(config), refused, "{config}");
        }
    }
}
