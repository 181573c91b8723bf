//! A run's report as it is shown.

use crate::plan::document::EntryCountsDocument;
use crate::plugin_cost::PluginCostDocument;
use crate::report::{Conservation, RunReport, SourceReport};
use crate::usage::UsageReport;
use crate::withdraw::{Restatement, Withdrawal};
use domain::charge::RejectedRow;
use domain::money::Currency;
use domain::port::{Delivery, UnknownDays};
use reports::document::{DiagnosticDocument, PeriodDocument, PluginDocument};
use schemars::JsonSchema;
use serde::Serialize;

/// Rejected rows shown of each source.
pub const REJECTED_SHOWN: usize = 20;

/// The run, as `run --format json` and `apply --format json` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RunReport")]
pub struct RunReportDocument {
    run: i64,
    #[schemars(extend("enum" = ["complete", "incomplete", "failed"]))]
    state: &'static str,
    sources: Vec<SourceReportDocument>,
    allocators: Vec<AllocatorDocument>,
    /// Days that were allocated.
    days: u64,
    entries: EntryCountsDocument,
    resources: u64,
    rule_calls: u64,
    suspense: Vec<String>,
    unresolved: Vec<String>,
    conservation: Vec<ConservationDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AllocatorReport")]
struct AllocatorDocument {
    plugin: PluginDocument,
    cost: PluginCostDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SourceReport")]
struct SourceReportDocument {
    name: String,
    plugin: PluginDocument,
    charges: u64,
    set_aside: u64,
    /// The first rows that were set aside.
    rejected: Vec<RejectedDocument>,
    days: DayCountsDocument,
    accrual: AccrualDocument,
    /// Rows of days that were not asked for.
    rows_outside_period: u64,
    /// The deliveries that were found, those that do not count too.
    deliveries: Vec<DeliveryDocument>,
    /// What earlier deliveries said, and this collection does not say any more.
    withdrawn: Vec<WithdrawalDocument>,
    /// Days of which the charges are others than before.
    restated: Vec<RestatementDocument>,
    /// Days that would have been taken back, if all rows could be read.
    days_kept: u64,
    /// Days that stood under a former name of the source and are its own now.
    days_taken_over: u64,
    totals: Vec<SourceTotalDocument>,
    usage: UsageReportDocument,
    /// The days that were asked for; null for all there is.
    period: Option<PeriodDocument>,
    /// Days that the source says it does not know.
    unknown: Vec<UnknownPeriodDocument>,
    tries: u32,
    /// Whether it refused its state and was collected without.
    without_state: bool,
    cost: PluginCostDocument,
    failure: Option<DiagnosticDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Rejected")]
struct RejectedDocument {
    location: String,
    reason: String,
    excerpt: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DayCounts")]
pub struct DayCountsDocument {
    pub new: u64,
    pub changed: u64,
    pub unchanged: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Accrual")]
struct AccrualDocument {
    /// Estimates left out because the bill has their day.
    billed: u64,
    /// Days whose estimates were taken back.
    days_taken_back: u64,
}

/// Files that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
struct DeliveryDocument {
    name: String,
    /// The first day of the billing period that it states as a whole.
    billing_period: Option<String>,
    /// Why it does not count; null where it does.
    left_out: Option<String>,
}

/// Money that a source has taken back. Decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Withdrawal")]
pub struct WithdrawalDocument {
    /// The first day of the billing period; null where the source told none.
    billing_period: Option<String>,
    currency: String,
    days: u64,
    billed_cost: String,
    effective_cost: String,
}

/// Money that a source states anew. Decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Restatement")]
pub struct RestatementDocument {
    /// The first day of the billing period; null where the source tells none.
    billing_period: Option<String>,
    currency: String,
    days: u64,
    billed_cost_before: String,
    billed_cost: String,
    effective_cost_before: String,
    effective_cost: String,
}

/// Exact decimal text, with as many places as the source gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SourceTotal")]
struct SourceTotalDocument {
    currency: String,
    billed_cost: String,
    effective_cost: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UsageReport")]
struct UsageReportDocument {
    rows: u64,
    days: DayCountsDocument,
    metrics: Vec<MetricReportDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MetricReport")]
struct MetricReportDocument {
    metric: String,
    unit: String,
    days: u64,
    total: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UnknownPeriod")]
struct UnknownPeriodDocument {
    period: PeriodDocument,
    reason: String,
}

/// All charges of the ledger, or of a plan's period, against the places where they stand. Decimal
/// text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Conservation")]
pub struct ConservationDocument {
    currency: String,
    charges: u64,
    charged: String,
    teams: String,
    pools: String,
    excluded: String,
    unallocated: String,
    suspense: String,
    rounding: String,
    difference: String,
}

impl From<&RunReport> for RunReportDocument {
    fn from(report: &RunReport) -> RunReportDocument {
        let allocators = report.allocators.iter().map(|(plugin, cost)| AllocatorDocument {
            plugin: PluginDocument::from(plugin),
            cost: PluginCostDocument::from(cost),
        });
        RunReportDocument {
            run: report.run.0,
            state: report.state.name(),
            sources: report.sources.iter().map(SourceReportDocument::from).collect(),
            allocators: allocators.collect(),
            days: report.days,
            entries: EntryCountsDocument {
                posted: report.entries_posted,
                reversed: report.entries_reversed,
                unchanged: report.entries_unchanged,
            },
            resources: report.resources,
            rule_calls: report.rule_calls,
            suspense: report.suspense.clone(),
            unresolved: report.unresolved.clone(),
            conservation: report.conservation.iter().map(ConservationDocument::from).collect(),
        }
    }
}

impl From<&SourceReport> for SourceReportDocument {
    fn from(source: &SourceReport) -> SourceReportDocument {
        let rejected = |rejected: &RejectedRow| {
            let RejectedRow { location, reason, excerpt } = rejected.clone();
            RejectedDocument { location, reason, excerpt }
        };
        let total =
            |(currency, billed, effective): &(Currency, String, String)| SourceTotalDocument {
                currency: currency.to_string(),
                billed_cost: billed.clone(),
                effective_cost: effective.clone(),
            };
        let unknown = |days: &UnknownDays| UnknownPeriodDocument {
            period: days.period.into(),
            reason: days.reason.clone(),
        };
        SourceReportDocument {
            name: source.name.clone(),
            plugin: PluginDocument::from(&source.plugin),
            charges: source.charges,
            set_aside: source.set_aside,
            rejected: source.rejected.iter().take(REJECTED_SHOWN).map(rejected).collect(),
            days: DayCountsDocument::from(source),
            accrual: AccrualDocument {
                billed: source.billed,
                days_taken_back: source.days_taken_back,
            },
            rows_outside_period: source.outside_period,
            deliveries: source.deliveries.iter().map(DeliveryDocument::from).collect(),
            withdrawn: source.withdrawn.iter().map(WithdrawalDocument::from).collect(),
            restated: source.restated.iter().map(RestatementDocument::from).collect(),
            days_kept: source.days_kept,
            days_taken_over: source.days_taken_over,
            totals: source.totals.iter().map(total).collect(),
            usage: UsageReportDocument::from(&source.usage),
            period: source.period.map(PeriodDocument::from),
            unknown: source.unknown.iter().map(unknown).collect(),
            tries: source.tries,
            without_state: source.without_state,
            cost: PluginCostDocument::from(&source.cost),
            failure: source.failure.as_ref().map(DiagnosticDocument::from),
        }
    }
}

impl From<&SourceReport> for DayCountsDocument {
    fn from(source: &SourceReport) -> DayCountsDocument {
        DayCountsDocument {
            new: source.days_new,
            changed: source.days_changed,
            unchanged: source.days_unchanged,
        }
    }
}

impl From<&Delivery> for DeliveryDocument {
    fn from(delivery: &Delivery) -> DeliveryDocument {
        DeliveryDocument {
            name: delivery.name.clone(),
            billing_period: delivery.billing_period.map(|day| day.to_string()),
            left_out: delivery.left_out.clone(),
        }
    }
}

impl From<&Withdrawal> for WithdrawalDocument {
    fn from(withdrawal: &Withdrawal) -> WithdrawalDocument {
        WithdrawalDocument {
            billing_period: withdrawal.billing_period.map(|day| day.to_string()),
            currency: withdrawal.currency.to_string(),
            days: withdrawal.days,
            billed_cost: withdrawal.billed.to_string(),
            effective_cost: withdrawal.effective.to_string(),
        }
    }
}

impl From<&Restatement> for RestatementDocument {
    fn from(restatement: &Restatement) -> RestatementDocument {
        RestatementDocument {
            billing_period: restatement.billing_period.map(|day| day.to_string()),
            currency: restatement.currency.to_string(),
            days: restatement.days,
            billed_cost_before: restatement.billed_before.to_string(),
            billed_cost: restatement.billed.to_string(),
            effective_cost_before: restatement.effective_before.to_string(),
            effective_cost: restatement.effective.to_string(),
        }
    }
}

impl From<&UsageReport> for UsageReportDocument {
    fn from(usage: &UsageReport) -> UsageReportDocument {
        let metrics = usage.metrics.iter().map(|metric| MetricReportDocument {
            metric: metric.metric.clone(),
            unit: metric.unit.clone(),
            days: metric.days,
            total: metric.total.to_string(),
        });
        UsageReportDocument {
            rows: usage.rows,
            days: DayCountsDocument {
                new: usage.days_new,
                changed: usage.days_changed,
                unchanged: usage.days_unchanged,
            },
            metrics: metrics.collect(),
        }
    }
}

impl From<&Conservation> for ConservationDocument {
    fn from(line: &Conservation) -> ConservationDocument {
        ConservationDocument {
            currency: line.currency.to_string(),
            charges: line.charges,
            charged: line.charged.to_string(),
            teams: line.teams.to_string(),
            pools: line.pools.to_string(),
            excluded: line.excluded.to_string(),
            unallocated: line.unallocated.to_string(),
            suspense: line.suspense.to_string(),
            rounding: line.rounding.to_string(),
            difference: line.difference.to_string(),
        }
    }
}
