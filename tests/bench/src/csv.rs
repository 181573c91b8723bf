//! Rows as CSV: quotes only where they are needed.

use crate::calendar::Hour;
use crate::row::{COLUMNS, Cell, Row};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub struct CsvFile {
    out: BufWriter<File>,
    line: Vec<u8>,
    /// The latest hours as texts. Few hours occur, each of them often.
    hours: Vec<(Hour, String)>,
}

impl CsvFile {
    pub fn create(path: &Path) -> io::Result<CsvFile> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        writeln!(out, "{}", names.join(","))?;
        Ok(CsvFile { out, line: Vec::new(), hours: Vec::new() })
    }

    pub fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.line.clear();
        for (number, cell) in row.cells.iter().enumerate() {
            if number > 0 {
                self.line.push(b',');
            }
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => write_text(text, &mut self.line),
                Cell::Decimal(value) => write_decimal(*value, &mut self.line),
                Cell::Time(hour) => self.write_hour(*hour),
            }
        }
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    fn write_hour(&mut self, hour: Hour) {
        let known = self.hours.iter().rposition(|(known, _)| *known == hour);
        let at = known.unwrap_or_else(|| {
            if self.hours.len() == 8 {
                self.hours.clear();
            }
            self.hours.push((hour, hour.to_string()));
            self.hours.len() - 1
        });
        self.line.extend_from_slice(self.hours[at].1.as_bytes());
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write_text(text: &str, line: &mut Vec<u8>) {
    if !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n')) {
        return line.extend_from_slice(text.as_bytes());
    }
    line.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

/// Writes a number in units of 10⁻¹⁰, without trailing zeros.
fn write_decimal(value: i64, line: &mut Vec<u8>) {
    if value < 0 {
        line.push(b'-');
    }
    let mut digits = [b'0'; 20];
    let mut rest = value.unsigned_abs();
    let mut first = digits.len();
    while rest > 0 || first > digits.len() - 11 {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let (whole, part) = digits[first..].split_at(digits.len() - 10 - first);
    line.extend_from_slice(whole);
    let length = part.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    if length > 0 {
        line.push(b'.');
        line.extend_from_slice(&part[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8_lossy(&line).into_owned()
    }

    #[test]
    fn decimals_have_no_trailing_zeros() {
        let decimal = |value| written(|line| write_decimal(value, line));
        assert_eq!(decimal(0), "0");
        assert_eq!(decimal(1), "0.0000000001");
        assert_eq!(decimal(-12_500_000_000), "-1.25");
        assert_eq!(decimal(120_000_000_000), "12");
        assert_eq!(decimal(i64::MIN), "-922337203.6854775808");
    }

    #[test]
    fn texts_are_quoted_where_csv_needs_it() {
        assert_eq!(written(|line| write_text("plain text", line)), "plain text");
        assert_eq!(written(|line| write_text("{\"a\": 1}, b", line)), "\"{\"\"a\"\": 1}, b\"");
    }
}
