//! Metrics of charges as text, CSV and JSON.

use super::CostsArgs;
use super::layout::{other_name, period_header};
use crate::args::TableFormat;
use crate::error::Failure;
use crate::query;
use crate::table::{Align, Table, csv_line};
use crate::ui::{Ui, document_text};
use domain::hint::Hint;
use installation::settings::Settings;
use reports::costs::measured::{MeasuredDocument, MeasuredRow, MeasuredTable};

/// In place of a value that no charge says.
const UNKNOWN: &str = "unknown";

pub fn print(
    ui: Ui,
    settings: &Settings,
    table: &MeasuredTable,
    args: &CostsArgs,
) -> Result<(), Failure> {
    let text = match args.format {
        TableFormat::Json => document_text(&MeasuredDocument::whole(table)),
        TableFormat::Csv => csv(table, args),
        TableFormat::Text => ui.shown(&text(ui, table, args)),
    };
    ui.data(&text)?;
    if args.format == TableFormat::Text && table.unknown() > 0 {
        ui.note(&unknown_note(settings, table));
    }
    Ok(())
}

fn unknown_note(settings: &Settings, table: &MeasuredTable) -> String {
    let (unknown, charges, name) = (table.unknown(), table.charges(), table.metric.name());
    let detail = table.metric.detail().unwrap_or_default();
    let spans = table.rows.iter().filter(|row| row.measured.unknown > 0);
    let first = spans.filter_map(|row| row.period_start).min();
    let anew = Hint::command(match first {
        Some(day) => format!("run --from {day}"),
        None => "run".into(),
    });
    let hint = if keeps(settings, detail) {
        Hint::text("their bills do not say it, or were collected before it was kept: ")
            .then(anew)
            .then(" collects them anew")
    } else {
        Hint::text("what bills say is kept with ")
            .then(Hint::setting(format!("details = [\"{detail}\"]")))
            .then("; ")
            .then(anew)
            .then(" then collects them anew")
    };
    format!("{unknown} of {charges} charges have no {name}; {hint}")
}

/// Whether a detail is kept of all sources.
fn keeps(settings: &Settings, detail: &str) -> bool {
    let usual = settings.details.value;
    let of_sources = settings.sources().map(|source| source.details.value.unwrap_or(usual));
    [usual].into_iter().chain(of_sources).all(|kept| kept.names().contains(&detail))
}

fn names(table: &MeasuredTable) -> Vec<String> {
    table.query.group_by.iter().map(ToString::to_string).collect()
}

/// The rows, and then those of groups without rows of their own, each with its keys.
fn rows(table: &MeasuredTable) -> impl Iterator<Item = (&MeasuredRow, Vec<String>)> {
    let rest = table.query.group_by.len().saturating_sub(1);
    let named = move |groups: usize| {
        let name = std::iter::once(other_name(groups));
        name.chain(std::iter::repeat_n(String::new(), rest)).collect()
    };
    let others = table.others.iter().map(move |other| (&other.row, named(other.groups)));
    table.rows.iter().map(|row| (row, row.keys.clone())).chain(others)
}

fn cells(row: &MeasuredRow, keys: Vec<String>, args: &CostsArgs) -> Vec<String> {
    std::iter::once(query::period_name(row.period_start, args.granularity))
        .chain(keys)
        .chain([row.unit.clone()])
        .collect()
}

fn csv(table: &MeasuredTable, args: &CostsArgs) -> String {
    let names = names(table);
    let period = period_header(table.query.axis);
    let header = [period].into_iter().chain(names.iter().map(String::as_str)).chain([
        "unit",
        table.metric.name(),
        "charges",
        "unknown_charges",
    ]);
    let mut text = csv_line(header);
    for (row, keys) in rows(table) {
        let mut cells = cells(row, keys, args);
        let charges = row.measured.charges();
        cells.push(row.measured.value().unwrap_or_default());
        cells.extend([charges.to_string(), row.measured.unknown.to_string()]);
        text.push_str(&csv_line(cells.iter().map(String::as_str)));
    }
    text
}

fn text(ui: Ui, table: &MeasuredTable, args: &CostsArgs) -> String {
    if table.rows.is_empty() {
        ui.note("no charges in this period");
        return String::new();
    }
    let left = |name: &str| (name.to_owned(), Align::Left);
    let right = |name: &str| (name.to_owned(), Align::Right);
    let names = names(table);
    let columns = std::iter::once(left("period"))
        .chain(names.iter().map(|name| left(name)))
        .chain([left("unit"), right(table.metric.name()), right("charges"), right(UNKNOWN)]);
    let mut layout = Table::new(columns);
    for (row, keys) in rows(table) {
        let mut cells: Vec<String> = cells(row, keys, args)
            .into_iter()
            .map(|cell| if cell.is_empty() { "-".to_owned() } else { cell })
            .collect();
        let charges = row.measured.charges();
        cells.push(row.measured.value().unwrap_or_else(|| UNKNOWN.to_owned()));
        cells.extend([charges.to_string(), row.measured.unknown.to_string()]);
        layout.row(cells);
    }
    let (header, body) = layout.parts();
    format!("{}\n{body}\n\n{}\n", ui.bold(&header), table.query.axis.words())
}
