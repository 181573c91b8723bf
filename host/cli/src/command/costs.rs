//! `costs`: the table of costs by team, service or any other dimension.

mod metric_text;

use crate::args::{AxisName, GlobalArgs, GranularityName, MetricName, PeriodArgs, TableFormat};
use crate::error::Failure;
use crate::query;
use crate::table::{Align, Table, csv_line};
use crate::ui::{Ui, document_text};
use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use domain::money::{Currency, Sum};
use domain::period::{Month, Period};
use domain::port::RuleFacts;
use installation::amount_text::grouped;
use installation::ledger_file;
use installation::rules;
use installation::settings::Need;
use reports::costs::document::CostsDocument;
use reports::costs::measured::measured;
use reports::costs::query::{CostQuery, GroupBy};
use reports::costs::read::{CostRow, CostTable};
use reports::measure::Metric;
use std::collections::{BTreeMap, BTreeSet};

#[derive(clap::Args, Debug)]
pub struct CostsArgs {
    /// What to group by: team, service_name, environment, application, cost_center, rule, source,
    /// account, charge_period, a dimension, tag:KEY
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
    /// What is summed. All but effective_cost are sums over charges, and are not passed on by rules
    /// that share costs
    #[arg(long, value_enum, default_value_t)]
    pub metric: MetricName,
    /// Only what has this value, such as team=payments; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// How the costs are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

pub fn costs(ui: Ui, global: &GlobalArgs, args: &CostsArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let asked = query_of(args)?;
    let ledger = ledger_file::reader(&settings)?;
    let query = settings.spelling().spelled(&ledger, &asked)?;
    let rules_of =
        |facts: &[RuleFacts], tables: &[(String, String)]| rules::stored(&settings, facts, tables);
    if let Some(metric) = metric_of(args.metric) {
        let table = measured(&ledger, &query, metric, &rules_of)?;
        return metric_text::print(ui, &settings, &table, args);
    }
    let table = reports::costs::read::costs_with_rules(&ledger, &query, &rules_of)?;
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
        filter: args.filter.iter().map(|text| query::filter(text)).collect::<Result<_, _>>()?,
    })
}

/// The axis that all figures go by. Then the part of the totals that corrects earlier months, and
/// the way to look at it.
fn axis_lines(table: &CostTable) -> String {
    let line = |(month, currency, amount): &(Month, Currency, Sum)| {
        let amount = grouped(&amount.rounded_text(currency.payable_decimals()));
        format!("of this, corrections of {month}: {amount} {currency}\n")
    };
    let corrections: String = table.corrections.iter().map(line).collect();
    let more = match corrections.is_empty() {
        true => "",
        false => "`--group-by team,charge_period` and `apportion explain` show them\n",
    };
    format!("{}\n{corrections}{more}", table.query.axis.words())
}

/// The name of the column of periods in csv, which says the axis.
fn period_header(axis: Axis) -> &'static str {
    match axis {
        Axis::Posting => "period_of_posting",
        Axis::Charge => "period_of_charge",
    }
}

/// How a table of costs is shown.
pub struct Layout {
    /// Of the columns, as the pipeline spells them.
    names: Vec<String>,
    granularity: GranularityName,
}

impl Layout {
    pub fn new(query: &CostQuery, granularity: GranularityName) -> Layout {
        Layout { names: query.group_by.iter().map(GroupBy::to_string).collect(), granularity }
    }

    /// A row for each group, a column for each period, a block for each currency.
    pub fn text(&self, ui: Ui, table: &CostTable) -> String {
        if table.rows.is_empty() {
            ui.note("no costs in this period");
            return String::new();
        }
        let mut blocks: Vec<String> = table
            .totals
            .iter()
            .map(|(currency, total)| self.block(ui, table, *currency, *total))
            .collect();
        blocks.push(axis_lines(table));
        blocks.join("\n")
    }

