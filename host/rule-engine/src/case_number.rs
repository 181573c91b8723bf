//! Numbers in a cases file. They stand in quotes, so that they are exact. Beside them, what is
//! written into such a file.

use crate::case_value::{Read, Value, Wrong, table};
use crate::charge_view::DetailValue;
use domain::figure::Figure;
use domain::money::Money;
use toml::de::DeValue;

/// The word for a detail that the charge does not say.
pub(crate) const UNKNOWN: &str = "unknown";

pub(crate) fn number_text(value: &Value<'_>, what: &str) -> Read<String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.as_str().to_owned()),
        _ => Err(Wrong(
            format!("{what} is written in quotes, \"1.50\", so that it is exact"),
            value.span(),
        )),
    }
}

pub(crate) fn amount(value: &Value<'_>) -> Read<Money> {
    let text = number_text(value, "an amount")?;
    let parsed = domain::decimal::parse(text.as_bytes())
        .map_err(|error| Wrong(error.to_string(), value.span()))?;
    Ok(Money::from_nanos(parsed.nanos))
}

/// Reads a number, or `"unknown"` where the charge does not say the detail.
pub(crate) fn detail_value(value: &Value<'_>) -> Read<DetailValue> {
    let text = number_text(value, "a detail")?;
    match (text.as_str(), Figure::parse(text.as_bytes())) {
        (UNKNOWN, _) => Ok(DetailValue::Unknown),
        (_, Ok(figure)) => Ok(DetailValue::Known(figure)),
        (_, Err(error)) => Err(Wrong(format!("{error}, nor \"{UNKNOWN}\""), value.span())),
    }
}

pub(crate) fn amounts(value: &Value<'_>, what: &str) -> Read<Vec<(String, Money)>> {
    table(value, what)?
        .iter()
        .map(|(name, value)| Ok((name.get_ref().to_string(), amount(value)?)))
        .collect()
}

/// A key with a text, as TOML has it.
pub(crate) fn pair(key: &str, value: &str) -> String {
    format!("{} = {}", key_text(key), toml::Value::String(value.to_owned()))
}

pub(crate) fn key_text(key: &str) -> String {
    let is_bare =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { key.to_owned() } else { toml::Value::String(key.to_owned()).to_string() }
}
