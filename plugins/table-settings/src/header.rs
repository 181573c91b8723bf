//! Finding a column in a header.

use crate::closest;
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Error, Problem};

/// The header as the file spells it. An exact match wins over one that differs in case or outer
/// spaces.
pub fn find(table: &TableInfo, column: &str) -> Result<Option<String>, Error> {
    let is_alike = |name: &str| name.trim().eq_ignore_ascii_case(column.trim());
    let headers = || table.columns.iter().map(|column| column.name.as_str());
    let exact = headers().filter(|name| *name == column).count();
    let alike: Vec<&str> =
        headers().filter(|name| if exact > 0 { *name == column } else { is_alike(name) }).collect();
    one_of(table, column, &alike)
}

fn one_of(table: &TableInfo, column: &str, alike: &[&str]) -> Result<Option<String>, Error> {
    match alike {
        [] => Ok(None),
        [header] => Ok(Some((*header).to_owned())),
        several => Err(Error::DuplicateColumn(
            Problem::new(format!(
                "the header of {} has {} columns that could be {column}: {}",
                table.name,
                several.len(),
                quoted(several)
            ))
            .hint("rename all but one of them in the file: which one is meant cannot be known")
            .table(&table.name)
            .column(column),
        )),
    }
}

/// The header of a FOCUS column. Where no header has its name, one that spells it otherwise is
/// taken, such as `billed_cost` or `Billed Cost`.
pub fn find_spelled(table: &TableInfo, column: &str) -> Result<Option<String>, Error> {
    if let Some(header) = find(table, column)? {
        return Ok(Some(header));
    }
    let headers = table.columns.iter().map(|column| column.name.as_str());
    let alike: Vec<&str> = headers.filter(|name| folded(name) == folded(column)).collect();
    one_of(table, column, &alike)
}

/// One word for `BilledCost`, `billed_cost` and `Billed Cost`.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

pub fn has(table: &TableInfo, column: &str) -> bool {
    table.columns.iter().any(|known| folded(&known.name) == folded(column))
}

/// A column that a setting names has to be there.
pub fn named(table: &TableInfo, setting: &str, column: &str) -> Result<String, Error> {
    find(table, column)?.ok_or_else(|| {
        let known = closest(column, table.columns.iter().map(|column| column.name.as_str()));
        let hint = known.map_or_else(
            || format!("correct the setting `{setting}` of the source"),
            |known| format!("did you mean `{known}`?"),
        );
        let problem = Problem::new(format!(
            "{} has no column {column}, which the setting `{setting}` names",
            table.name
        ));
        Error::MissingColumn(problem.hint(hint).table(&table.name).column(column))
    })
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}
