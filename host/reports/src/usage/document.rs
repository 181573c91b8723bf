//! Usage as it is shown.

use crate::document::{AxisText, DateText, PeriodDocument, keyed};
use crate::usage::query::UsageQuery;
use crate::usage::read::{MetricCoverage, UsageGroup, UsageTable};
use domain::axis::Axis;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Usage")]
pub struct UsageDocument {
    /// Usage goes by the day of its use.
    axis: AxisText,
    period: PeriodDocument,
    /// By metric and source.
    metrics: Vec<MetricCoverageDocument>,
    group_by: Vec<String>,
    /// By metric and keys; none without group_by.
    groups: Vec<UsageGroupDocument>,
    next_page_token: Option<String>,
}

/// The statement of one source on a metric. Quantities are decimal text with nine places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MetricCoverage")]
struct MetricCoverageDocument {
    metric: String,
    source: String,
    unit: String,
    /// The first day of which something is stated.
    start_date: DateText,
    /// The last day, included.
    end_date: DateText,
    days: u64,
    /// Stretches between them of which nothing is stated: they are not zero use.
    gaps: Vec<UsageGapDocument>,
    rows: u64,
    total: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UsageGap")]
struct UsageGapDocument {
    start_date: DateText,
    end_date: DateText,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UsageGroup")]
struct UsageGroupDocument {
    metric: String,
    /// Empty text where there is no value.
    keys: BTreeMap<String, String>,
    total: String,
    unit: String,
}

impl UsageDocument {
    /// Of all groups.
    pub fn whole(query: &UsageQuery, table: &UsageTable) -> UsageDocument {
        UsageDocument::page(query, table, &table.groups.iter().collect::<Vec<_>>(), None)
    }

    /// Of some groups, with the token that gets those after them.
    pub fn page(
        query: &UsageQuery,
        table: &UsageTable,
        groups: &[&UsageGroup],
        next: Option<String>,
    ) -> UsageDocument {
        let group = |group: &&UsageGroup| UsageGroupDocument {
            metric: group.metric.clone(),
            keys: keyed(&query.group_by, &group.keys),
            total: group.total.to_string(),
            unit: group.unit.clone(),
        };
        UsageDocument {
            axis: Axis::Charge.into(),
            period: query.period.into(),
            metrics: table.coverage.iter().map(MetricCoverageDocument::from).collect(),
            group_by: query.group_by.clone(),
            groups: groups.iter().map(group).collect(),
            next_page_token: next,
        }
    }
}

impl From<&MetricCoverage> for MetricCoverageDocument {
    fn from(coverage: &MetricCoverage) -> MetricCoverageDocument {
        let gaps = coverage.gaps.iter().map(|(start, end)| UsageGapDocument {
            start_date: (*start).into(),
            end_date: (*end).into(),
        });
        MetricCoverageDocument {
            metric: coverage.metric.clone(),
            source: coverage.source.clone(),
            unit: coverage.unit.clone(),
            start_date: coverage.first.into(),
            end_date: coverage.last.into(),
            days: coverage.days,
            gaps: gaps.collect(),
            rows: coverage.rows,
            total: coverage.total.to_string(),
        }
    }
}
