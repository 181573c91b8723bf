//! JSON schemas of the files beside rules: cases, and the columns of tables.

use domain::detail::Detail;
use domain::field::Field;
use serde_json::{Map, Value, json};

/// The schema of `<rule>.cases.toml`.
pub fn cases() -> Value {
    let text = || json!({ "type": "string" });
    let money = || {
        json!({ "type": ["string", "integer"], "description": "An amount in quotes, so \
        that it is exact" })
    };
    let target = json!({ "anyOf": [text(), closed([("team", text()), ("cost_center", text()), ("environment", text()), ("application", text())], &[]), closed([("pool", text())], &["pool"])] });
    let table_of = |value: Value| json!({ "type": "object", "additionalProperties": value });
    let usage = json!({ "type": "array", "items": {
        "type": "object",
        "properties": { "metric": text(), "value": money() },
        "required": ["metric"],
        "additionalProperties": text(),
    }});
    let case = closed(
        [
            ("name", text()),
            ("charge", charge(&text(), &money(), &table_of(text()))),
            ("amount", money()),
            ("costs", table_of(cost(&text(), &money()))),
            ("usage", usage.clone()),
            ("through_set", json!({ "type": "boolean" })),
            ("expect", expectation(&target, &table_of(money()))),
        ],
        &["name", "expect"],
    );
    let any = closed([("any", json!({ "enum": [true] }))], &["any"]);
    let values = json!({ "anyOf": [text(), { "type": "array", "items": text() }, any] });
    let amounts = json!({ "anyOf": [money(), { "type": "array", "items": money() }, any] });
    let teams = closed([("team_in", json!({ "type": "array", "items": text() }))], &["team_in"]);
    let answer = json!({
        "anyOf": [{ "enum": ["decision", "no match", "pass", "error", "unallocated"] }, teams],
    });
    let property = closed(
        [
            ("name", text()),
            ("charges", charge(&values, &amounts, &table_of(values.clone()))),
            ("amount", amounts.clone()),
            ("costs", table_of(amounts.clone())),
            ("usage", usage),
            ("through_set", json!({ "type": "boolean" })),
            ("always", answer.clone()),
            ("never", answer),
            ("shares", json!({ "enum": ["positive"] })),
            ("independent_of", json!({ "type": "array", "items": text() })),
        ],
        &["name"],
    );
    let list = |item: Value| json!({ "type": "array", "items": item });
    let mut schema = closed(
        [("tables", table_of(text())), ("case", list(case)), ("property", list(property))],
        &["case"],
    );
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "Cases of an Apportion rule".into();
    schema
}

