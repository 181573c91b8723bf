//! The source's settings, read strictly: a key that does not exist is an error, not a silence.

use crate::column::FEDS;
use apportion_plugin_sdk::{DateOrder, Error, Skip};
use serde_json::Value;
use table_settings::{date_order, object, skips, texts, texts_by_key, unknown};

pub const KEYS: [&str; 6] = ["constants", "columns", "tag_columns", "nulls", "date_order", "skip"];

#[derive(Debug)]
pub struct Options {
    /// What stands in for a column, by the field's name.
    pub constants: Vec<(String, String)>,
    /// Headers that differ from FOCUS, by the field's name.
    pub columns: Vec<(String, String)>,
    /// Tag and header.
    pub tag_columns: Vec<(String, String)>,
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
    pub skips: Vec<Skip>,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let mut options = Options {
            constants: Vec::new(),
            columns: Vec::new(),
            tag_columns: Vec::new(),
            // The spellings of nothing that real bills use in text columns, beside the empty cell.
            nulls: vec!["NULL".into(), "null".into()],
            date_order: DateOrder::Iso,
            skips: Vec::new(),
        };
        if config.trim().is_empty() {
            return Ok(options);
        }
        let config: Value = serde_json::from_str(config).map_err(|error| Error::config(format!("the settings are not JSON: {error}")))?;
        for (key, value) in object("the settings", &config)? {
            match key.as_str() {
                "constants" => options.constants = by_field(key, value)?,
                "columns" => options.columns = by_field(key, value)?,
                "tag_columns" => options.tag_columns = texts_by_key(key, value)?,
                "nulls" => options.nulls = texts(key, value)?,
                "date_order" => options.date_order = date_order(value)?,
                "skip" => options.skips = skips(value)?,
                _ => return Err(unknown("setting", key, KEYS)),
            }
        }
        Ok(options)
    }
}

fn by_field(what: &str, value: &Value) -> Result<Vec<(String, String)>, Error> {
    let pairs = texts_by_key(what, value)?;
    match pairs.iter().find(|(name, _)| !FEDS.iter().any(|fed| fed.name == name)) {
        Some((name, _)) => Err(unknown("field", name, FEDS.iter().map(|fed| fed.name))),
        None => Ok(pairs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: &str) -> (String, String) {
        match Options::parse(config) {
            Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
            other => panic!("{config} gave {other:?}"),
        }
    }

    #[test]
    fn nothing_said_means_the_usual() {
        for config in ["", "{}", " "] {
            let options = Options::parse(config).unwrap();
            assert_eq!(options.nulls, ["NULL", "null"], "{config:?}");
            assert_eq!(options.date_order, DateOrder::Iso);
            assert!(options.constants.is_empty() && options.columns.is_empty() && options.tag_columns.is_empty() && options.skips.is_empty());
        }
    }

    #[test]
    fn reads_every_setting() {
        let options = Options::parse(
            r#"{"constants": {"billing_currency": "USD"}, "columns": {"effective_cost": "Amortized"}, "tag_columns": {"team": "x_Team"},
                "nulls": ["N/A"], "date_order": "dmy", "skip": [{"column": "x_Kind", "values": ["total", "sum"]}]}"#,
        )
        .unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(options.constants, [pair("billing_currency", "USD")]);
        assert_eq!(options.columns, [pair("effective_cost", "Amortized")]);
        assert_eq!(options.tag_columns, [pair("team", "x_Team")]);
        assert_eq!(options.nulls, ["N/A"]);
        assert_eq!(options.date_order, DateOrder::DayMonthYear);
        assert_eq!(options.skips, [Skip { column: "x_Kind".into(), values: vec!["total".into(), "sum".into()] }]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (config, message, hint) in [
            (r#"{"tag_column": {}}"#, "there is no setting 'tag_column'", "did you mean `tag_columns`?"),
            (r#"{"colour": 1}"#, "there is no setting 'colour'", "there are: constants, columns, tag_columns, nulls, date_order, skip"),
            (r#"{"constants": {"billing_curency": "USD"}}"#, "there is no field 'billing_curency'", "did you mean `billing_currency`?"),
            (r#"{"date_order": "ymd"}"#, "date_order cannot be \"ymd\"", "date_order = \"iso\" | \"mdy\" | \"dmy\""),
            (r#"{"skip": [{"colum": "a", "values": []}]}"#, "there is no key of skip 'colum'", "did you mean `column`?"),
            (
                r#"{"skip": [{"column": "a"}]}"#,
                "an entry of skip needs a column and values",
                "skip = [{ column = \"x_RowType\", values = [\"total\"] }]",
            ),
            (r#"{"constants": {"billing_currency": 1}}"#, "constants.billing_currency must be text, not 1", ""),
            ("[1]", "the settings must be a table, not [1]", ""),
        ] {
            assert_eq!(refusal(config), (message.to_owned(), hint.to_owned()), "{config}");
        }
    }
}
