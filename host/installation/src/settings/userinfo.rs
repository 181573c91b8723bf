//! Users and passwords in URLs of the settings are refused: everybody may read the settings, and
//! each such secret has another place.

use super::source::SourceSettings;
use crate::reading::Reading;
use domain::code::CONFIG_VALUE;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use reach::http::{has_userinfo, masked};
use reach::toml_table;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A URL with a user or password.
struct UrlPlace<'a> {
    key: Vec<&'a str>,
    scheme: &'a str,
    span: Range<usize>,
}

/// Refuses each URL that has a user or password, unless it was refused before.
pub fn check(
    reading: &Reading<'_>,
    sources: &BTreeMap<String, Spanned<SourceSettings>>,
    findings: &mut Vec<Diagnostic>,
) {
    // Broken TOML was refused before.
    let Ok(table) = DeTable::parse(reading.text) else { return };
    let mut found = Vec::new();
    for (name, value) in table.get_ref() {
        urls(&mut vec![name.get_ref()], value.get_ref(), value.span(), &mut found);
    }
    for url in found {
        let message = "a user or password cannot stand in a URL, where everybody sees it";
        let hint = keeper(&url, sources);
        let finding = reading.finding(CONFIG_VALUE, &url.span, message).hint(hint);
        if findings.iter().all(|known| known.location != finding.location) {
            findings.push(finding);
        }
    }
}

/// The URLs with a user or password.
fn urls<'a>(
    key: &mut Vec<&'a str>,
    value: &'a DeValue<'_>,
    span: Range<usize>,
    found: &mut Vec<UrlPlace<'a>>,
) {
    match value {
        DeValue::String(text) if has_userinfo(text) => {
            found.push(UrlPlace { key: key.clone(), scheme: scheme_of(text), span });
        }
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

fn scheme_of(url: &str) -> &str {
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

/// The place where the secret belongs.
fn keeper(url: &UrlPlace<'_>, sources: &BTreeMap<String, Spanned<SourceSettings>>) -> Hint {
    let named = |path: &[&str], lines: &str| {
        Hint::text("take it out, and name its keeper:\n")
            .then(Hint::setting(format!("{}\n{lines}", toml_table::header(path))))
    };
    let of_store = |source: &str, scheme: &str| {
        let (lines, note) = store_keeper(scheme);
        named(&["sources", source, "store"], lines).then(note)
    };
    match url.key[..] {
        ["sources", source, "paths", ..] => of_store(source, url.scheme),
        // The endpoint of the store that the paths name.
        ["sources", source, "store", "endpoint"] => {
            let paths = sources.get(source).map(|source| &source.get_ref().paths.value);
            let scheme = paths.and_then(|paths| paths.first()).map_or("", |path| scheme_of(path));
            of_store(source, if scheme.is_empty() { "s3" } else { scheme })
        }
        ["sources", source, "aws", ..] => {
            Hint::text("take it out, and name who asks:\n").then(Hint::setting(format!(
                "{}\nprofile = \"billing\"",
                toml_table::header(&["sources", source, "aws"])
            )))
        }
        ["sources", source, "config", ..] => named(
            &["sources", source, "secrets", "password"],
            "env = \"VARIABLE\"\nfor = [\"https://api.example.com/\"]",
        ),
        [.., "command"] => {
            "take it out, and let the program read it itself, as `curl --netrc` does".into()
        }
        _ => "take it out".into(),
    }
}

/// The lines that keep the secret of a store, by the scheme of its URLs, and a note on them.
fn store_keeper(scheme: &str) -> (&'static str, &'static str) {
    match scheme {
        "s3" | "s3a" => {
            ("access_key = { env = \"VARIABLE\" }\nsecret_key = { env = \"OTHER\" }", "")
        }
        "az" | "azure" | "abfs" | "abfss" => {
            ("account_key = { env = \"VARIABLE\" }", "\na shared access signature goes into `sas`")
        }
        "gs" | "gcs" => ("service_account = { file = \"key.json\" }", ""),
        _ => ("basic = { env = \"VARIABLE\" }", "\nthe variable holds `user:password`"),
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