    fn block(&self, ui: Ui, table: &CostTable, currency: Currency, total: Sum) -> String {
        let rows: Vec<&CostRow> =
            table.rows.iter().filter(|row| row.currency == currency).collect();
        let periods: BTreeSet<String> = rows.iter().map(|row| self.period(row)).collect();
        let mut columns_of: BTreeMap<String, BTreeMap<&[String], Sum>> = BTreeMap::new();
        for row in &rows {
            let column = columns_of.entry(self.period(row)).or_default();
            *column.entry(&row.keys).or_default() += row.amount;
        }
        let rounded = Rounded::new(columns_of, total, currency.payable_decimals());
        let lines: BTreeSet<&[String]> = rows.iter().map(|row| row.keys.as_slice()).collect();
        let with_total = periods.len() > 1;
        let shown = |amount: Sum| grouped(&amount.rounded_text(currency.payable_decimals()));
        let mut columns: Vec<(String, Align)> =
            self.names.iter().map(|name| (name.clone(), Align::Left)).collect();
        columns.extend(periods.iter().map(|period| (format!("{period} {currency}"), Align::Right)));
        columns.extend(with_total.then(|| (format!("total {currency}"), Align::Right)));
        let mut layout = Table::new(columns);
        for keys in lines {
            let amounts = rounded.line(keys);
            let mut cells: Vec<String> = keys
                .iter()
                .map(|key| if key.is_empty() { "-".to_owned() } else { key.clone() })
                .collect();
            cells.extend(amounts.iter().map(|amount| amount.map_or(String::new(), shown)));
            cells.extend(with_total.then(|| shown(amounts.iter().flatten().copied().sum())));
            layout.row(cells);
        }
        let mut cells: Vec<String> = (0..self.names.len())
            .map(|column| if column == 0 { "total".into() } else { String::new() })
            .collect();
        cells.extend(rounded.totals.iter().map(|total| shown(*total)));
        cells.extend(with_total.then(|| shown(total)));
        layout.total(cells);
        let (header, body) = layout.parts();
        format!("{}\n{body}\n", ui.bold(&header))
    }

    fn period(&self, row: &CostRow) -> String {
        query::period_name(row.period_start, self.granularity)
    }

    fn csv(&self, table: &CostTable) -> String {
        let mut header = vec![period_header(table.query.axis)];
        header.extend(self.names.iter().map(String::as_str));
        header.extend(["currency", "amount"]);
        let mut text = csv_line(header.iter().copied());
        for row in &table.rows {
            let (period, amount) = (self.period(row), row.amount.to_string());
            let cells = std::iter::once(period.as_str())
                .chain(row.keys.iter().map(String::as_str))
                .chain([row.currency.code(), amount.as_str()]);
            text.push_str(&csv_line(cells));
        }
        text
    }
}

/// Amounts as they are shown: each column adds up to its total, and the totals to that of all.
struct Rounded<'a> {
    columns: Vec<BTreeMap<&'a [String], Sum>>,
    totals: Vec<Sum>,
}

impl<'a> Rounded<'a> {
    fn new(
        columns: BTreeMap<String, BTreeMap<&'a [String], Sum>>,
        total: Sum,
        decimals: u32,
    ) -> Rounded<'a> {
        let exact: Vec<Sum> =
            columns.values().map(|column| column.values().copied().sum()).collect();
        let totals = Sum::rounded_parts(&exact, total.rounded(decimals), decimals);
        let column = |(column, total): (BTreeMap<&'a [String], Sum>, &Sum)| {
            let parts: Vec<Sum> = column.values().copied().collect();
            let parts = Sum::rounded_parts(&parts, *total, decimals);
            column.into_keys().zip(parts).collect()
        };
        Rounded { columns: columns.into_values().zip(&totals).map(column).collect(), totals }
    }

    fn line(&self, keys: &[String]) -> Vec<Option<Sum>> {
        self.columns.iter().map(|column| column.get(keys).copied()).collect()
    }
}
