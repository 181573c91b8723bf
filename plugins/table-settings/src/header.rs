//! Finding a column in a header.

use crate::closest;
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Error, Problem};

/// The header as the file spells it. An exact match wins over one that differs in case or outer
/// spaces.
pub fn find(table: &TableInfo, column: &str) -> Result<Option<String>, Error> {
    let folded = |name: &str| name.trim().eq_ignore_ascii_case(column.trim());
    let headers = || table.columns.iter().map(|column| column.name.as_str());
    let exact = headers().filter(|name| *name == column).count();
    let alike: Vec<&str> =
        headers().filter(|name| if exact > 0 { *name == column } else { folded(name) }).collect();
    match alike.as_slice() {
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

pub fn has(table: &TableInfo, column: &str) -> bool {
    table.columns.iter().any(|known| known.name.trim().eq_ignore_ascii_case(column))
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
