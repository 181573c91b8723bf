//! JSON Schema, as much of it as the settings of plugins need: what is wrong with a value, and where.
//!
//! A validator of our own, because the usual ones bring half of the web's formats with them. Patterns are tried by an engine whose time is
//! linear in the text, so that no plugin can hold the host up with one.
//! A keyword that is not checked here is not silently believed either: `unchecked` names it.

use domain::diagnostic::did_you_mean;
use regex_lite::Regex;
use serde_json::{Map, Value};

/// Something that a value must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Names of members, and numbers of elements, from the outside in.
    pub path: Vec<String>,
    pub message: String,
    pub hint: Option<String>,
}

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
/// Words for readers, which check nothing.
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
/// References that lead on: none needs more, and one that goes round in a circle has an end.
const DEPTH_MAX: usize = 64;

/// Everything that is wrong with `value`.
pub fn faults(schema: &Value, value: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    Checker { root: schema, found: &mut found }.check(schema, value, &[], 0);
    found
}

struct Checker<'a> {
    root: &'a Value,
    found: &'a mut Vec<Fault>,
}

impl Checker<'_> {
    fn fault(&mut self, path: &[String], message: String, hint: Option<String>) {
        self.found.push(Fault { path: path.to_vec(), message, hint });
    }

    fn fits(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let mut found = Vec::new();
        Checker { root: self.root, found: &mut found }.check(schema, value, &[], depth);
        found.is_empty()
    }

    fn check(&mut self, schema: &Value, value: &Value, path: &[String], depth: usize) {
        if *schema == Value::Bool(false) {
            return self.fault(path, format!("{} cannot stand here", name(path)), None);
        }
        let Some(schema) = schema.as_object().filter(|_| depth < DEPTH_MAX) else { return };
        if let Some(target) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|to| to.strip_prefix('#'))
            .and_then(|to| self.root.pointer(to))
        {
            self.check(target, value, path, depth + 1);
        }
        if let Some(types) = schema.get("type")
            && !types_of(types).iter().any(|kind| is_of(value, kind))
        {
            let message = format!(
                "{} is {}, and has to be {}",
                name(path),
                kind_of(value),
                types_of(types).join(" or ")
            );
            return self.fault(path, message, None);
        }
        self.choices(schema, value, path);
        self.combined(schema, value, path, depth);
        match value {
            Value::Object(members) => self.object(schema, members, path, depth),
            Value::Array(elements) => self.array(schema, elements, path, depth),
            Value::String(text) => {
                self.length(
                    schema,
                    text.chars().count(),
                    ["minLength", "maxLength"],
                    "characters",
                    path,
                );
                self.pattern(schema, text, path);
            }
            Value::Number(number) => self.number(schema, number, path),
            _ => {}
        }
    }

    fn choices(&mut self, schema: &Map<String, Value>, value: &Value, path: &[String]) {
        let one = schema.get("const").map(std::slice::from_ref);
        let Some(allowed) = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice).or(one)
        else {
            return;
        };
        if !allowed.contains(value) {
            let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
            let meant =
                value.as_str().and_then(|written| did_you_mean(written, words.iter().copied()));
            let hint = meant.map_or_else(
                || format!("one of: {}", shown(allowed)),
                |meant| format!("Did you mean `{meant}`?"),
            );
            self.fault(path, format!("{} cannot be {value}", name(path)), Some(hint));
        }
    }

    fn combined(
        &mut self,
        schema: &Map<String, Value>,
        value: &Value,
        path: &[String],
        depth: usize,
    ) {
        let parts = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
        for part in parts("allOf").into_iter().flatten() {
            self.check(part, value, path, depth + 1);
        }
        let fitting = |parts: &Vec<Value>| {
            parts.iter().filter(|part| self.fits(part, value, depth + 1)).count()
        };
        if parts("anyOf").is_some_and(|parts| fitting(parts) == 0)
            || parts("oneOf").is_some_and(|parts| fitting(parts) != 1)
        {
            self.fault(
                path,
                format!("{} fits none of the forms that it may have", name(path)),
                Some("`apportion plugin inspect` shows them".into()),
            );
        }
    }

    fn object(
        &mut self,
        schema: &Map<String, Value>,
        members: &Map<String, Value>,
        path: &[String],
        depth: usize,
    ) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for needed in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !members.contains_key(needed) {
                let said = known.get(needed).and_then(|property| property["description"].as_str());
                self.fault(
                    path,
                    format!("{} lacks '{needed}'", name(path)),
                    said.map(|said| format!("{needed}: {said}")),
                );
            }
        }
        if let Some(least) = schema
            .get("minProperties")
            .and_then(Value::as_u64)
            .filter(|least| (members.len() as u64) < *least)
        {
            self.fault(
                path,
                format!("{} has {} members, and needs {least}", name(path), members.len()),
                None,
            );
        }
        for (key, value) in members {
            let inner: Vec<String> = path.iter().cloned().chain([key.clone()]).collect();
            match (known.get(key), schema.get("additionalProperties")) {
                (Some(property), _) => self.check(property, value, &inner, depth + 1),
                (None, Some(Value::Bool(false))) => {
                    let names = || known.keys().map(String::as_str);
                    let hint = match did_you_mean(key, names()) {
                        Some(meant) => format!("Did you mean `{meant}`?"),
                        None => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
                    };
                    self.fault(
                        &inner,
                        format!("there is no setting '{}'", inner.join(".")),
                        Some(hint),
                    );
                }
                (None, Some(other)) => self.check(other, value, &inner, depth + 1),
                (None, None) => {}
            }
        }
    }

    fn array(
        &mut self,
        schema: &Map<String, Value>,
        elements: &[Value],
        path: &[String],
        depth: usize,
    ) {
        self.length(schema, elements.len(), ["minItems", "maxItems"], "elements", path);
        let twice =
            elements.iter().enumerate().find(|(at, element)| elements[..*at].contains(element));
        if let (Some(Value::Bool(true)), Some((_, element))) = (schema.get("uniqueItems"), twice) {
            self.fault(path, format!("{} has {element} twice", name(path)), None);
        }
        let Some(each) = schema.get("items") else { return };
        for (at, element) in elements.iter().enumerate() {
            let inner: Vec<String> = path.iter().cloned().chain([at.to_string()]).collect();
            self.check(each, element, &inner, depth + 1);
        }
    }

    fn length(
        &mut self,
        schema: &Map<String, Value>,
        length: usize,
        [least, most]: [&str; 2],
        what: &str,
        path: &[String],
    ) {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        if let Some(least) = bound(least).filter(|least| (length as u64) < *least) {
            self.fault(
                path,
                format!("{} has {length} {what}, and needs at least {least}", name(path)),
                None,
            );
        }
        if let Some(most) = bound(most).filter(|most| length as u64 > *most) {
            self.fault(
                path,
                format!("{} has {length} {what}, and may have {most}", name(path)),
                None,
            );
        }
    }

    fn pattern(&mut self, schema: &Map<String, Value>, text: &str, path: &[String]) {
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else { return };
        let hint = Some(format!("a text that fits {pattern}"));
        match Regex::new(pattern) {
            Ok(regex) if regex.is_match(text) => {}
            Ok(_) => self.fault(path, format!("{} cannot be \"{text}\"", name(path)), hint),
            Err(error) => self.fault(
                path,
                format!("the schema has a pattern for {} that is none: {error}", name(path)),
                None,
            ),
        }
    }

    /// Settings are whole numbers or small fractions, never money: comparing them as floats decides nothing else.
    fn number(
        &mut self,
        schema: &Map<String, Value>,
        number: &serde_json::Number,
        path: &[String],
    ) {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let Some(value) = number.as_f64() else { return };
        let too_small = bound("minimum").is_some_and(|least| value < least)
            || bound("exclusiveMinimum").is_some_and(|least| value <= least);
        let too_large = bound("maximum").is_some_and(|most| value > most)
            || bound("exclusiveMaximum").is_some_and(|most| value >= most);
        if too_small || too_large {
            let bounds: Vec<String> =
                ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]
                    .iter()
                    .filter_map(|keyword| {
                        schema.get(*keyword).map(|bound| format!("{keyword} {bound}"))
                    })
                    .collect();
            self.fault(
                path,
                format!("{} = {number} is out of bounds", name(path)),
                Some(bounds.join(", ")),
            );
        }
    }
}

