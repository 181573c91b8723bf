//! The source's settings, read strictly: an unknown key is an error.

use apportion_plugin_sdk::Error;
use table_settings::{charges, text, word};

/// What stands for an effective cost that is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyEffectiveCost {
    /// Nothing: the row is set aside.
    #[default]
    SetAside,
    Billed,
}

#[derive(Debug, Default)]
pub struct Options {
    pub charges: charges::Options,
    pub empty_effective_cost: EmptyEffectiveCost,
    /// The only export that is read, by the name of its folder.
    pub report: Option<String>,
}

const EMPTY: &[(&str, EmptyEffectiveCost)] =
    &[("set-aside", EmptyEffectiveCost::SetAside), ("billed", EmptyEffectiveCost::Billed)];

pub fn parse(config: &str) -> Result<Options, Error> {
    let mut options = Options::default();
    options.charges = charges::Options::parse(
        config,
        charges::Options::default(),
        &["empty_effective_cost", "report"],
        |key, value| {
            match key {
                "empty_effective_cost" => options.empty_effective_cost = word(key, value, EMPTY)?,
                "report" => options.report = Some(text(key, value)?),
                _ => return Ok(false),
            }
            Ok(true)
        },
    )?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::{DateOrder, Skip};

    fn refusal(config: &str) -> (String, String) {
        match parse(config) {
            Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
            other => panic!("{config} gave {other:?}"),
        }
    }

    #[test]
    fn nothing_said_means_the_usual() {
        for config in ["", "{}", " "] {
            let options = parse(config).unwrap().charges;
            assert_eq!(options.nulls, ["NULL", "null"], "{config:?}");
            assert_eq!(options.date_order, DateOrder::Iso);
            assert!(
                options.constants.is_empty()
                    && options.columns.is_empty()
                    && options.tag_columns.is_empty()
                    && options.skips.is_empty()
            );
        }
    }

    #[test]
    fn reads_every_setting() {
        let options = parse(
            r#"{"constants": {"billing_currency": "USD"},
                "columns": {"effective_cost": "Amortized"}, "tag_columns": {"team": "x_Team"},
                "nulls": ["N/A"], "date_order": "dmy", "skip": [{"column": "x_Kind",
                "values": ["total", "sum"]}]}"#,
        )
        .unwrap()
        .charges;
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(options.constants, [pair("billing_currency", "USD")]);
        assert_eq!(options.columns, [pair("effective_cost", "Amortized")]);
        assert_eq!(options.tag_columns, [pair("team", "x_Team")]);
        assert_eq!(options.nulls, ["N/A"]);
        assert_eq!(options.date_order, DateOrder::DayMonthYear);
        assert_eq!(
            options.skips,
            [Skip { column: "x_Kind".into(), values: vec!["total".into(), "sum".into()] }]
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (config, message, hint) in [
            (
                r#"{"tag_column": {}}"#,
                "there is no setting 'tag_column'",
                "did you mean `tag_columns`?",
            ),
            (
                r#"{"colour": 1}"#,
                "there is no setting 'colour'",
                "there are: empty_effective_cost, report, constants, columns, tag_columns, nulls, \
                 date_order, skip",
            ),
            (
                r#"{"constants": {"billing_curency": "USD"}}"#,
                "there is no field 'billing_curency'",
                "did you mean `billing_currency`?",
            ),
            (
                r#"{"empty_effective_cost": "zero"}"#,
                "empty_effective_cost cannot be \"zero\"",
                "empty_effective_cost = \"set-aside\" | \"billed\"",
            ),
            (
                r#"{"date_order": "ymd"}"#,
                "date_order cannot be \"ymd\"",
                "date_order = \"iso\" | \"mdy\" | \"dmy\"",
            ),
            (
                r#"{"skip": [{"colum": "a", "values": []}]}"#,
                "there is no key of skip 'colum'",
                "did you mean `column`?",
            ),
            (
                r#"{"skip": [{"column": "a"}]}"#,
                "an entry of skip needs a column and values",
                "skip = [{ column = \"x_RowType\", values = [\"total\"] }]",
            ),
            (
                r#"{"constants": {"billing_currency": 1}}"#,
                "constants.billing_currency must be text, not 1",
                "",
            ),
            ("[1]", "the settings must be a table, not [1]", ""),
        ] {
            assert_eq!(refusal(config), (message.to_owned(), hint.to_owned()), "{config}");
        }
    }
}
