//! Costs by any dimension, in pages.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::page_token::{self, PageState};
use crate::parameters::ranking::Top;
use crate::parameters::{Filters, Groups, Limit, Parameters, Summed, parameters, period};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::axis::Axis;
use domain::period::Day;
use domain::port::RuleFacts;
use reports::costs::document::CostsDocument;
use reports::costs::measured::{MeasuredDocument, measured};
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::ranking::{CostSort, RankedRow, Ranking};
use reports::costs::read::costs_with_rules;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

pub const COSTS: Operation = Operation {
    path: "/api/v1/costs",
    id: "list_costs",
    summary: "Costs by any dimension, each group in each span and currency; or another metric of \
        the charges.",
    placeholder: None,
    parameters: CostParameters::described,
    body: Body::Json(schema_of::<CostsAnswer>),
    errors: &[400, 409, 500, 503],
};

parameters!(CostParameters {
    /// Names with commas between them: team (the default), service_name, environment, application,
    /// cost_center, rule, source, account (the ledger's, such as team/payments; that of the cloud
    /// is sub_account_id), charge_period, currency, a FOCUS column such as region_id, or tag:<key>.
    group_by: Groups = Groups(vec![GroupBy::Team]),
    /// name:value, with the names of group_by, or name!=value for all others; repeatable. Values of
    /// one name are alternatives, different names must all hold, and nothing that is left out may.
    /// A tag key with a colon ends at =, as in tag:aws:createdBy=root.
    filter: Filters,
    /// The days that all of the answer goes by: posting (what was owed; a closed month never
    /// changes), or charge (what was consumed, as it is known now). Left out: posting; of other
    /// metrics than effective_cost charge, which alone they have.
    axis: Option<Axis>,
    /// The first day, included. Left out: from the first day there is.
    start_date: Option<Day>,
    /// The last day, included. Left out: to the last day there is.
    end_date: Option<Day>,
    /// Length of the spans. Weeks start on Monday, quarters and years with the calendar; the first
    /// span is cut at start_date.
    granularity: Granularity = Granularity::Total,
    /// What is summed: effective_cost is what teams owe. All others are sums over charges, and are
    /// not passed on by rules that share costs: what is shared stands with its pool. billed_cost is
    /// what invoices say, before commitments are spread; list_cost is without any discount, and
    /// contracted_cost with the negotiated one.
    metric: Summed = Summed::POSTED,
    /// The order of rows. By name: span, keys, currency. By amount: currency, span, and then the
    /// groups with the largest amounts over the whole period. Left out: name; with top amount.
    sort: Option<CostSort>,
    /// Only so many groups of each currency have rows, those with the largest amounts. The others
    /// are summed in other.
    top: Top,
    /// Rows of one answer.
    limit: Limit,
    /// The next_page_token of the answer before, to the same query.
    page_token: Option<String>,
});

/// The costs that postings have; or, of any other metric, its measures.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "CostsOrMeasures")]
enum CostsAnswer {
    Costs(CostsDocument),
    Measures(MeasuredDocument),
}

pub async fn costs(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let parameters = CostParameters::read(&request.uri)?;
    let default = if parameters.metric.0.is_none() { Axis::Posting } else { Axis::Charge };
    let query = CostQuery {
        axis: parameters.axis.unwrap_or(default),
        period: period(parameters.start_date, parameters.end_date)?,
        granularity: parameters.granularity,
        group_by: parameters.group_by.0,
        filter: parameters.filter.0,
    };
    let ranking = Ranking::new(parameters.sort, parameters.top.0);
    let (summed, token) = (parameters.metric, parameters.page_token.as_deref());
    let asked = (page_digest(&query, &summed), ranking);
    let page = CostPage::new(parameters.limit, token, page_token::digest(asked))?;
    let installation = state.installation().clone();
    request
        .answer(&state, move |ledger| {
            let now = PageState::of(ledger)?;
            now.follows(page.state)?;
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            let query = installation.spelling().spelled(ledger, &query)?;
            let Some(metric) = summed.0 else {
                let table = costs_with_rules(ledger, &query, &rules_of)?.ranked(ranking);
                let (rows, next) = page.cut(&table.rows, now)?;
                return Ok(CostsAnswer::Costs(CostsDocument::page(&table, &rows, next)));
            };
            let table = measured(ledger, &query, metric, &rules_of)?.ranked(ranking);
            let (rows, next) = page.cut(&table.rows, now)?;
            Ok(CostsAnswer::Measures(MeasuredDocument::page(&table, &rows, next)))
        })
        .await
}

/// The place of a row: its span, its keys, and its currency or unit.
type RowKey<'a> = (Option<Day>, &'a [String], &'a str);

fn row_key<R: RankedRow>(row: &R) -> RowKey<'_> {
    (row.period_start(), row.keys(), row.unit())
}

/// The part of a query that its pages share, beside their order.
fn page_digest(query: &CostQuery, summed: &Summed) -> String {
    let names: Vec<String> = query.group_by.iter().map(ToString::to_string).collect();
    let filter: Vec<String> = query.filter.iter().map(ToString::to_string).collect();
    let asked = (query.axis, query.period, query.granularity, names, filter, summed.name());
    page_token::digest(asked)
}

/// The page of rows: `limit` of them after a key.
struct CostPage {
    digest: String,
    limit: usize,
    /// Of the page before.
    state: Option<PageState>,
    after: Option<(Option<Day>, Vec<String>, String)>,
}

impl CostPage {
    fn new(limit: Limit, token: Option<&str>, digest: String) -> Result<CostPage, Problem> {
        let before = token.map(|token| page_token::read(token, &digest)).transpose()?;
        let state = before.as_ref().map(|(state, _)| *state);
        let after = before.map(|(_, value)| key(&value)).transpose()?;
        Ok(CostPage { digest, limit: limit.0, state, after })
    }

    /// Its rows of all of them, and the token of the next page. Both are of one state of the
    /// ledger, so the row that the token names is there, whatever the order.
    fn cut<'a, R: RankedRow>(
        &self,
        rows: &'a [R],
        now: PageState,
    ) -> Result<(Vec<&'a R>, Option<String>), Problem> {
        let start = match &self.after {
            None => 0,
            Some((start, keys, unit)) => {
                let last = (*start, keys.as_slice(), unit.as_str());
                let at = rows.iter().position(|row| row_key(row) == last);
                at.ok_or_else(page_token::broken)? + 1
            }
        };
        let mut rest = rows.iter().skip(start);
        let page: Vec<&R> = rest.by_ref().take(self.limit).collect();
        let last = page.last().filter(|_| rest.next().is_some());
        let next = last.map(|row| page_token::write(&self.digest, now, key_value(row_key(*row))));
        Ok((page, next))
    }
}

fn key_value((period_start, keys, unit): RowKey<'_>) -> Value {
    json!([period_start.map(|day| day.to_string()), keys, unit])
}

fn key(value: &Value) -> Result<(Option<Day>, Vec<String>, String), Problem> {
    let read = || {
        let period_start = match value.get(0)? {
            Value::Null => None,
            day => Some(day.as_str()?.parse().ok()?),
        };
        let keys = page_token::texts(value.get(1)?)?;
        Some((period_start, keys, value.get(2)?.as_str()?.to_owned()))
    };
    read().ok_or_else(page_token::broken)
}
