//! Entries, with their days, runs and rules, and with the entries that take them back.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::page_token::{self, PageState};
use crate::parameters::{Limit, Parameters, parameters, period};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::axis::Axis;
use domain::period::Day;
use domain::run::RunId;
use ledger::EntryId;
use reports::entries::document::EntriesDocument;
use reports::entries::query::{EntryPage, EntryQuery};
use reports::entries::read::entries as entries_of;

pub const ENTRIES: Operation = Operation {
    path: "/api/v1/entries",
    id: "list_entries",
    summary: "What was posted, entry by entry, in the order of posting; \
        corrections and what was taken back too.",
    placeholder: None,
    parameters: EntryParameters::described,
    body: Body::Json(schema_of::<EntriesDocument>),
    errors: &[400, 500, 503],
};

parameters!(EntryParameters {
    /// The days that the period is of: posting, or charge.
    axis: Axis = Axis::Posting,
    /// The first day, included. Left out: from the first day there is.
    start_date: Option<Day>,
    /// The last day, included. Left out: to the last day there is.
    end_date: Option<Day>,
    /// Only entries with cost of this team, or of the account that stands in for one.
    team: Option<String>,
    /// Only entries with this account, such as provider/aws.
    account: Option<String>,
    /// Only entries by this rule, in any version.
    rule: Option<String>,
    /// Only entries of this source.
    source: Option<String>,
    /// Only entries that this run posted.
    run: Option<RunId>,
    /// Rows of one answer.
    limit: Limit,
    /// The next_page_token of the answer before, to the same query.
    page_token: Option<String>,
});

pub async fn entries(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let parameters = EntryParameters::read(&request.uri)?;
    let query = EntryQuery {
        axis: parameters.axis,
        period: period(parameters.start_date, parameters.end_date)?,
        source: parameters.source,
        run: parameters.run,
        team: parameters.team,
        account: parameters.account,
        rule: parameters.rule,
    };
    let digest = page_token::digest(&query);
    let token = parameters.page_token.as_deref();
    let key = token.map(|token| page_token::read(token, &digest)).transpose()?;
    let after = key.map(|(_, key)| key.as_i64().map(EntryId).ok_or_else(page_token::broken));
    let page = EntryPage { after: after.transpose()?, limit: parameters.limit.0 };
    request
        .answer(&state, move |ledger| {
            let list = entries_of(ledger, &query, page)?;
            let last = list.entries.last().filter(|_| list.has_more);
            let next = last.map(|last| {
                // Entries are only ever added, so pages of different times belong together.
                page_token::write(&digest, PageState::NONE, last.id.0.into())
            });
            Ok(EntriesDocument::page(&list, next))
        })
        .await
}
