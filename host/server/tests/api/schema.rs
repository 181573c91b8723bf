//! Checks answers by the schemas of the API's document: the answers are as the document says.

use serde_json::Value;

pub fn check(name: &str, value: &Value) {
    let document = server::document();
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no schema {name}");
    if let Err(finding) = fits(&document, schema, value, name) {
        panic!("{finding}\n{value:#}");
    }
}

fn fits(document: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document
            .pointer(reference.trim_start_matches('#'))
            .ok_or_else(|| format!("{place}: {reference} leads nowhere"))?;
        return fits(document, target, value, place);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fitting = choices.iter().any(|choice| fits(document, choice, value, place).is_ok());
        return if fitting { Ok(()) } else { Err(format!("{place} fits no choice")) };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&kind) {
        return Err(format!("{place} is {kind} and should be {types:?}"));
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        return Err(format!("{place} is none of {choices:?}"));
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(document, &schema["items"], item, &format!("{place}[{number}]"))?;
    }
    members(document, schema, value, place)
}

fn members(document: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let Some(members) = value.as_object() else { return Ok(()) };
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(required) {
            return Err(format!("{place} lacks {required}"));
        }
    }
    for (name, member) in members {
        let (known, others) = (&schema["properties"][name], &schema["additionalProperties"]);
        let schema = if known.is_object() { known } else { others };
        if !schema.is_object() {
            return Err(format!("{place}.{name} is not described"));
        }
        fits(document, schema, member, &format!("{place}.{name}"))?;
    }
    Ok(())
}