fn name(path: &[String]) -> String {
    if path.is_empty() { "the config".into() } else { format!("'{}'", path.join(".")) }
}

fn shown(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

fn types_of(types: &Value) -> Vec<&str> {
    types.as_array().map_or_else(
        || types.as_str().into_iter().collect(),
        |types| types.iter().filter_map(Value::as_str).collect(),
    )
}

fn is_of(value: &Value, kind: &str) -> bool {
    kind == kind_of(value) || kind == "number" && value.is_number()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Keywords of the schema that nobody checks here.
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

/// Settings that look like they hold a secret: the host could not keep it out of files, logs and the guest.
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

/// By its last words: `token_url` is where a token comes from, `api_token` is one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["url"],
            "properties": {
                "url": { "type": "string", "minLength": 1, "description": "Where the API is" },
                "size": { "type": "integer", "minimum": 1, "maximum": 9 },
                "order": { "enum": ["iso", "mdy"] },
                "skips": { "type": "array", "items": { "$ref": "#/$defs/skip" }, "maxItems": 2 },
                "columns": { "type": "object", "additionalProperties": { "type": "string" } },
            },
            "$defs": { "skip": { "type": "object", "required": ["column"], "properties": { "column": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } } } },
        })
    }

    #[test]
    fn every_fault_has_its_place_and_what_was_meant() {
        let faults = |value: Value| {
            let found = super::faults(&schema(), &value);
            found
                .into_iter()
                .map(|fault| {
                    format!(
                        "{}: {} ({})",
                        fault.path.join("/"),
                        fault.message,
                        fault.hint.unwrap_or_default()
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            faults(
                json!({ "url": "x", "size": 9, "order": "iso", "skips": [{ "column": 1 }], "columns": { "a": "b" } })
            ),
            [""; 0]
        );
        assert_eq!(faults(json!({})), [": the config lacks 'url' (url: Where the API is)"]);
        assert_eq!(
            faults(json!({ "url": "" })),
            ["url: 'url' has 0 characters, and needs at least 1 ()"]
        );
        assert_eq!(
            faults(json!({ "url": "x", "sise": 1 })),
            ["sise: there is no setting 'sise' (Did you mean `size`?)"]
        );
        assert_eq!(
            faults(json!({ "url": "x", "size": 0 })),
            ["size: 'size' = 0 is out of bounds (minimum 1, maximum 9)"]
        );
        assert_eq!(
            faults(json!({ "url": "x", "size": "1" })),
            ["size: 'size' is string, and has to be integer ()"]
        );
        assert_eq!(
            faults(json!({ "url": "x", "order": "mdx" })),
            ["order: 'order' cannot be \"mdx\" (Did you mean `mdy`?)"]
        );
        assert_eq!(
            faults(json!({ "url": "x", "skips": [{}] })),
            ["skips/0: 'skips.0' lacks 'column' ()"]
        );
        assert_eq!(
            faults(json!({ "url": "x", "skips": [{ "column": true }] })),
            [
                "skips/0/column: 'skips.0.column' fits none of the forms that it may have (`apportion plugin inspect` shows them)"
            ]
        );
        assert_eq!(
            faults(json!({ "url": "x", "columns": { "a": 1 } })),
            ["columns/a: 'columns.a' is integer, and has to be string ()"]
        );
    }

    #[test]
    fn texts_fit_patterns_or_say_which() {
        let faults = |pattern: &str, value: Value| {
            let found = super::faults(
                &json!({ "properties": { "by": { "type": "string", "pattern": pattern } } }),
                &json!({ "by": value }),
            );
            found
                .into_iter()
                .map(|fault| format!("{} ({})", fault.message, fault.hint.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        assert_eq!(faults("^(SERVICE|tag:.+)$", json!("tag:team")), [""; 0]);
        assert_eq!(
            faults("^(SERVICE|tag:.+)$", json!("tag:")),
            ["'by' cannot be \"tag:\" (a text that fits ^(SERVICE|tag:.+)$)"]
        );
        // A pattern may stand anywhere in the text unless it says otherwise.
        assert_eq!(faults("[A-Z]{3}", json!("in EUR")), [""; 0]);
        assert_eq!(
            faults("^[A-Z]{3}$", json!("EURO")),
            ["'by' cannot be \"EURO\" (a text that fits ^[A-Z]{3}$)"]
        );
        let broken = faults("(", json!("x"));
        assert!(
            matches!(broken.as_slice(), [fault] if fault.starts_with("the schema has a pattern for 'by' that is none: ")),
            "{broken:?}"
        );
    }

    #[test]
    fn a_schema_that_goes_round_in_a_circle_has_an_end() {
        assert_eq!(faults(&json!({ "$ref": "#" }), &json!(1)), []);
    }

    #[test]
    fn what_nobody_checks_is_named() {
        assert_eq!(unchecked(&schema()), [""; 0]);
        assert_eq!(
            unchecked(
                &json!({ "properties": { "a": { "pattern": "x", "title": "A", "contains": {} } }, "not": {} })
            ),
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
