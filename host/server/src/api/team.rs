//! The bill of one team, or of an account whose cost no team bears.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::parameters::{Parameters, parameters, period};
use crate::state::State;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use domain::axis::Axis;
use domain::period::Day;
use domain::port::RuleFacts;
use reports::costs::query::Granularity;
use reports::teams::document::TeamCostsDocument;
use reports::teams::query::TeamQuery;
use reports::teams::read::team_costs as costs_of;

pub const TEAM_COSTS: Operation = Operation {
    path: "/api/v1/costs/team/{team}",
    id: "get_team_costs",
    summary: "What one team owes: in all, by span, by service, by environment and by application.",
    placeholder: Some((
        "team",
        "A team's name. Cost that no team bears goes by its account: unallocated, suspense, \
         pool/<rule> or excluded/<rule>.",
    )),
    parameters: TeamParameters::described,
    body: Body::Json(schema_of::<TeamCostsDocument>),
    errors: &[400, 404, 500, 503],
};

parameters!(TeamParameters {
    /// The days that all of the answer goes by: posting (what was owed; a closed month never
    /// changes), or charge (what was consumed, as it is known now).
    axis: Axis = Axis::Posting,
    /// The first day, included. Left out: from the first day there is.
    start_date: Option<Day>,
    /// The last day, included. Left out: to the last day there is.
    end_date: Option<Day>,
    /// Length of the spans. Weeks start on Monday; the first span is cut at start_date.
    granularity: Granularity = Granularity::Monthly,
});

pub async fn team_costs(
    Shared(state): Shared<State>,
    Path(team): Path<String>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let parameters = TeamParameters::read(&request.uri)?;
    let query = TeamQuery {
        team,
        axis: parameters.axis,
        period: period(parameters.start_date, parameters.end_date)?,
        granularity: parameters.granularity,
    };
    let installation = state.installation().clone();
    request
        .answer(&state, move |ledger| {
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            Ok(TeamCostsDocument::from(&costs_of(ledger, &query, &rules_of)?))
        })
        .await
}
