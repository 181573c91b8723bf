//! The API's description, made from the same table as its routes; `openapi.json` is its committed copy.

use crate::api::answer::Asked;
use crate::error::Problem;
use crate::parameters::{LIMIT_DEFAULT, LIMIT_MAX};
use axum::response::Response;
use serde_json::{Map, Value, json};

/// One operation: a POST if it takes a body, else a GET.
pub struct Operation {
    pub path: &'static str,
    pub id: &'static str,
    pub summary: &'static str,
    pub parameters: &'static [Parameter],
    pub body: Body,
    /// Statuses beside those that every operation can have.
    pub errors: &'static [u16],
}

/// What a good answer holds.
pub enum Body {
    /// JSON with the named schema.
    Json(&'static str),
    /// The same, to JSON that is posted with the token.
    Change {
        request: &'static str,
        answer: &'static str,
    },
    Text(&'static str),
    /// The OpenAPI document.
    Document,
}

impl Operation {
    pub fn method(&self) -> &'static str {
        if matches!(self.body, Body::Change { .. }) { "POST" } else { "GET" }
    }
}

#[derive(Clone, Copy)]
pub struct Parameter {
    name: &'static str,
    place: &'static str,
    description: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// Text that cannot be left out.
    Needed,
    Date,
    List,
    Limit,
    Granularity {
        default: &'static str,
    },
}

pub const TEAM: Parameter =
    Parameter { name: "team", place: "path", description: "A team's name.", kind: Kind::Text };
pub const RUN_ID: Parameter =
    Parameter { name: "id", place: "path", description: "A run's number.", kind: Kind::Text };
pub const PERIOD: [Parameter; 2] = [
    Parameter {
        name: "start_date",
        place: "query",
        description: "The first day, included. Left out: from the first day there is.",
        kind: Kind::Date,
    },
    Parameter {
        name: "end_date",
        place: "query",
        description: "The last day, included. Left out: to the last day there is.",
        kind: Kind::Date,
    },
];
pub const GROUP_BY: Parameter = Parameter {
    name: "group_by",
    place: "query",
    description: "Names with commas between them: team (the default), service_name, environment, application, cost_center, rule, source, account, a FOCUS column such as region_id, or tag:<key>.",
    kind: Kind::Text,
};
pub const FILTER: Parameter = Parameter {
    name: "filter",
    place: "query",
    description: "name:value, with the names of group_by; repeatable. Values of one name are alternatives, different names must all hold. A tag key with a colon ends at =, as in tag:aws:createdBy=root.",
    kind: Kind::List,
};
pub const WHAT: Parameter = Parameter {
    name: "what",
    place: "query",
    description: "A team, a resource id or name, an account such as unallocated, or entry:<number>.",
    kind: Kind::Needed,
};
pub const SERVICE_NAME: Parameter = Parameter {
    name: "service_name",
    place: "query",
    description: "Only charges of this service.",
    kind: Kind::Text,
};
pub const METRIC: Parameter = Parameter {
    name: "metric",
    place: "query",
    description: "Only this metric, such as network.egress.bytes.",
    kind: Kind::Text,
};
pub const USAGE_KEYS: Parameter = Parameter {
    name: "group_by",
    place: "query",
    description: "Keys with commas between them, such as team,namespace. Left out: no groups.",
    kind: Kind::Text,
};
pub const LIMIT: Parameter = Parameter {
    name: "limit",
    place: "query",
    description: "Rows of one answer.",
    kind: Kind::Limit,
};
pub const PAGE_TOKEN: Parameter = Parameter {
    name: "page_token",
    place: "query",
    description: "The next_page_token of the answer before, to the same query.",
    kind: Kind::Text,
};

pub const fn granularity_of(default: &'static str) -> Parameter {
    Parameter {
        name: "granularity",
        place: "query",
        description: "Length of the spans. Weeks start on Monday; the first span is cut at start_date.",
        kind: Kind::Granularity { default },
    }
}

pub const OPENAPI: Operation = Operation {
    path: "/api/v1/openapi.json",
    id: "get_openapi",
    summary: "This document.",
    parameters: &[],
    body: Body::Document,
    errors: &[],
};

pub async fn openapi(asked: Asked) -> Result<Response, Problem> {
    asked.answer_of((), document)
}

/// The whole description.
pub fn document() -> Value {
    let paths: Map<String, Value> = crate::operations()
        .into_iter()
        .map(|operation| {
            (
                operation.path.to_owned(),
                json!({ operation.method().to_lowercase(): shown(operation) }),
            )
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Apportion",
            "version": "1",
            "description": "What each team owes, on loopback. Plans can be approved and applied with a token, if the server was started with one; all else is read-only. Amounts are decimal text with nine places, never numbers; currencies are never added together. Totals, services, teams, rules and accounts go by the day of posting; environment, application, cost_center, tags and other columns are worked out from the charges, by the day of the charge. Both add up to the same, except in spans that a correction of a closed month touches.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8080" }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": { "Problem": problem() },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The token of the file that `apportion serve --token-file` names." },
            },
        },
    })
}

fn schemas() -> Value {
    // A test reads the file, so that what cannot be parsed never ships.
    serde_json::from_str(include_str!("schemas.json")).unwrap_or_default()
}

fn problem() -> Value {
    json!({
        "description": "What went wrong, with a stable code.",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn shown(operation: &Operation) -> Value {
    let (media_type, schema) = match operation.body {
        Body::Json(name) | Body::Change { answer: name, .. } => {
            ("application/json", json!({ "$ref": format!("#/components/schemas/{name}") }))
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
    let mut shown = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": operation.parameters.iter().map(Parameter::shown).collect::<Vec<_>>(),
        "responses": responses,
    });
    if let Body::Change { request, .. } = operation.body {
        let schema = json!({ "schema": { "$ref": format!("#/components/schemas/{request}") } });
        shown["requestBody"] =
            json!({ "required": true, "content": { "application/json": schema } });
        shown["security"] = json!([{ "token": [] }]);
    }
    shown
}

impl Parameter {
    fn shown(&self) -> Value {
        let schema = match self.kind {
            Kind::Text | Kind::Needed => json!({ "type": "string" }),
            Kind::Date => json!({ "type": "string", "format": "date", "example": "2026-03-31" }),
            Kind::List => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Limit => {
                json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT })
            }
            Kind::Granularity { default } => {
                json!({ "enum": ["daily", "weekly", "monthly", "total"], "default": default })
            }
        };
        let required = self.place == "path" || matches!(self.kind, Kind::Needed);
        json!({ "name": self.name, "in": self.place, "required": required, "description": self.description, "schema": schema })
    }
}
