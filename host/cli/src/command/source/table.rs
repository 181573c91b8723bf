//! `source table`: writes facts of a source, such as its accounts, as a lookup table of the rules.
//!
//! The rows are usage: each has keys, which become columns, the first one the key of the table.
//! Nothing goes into the ledger.

use super::chosen::named;
use crate::ui::Ui;
use domain::charge::RawUsage;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::port::{CollectRequest, Collector};
use installation::amount_text::counted;
use installation::file;
use installation::plugins;
use installation::settings::Settings;
use installation::sources;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub fn table(
    ui: Ui,
    settings: &Settings,
    name: &str,
    out: Option<&Path>,
) -> Result<(), Diagnostic> {
    let host = plugins::host(Some(settings))?;
    let source = sources::one(settings, &host, named(settings, name)?, None)?;
    let table = Table::of(name, &rows(name, source.collector.as_ref(), &source.request)?)?;
    let path = out.map_or_else(
        || settings.rules.value.join("tables").join(format!("{name}.csv")),
        PathBuf::from,
    );
    let before = fs::read_to_string(&path).unwrap_or_default();
    let text = table.text();
    let rows = counted(table.rows.len() as u64, "row", "rows");
    if text == before {
        ui.note(&format!("{}: {rows}, as before", path.display()));
        return Ok(());
    }
    // Whole or not at all: rules are read from the same folder at any time.
    file::write(&path, &text)?;
    ui.note(&format!("{}: {rows}, {}", path.display(), changes(&before, &text)));
    ui.note("next: look at the change, then `apportion plan` shows what it moves");
    Ok(())
}

fn rows(
    name: &str,
    collector: &dyn Collector,
    request: &CollectRequest,
) -> Result<Vec<RawUsage>, Diagnostic> {
    let mut rows = Vec::new();
    collector.collect(request, &mut |batch| {
        if let Some(rejected) = batch.rejected.first() {
            let message = format!(
                "source '{name}' gave a row that cannot be understood, at {}: {}",
                rejected.location, rejected.reason
            );
            return Err(Diagnostic::new(code::PLUGIN_FAILED, message)
                .hint("the table stays as it is; mend the row first"));
        }
        rows.extend(batch.usage);
        Ok(())
    })?;
    Ok(rows)
}

/// Columns in the order in which the rows name them.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn of(name: &str, usage: &[RawUsage]) -> Result<Table, Diagnostic> {
        let refused = |message: String| {
            Diagnostic::new(code::CONFIG_VALUE, message)
                .hint("a source such as `aws-organizations` gives one row a thing")
        };
        let Some(first) = usage.first() else {
            return Err(refused(format!("source '{name}' gave no rows that could become a table")));
        };
        if let Some(other) = usage.iter().find(|row| row.metric != first.metric) {
            return Err(refused(format!(
                "source '{name}' gives usage of '{}' and '{}', and a table is of one thing",
                first.metric, other.metric
            )));
        }
        let mut columns: Vec<String> = Vec::new();
        for (key, _) in usage.iter().flat_map(|row| &row.keys) {
            if !columns.contains(key) {
                columns.push(key.clone());
            }
        }
        let cell = |row: &RawUsage, column: &String| {
            row.keys
                .iter()
                .find(|(key, _)| key == column)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let rows: Vec<Vec<String>> = usage
            .iter()
            .map(|row| columns.iter().map(|column| cell(row, column)).collect())
            .collect();
        let mut known = BTreeMap::new();
        for (number, row) in rows.iter().enumerate() {
            let key = row.first().map(String::as_str).unwrap_or_default();
            if key.is_empty() || known.insert(key, number).is_some() {
                return Err(refused(format!(
                    "source '{name}' gives '{key}' twice or without a name, so that it cannot be \
                        looked up"
                )));
            }
        }
        Ok(Table { columns, rows })
    }

    fn text(&self) -> String {
        let line = |cells: &[String]| {
            cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n"
        };
        std::iter::once(&self.columns).chain(&self.rows).map(|cells| line(cells)).collect()
    }
}

fn quoted(cell: &str) -> String {
    let is_plain =
        !cell.contains([',', '"', '\n', '\r']) && !cell.starts_with('#') && cell.trim() == cell;
    if is_plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}

/// Lines are compared by their first cell.
fn changes(before: &str, after: &str) -> String {
    let by_key = |text: &str| -> BTreeMap<String, String> {
        text.lines()
            .skip(1)
            .map(|line| (line.split(',').next().unwrap_or_default().to_owned(), line.to_owned()))
            .collect()
    };
    let (before, after) = (by_key(before), by_key(after));
    let new = after.keys().filter(|key| !before.contains_key(*key)).count();
    let gone = before.keys().filter(|key| !after.contains_key(*key)).count();
    let changed = after
        .iter()
        .filter(|(key, line)| before.get(*key).is_some_and(|known| known != *line))
        .count();
    format!("{new} new, {changed} changed, {gone} gone")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(metric: &str, keys: &[(&str, &str)]) -> RawUsage {
        let keys =
            keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        RawUsage {
            metric: metric.into(),
            period_start: "2026-03-01".into(),
            keys,
            value: "1".into(),
            unit: "accounts".into(),
        }
    }

    fn text(rows: &[RawUsage]) -> Result<String, String> {
        Table::of("org", rows).map(|table| table.text()).map_err(|refusal| refusal.message)
    }

    #[test]
    fn keys_become_columns_and_cells_are_quoted_where_they_must_be() {
        let rows = [
            usage("a", &[("id", "1"), ("name", "Shop, \"old\"")]),
            usage("a", &[("id", "#2"), ("name", " x"), ("team", "search")]),
        ];
        assert_eq!(
            text(&rows).as_deref(),
            Ok("id,name,team\n1,\"Shop, \"\"old\"\"\",\n\"#2\",\" x\",search\n")
        );
    }

    #[test]
    fn what_cannot_be_looked_up_is_refused() {
        assert_eq!(text(&[]), Err("source 'org' gave no rows that could become a table".into()));
        let twice = [usage("a", &[("id", "1")]), usage("a", &[("id", "1")])];
        assert_eq!(
            text(&twice),
            Err("source 'org' gives '1' twice or without a name, so that it cannot be looked up"
                .into())
        );
        let two = [usage("a", &[("id", "1")]), usage("b", &[("id", "2")])];
        assert_eq!(
            text(&two),
            Err("source 'org' gives usage of 'a' and 'b', and a table is of one thing".into())
        );
    }

    #[test]
    fn changes_are_counted_by_key() {
        assert_eq!(
            changes("id,team\n1,a\n2,b\n3,c\n", "id,team\n1,a\n2,x\n4,d\n"),
            "1 new, 1 changed, 1 gone"
        );
    }
}
