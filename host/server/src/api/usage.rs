//! The usage by which rules can share costs: what is known of each metric, and to whom it belongs.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::page_token::{self, PageState};
use crate::parameters::{Limit, Parameters, UsageKeys, parameters, period};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::period::Day;
use reports::usage::document::UsageDocument;
use reports::usage::query::UsageQuery;
use reports::usage::read::{UsageGroup, UsageTable, usage as usage_of};
use serde_json::{Value, json};

pub const USAGE: Operation = Operation {
    path: "/api/v1/usage",
    id: "list_usage",
    summary: "The usage by which rules can share costs, with its gaps; \
        with group_by also added up by keys.",
    placeholder: None,
    parameters: UsageParameters::described,
    body: Body::Json(schema_of::<UsageDocument>),
    errors: &[400, 409, 500, 503],
};

parameters!(UsageParameters {
    /// Only this metric, such as network.egress.bytes.
    metric: Option<String>,
    /// Keys with commas between them, such as team,namespace. Left out: no groups.
    group_by: UsageKeys,
    /// The first day, included. Left out: from the first day there is.
    start_date: Option<Day>,
    /// The last day, included. Left out: to the last day there is.
    end_date: Option<Day>,
    /// Rows of one answer.
    limit: Limit,
    /// The next_page_token of the answer before, to the same query.
    page_token: Option<String>,
});

pub async fn usage(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let parameters = UsageParameters::read(&request.uri)?;
    let query = UsageQuery {
        period: period(parameters.start_date, parameters.end_date)?,
        metric: parameters.metric,
        group_by: parameters.group_by.0,
    };
    let page = UsagePage::new(parameters.limit, parameters.page_token.as_deref(), &query)?;
    request
        .answer(&state, move |ledger| {
            let now = PageState::of(ledger)?;
            now.follows(page.state)?;
            Ok(page.cut(&query, &usage_of(ledger, &query)?, now))
        })
        .await
}

/// The page of groups: `limit` of them after a metric and its keys.
struct UsagePage {
    digest: String,
    limit: usize,
    /// Of the page before.
    state: Option<PageState>,
    after: Option<(String, Vec<String>)>,
}

impl UsagePage {
    fn new(limit: Limit, token: Option<&str>, query: &UsageQuery) -> Result<UsagePage, Problem> {
        let digest = page_token::digest((query.period, &query.metric, &query.group_by));
        let before = token.map(|token| page_token::read(token, &digest)).transpose()?;
        let state = before.as_ref().map(|(state, _)| *state);
        let after = before.map(|(_, value)| key(&value)).transpose()?;
        Ok(UsagePage { digest, limit: limit.0, state, after })
    }

    fn cut(&self, query: &UsageQuery, table: &UsageTable, now: PageState) -> UsageDocument {
        let is_later = |group: &&UsageGroup| match &self.after {
            Some((metric, keys)) => (&group.metric, &group.keys) > (metric, keys),
            None => true,
        };
        let mut rest = table.groups.iter().filter(is_later);
        let page: Vec<&UsageGroup> = rest.by_ref().take(self.limit).collect();
        let last = page.last().filter(|_| rest.next().is_some());
        let next =
            last.map(|last| page_token::write(&self.digest, now, json!([last.metric, last.keys])));
        UsageDocument::page(query, table, &page, next)
    }
}

fn key(value: &Value) -> Result<(String, Vec<String>), Problem> {
    let read = || Some((value.get(0)?.as_str()?.to_owned(), page_token::texts(value.get(1)?)?));
    read().ok_or_else(page_token::broken)
}