/// An object that has these properties and no others.
fn closed<const N: usize>(properties: [(&str, Value); N], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn charge(text: &Value, money: &Value, tags: &Value) -> Value {
    let mut properties: Map<String, Value> = Field::all()
        .map(|field| (field.name().to_owned(), text.clone()))
        .chain(
            ["billing_currency", "charge_period_start"].map(|name| (name.to_owned(), text.clone())),
        )
        .chain(["billed_cost", "effective_cost"].map(|name| (name.to_owned(), money.clone())))
        .chain(Detail::ALL.map(|detail| (detail.name().to_owned(), money.clone())))
        .collect();
    properties.insert("tags".into(), tags.clone());
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// An amount, or parts that say their basis, window, dimensions and tags.
fn cost(text: &Value, money: &Value) -> Value {
    let part = json!({
        "type": "object",
        "properties": { "amount": money, "basis": bases(), "window": windows() },
        "required": ["amount"],
        "additionalProperties": text,
    });
    json!({ "anyOf": [money, part, { "type": "array", "items": part }] })
}

fn bases() -> Value {
    json!({ "enum": ["direct", "allocated", "billed_cost", "contracted_cost", "list_cost"] })
}

fn windows() -> Value {
    json!({ "enum": ["day", "week", "month"] })
}

fn expectation(target: &Value, shares: &Value) -> Value {
    let text = json!({ "type": "string" });
    let anything = json!({});
    let by_cost = closed(
        [
            ("teams", json!({ "type": "array", "items": target })),
            ("filter", json!({ "type": "object", "additionalProperties": text })),
            ("basis", bases()),
            ("window", windows()),
            ("when_zero", json!({ "enum": ["stay", "even"] })),
        ],
        &[],
    );
    let mut one = closed(
        [
            ("assign", target.clone()),
            ("split", anything),
            ("even", json!({ "type": "array", "items": target })),
            ("by_cost", by_cost),
            ("exclude", text.clone()),
            ("error", json!({ "type": "string", "pattern": "^R2[0-9][0-9]$" })),
            ("decision", text),
            ("shares", shares.clone()),
        ],
        &[],
    );
    one["minProperties"] = 1.into();
    one["maxProperties"] = 1.into();
    json!({ "anyOf": [{ "enum": ["pass", "no match", "unallocated"] }, one] })
}

/// The columns of a lookup table, in the form of Frictionless Table Schema.
pub fn table(columns: &[&str]) -> Value {
    let field = |(at, name): (usize, &&str)| match at {
        0 => {
            json!({
                "name": name,
                "type": "string",
                "constraints": { "required": true, "unique": true },
            })
        }
        _ => json!({ "name": name, "type": "string" }),
    };
    json!({
        "fields": columns.iter().enumerate().map(field).collect::<Value>(),
        "primaryKey": columns.first(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of JSON Schema as the schema above uses.
    fn fits(schema: &Value, value: &Value) -> bool {
        let is = |kind: &str| match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            other => panic!("{other}"),
        };
        let kinds: Vec<&str> = schema["type"]
            .as_str()
            .into_iter()
            .chain(schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str))
            .collect();
        let object = value.as_object();
        let known =
            |key: &String| match (&schema["properties"][key], &schema["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => false,
                (Value::Null, Value::Null) => true,
                (Value::Null, others) => fits(others, &value[key]),
                (schema, _) => fits(schema, &value[key]),
            };
        (kinds.is_empty() || kinds.into_iter().any(is))
            && schema["anyOf"]
                .as_array()
                .is_none_or(|schemas| schemas.iter().any(|schema| fits(schema, value)))
            && schema["enum"].as_array().is_none_or(|values| values.contains(value))
            && schema["required"].as_array().is_none_or(|names| {
                names
                    .iter()
                    .filter_map(Value::as_str)
                    .all(|name| object.is_some_and(|object| object.contains_key(name)))
            })
            && schema["maxProperties"]
                .as_u64()
                .is_none_or(|most| object.is_some_and(|object| object.len() as u64 <= most))
            && object.is_none_or(|object| object.keys().all(known))
            && (schema["items"].is_null()
                || value
                    .as_array()
                    .is_none_or(|list| list.iter().all(|item| fits(&schema["items"], item))))
    }

    fn read(text: &str) -> Value {
        let value: toml::Value =
            toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        serde_json::to_value(value).unwrap_or_else(|error| panic!("{error}"))
    }

    fn shipped(dir: &std::path::Path, texts: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{error}")).flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => shipped(&path, texts),
                false if path.to_string_lossy().ends_with(".cases.toml") => {
                    texts.push(std::fs::read_to_string(&path).unwrap_or_default())
                }
                false => {}
            }
        }
    }

    #[test]
    fn the_schema_takes_what_ships_and_refuses_what_the_reader_refuses() {
        let mut texts = Vec::new();
        shipped(std::path::Path::new("../../rules"), &mut texts);
        assert!(texts.len() >= 7);
        for text in &texts {
            assert!(fits(&cases(), &read(text)), "{text}");
        }
        let case = |line: &str| format!("[[case]]\nname = \"n\"\ncharge = {{}}\n{line}\n");
        let property = |line: &str| {
            format!("{}[[property]]\nname = \"n\"\n{line}\n", case("expect = \"pass\""))
        };
        for (text, expect) in [
            (
                case(
                    "expect = { shares = { web = \"1\" } }\nusage = [{ metric = \"m\", value = \
                        \"1\", team = \"a\" }]",
                ),
                true,
            ),
            (case("expect = { assign = { pool = \"shared/idle\" } }"), true),
            (
                case(
                    "expect = \"pass\"\ncosts = { a = \"1\", b = { amount = \"1\", region_id = \
                        \"x\" }, c = [{ amount = \"1\", basis = \"direct\" }] }",
                ),
                true,
            ),
            (case("expect = \"pass\"\ncosts = { a = { region_id = \"x\" } }"), false),
            (case("expect = \"pass\"\ncosts = { a = { amount = \"1\", basis = \"net\" } }"), false),
            (
                property(
                    "never = \"error\"\ncharges = { region_id = { any = true }, tags = { a = \
                        [\"b\"] } }",
                ),
                true,
            ),
            (property("always = { team_in = [\"web\"] }"), true),
            (case(""), false),
            (case("expect = \"nothing\""), false),
            (case("expect = { assign = \"a\", exclude = \"b\" }"), false),
            (case("expect = \"pass\"\nexpected = 1"), false),
            (case("expect = \"pass\"\namount = 1.5"), false),
            (property("never = \"eror\""), false),
            (property("never = \"error\"\ncharges = { regoin_id = \"a\" }"), false),
        ] {
            assert_eq!(fits(&cases(), &read(&text)), expect, "{text}");
        }
    }

    #[test]
    fn tables_are_described_by_their_header() {
        let expect = json!({ "fields": [{ "name": "account", "type": "string", "constraints": { "required": true, "unique": true } }, { "name": "team", "type": "string" }], "primaryKey": "account" });
        assert_eq!(table(&["account", "team"]), expect);
    }
}
