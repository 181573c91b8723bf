//! Costs by any dimension, in pages.

use crate::api::answer::ReadRequest;
use crate::api::openapi::{Body, Operation, schema_of};
use crate::error::Problem;
use crate::page_token;
use crate::parameters::{Filters, Groups, Limit, Parameters, parameters, period};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::money::Currency;
use domain::period::Day;
use domain::port::RuleFacts;
use reports::costs::document::CostsDocument;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::{CostRow, CostTable, costs_with_rules};
use serde_json::{Value, json};

pub const COSTS: Operation = Operation {
    path: "/api/v1/costs",
    id: "list_costs",
    summary: "Costs by any dimension, each group in each span and currency.",
    placeholder: None,
    parameters: CostParameters::described,
    body: Body::Json(schema_of::<CostsDocument>),
    errors: &[400, 500, 503],
};

parameters!(CostParameters {
    /// Names with commas between them: team (the default), service_name, environment, application,
    /// cost_center, rule, source, account, a FOCUS column such as region_id, or tag:<key>.
    group_by: Groups = Groups(vec![GroupBy::Team]),
    /// name:value, with the names of group_by; repeatable. Values of one name are alternatives,
    /// different names must all hold. A tag key with a colon ends at =, as in
    /// tag:aws:createdBy=root.
    filter: Filters,
    /// The first day, included. Left out: from the first day there is.
    start_date: Option<Day>,
    /// The last day, included. Left out: to the last day there is.
    end_date: Option<Day>,
    /// Length of the spans. Weeks start on Monday; the first span is cut at start_date.
    granularity: Granularity = Granularity::Total,
    /// Rows of one answer.
    limit: Limit,
    /// The next_page_token of the answer before, to the same query.
    page_token: Option<String>,
});

pub async fn costs(
    Shared(state): Shared<State>,
    request: ReadRequest,
) -> Result<Response, Problem> {
    let parameters = CostParameters::read(&request.uri)?;
    let query = CostQuery {
        period: period(parameters.start_date, parameters.end_date)?,
        granularity: parameters.granularity,
        group_by: parameters.group_by.0,
        filter: parameters.filter.0,
    };
    let page = CostPage::new(parameters.limit, parameters.page_token.as_deref(), &query)?;
    let installation = state.installation().clone();
    request
        .answer(&state, move |ledger| {
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            Ok(page.cut(&costs_with_rules(ledger, &query, &rules_of)?))
        })
        .await
}

/// The page of rows: `limit` of them after a key.
struct CostPage {
    digest: String,
    limit: usize,
    after: Option<(Option<Day>, Vec<String>, Currency)>,
}

impl CostPage {
    fn new(limit: Limit, token: Option<&str>, query: &CostQuery) -> Result<CostPage, Problem> {
        let names: Vec<String> = query.group_by.iter().map(ToString::to_string).collect();
        let filter: Vec<(String, &str)> =
            query.filter.iter().map(|(group, value)| (group.to_string(), value.as_str())).collect();
        let digest = page_token::digest((query.period, query.granularity, names, filter));
        let after = match token {
            Some(token) => Some(key(&page_token::read(token, &digest)?)?),
            None => None,
        };
        Ok(CostPage { digest, limit: limit.0, after })
    }

    fn cut(&self, table: &CostTable) -> CostsDocument {
        let is_later = |row: &&CostRow| match &self.after {
            Some((period_start, keys, currency)) => {
                (&row.period_start, &row.keys, &row.currency) > (period_start, keys, currency)
            }
            None => true,
        };
        let mut rest = table.rows.iter().filter(is_later);
        let page: Vec<&CostRow> = rest.by_ref().take(self.limit).collect();
        let last = page.last().filter(|_| rest.next().is_some());
        let next = last.map(|last| page_token::write(&self.digest, key_value(last)));
        CostsDocument::page(table, &page, next)
    }
}

fn key_value(row: &CostRow) -> Value {
    json!([row.period_start.map(|day| day.to_string()), row.keys, row.currency.code()])
}

fn key(value: &Value) -> Result<(Option<Day>, Vec<String>, Currency), Problem> {
    let read = || {
        let period_start = match value.get(0)? {
            Value::Null => None,
            day => Some(day.as_str()?.parse().ok()?),
        };
        let keys = page_token::texts(value.get(1)?)?;
        Some((period_start, keys, value.get(2)?.as_str()?.parse().ok()?))
    };
    read().ok_or_else(page_token::broken)
}
