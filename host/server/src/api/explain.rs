//! Why somebody bears a cost, down to the charges, the rules and what they read.

use crate::api::answer::Asked;
use crate::api::openapi::{Body, Operation, PERIOD, SERVICE_NAME, WHAT};
use crate::error::Problem;
use crate::parameters::Parameters;
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::port::RuleFacts;
use reports::explain::{Asked as Question, explain as explanation_of};

pub const EXPLAIN: Operation = Operation {
    path: "/api/v1/explain",
    id: "explain",
    summary: "Why a team, account, resource or entry costs what it does. With a team, a service and a month: a line of an invoice.",
    parameters: &[WHAT, SERVICE_NAME, PERIOD[0], PERIOD[1]],
    body: Body::Json("Explanation"),
    errors: &[400, 404, 500, 503],
};

pub async fn explain(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let parameters =
        Parameters::read(&asked.uri, &["what", "service_name", "start_date", "end_date"], &[])?;
    let question = Question {
        what: parameters.what()?.to_owned(),
        service_name: parameters.service_name().map(str::to_owned),
        period: parameters.span()?.period,
    };
    let installation = state.installation().clone();
    asked
        .answer(&state, move |ledger| {
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            Ok(explanation_of(ledger, &question, &rules_of)?.document())
        })
        .await
}
