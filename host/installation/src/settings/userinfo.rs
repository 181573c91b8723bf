//! Users and passwords in URLs of the settings are refused: everybody may read the settings, and
//! each such secret has another place.

use crate::reading::Reading;
use domain::code::CONFIG_VALUE;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use reach::http::{has_userinfo, masked};
use serde_json::Value;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Refuses each URL that has a user or password, unless it was refused before.
pub fn check(reading: &Reading<'_>, findings: &mut Vec<Diagnostic>) {
    // Broken TOML was refused before.
    let Ok(table) = DeTable::parse(reading.text) else { return };
    let mut found = Vec::new();
    for (name, value) in table.get_ref() {
        urls(&mut vec![name.get_ref()], value.get_ref(), value.span(), &mut found);
    }
    for (key, span) in found {
        let message = "a user or password cannot stand in a URL, where everybody sees it";
        let finding = reading.finding(CONFIG_VALUE, &span, message).hint(keeper(&key));
        if findings.iter().all(|known| known.location != finding.location) {
            findings.push(finding);
        }
    }
}

/// The keys and places of the URLs with a user or password.
fn urls<'a>(
    key: &mut Vec<&'a str>,
    value: &'a DeValue<'_>,
    span: Range<usize>,
    found: &mut Vec<(Vec<&'a str>, Range<usize>)>,
) {
    match value {
        DeValue::String(text) if has_userinfo(text) => found.push((key.clone(), span)),
        DeValue::Array(values) => {
            for value in values {
                urls(key, value.get_ref(), value.span(), found);
            }
        }
        DeValue::Table(table) => {
            for (name, value) in table {
                key.push(name.get_ref());
                urls(key, value.get_ref(), value.span(), found);
                key.pop();
            }
        }
        _ => {}
    }
}

/// The place where the secret belongs.
fn keeper(key: &[&str]) -> Hint {
    let take_out = Hint::text("take it out");
    match key {
        ["sources", source, "paths", ..] => take_out
            .then(", and name its keeper:\n")
            .then(Hint::setting(format!(
                "[sources.{source}.store]\nbasic = {{ env = \"VARIABLE\" }}"
            )))
            .then("\nthe variable holds `user:password`"),
        ["sources", source, "store", ..] => {
            take_out.then(", and name the keepers of the keys:\n").then(Hint::setting(format!(
                "[sources.{source}.store]\naccess_key = {{ env = \"VARIABLE\" }}\n\
                 secret_key = {{ env = \"OTHER\" }}"
            )))
        }
        ["sources", source, "aws", ..] => take_out
            .then(", and name who asks:\n")
            .then(Hint::setting(format!("[sources.{source}.aws]\nprofile = \"billing\""))),
        ["sources", source, "config", ..] => {
            take_out.then(", and name its keeper:\n").then(Hint::setting(format!(
                "[sources.{source}.secrets.password]\nenv = \"VARIABLE\"\n\
                 for = [\"https://api.example.com/\"]"
            )))
        }
        _ => take_out,
    }
}

/// A value as it is shown: URLs within longer texts, such as a line of a shell, are allowed.
pub fn shown(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked(&text)),
        Value::Array(values) => values.into_iter().map(shown).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, shown(value))).collect()
        }
        other => other,
    }
}
