//! A survey as `source check --format json` shows it.

use crate::survey::{Comparison, Depth, SourceSurvey};
use domain::charge::RejectedRow;
use domain::period::{Day, Period};
use domain::port::Delivery;
use pipeline::report::SourceReport;
use pipeline::run::document::{DayCountsDocument, RestatementDocument, WithdrawalDocument};
use reports::document::{DateText, DiagnosticDocument, PeriodDocument, PluginDocument};
use reports::survey::document::{CategorySumDocument, TagDocument};
use serde::Serialize;

/// All that a run would count of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceSurveyDocument {
    name: String,
    plugin: PluginDocument,
    /// The tables that the plugin is given.
    tables: usize,
    /// How far they were read: `rows`, `headers`, or `nothing` of a source that asks a service.
    read: &'static str,
    deliveries: Vec<DeliveryDocument>,
    /// From the first to the last day with charges.
    days: Option<PeriodDocument>,
    charges: u64,
    resources: u64,
    set_aside: u64,
    /// The first rows that would be set aside.
    rejected: Vec<RejectedDocument>,
    /// By currency, as exact as the source is.
    totals: Vec<TotalDocument>,
    /// By month, charge category and currency.
    categories: Vec<CategorySumDocument>,
    usage: Vec<MetricDocument>,
    /// The same, compared with the ledger; null where there is none, or it was not read.
    ledger: Option<ComparisonDocument>,
    tags: Vec<TagDocument>,
    /// Columns of its tables that neither charges nor usage are made of.
    unused_columns: Vec<String>,
    /// Why it would fail in a run.
    failure: Option<DiagnosticDocument>,
    findings: Vec<DiagnosticDocument>,
    /// What the run would warn of.
    warnings: Vec<DiagnosticDocument>,
}

/// The changes that a run would make in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ComparisonDocument {
    days: DayCountsDocument,
    restated: Vec<RestatementDocument>,
    withdrawn: Vec<WithdrawalDocument>,
    /// Days that would be taken back, if all rows could be read.
    days_kept: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct DeliveryDocument {
    name: String,
    /// The first day of the billing period that it states as a whole.
    billing_period: Option<DateText>,
    /// Why it does not count.
    left_out: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RejectedDocument {
    location: String,
    reason: String,
    excerpt: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct TotalDocument {
    currency: String,
    billed_cost: String,
    effective_cost: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct MetricDocument {
    metric: String,
    unit: String,
    days: u64,
    total: String,
}

impl From<&SourceSurvey> for SourceSurveyDocument {
    fn from(survey: &SourceSurvey) -> SourceSurveyDocument {
        let report = survey.report.as_ref();
        let is_compared = survey.comparison == Comparison::Made && survey.failure.is_none();
        let compared = report.filter(|_| is_compared);
        SourceSurveyDocument {
            name: survey.name.clone(),
            plugin: PluginDocument::from(&survey.plugin),
            tables: survey.tables,
            read: survey.depth.name(),
            deliveries: survey.finds.deliveries.iter().map(DeliveryDocument::from).collect(),
            days: survey.charges.days.and_then(period),
            charges: survey.charge_count(),
            resources: survey.charges.resources,
            set_aside: survey.set_aside(),
            rejected: report.map(rejected).unwrap_or_default(),
            totals: report.map(totals).unwrap_or_default(),
            categories: survey.charges.sums.iter().map(CategorySumDocument::from).collect(),
            usage: report.map(usage).unwrap_or_default(),
            ledger: compared.map(ComparisonDocument::from),
            tags: TagDocument::list(&survey.charges),
            unused_columns: survey.finds.unused_columns().map(str::to_owned).collect(),
            failure: survey.failure.as_ref().map(DiagnosticDocument::from),
            findings: survey.findings.iter().map(DiagnosticDocument::from).collect(),
            warnings: report.map(warnings).unwrap_or_default(),
        }
    }
}

impl Depth {
    fn name(self) -> &'static str {
        match self {
            Depth::Rows => "rows",
            Depth::Headers => "headers",
            Depth::Nothing => "nothing",
        }
    }
}

/// Both days are included.
fn period((first, last): (Day, Day)) -> Option<PeriodDocument> {
    Period::new(first, last.plus(1)).ok().map(PeriodDocument::from)
}

fn rejected(report: &SourceReport) -> Vec<RejectedDocument> {
    let document = |rejected: &RejectedRow| {
        let RejectedRow { location, reason, excerpt } = rejected.clone();
        RejectedDocument { location, reason, excerpt }
    };
    report.rejected.iter().map(document).collect()
}

fn warnings(report: &SourceReport) -> Vec<DiagnosticDocument> {
    report.warnings.iter().map(DiagnosticDocument::from).collect()
}

fn totals(report: &SourceReport) -> Vec<TotalDocument> {
    let total = report.totals.iter().map(|(currency, billed, effective)| TotalDocument {
        currency: currency.to_string(),
        billed_cost: billed.clone(),
        effective_cost: effective.clone(),
    });
    total.collect()
}

fn usage(report: &SourceReport) -> Vec<MetricDocument> {
    let metric = report.usage.metrics.iter().map(|metric| MetricDocument {
        metric: metric.metric.clone(),
        unit: metric.unit.clone(),
        days: metric.days,
        total: metric.total.to_string(),
    });
    metric.collect()
}

impl From<&SourceReport> for ComparisonDocument {
    fn from(report: &SourceReport) -> ComparisonDocument {
        ComparisonDocument {
            days: DayCountsDocument::from(report),
            restated: report.restated.iter().map(RestatementDocument::from).collect(),
            withdrawn: report.withdrawn.iter().map(WithdrawalDocument::from).collect(),
            days_kept: report.days_kept,
        }
    }
}

impl From<&Delivery> for DeliveryDocument {
    fn from(delivery: &Delivery) -> DeliveryDocument {
        DeliveryDocument {
            name: delivery.name.clone(),
            billing_period: delivery.billing_period.map(DateText::from),
            left_out: delivery.left_out.clone(),
        }
    }
}
