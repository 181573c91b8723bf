//! Usage read from the ledger, with the stretches of days that nobody stated.

use crate::usage::query::UsageQuery;
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use domain::usage::Quantity;
use ledger::{Reader, StoredUsageDay};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageTable {
    /// By metric and source.
    pub coverage: Vec<MetricCoverage>,
    /// By metric and keys.
    pub groups: Vec<UsageGroup>,
}

/// The statement of one source on a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricCoverage {
    pub metric: String,
    pub source: String,
    pub unit: String,
    pub first: Day,
    pub last: Day,
    pub days: u64,
    /// First and last day of each stretch between `first` and `last` of which nothing is stated.
    pub gaps: Vec<(Day, Day)>,
    /// Distinct keys, added up over the days.
    pub rows: u64,
    pub total: Quantity,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageGroup {
    pub metric: String,
    pub unit: String,
    /// In the order of `group_by`; empty where there is no value.
    pub keys: Vec<String>,
    pub total: Quantity,
}

pub fn usage(ledger: &Reader, query: &UsageQuery) -> Result<UsageTable, Diagnostic> {
    let asked = |metric: &str| query.metric.as_deref().is_none_or(|asked| asked == metric);
    let days = ledger
        .usage_days(query.period)?
        .into_iter()
        .filter(|day| day.rows > 0 && asked(&day.metric));
    let mut by_source: BTreeMap<(String, String), Vec<StoredUsageDay>> = BTreeMap::new();
    for day in days {
        by_source.entry((day.metric.clone(), day.source.clone())).or_default().push(day);
    }
    let coverage: Vec<MetricCoverage> =
        by_source.into_values().filter_map(|days| MetricCoverage::of(&days)).collect();
    let mut groups: BTreeMap<(String, Vec<String>), (String, Quantity)> = BTreeMap::new();
    if !query.group_by.is_empty() {
        let mut metrics: Vec<&str> =
            coverage.iter().map(|coverage| coverage.metric.as_str()).collect();
        metrics.dedup();
        for metric in metrics {
            for usage in ledger.usage(metric, query.period)? {
                let keys = query
                    .group_by
                    .iter()
                    .map(|key| usage.key(key).unwrap_or_default().to_owned())
                    .collect();
                let (_, total) = groups
                    .entry((metric.to_owned(), keys))
                    .or_insert_with(|| (usage.unit.clone(), Quantity::ZERO));
                total.0 = total.0.saturating_add(usage.value.0);
            }
        }
    }
    let group = |((metric, keys), (unit, total))| UsageGroup { metric, unit, keys, total };
    Ok(UsageTable { coverage, groups: groups.into_iter().map(group).collect() })
}

impl MetricCoverage {
    /// Of days in their order.
    fn of(days: &[StoredUsageDay]) -> Option<MetricCoverage> {
        let (first, last) = (days.first()?, days.last()?);
        let steps = days.windows(2).map(|pair| (pair[0].day.plus(1), pair[1].day.plus(-1)));
        Some(MetricCoverage {
            metric: last.metric.clone(),
            source: last.source.clone(),
            unit: last.unit.clone(),
            first: first.day,
            last: last.day,
            days: days.len() as u64,
            gaps: steps.filter(|(from, to)| from <= to).collect(),
            rows: days.iter().map(|day| day.rows).sum(),
            total: Quantity(
                days.iter().fold(0, |total: i128, day| total.saturating_add(day.total.0)),
            ),
        })
    }
}
