//! Why somebody bears a cost, down to the charges, the rules and what they read.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::parameters::{Parameters, SubjectName, parameters, period};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::axis::Axis;
use domain::period::Day;
use domain::port::RuleFacts;
use reports::explain::document::ExplanationDocument;
use reports::explain::query::{ExplainDepth, ExplainQuery};
use reports::explain::read::explain as explanation_of;

pub const EXPLAIN: Operation = Operation {
    path: "/api/v1/explain",
    id: "explain",
    summary: "Why a team, account, resource or entry costs what it does. \
        With a team, a service and a month: a line of an invoice.",
    placeholder: None,
    parameters: ExplainParameters::described,
    body: Body::Json(schema_of::<ExplanationDocument>),
    errors: &[400, 404, 500, 503],
};

parameters!(ExplainParameters {
    /// A team, a resource id or name, an account such as unallocated, or entry:<number>.
    what: SubjectName,
    /// Only charges of this service.
    service_name: Option<String>,
    /// The days that all of the answer goes by: posting (what was owed; a closed month never
    /// changes), or charge (what was consumed, as it is known now).
    axis: Axis = Axis::Posting,
    /// The first day, included. Left out: from the first day there is.
    start_date: Option<Day>,
    /// The last day, included. Left out: to the last day there is.
    end_date: Option<Day>,
    /// How much is said: summary (by rule, pool and correction, and the ten largest resources),
    /// rules (and how each spread shared costs), resources (and the largest of each rule, with what
    /// it read of them), or all of them. Left out: resources where a resource is explained, else
    /// summary.
    depth: Option<ExplainDepth>,
});

pub async fn explain(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let parameters = ExplainParameters::read(&request.uri)?;
    let query = ExplainQuery {
        what: parameters.what.0,
        service_name: parameters.service_name,
        axis: parameters.axis,
        period: period(parameters.start_date, parameters.end_date)?,
        depth: parameters.depth,
    };
    let installation = state.installation().clone();
    request
        .answer(&state, move |ledger| {
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            Ok(ExplanationDocument::from(&explanation_of(ledger, &query, &rules_of)?))
        })
        .await
}
