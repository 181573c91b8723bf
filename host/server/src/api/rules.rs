//! The rules in force, and why a later save was not taken.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::{Problem, client_hint};
use crate::parameters::{NoParameters, Parameters};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::code::Family;
use domain::diagnostic::Diagnostic;
use domain::port::RuleFacts;
use installation::RulesView;
use reports::document::DateText;
use schemars::JsonSchema;
use serde::Serialize;

pub const RULES: Operation = Operation {
    path: "/api/v1/rules",
    id: "get_rules",
    summary: "The rules in force, in the order in which they are tried, \
        and the findings of the last reload if it failed.",
    placeholder: None,
    parameters: NoParameters::described,
    body: Body::Json(schema_of::<Rules>),
    errors: &[400, 500],
};

#[derive(Serialize, JsonSchema)]
struct Rules {
    generation: String,
    /// Sets of rules taken since the start.
    generation_count: u64,
    rules: Vec<Rule>,
    diagnostics: Vec<Finding>,
}

#[derive(Serialize, JsonSchema)]
struct Rule {
    id: String,
    name: String,
    /// SHA-256 of the rule's source.
    digest: String,
    priority: i64,
    owner: String,
    review_by: Option<DateText>,
    description: String,
    enabled: bool,
    from: Option<DateText>,
    until: Option<DateText>,
}

/// A finding for a client of the API: its hint names requests and no commands.
#[derive(Serialize, JsonSchema)]
pub struct Finding {
    code: &'static str,
    message: String,
    location: Option<Location>,
    excerpt: Option<String>,
    hint: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Location {
    file: String,
    /// From 1; 0 where the file as a whole is meant.
    line: u32,
    /// From 1; 0 where the line as a whole is meant.
    column: u32,
}

pub async fn rules(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    NoParameters::read(&request.uri)?;
    let view = state.installation().rules();
    let findings: Vec<String> = view.diagnostics.iter().map(ToString::to_string).collect();
    let content = (view.generation.clone(), view.generation_count, findings);
    request.answer_of(content, || Rules::new(view))
}

impl Rules {
    fn new(view: RulesView) -> Rules {
        Rules {
            generation: view.generation,
            generation_count: view.generation_count,
            rules: view.rules.into_iter().map(Rule::new).collect(),
            diagnostics: view.diagnostics.into_iter().map(Finding::new).collect(),
        }
    }
}

impl Rule {
    fn new(facts: RuleFacts) -> Rule {
        Rule {
            id: facts.version.rule,
            name: facts.name,
            digest: facts.version.digest,
            priority: facts.priority,
            owner: facts.owner,
            review_by: facts.review_by.map(DateText::from),
            description: facts.description,
            enabled: facts.enabled,
            from: facts.from.map(DateText::from),
            until: facts.until.map(DateText::from),
        }
    }
}

impl Finding {
    /// A failed plan. Rules are shown with their place; of other failures a client learns the code.
    pub fn of_plan(diagnostic: Diagnostic) -> Finding {
        if diagnostic.code.family() == Family::Rules {
            return Finding::new(diagnostic);
        }
        let problem = Problem::from(diagnostic);
        Finding {
            hint: problem.hint.as_ref().map(client_hint),
            code: problem.code.text(),
            message: problem.detail,
            location: None,
            excerpt: None,
        }
    }

    pub fn new(diagnostic: Diagnostic) -> Finding {
        Finding {
            hint: diagnostic.hint.as_ref().map(client_hint),
            code: diagnostic.code.text(),
            message: diagnostic.message,
            location: diagnostic.location.map(|location| Location {
                file: location.file,
                line: location.line,
                column: location.column,
            }),
            excerpt: diagnostic.excerpt,
        }
    }
}
