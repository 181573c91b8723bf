//! `usage`: the drivers of allocation that are stored.

use crate::args::{GlobalArgs, PeriodArgs, TableFormat};
use crate::error::Failure;
use crate::query;
use crate::table::{Align, Table, csv_line};
use crate::ui::{Ui, document_text};
use domain::code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use domain::period::Period;
use installation::amount_text::grouped;
use installation::ledger_file;
use installation::settings::Need;
use reports::usage::document::UsageDocument;
use reports::usage::query::UsageQuery;
use reports::usage::read::{MetricCoverage, UsageGroup, UsageTable, usage as usage_of};

#[derive(clap::Args, Debug)]
pub struct UsageArgs {
    /// Only this metric
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Add up by these keys, such as team,namespace
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    pub group_by: Vec<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// How the usage is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

pub fn usage(ui: Ui, global: &GlobalArgs, args: &UsageArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let period = query::period(&args.period)?.unwrap_or(Period::all());
    let query = UsageQuery {
        period,
        metric: args.metric.clone(),
        group_by: args.group_by.iter().map(|key| key.trim().to_owned()).collect(),
    };
    let ledger = ledger_file::reader(&settings)?;
    if let Some(metric) = &args.metric {
        let known = ledger.usage_metrics()?;
        if !known.contains(metric) {
            let close = did_you_mean(metric, known.iter().map(String::as_str)).map(str::to_owned);
            let hint = close.map_or_else(
                || Hint::command("usage").then(" lists all metrics"),
                |close| Hint::text(format!("did you mean `{close}`?")),
            );
            return Err(Diagnostic::new(
                code::QUERY_INVALID,
                format!("no source states usage of the metric '{metric}'"),
            )
            .hint(hint)
            .into());
        }
    }
    let table = usage_of(&ledger, &query)?;
    if table.coverage.is_empty() && args.format == TableFormat::Text {
        ui.note("no usage is known in this period; the plugin `usage-file` collects it from files");
        return Ok(());
    }
    let text = match args.format {
        TableFormat::Text => ui.shown(&text(ui, &query, &table)),
        TableFormat::Csv => csv(&query, &table),
        TableFormat::Json => document_text(&UsageDocument::whole(&query, &table)),
    };
    Ok(ui.data(&text)?)
}

fn text(ui: Ui, query: &UsageQuery, table: &UsageTable) -> String {
    let left = |name: &str| (name.to_owned(), Align::Left);
    let right = |name: &str| (name.to_owned(), Align::Right);
    let mut notes = Vec::new();
    let mut layout = if query.group_by.is_empty() {
        Table::new([
            left("metric"),
            left("source"),
            left("from"),
            left("to"),
            right("days"),
            right("rows"),
            right("total"),
            left("unit"),
        ])
    } else {
        let keys = query.group_by.iter().map(|key| left(key));
        Table::new([left("metric")].into_iter().chain(keys).chain([right("total"), left("unit")]))
    };
    if query.group_by.is_empty() {
        for MetricCoverage { metric, source, unit, first, last, days, gaps, rows, total } in
            &table.coverage
        {
            let counts = [
                days.to_string(),
                grouped(&rows.to_string()),
                grouped(&total.plain()),
                unit.clone(),
            ];
            layout.row(
                [metric.clone(), source.clone(), first.to_string(), last.to_string()]
                    .into_iter()
                    .chain(counts)
                    .collect(),
            );
            notes.extend(gaps.iter().map(|(from, to)| {
                let days =
                    if from == to { format!("on {from}") } else { format!("from {from} to {to}") };
                format!("gap: {source} says nothing of {metric} {days}\n")
            }));
        }
    }
    for UsageGroup { metric, unit, keys, total } in &table.groups {
        let keys = keys.iter().map(|key| if key.is_empty() { "-".to_owned() } else { key.clone() });
        layout.row(
            [metric.clone()]
                .into_iter()
                .chain(keys)
                .chain([grouped(&total.plain()), unit.clone()])
                .collect(),
        );
    }
    let (header, body) = layout.parts();
    format!("{}\n{body}\n{}", ui.bold(&header), notes.concat())
}

fn csv(query: &UsageQuery, table: &UsageTable) -> String {
    if query.group_by.is_empty() {
        let line = |coverage: &MetricCoverage| {
            let MetricCoverage { metric, source, unit, first, last, days, gaps, rows, total } =
                coverage;
            let missing: i32 =
                gaps.iter().map(|(from, to)| to.epoch_days() - from.epoch_days() + 1).sum();
            let cells = [
                first.to_string(),
                last.to_string(),
                days.to_string(),
                missing.to_string(),
                rows.to_string(),
                total.to_string(),
            ];
            csv_line(
                [metric.as_str(), source]
                    .into_iter()
                    .chain(cells.iter().map(String::as_str))
                    .chain([unit.as_str()]),
            )
        };
        let header = csv_line(
            ["metric", "source", "from", "to", "days", "days_missing", "rows", "total", "unit"]
                .into_iter(),
        );
        return std::iter::once(header).chain(table.coverage.iter().map(line)).collect();
    }
    let keys = query.group_by.iter().map(String::as_str);
    let header = csv_line(["metric"].into_iter().chain(keys).chain(["total", "unit"]));
    let line = |group: &UsageGroup| {
        let total = group.total.to_string();
        csv_line(
            [group.metric.as_str()]
                .into_iter()
                .chain(group.keys.iter().map(String::as_str))
                .chain([total.as_str(), group.unit.as_str()]),
        )
    };
    std::iter::once(header).chain(table.groups.iter().map(line)).collect()
}
