//! Finds the line of a byte of a text table. Only the few rows that are set aside need it.

use crate::file::unreadable;
use crate::table::format_of;
use crate::text;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

/// The lines, from 1, of ascending places in the table's text.
pub fn lines_at(table: &GrantedTable, places: &[u64]) -> Result<Vec<u64>, Diagnostic> {
    // By its bytes, as everywhere: names of files are not trusted.
    let format = format_of(table)?;
    let reader = text::reader(table, format, &Arc::default())?;
    let mut reader = BufReader::with_capacity(1 << 18, reader);
    let (mut line, mut at) = (1_u64, 0_u64);
    let mut lines = Vec::with_capacity(places.len());
    for place in places {
        while at < *place {
            let buffer = reader.fill_buf().map_err(|error| unreadable(table, format, &error))?;
            let upto = buffer.len().min(usize::try_from(place - at).unwrap_or(usize::MAX));
            if upto == 0 {
                break;
            }
            line += memchr::memchr_iter(b'\n', &buffer[..upto]).count() as u64;
            at += upto as u64;
            reader.consume(upto);
        }
        lines.push(line);
    }
    Ok(lines)
}
