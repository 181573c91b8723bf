//! Rows that are set aside, with the places at which a reader finds them.

use crate::cell::SetAsideRow;
use decode::Scan;
use domain::charge::RejectedRow;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;

/// The most rows of a source that are stored with their reasons.
pub const REJECTED_STORED: usize = 1000;

/// Turns places into `file:line:column`.
pub fn with_lines(
    table: &GrantedTable,
    scan: &Scan,
    mut set_aside: Vec<SetAsideRow>,
) -> Result<Vec<RejectedRow>, Diagnostic> {
    // Workers find rows in any order. Ascending places need one pass over the file for all lines.
    set_aside.sort_by_key(|row| row.place);
    set_aside.truncate(REJECTED_STORED);
    let places: Vec<u64> = set_aside.iter().map(|row| row.place).collect();
    let lines = if scan.places_are_bytes() {
        decode::lines_at(table, &places)?
    } else {
        places.iter().map(|row| row + 1).collect()
    };
    Ok(set_aside
        .into_iter()
        .zip(lines)
        .map(|(row, line)| rejected(&table.name, Some(line), row))
        .collect())
}

pub fn rejected(name: &str, line: Option<u64>, row: SetAsideRow) -> RejectedRow {
    let mut location = name.to_owned();
    if let Some(line) = line {
        location.push_str(&format!(":{line}"));
    }
    if row.column > 0 {
        location.push_str(&format!(":{}", row.column));
    }
    RejectedRow { location, reason: format!("{}: {}", row.code, row.reason), excerpt: row.excerpt }
}
