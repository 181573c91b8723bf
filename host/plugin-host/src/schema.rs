//! JSON Schema, as far as the settings of plugins need it: finds every fault of a value, with its
//! place.
//!
//! A plugin is a stranger, and so is its schema. Patterns are matched by an engine whose time is
//! linear in the text, and the number of checks is bounded: references can double the work with
//! every line of a schema. A keyword that is not checked here is not silently believed: `unchecked`
//! names it.

mod survey;

pub use survey::{SLOT, broken_reference, secrets_in, unchecked};

use domain::diagnostic::did_you_mean;
use domain::hint::Hint;
use regex_lite::RegexBuilder;
use serde_json::{Map, Value};
use std::cell::Cell;
use survey::types_of;

/// A fault of a value, by a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFault {
    /// Names of members, and numbers of elements, from the outside in.
    pub path: Vec<String>,
    pub message: String,
    pub hint: Option<Hint>,
}

/// The longest chain of references. It ends a chain that leads round in a circle.
const DEPTH_MAX: usize = 64;
/// The most checks of one config: a tenth of a second or so.
const CHECKS_MAX: u32 = 200_000;
/// The checks that one pattern counts as, because it has to be compiled: up to a thousandth of a
/// second.
const CHECKS_OF_PATTERN: u32 = 1_000;
/// The largest compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Finds all faults of `value`.
pub fn faults(schema: &Value, value: &Value) -> Vec<SchemaFault> {
    let mut found = Vec::new();
    let left = Cell::new(CHECKS_MAX);
    Checker { root: schema, found: &mut found, left: &left }.check(schema, value, &[], 0);
    if left.get() > 0 {
        return found;
    }
    let message =
        format!("the config cannot be checked: the schema asks for more than {CHECKS_MAX} checks");
    vec![SchemaFault { path: Vec::new(), message, hint: None }]
}

struct Checker<'a> {
    root: &'a Value,
    found: &'a mut Vec<SchemaFault>,
    /// The checks that are left.
    left: &'a Cell<u32>,
}

impl Checker<'_> {
    fn fault(&mut self, path: &[String], message: String, hint: Option<Hint>) {
        self.found.push(SchemaFault { path: path.to_vec(), message, hint });
    }

    /// Takes some of the checks that are left. `false` if there are too few.
    fn may(&self, checks: u32) -> bool {
        let left = self.left.get().saturating_sub(checks);
        self.left.set(left);
        left > 0
    }

    fn fits(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let mut found = Vec::new();
        Checker { root: self.root, found: &mut found, left: self.left }.check(
            schema,
            value,
            &[],
            depth,
        );
        found.is_empty()
    }

    fn check(&mut self, schema: &Value, value: &Value, path: &[String], depth: usize) {
        if *schema == Value::Bool(false) {
            return self.fault(path, format!("{} cannot stand here", name(path)), None);
        }
        let may_go_on = depth < DEPTH_MAX && self.may(1);
        let Some(schema) = schema.as_object().filter(|_| may_go_on) else { return };
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
            self.fault(path, format!("{} cannot be {value}", name(path)), Some(hint.into()));
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
                Some(Hint::command("plugin inspect").then(" shows them")),
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
                    said.map(|said| Hint::text(format!("{needed}: {said}"))),
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
                        Some(hint.into()),
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
        if !self.may(CHECKS_OF_PATTERN) {
            return;
        }
        let hint = Some(Hint::text(format!("a text that fits {pattern}")));
        match RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build() {
            Ok(regex) if regex.is_match(text) => {}
            Ok(_) => self.fault(path, format!("{} cannot be \"{text}\"", name(path)), hint),
            Err(error) => self.fault(
                path,
                format!("the schema has a pattern for {} that is none: {error}", name(path)),
                None,
            ),
        }
    }

    /// Settings are whole numbers or small fractions, and never money, so they can be compared as
    /// floats.
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
                Some(bounds.join(", ").into()),
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
                        fault.hint.map(|hint| hint.to_string()).unwrap_or_default()
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            faults(json!({
                "url": "x",
                "size": 9,
                "order": "iso",
                "skips": [{ "column": 1 }],
                "columns": { "a": "b" },
            })),
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
            ["skips/0/column: 'skips.0.column' fits none of the forms that it may \
                     have (`apportion plugin inspect` shows them)"]
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
                .map(|fault| {
                    format!(
                        "{} ({})",
                        fault.message,
                        fault.hint.map(|hint| hint.to_string()).unwrap_or_default()
                    )
                })
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

    /// Schemas and texts of strangers. Each comes to an end at once, with the right faults.
    #[test]
    fn hostile_schemas_come_to_an_end() {
        let message = |schema: &Value, value: &Value| {
            let found = faults(schema, value).into_iter().next();
            found.map(|fault| fault.message).unwrap_or_default()
        };
        // Two references to the next line, in each of 30 lines: a billion checks.
        let twice = |to: usize| json!({ "$ref": format!("#/$defs/{to}") });
        let mut lines: Map<String, Value> = (0..30)
            .map(|at| (at.to_string(), json!({ "allOf": [twice(at + 1), twice(at + 1)] })))
            .collect();
        lines.insert("30".into(), json!({ "type": "string" }));
        let doubled = json!({ "$ref": "#/$defs/0", "$defs": lines });
        let too_many = "the config cannot be checked: the schema asks for more than 200000 checks";
        assert_eq!(message(&doubled, &json!(1)), too_many);
        assert_eq!(message(&doubled, &json!("text")), too_many);
        // A pattern that takes a backtracking engine longer than the universe is old.
        let text = format!("{}!", "a".repeat(10_000));
        let slow = json!({ "pattern": "^(a+)+$" });
        assert!(message(&slow, &json!(text)).starts_with("the config cannot be \"aaa"));
        let huge = json!({ "pattern": "((a{100}){100}){100}" });
        assert!(message(&huge, &json!("a")).starts_with("the schema has a pattern for the config"));
        let many: Vec<Value> = (0..1_000).map(|_| json!({ "pattern": "a{1000}" })).collect();
        assert_eq!(message(&json!({ "allOf": many }), &json!("a")), too_many);
        // As deep as a parser of JSON goes.
        let deep = format!("{}{{}}{}", r#"{"items": "#.repeat(120), "}".repeat(120));
        let value = format!("{}{}", "[".repeat(120), "]".repeat(120));
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(message(&parsed(&deep), &parsed(&value)), "");
    }
}
