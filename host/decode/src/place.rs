//! Finds the line of a byte of a CSV file. Only the few rows that are set aside need it.

use crate::file::{open, unreadable};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};

/// The lines, from 1, of ascending bytes of the (unpacked) file.
pub fn lines_at(table: &GrantedTable, places: &[u64]) -> Result<Vec<u64>, Diagnostic> {
    let mut start = [0_u8; 2];
    // By its bytes, as everywhere: names of files are not trusted.
    let packed = open(table)?.read(&mut start).is_ok() && start == [0x1f, 0x8b];
    let file = open(table)?;
    let reader: Box<dyn Read> =
        if packed { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
    let mut reader = BufReader::with_capacity(1 << 18, reader);
    let (mut line, mut at) = (1_u64, 0_u64);
    let mut lines = Vec::with_capacity(places.len());
    for place in places {
        while at < *place {
            let buffer = reader.fill_buf().map_err(|error| unreadable(table, &error))?;
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
