//! Facts of a schema itself: keywords that are not checked, settings for secrets, broken
//! references.

use serde_json::{Map, Value};

const CHECKED: [&str; 23] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "const",
    "items",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "$defs",
];
/// Keywords for readers. They check nothing.
const WORDS: [&str; 12] = [
    "title",
    "description",
    "default",
    "examples",
    "$schema",
    "$id",
    "$comment",
    "deprecated",
    "writeOnly",
    "readOnly",
    "format",
    SLOT,
];
/// Marks a setting that names a slot of a secret.
pub const SLOT: &str = "x-secret-slot";
/// The keywords of a schema that are not checked.
pub fn unchecked(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each_schema(schema, &mut |_, schema| {
        let foreign = schema
            .keys()
            .filter(|key| !CHECKED.contains(&key.as_str()) && !WORDS.contains(&key.as_str()));
        found.extend(foreign.cloned());
    });
    found.sort();
    found.dedup();
    found
}

/// Settings whose name says that they hold a secret. The host could not keep such a secret out of
/// files, logs and the guest.
pub fn secrets_in(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each_schema(schema, &mut |name, property| {
        let holds_text =
            property.get("type").is_none_or(|types| types_of(types).contains(&"string"));
        let is_leaf = !property.contains_key("properties") && !property.contains_key("$ref");
        if is_secret(name)
            && holds_text
            && is_leaf
            && property.get(SLOT) != Some(&Value::Bool(true))
        {
            found.push(name.to_owned());
        }
    });
    found
}

/// The first reference that does not lead to a part of the schema: nothing else is ever fetched.
pub fn broken_reference(schema: &Value) -> Option<String> {
    let mut found = None;
    each_schema(schema, &mut |_, members| {
        let Some(to) = members.get("$ref") else { return };
        let leads_on = to
            .as_str()
            .and_then(|to| to.strip_prefix('#'))
            .is_some_and(|to| schema.pointer(to).is_some());
        if !leads_on {
            found.get_or_insert_with(|| to.as_str().unwrap_or_default().to_owned());
        }
    });
    found
}

/// Visits a schema and all in it, each with the name of the setting that it describes.
fn each_schema(schema: &Value, visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
    fn go(name: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
        let Some(members) = schema.as_object() else { return };
        visit(name, members);
        for keyword in ["properties", "$defs"] {
            for (name, inner) in
                members.get(keyword).and_then(Value::as_object).into_iter().flatten()
            {
                go(name, inner, visit);
            }
        }
        for keyword in ["items", "additionalProperties"] {
            members.get(keyword).into_iter().for_each(|inner| go("", inner, visit));
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            members
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .for_each(|inner| go(name, inner, visit));
        }
    }
    go("", schema, visit);
}

/// Whether the last words of a name mean a secret: `api_token` is one, and `token_url` is not.
fn is_secret(name: &str) -> bool {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() || !c.is_ascii_alphanumeric() {
            spaced.push(' ');
        }
        spaced.extend(c.to_lowercase().filter(char::is_ascii_alphanumeric));
    }
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (last, before) = (
        words.last().copied().unwrap_or_default(),
        words.iter().rev().nth(1).copied().unwrap_or_default(),
    );
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "credential", "credentials"]
        .contains(&last)
        || last == "key"
            && ["api", "access", "private", "secret", "account", "signing", "shared"]
                .contains(&before)
}

/// The types that a schema names, one or several.
pub fn types_of(types: &Value) -> Vec<&str> {
    types.as_array().map_or_else(
        || types.as_str().into_iter().collect(),
        |types| types.iter().filter_map(Value::as_str).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_refers_to_itself_only() {
        let broken = |to: &str| {
            broken_reference(
                &json!({ "items": { "$ref": to }, "$defs": { "a": { "type": "null" } } }),
            )
        };
        for good in ["#", "#/$defs/a", "#/items"] {
            assert_eq!(broken(good), None, "{good}");
        }
        for bad in ["#/$defs/b", "https://example.com/schema", "file:///etc/passwd", "other.json"] {
            assert_eq!(broken(bad).as_deref(), Some(bad));
        }
    }

    #[test]
    fn what_nobody_checks_is_named() {
        assert_eq!(
            unchecked(
                &json!({ "type": "object", "$defs": { "a": { "anyOf": [{ "minimum": 1 }] } } })
            ),
            [""; 0]
        );
        assert_eq!(
            unchecked(&json!({
                "properties": { "a": { "pattern": "x", "title": "A", "contains": {} } },
                "not": {},
            })),
            ["contains", "not"]
        );
    }

    #[test]
    fn secrets_are_known_by_their_last_words() {
        for name in
            ["token", "api_key", "apiKey", "clientSecret", "db-password", "secret_access_key"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["token_url", "key", "sort_key", "secret_slot", "tokens", "monkey"] {
            assert!(!is_secret(name), "{name}");
        }
        let property =
            |property: Value| secrets_in(&json!({ "properties": { "api_key": property } }));
        assert_eq!(property(json!({ "type": "string", "writeOnly": true })), ["api_key"]);
        assert_eq!(property(json!({ "type": "string", SLOT: true })), [""; 0]);
        assert_eq!(property(json!({ "type": "integer" })), [""; 0]);
    }
}
