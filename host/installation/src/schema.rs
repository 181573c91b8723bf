//! The JSON schema of `apportion.toml`, for editors, out of the sections themselves.

use crate::settings::Settings;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// As `config schema` prints it; `host/cli/apportion.schema.json` is its golden copy.
pub fn text() -> String {
    format!("{:#}\n", schema())
}

fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RecursiveTransform(as_toml));
    let schema = SchemaGenerator::new(settings).into_root_schema_for::<Settings>();
    let mut schema = schema.to_value();
    // The root object has nothing but its sections to say.
    if let Some(root) = schema.as_object_mut() {
        root.remove("description");
    }
    schema
}

/// TOML has no null, descriptions are one line each, and Rust's widths of numbers are no news.
fn as_toml(schema: &mut Schema) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            members.remove("anyOf");
            for (name, value) in only {
                members.entry(name).or_insert(value);
            }
        }
    }
    if members.get("default").is_some_and(is_empty) {
        members.remove("default");
    }
    if members.get("format").is_some_and(|format| format != "date") {
        members.remove("format");
    }
    if let Some(Value::String(description)) = members.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// Nothing, or sections that only have their defaults.
fn is_empty(default: &Value) -> bool {
    match default {
        Value::Null | Value::Object(_) => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reading;
    use std::collections::BTreeSet;

    /// The keys that the parser names when it meets one that does not exist.
    fn known_keys(text: &str) -> BTreeSet<String> {
        let reading = Reading::new("apportion.toml", text);
        let hint = reading
            .parse::<Settings>()
            .err()
            .and_then(|finding| finding.hint_text())
            .unwrap_or_default();
        hint.trim_start_matches("settings that can stand here: ")
            .split(", ")
            .map(str::to_owned)
            .collect()
    }

    fn properties(pointer: &str) -> BTreeSet<String> {
        let schema = schema();
        let object = schema.pointer(pointer).and_then(Value::as_object);
        object.into_iter().flat_map(|object| object.keys().cloned()).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_the_parser_knows() {
        for (text, pointer) in [
            ("zzzzzzzz = 1", "/properties"),
            ("[tags.x]\nzzzzzzzz = 1", "/properties/tags/additionalProperties/properties"),
            ("[sources.x]\nzzzzzzzz = 1", "/properties/sources/additionalProperties/properties"),
            (
                "[sources.x.http]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/http/properties",
            ),
            (
                "[sources.x.secrets.s]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/secrets/additionalProperties/properties",
            ),
            (
                "[sources.x.aws]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/aws/properties",
            ),
            ("[server]\nzzzzzzzz = 1", "/properties/server/properties"),
            ("[log]\nzzzzzzzz = 1", "/properties/log/properties"),
            (
                "[sources.x.store]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/store/properties",
            ),
            ("[limits]\nzzzzzzzz = 1", "/properties/limits/properties"),
            (
                "[sources.x.kubernetes]\nzzzzzzzz = 1",
                "/properties/sources/additionalProperties/properties/kubernetes/properties",
            ),
            ("[trust]\nzzzzzzzz = 1", "/properties/trust/properties"),
        ] {
            assert_eq!(known_keys(text), properties(pointer), "{text}");
        }
    }
}
