//! The API's description, made from the same table as its routes; `openapi.json` is its committed
//! copy.
//!
//! Schemas come from the types that answers are written from, parameters from the structs that they
//! are read into. So the description cannot differ from what is sent and taken.

use crate::api::answer::ReadRequest;
use crate::error::{Problem, ProblemBody};
use crate::parameters::ParameterFacts;
use axum::response::Response;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

const DESCRIPTION: &str = "What each team owes, on loopback. \
    Plans can be approved and applied with a token, if the server was started with one; \
    all else is read-only. \
    Amounts are decimal text with nine places, never numbers; \
    currencies are never added together. \
    Totals, services, teams, rules and accounts go by the day of posting; \
    environment, application, cost_center, tags and other columns are worked out from the charges, \
    by the day of the charge. \
    Both add up to the same, except in spans that a correction of a closed month touches.";

/// One operation: a POST if it takes a body, else a GET.
pub struct Operation {
    pub path: &'static str,
    pub id: &'static str,
    pub summary: &'static str,
    /// Name and description of the part of the path that is in braces.
    pub placeholder: Option<(&'static str, &'static str)>,
    pub parameters: fn() -> Vec<ParameterFacts>,
    pub body: Body,
    /// Statuses beside those that every operation can have.
    pub errors: &'static [u16],
}

/// The content of a good answer.
pub enum Body {
    Json(SchemaOf),
    /// The same, to JSON that is posted with the token.
    Change {
        request: SchemaOf,
        answer: SchemaOf,
    },
    Text(&'static str),
    /// The OpenAPI document.
    Document,
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A reference to a type's schema, which the generator then has.
pub fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    pub fn method(&self) -> &'static str {
        if matches!(self.body, Body::Change { .. }) { "POST" } else { "GET" }
    }
}

pub const OPENAPI: Operation = Operation {
    path: "/api/v1/openapi.json",
    id: "get_openapi",
    summary: "This document.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Document,
    errors: &[],
};

pub async fn openapi(request: ReadRequest) -> Result<Response, Problem> {
    request.answer_of((), document)
}

/// The whole description.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for operation in crate::operations() {
        let method = operation.method().to_lowercase();
        paths.insert(operation.path.into(), json!({ method: shown(operation, &mut generator) }));
    }
    let problem = schema_of::<ProblemBody>(&mut generator);
    let mut schemas = Value::Object(generator.take_definitions(true));
    close(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Apportion",
            "version": "1",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8080" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Problem": {
                "description": "What went wrong, with a stable code.",
                "content": { "application/problem+json": { "schema": problem } },
            } },
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description":
                    "The token of the file that `apportion serve --token-file` names.",
            } },
        },
    })
}

/// Closes every object: it has the described members and no others. A description that was a
/// comment of several lines becomes one line.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("additionalProperties").or_insert(false.into());
            }
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn shown(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let (media_type, schema) = match operation.body {
        Body::Json(schema) | Body::Change { answer: schema, .. } => {
            ("application/json", json!(schema(generator)))
        }
        Body::Text(media_type) => (media_type, json!({ "type": "string" })),
        Body::Document => ("application/json", json!({ "type": "object" })),
    };
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({ "description": "The answer.", "content": { media_type: { "schema": schema } } }),
    );
    if operation.path.starts_with("/api/") && operation.method() == "GET" {
        responses.insert(
            "304".into(),
            json!({ "description": "The answer is the one that If-None-Match names." }),
        );
    }
    // A request that names another host is refused everywhere.
    for status in operation.errors.iter().chain(&[421]) {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    let placeholder = operation.placeholder.map(in_path);
    let parameters = (operation.parameters)();
    let parameters: Vec<Value> =
        placeholder.into_iter().chain(parameters.iter().map(in_query)).collect();
    let mut shown = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses,
    });
    if let Body::Change { request, .. } = operation.body {
        let schema = json!({ "schema": request(generator) });
        shown["requestBody"] =
            json!({ "required": true, "content": { "application/json": schema } });
        shown["security"] = json!([{ "token": [] }]);
    }
    shown
}

fn in_path((name, description): (&str, &str)) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": { "type": "string" },
    })
}

fn in_query(parameter: &ParameterFacts) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.description,
        "schema": parameter.schema,
    })
}
