//! `costs`: the table of costs by team, service or any other dimension.

pub mod layout;
mod metric_text;

use crate::args::{AxisName, GlobalArgs, GranularityName, MetricName, PeriodArgs, TableFormat};
use crate::error::Failure;
use crate::query;
use crate::ui::{Ui, document_text};
use domain::diagnostic::Diagnostic;
use domain::period::Period;
use domain::port::RuleFacts;
use installation::ledger_file;
use installation::rules;
use installation::settings::Need;
use layout::Layout;
use reports::costs::document::CostsDocument;
use reports::costs::measured::measured;
use reports::costs::query::CostQuery;
use reports::costs::ranking::{CostSort, Ranking};
use reports::measure::Metric;

#[derive(clap::Args, Debug)]
pub struct CostsArgs {
    /// What to group by: team, service_name, environment, application, cost_center, rule, source,
    /// account (the ledger's, such as team/payments; that of the cloud is sub_account_id),
    /// charge_period, currency, a dimension, tag:KEY
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "team,service_name")]
    pub group_by: Vec<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// The days that all of the answer goes by [default: posting; of other metrics charge]
    #[arg(long, value_enum)]
    pub axis: Option<AxisName>,
    /// Length of the periods
    #[arg(long, value_enum, default_value_t)]
    pub granularity: GranularityName,
    /// What is summed: effective_cost is what teams owe. All others are sums over charges, and are
    /// not passed on by rules that share costs: billed_cost is what invoices say, list_cost is
    /// without any discount, and contracted_cost with the negotiated one
    #[arg(long, value_enum, default_value_t)]
    pub metric: MetricName,
    /// Only what has this value, such as team=payments, or with != only what has another; may be
    /// repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// Order of the groups [default: name; with --top amount]
    #[arg(long, value_enum)]
    pub sort: Option<SortName>,
    /// Only so many groups of each currency, the largest; the others in one line
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub top: Option<u32>,
    /// How the costs are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortName {
    /// By name
    Name,
    /// By the amount over the whole period, the largest first
    Amount,
}

pub fn costs(ui: Ui, global: &GlobalArgs, args: &CostsArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let asked = query_of(args)?;
    let ledger = ledger_file::reader(&settings)?;
    let query = settings.spelling().spelled(&ledger, &asked)?;
    let rules_of =
        |facts: &[RuleFacts], tables: &[(String, String)]| rules::stored(&settings, facts, tables);
    let ranking = ranking_of(args);
    if let Some(metric) = metric_of(args.metric) {
        let table = measured(&ledger, &query, metric, &rules_of)?.ranked(ranking);
        return metric_text::print(ui, &settings, &table, args);
    }
    let table = reports::costs::read::costs_with_rules(&ledger, &query, &rules_of)?.ranked(ranking);
    let layout = Layout::new(&query, args.granularity);
    let text = match args.format {
        TableFormat::Text => ui.shown(&layout.text(ui, &table)),
        TableFormat::Csv => layout.csv(&table),
        TableFormat::Json => document_text(&CostsDocument::whole(&table)),
    };
    Ok(ui.data(&text)?)
}

/// Nothing for the cost that postings have.
fn metric_of(name: MetricName) -> Option<Metric> {
    match name {
        MetricName::EffectiveCost => None,
        MetricName::BilledCost => Some(Metric::BilledCost),
        MetricName::ListCost => Some(Metric::ListCost),
        MetricName::ContractedCost => Some(Metric::ContractedCost),
        MetricName::PricingQuantity => Some(Metric::PricingQuantity),
        MetricName::ConsumedQuantity => Some(Metric::ConsumedQuantity),
    }
}

fn ranking_of(args: &CostsArgs) -> Ranking {
    let sort = args.sort.map(|sort| match sort {
        SortName::Name => CostSort::Name,
        SortName::Amount => CostSort::Amount,
    });
    Ranking::new(sort, args.top.map(|top| top as usize))
}

fn query_of(args: &CostsArgs) -> Result<CostQuery, Diagnostic> {
    let default = match metric_of(args.metric) {
        None => AxisName::Posting,
        Some(_) => AxisName::Charge,
    };
    Ok(CostQuery {
        axis: args.axis.unwrap_or(default).into(),
        period: query::period(&args.period)?.unwrap_or(Period::all()),
        granularity: query::granularity(args.granularity),
        group_by: args.group_by.iter().map(|name| query::group(name)).collect::<Result<_, _>>()?,
        filter: args.filter.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
    })
}
