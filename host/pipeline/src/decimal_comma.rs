//! Refuses a table whose numbers can be read in two ways.

use crate::cell::SetAsideRow;
use decode::Scan;
use domain::code::AMOUNT_COMMA;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::GrantedTable;

/// Beside `1.234,56`, the cell `1.234` is more than a thousand, and without it a little more than
/// one. So one such cell makes all numbers of the table doubtful.
pub fn expect_none(
    table: &GrantedTable,
    scan: &Scan,
    set_aside: &[SetAsideRow],
) -> Result<(), Diagnostic> {
    let first = set_aside.iter().filter(|row| row.code == AMOUNT_COMMA).min_by_key(|row| row.place);
    // The setting is about text tables. In others, the row alone is at fault.
    let Some(row) = first.filter(|_| scan.places_are_bytes()) else { return Ok(()) };
    let lines = decode::lines_at(table, &[row.place])?;
    let line = lines.first().and_then(|line| u32::try_from(*line).ok()).unwrap_or_default();
    Err(Diagnostic::new(
        AMOUNT_COMMA,
        format!(
            "{} has numbers with a decimal comma, so that none of its numbers is certain: {}",
            table.name, row.reason
        ),
    )
    .at(&table.name, line, row.column)
    .hint(
        Hint::text("tell the source how its numbers are written:\n")
            .then(Hint::setting("decimal_comma = true")),
    ))
}
