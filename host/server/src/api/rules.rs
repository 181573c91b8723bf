//! The rules in force, and why a later save was not taken.

use crate::api::answer::Asked;
use crate::api::openapi::{Body, Operation};
use crate::error::Problem;
use crate::parameters::Parameters;
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::diagnostic::Diagnostic;
use domain::port::RuleFacts;
use installation::RulesView;
use serde::Serialize;

pub const RULES: Operation = Operation {
    path: "/api/v1/rules",
    id: "get_rules",
    summary: "The rules in force, in the order in which they are tried, and the findings of the last reload if it failed.",
    parameters: &[],
    body: Body::Json("Rules"),
    errors: &[400, 500],
};

#[derive(Serialize)]
struct Rules {
    generation: String,
    generation_count: u64,
    rules: Vec<Rule>,
    diagnostics: Vec<Finding>,
}

#[derive(Serialize)]
struct Rule {
    id: String,
    name: String,
    /// SHA-256 of the rule's source.
    digest: String,
    priority: i64,
    owner: String,
    review_by: Option<String>,
    description: String,
    enabled: bool,
    from: Option<String>,
    until: Option<String>,
}

#[derive(Serialize)]
pub struct Finding {
    code: &'static str,
    message: String,
    location: Option<Location>,
    excerpt: Option<String>,
    hint: Option<String>,
}

#[derive(Serialize)]
struct Location {
    file: String,
    line: u32,
    column: u32,
}

pub async fn rules(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    Parameters::read(&asked.uri, &[], &[])?;
    let view = state.installation().rules();
    let findings: Vec<String> = view.diagnostics.iter().map(ToString::to_string).collect();
    let content = (view.generation.clone(), view.generation_count, findings);
    asked.answer_of(content, || Rules::new(view))
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
            review_by: facts.review_by.map(|day| day.to_string()),
            description: facts.description,
            enabled: facts.enabled,
            from: facts.from.map(|day| day.to_string()),
            until: facts.until.map(|day| day.to_string()),
        }
    }
}

impl Finding {
    pub fn new(diagnostic: Diagnostic) -> Finding {
        Finding {
            hint: diagnostic.hint_text(),
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
