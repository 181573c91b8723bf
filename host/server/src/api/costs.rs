//! Costs by any dimension, in pages.

use crate::api::answer::{Amount, Asked, PeriodShown};
use crate::api::openapi::{
    Body, FILTER, GROUP_BY, LIMIT, Operation, PAGE_TOKEN, PERIOD, granularity_of,
};
use crate::error::Problem;
use crate::page_token;
use crate::parameters::{Parameters, Span};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::money::Currency;
use domain::period::Day;
use domain::port::RuleFacts;
use reports::costs::{CostQuery, CostRow, CostTable, Granularity, costs_with_rules};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const COSTS: Operation = Operation {
    path: "/api/v1/costs",
    id: "list_costs",
    summary: "Costs by any dimension, each group in each span and currency.",
    parameters: &[
        GROUP_BY,
        FILTER,
        PERIOD[0],
        PERIOD[1],
        granularity_of("total"),
        LIMIT,
        PAGE_TOKEN,
    ],
    body: Body::Json("Costs"),
    errors: &[400, 500, 503],
};

#[derive(Serialize)]
struct Costs {
    period: PeriodShown,
    granularity: &'static str,
    group_by: Vec<String>,
    filter: Vec<String>,
    costs: Vec<Cost>,
    /// Of all pages together.
    totals: Vec<Amount>,
    next_page_token: Option<String>,
}

#[derive(Serialize)]
struct Cost {
    period_start: Option<String>,
    keys: BTreeMap<String, String>,
    cost: Amount,
}

pub async fn costs(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let names =
        ["group_by", "filter", "start_date", "end_date", "granularity", "limit", "page_token"];
    let parameters = Parameters::read(&asked.uri, &names, &["filter"])?;
    let span = parameters.span()?;
    let query = CostQuery {
        period: span.period,
        granularity: parameters.granularity(Granularity::Total)?,
        group_by: parameters.group_by()?,
        filter: parameters.filter()?,
    };
    let page = Page::asked(&parameters, &query)?;
    let installation = state.installation().clone();
    asked
        .answer(&state, move |ledger| {
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            Ok(page.cut(span, &costs_with_rules(ledger, &query, &rules_of)?))
        })
        .await
}

/// Which rows of a table are wanted: `limit` of them after a key.
struct Page {
    digest: String,
    limit: usize,
    after: Option<(Option<Day>, Vec<String>, Currency)>,
}

impl Page {
    fn asked(parameters: &Parameters, query: &CostQuery) -> Result<Page, Problem> {
        let names: Vec<String> = query.group_by.iter().map(ToString::to_string).collect();
        let filter: Vec<(String, &str)> =
            query.filter.iter().map(|(group, value)| (group.to_string(), value.as_str())).collect();
        let digest = page_token::digest((query.period, query.granularity, names, filter));
        let after = match parameters.page_token() {
            Some(token) => Some(key(&page_token::read(token, &digest)?)?),
            None => None,
        };
        Ok(Page { digest, limit: parameters.limit()?, after })
    }

    fn cut(&self, span: Span, table: &CostTable) -> Costs {
        let is_later = |row: &&CostRow| match &self.after {
            Some((period_start, keys, currency)) => {
                (&row.period_start, &row.keys, &row.currency) > (period_start, keys, currency)
            }
            None => true,
        };
        let mut rest = table.rows.iter().filter(is_later);
        let page: Vec<&CostRow> = rest.by_ref().take(self.limit).collect();
        let next_page_token = page
            .last()
            .filter(|_| rest.next().is_some())
            .map(|last| page_token::write(&self.digest, key_value(last)));
        let names: Vec<String> = table.query.group_by.iter().map(ToString::to_string).collect();
        Costs {
            period: span.into(),
            granularity: table.query.granularity.name(),
            filter: table
                .query
                .filter
                .iter()
                .map(|(group, value)| format!("{group}:{value}"))
                .collect(),
            costs: page.into_iter().map(|row| Cost::new(&names, row)).collect(),
            totals: Amount::totals(&table.totals),
            group_by: names,
            next_page_token,
        }
    }
}

impl Cost {
    fn new(names: &[String], row: &CostRow) -> Cost {
        Cost {
            period_start: row.period_start.map(|day| day.to_string()),
            keys: names.iter().cloned().zip(row.keys.iter().cloned()).collect(),
            cost: Amount::new(row.currency, row.amount),
        }
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
        let keys = value
            .get(1)?
            .as_array()?
            .iter()
            .map(|key| key.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        Some((period_start, keys, value.get(2)?.as_str()?.parse().ok()?))
    };
    read().ok_or_else(|| {
        Problem::parameter(
            "page_token: this is not a token of this API",
            "leave it out to get the first page",
        )
    })
}
