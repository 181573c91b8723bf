//! The report of a run as a document, the same at the terminal and over HTTP.

use crate::notice;
use domain::charge::Rejected;
use domain::money::Currency;
use pipeline::plugin_cost::document;
use pipeline::run::{Conservation, RunReport, SourceReport};
use pipeline::usage::MetricReport;
use serde_json::{Value, json};

/// How many of the rows that were set aside are shown.
pub const REJECTED_SHOWN: usize = 20;

pub fn json_of(report: &RunReport) -> Value {
    json!({
        "run": report.run.0,
        "state": report.state.name(),
        "sources": report.sources.iter().map(source_json).collect::<Vec<_>>(),
        "allocators": report.allocators.iter().map(|(plugin, cost)| json!({
            "plugin": { "name": plugin.name, "version": plugin.version, "digest": plugin.digest },
            "cost": document(cost),
        })).collect::<Vec<_>>(),
        "days": report.days,
        "entries": {
            "posted": report.entries_posted,
            "reversed": report.entries_reversed,
            "unchanged": report.entries_unchanged,
        },
        "resources": report.resources,
        "rule_calls": report.rule_calls,
        "suspense": report.suspense,
        "unresolved": report.unresolved,
        "conservation": report.conservation.iter().map(conservation_json).collect::<Vec<_>>(),
    })
}

fn source_json(source: &SourceReport) -> Value {
    let total = |(currency, billed, effective): &(Currency, String, String)| json!({ "currency": currency.code(), "billed_cost": billed, "effective_cost": effective });
    let rejected = |rejected: &Rejected| json!({ "location": rejected.location, "reason": rejected.reason, "excerpt": rejected.excerpt });
    let metric = |report: &MetricReport| json!({ "metric": report.metric, "unit": report.unit, "days": report.days, "total": report.total.to_string() });
    json!({
        "name": source.name,
        "plugin": { "name": source.plugin.name, "version": source.plugin.version, "digest": source.plugin.digest },
        "charges": source.charges,
        "set_aside": source.set_aside,
        "rejected": source.rejected.iter().take(REJECTED_SHOWN).map(rejected).collect::<Vec<_>>(),
        "days": { "new": source.days_new, "changed": source.days_changed, "unchanged": source.days_unchanged },
        "accrual": { "billed": source.billed, "days_taken_back": source.days_taken_back },
        "totals": source.totals.iter().map(total).collect::<Vec<_>>(),
        "usage": {
            "rows": source.usage.rows,
            "days": { "new": source.usage.days_new, "changed": source.usage.days_changed, "unchanged": source.usage.days_unchanged },
            "metrics": source.usage.metrics.iter().map(metric).collect::<Vec<_>>(),
        },
        "period": source.period.map(reports::document::period),
        "unknown": source.unknown.iter().map(|days| json!({ "period": reports::document::period(days.period), "reason": days.reason })).collect::<Vec<_>>(),
        "tries": source.tries,
        "without_state": source.without_state,
        "cost": document(&source.cost),
        "failure": source.failure.as_ref().map(notice::document),
    })
}

fn conservation_json(line: &Conservation) -> Value {
    json!({
        "currency": line.currency.code(),
        "charges": line.charges,
        "charged": line.charged.to_string(),
        "teams": line.teams.to_string(),
        "pools": line.pools.to_string(),
        "excluded": line.excluded.to_string(),
        "unallocated": line.unallocated.to_string(),
        "suspense": line.suspense.to_string(),
        "rounding": line.rounding.to_string(),
        "difference": line.difference.to_string(),
    })
}
