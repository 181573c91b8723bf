//! The usage by which rules can share costs: what is known of each metric, and to whom it belongs.

use crate::api::answer::{Asked, PeriodShown};
use crate::api::openapi::{Body, LIMIT, METRIC, Operation, PAGE_TOKEN, PERIOD, USAGE_KEYS};
use crate::error::Problem;
use crate::page_token;
use crate::parameters::{Parameters, Span};
use crate::state::State;
use axum::extract::State as Shared;
use axum::response::Response;
use reports::usage::{Coverage, UsageGroup, UsageQuery, UsageTable, usage as usage_of};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const USAGE: Operation = Operation {
    path: "/api/v1/usage",
    id: "list_usage",
    summary: "The usage by which rules can share costs, with its gaps; with group_by also added up by keys.",
    parameters: &[METRIC, USAGE_KEYS, PERIOD[0], PERIOD[1], LIMIT, PAGE_TOKEN],
    body: Body::Json("Usage"),
    errors: &[400, 500, 503],
};

#[derive(Serialize)]
struct Usage {
    period: PeriodShown,
    metrics: Vec<MetricCoverage>,
    group_by: Vec<String>,
    groups: Vec<Group>,
    next_page_token: Option<String>,
}

#[derive(Serialize)]
struct MetricCoverage {
    metric: String,
    source: String,
    unit: String,
    start_date: String,
    end_date: String,
    days: u64,
    gaps: Vec<Gap>,
    rows: u64,
    total: String,
}

#[derive(Serialize)]
struct Gap {
    start_date: String,
    end_date: String,
}

#[derive(Serialize)]
struct Group {
    metric: String,
    keys: BTreeMap<String, String>,
    total: String,
    unit: String,
}

pub async fn usage(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let parameters = Parameters::read(
        &asked.uri,
        &["metric", "group_by", "start_date", "end_date", "limit", "page_token"],
        &[],
    )?;
    let span = parameters.span()?;
    let query = UsageQuery {
        period: span.period,
        metric: parameters.metric().map(str::to_owned),
        group_by: parameters.usage_keys(),
    };
    let page = Page::asked(&parameters, &query)?;
    asked.answer(&state, move |ledger| Ok(page.cut(span, &query, usage_of(ledger, &query)?))).await
}

/// Which groups are wanted: `limit` of them after a metric and its keys.
struct Page {
    digest: String,
    limit: usize,
    after: Option<(String, Vec<String>)>,
}

impl Page {
    fn asked(parameters: &Parameters, query: &UsageQuery) -> Result<Page, Problem> {
        let digest = page_token::digest((query.period, &query.metric, &query.group_by));
        let after = match parameters.page_token() {
            Some(token) => Some(key(&page_token::read(token, &digest)?)?),
            None => None,
        };
        Ok(Page { digest, limit: parameters.limit()?, after })
    }

    fn cut(&self, span: Span, query: &UsageQuery, table: UsageTable) -> Usage {
        let is_later = |group: &&UsageGroup| match &self.after {
            Some((metric, keys)) => (&group.metric, &group.keys) > (metric, keys),
            None => true,
        };
        let mut rest = table.groups.iter().filter(is_later);
        let page: Vec<&UsageGroup> = rest.by_ref().take(self.limit).collect();
        let next = page.last().filter(|_| rest.next().is_some());
        Usage {
            period: span.into(),
            next_page_token: next
                .map(|last| page_token::write(&self.digest, json!([last.metric, last.keys]))),
            groups: page.into_iter().map(|group| Group::new(&query.group_by, group)).collect(),
            group_by: query.group_by.clone(),
            metrics: table.coverage.into_iter().map(MetricCoverage::from).collect(),
        }
    }
}

impl Group {
    fn new(names: &[String], group: &UsageGroup) -> Group {
        let keys = names.iter().cloned().zip(group.keys.iter().cloned()).collect();
        Group {
            metric: group.metric.clone(),
            keys,
            total: group.total.to_string(),
            unit: group.unit.clone(),
        }
    }
}

impl From<Coverage> for MetricCoverage {
    fn from(coverage: Coverage) -> MetricCoverage {
        let Coverage { metric, source, unit, first, last, days, gaps, rows, total } = coverage;
        let gap = |(start, end): (domain::period::Day, domain::period::Day)| Gap {
            start_date: start.to_string(),
            end_date: end.to_string(),
        };
        MetricCoverage {
            metric,
            source,
            unit,
            start_date: first.to_string(),
            end_date: last.to_string(),
            days,
            gaps: gaps.into_iter().map(gap).collect(),
            rows,
            total: total.to_string(),
        }
    }
}

fn key(value: &Value) -> Result<(String, Vec<String>), Problem> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let read = || {
        Some((
            text(value.get(0)?)?,
            value.get(1)?.as_array()?.iter().map(text).collect::<Option<_>>()?,
        ))
    };
    read().ok_or_else(|| {
        Problem::parameter(
            "page_token: this is not a token of this API",
            "leave it out to get the first page",
        )
    })
}
