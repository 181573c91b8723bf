//! Values of a cases file, and the sentences about those that are wrong.

use domain::diagnostic::did_you_mean;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A sentence about a stretch of the file.
pub(crate) struct Wrong(pub(crate) String, pub(crate) Range<usize>);

pub(crate) type Read<T> = Result<T, Wrong>;
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

pub(crate) fn table<'v, 't>(value: &'v Value<'t>, what: &str) -> Read<&'v DeTable<'t>> {
    value
        .get_ref()
        .as_table()
        .ok_or_else(|| Wrong(format!("{what} must be a table, {{ … }}"), value.span()))
}

pub(crate) fn text(value: &Value<'_>, what: &str) -> Read<String> {
    value
        .get_ref()
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Wrong(format!("{what} must be a text in quotes"), value.span()))
}

pub(crate) fn unknown<'a>(
    what: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Wrong {
    let advice = match did_you_mean(key.get_ref(), known.clone()) {
        Some(name) => format!("did you mean '{name}'?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Wrong(format!("{what} does not know '{}'; {advice}", key.get_ref()), key.span())
}

/// A text that is one of some words.
pub(crate) fn known_word<T>(
    value: &Value<'_>,
    name: &str,
    words: &str,
    known: impl Fn(&str) -> Option<T>,
) -> Read<T> {
    let word = text(value, name)?;
    known(&word).ok_or_else(|| Wrong(format!("{name} is {words}, not '{word}'"), value.span()))
}
