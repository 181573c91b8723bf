//! Lookup tables: CSV files whose first column is the key.

use crate::code::RULE_TABLE;
use domain::diagnostic::{Diagnostic, did_you_mean};
use rhai::ImmutableString;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// One table: named columns, looked up by key.
#[derive(Debug)]
pub(crate) struct LookupTable {
    /// The path as findings show it.
    pub(crate) label: String,
    pub(crate) text: String,
    /// The header's name of the key.
    key: String,
    columns: Vec<String>,
    rows: FxHashMap<String, Vec<ImmutableString>>,
}

/// The name of the table that lists all teams.
pub(crate) const TEAMS: &str = "teams";

/// The tables of a generation by name.
pub(crate) type Tables = BTreeMap<String, LookupTable>;

/// One row of a CSV file, with the line that it starts on, from 1.
struct Row {
    line: u32,
    cells: Vec<String>,
}

impl LookupTable {
    /// Reads a table. `label` is the path as findings show it.
    pub(crate) fn parse(label: &str, text: &str) -> Result<LookupTable, Vec<Diagnostic>> {
        let at =
            |line: u32, message: String| Diagnostic::new(RULE_TABLE, message).at(label, line, 0);
        let mut rows = rows(text)
            .map_err(|line| vec![at(line, "a quoted cell does not end".to_owned())])?
            .into_iter();
        let header = rows.next().ok_or_else(|| {
            vec![at(1, "the table is empty: it needs a header row such as `key,value`".to_owned())]
        })?;
        let mut findings = header_findings(&header.cells)
            .into_iter()
            .map(|message| at(header.line, message))
            .collect::<Vec<_>>();
        let mut first_lines: FxHashMap<String, u32> = FxHashMap::default();
        let mut table = LookupTable {
            label: label.to_owned(),
            text: text.to_owned(),
            key: header.cells.first().cloned().unwrap_or_default(),
            columns: header.cells.iter().skip(1).cloned().collect(),
            rows: FxHashMap::default(),
        };
        for row in rows {
            let width = row.cells.len();
            let mut cells = row.cells.into_iter();
            let key = cells.next().unwrap_or_default();
            if width != header.cells.len() {
                findings.push(at(
                    row.line,
                    format!("the row has {width} cells, the header has {}", header.cells.len()),
                ));
            } else if key.is_empty() {
                findings.push(at(row.line, "the row has no key".to_owned()));
            } else if let Some(first) = first_lines.get(&key) {
                findings
                    .push(at(row.line, format!("the key '{key}' already stands on line {first}")));
            } else {
                first_lines.insert(key.clone(), row.line);
                table.rows.insert(key, cells.map(ImmutableString::from).collect());
            }
        }
        if findings.is_empty() { Ok(table) } else { Err(findings) }
    }

    /// The names of the header. The key's name comes first.
    pub(crate) fn header(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.key).chain(&self.columns).map(String::as_str)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// The column's number, or a message with the columns that exist.
    pub(crate) fn column(&self, name: &str) -> Result<usize, String> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let known = self.columns.iter().map(String::as_str);
            match did_you_mean(name, known) {
                Some(meant) => format!("has no column '{name}'; did you mean '{meant}'?"),
                None => format!("has no column '{name}'; it has {}", self.columns.join(", ")),
            }
        })
    }

    /// The cell. `None` if the key is unknown or the cell is empty.
    pub(crate) fn cell(&self, key: &str, column: usize) -> Option<ImmutableString> {
        self.rows.get(key).and_then(|row| row.get(column)).filter(|cell| !cell.is_empty()).cloned()
    }
}

/// The message for an unknown table. It names the tables that exist.
pub(crate) fn unknown_table<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    match did_you_mean(name, known.clone()) {
        Some(meant) => format!("there is no table '{name}'; did you mean '{meant}'?"),
        None => match known.collect::<Vec<_>>().join(", ") {
            names if names.is_empty() => format!("there is no table '{name}', and no other"),
            names => format!("there is no table '{name}'; there are {names}"),
        },
    }
}

fn header_findings(header: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    if header.len() < 2 {
        findings.push("the table needs a key column and at least one value column".to_owned());
    }
    for (number, name) in header.iter().enumerate() {
        if name.is_empty() {
            findings.push(format!("column {} has no name", number + 1));
        } else if header.iter().take(number).any(|earlier| earlier == name) {
            findings.push(format!("two columns are named '{name}'"));
        }
    }
    findings
}

/// Splits CSV by RFC 4180. Blank lines and lines that start with `#` are left out. The error is the
/// line of a quote that does not end.
///
/// The crate `csv` is not used: it accepts a quote that does not end and reads the rest of the file
/// into one cell. A finding must name the line of that quote.
fn rows(text: &str) -> Result<Vec<Row>, u32> {
    let mut rows = Vec::new();
    let mut line = 1;
    // Spreadsheets write a byte order mark, which would become part of the first name.
    let mut rest = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    while !rest.is_empty() {
        let (cells, consumed) = row(rest).ok_or(line)?;
        let is_comment = rest.starts_with('#');
        let taken = rest.get(..consumed).unwrap_or(rest);
        let is_blank = cells.len() == 1 && cells.iter().all(String::is_empty);
        if !is_comment && !is_blank {
            rows.push(Row { line, cells });
        }
        line += u32::try_from(taken.matches('\n').count()).unwrap_or(u32::MAX);
        rest = rest.get(consumed..).unwrap_or("");
    }
    Ok(rows)
}

/// The cells of the first row, and its length in bytes. `None` if a quote does not end.
fn row(text: &str) -> Option<(Vec<String>, usize)> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut was_quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() && !was_quoted => {
                cell.clear();
                (quoted, was_quoted) = (true, true);
            }
            ',' if !quoted => {
                cells.push(finished(&mut cell, was_quoted));
                was_quoted = false;
            }
            '\n' if !quoted => {
                cells.push(finished(&mut cell, was_quoted));
                return Some((cells, at + 1));
            }
            _ => cell.push(c),
        }
    }
    if quoted {
        return None;
    }
    cells.push(finished(&mut cell, was_quoted));
    Some((cells, text.len()))
}

/// A finished cell. A quoted cell keeps its blanks; others lose the blanks around them, and all
/// lose the carriage return of a line's end.
fn finished(cell: &mut String, was_quoted: bool) -> String {
    let text = std::mem::take(cell);
    if was_quoted { text.trim_end_matches(['\r', ' ']).to_owned() } else { text.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str, key: &str, column: usize) -> Option<String> {
        let table =
            LookupTable::parse("t.csv", text).unwrap_or_else(|findings| panic!("{findings:?}"));
        table.cell(key, column).map(|cell| cell.to_string())
    }

    #[test]
    fn reads_quotes_comments_and_windows_line_ends() {
        let text = "\u{FEFF}account,team,cost_center\r\n# the old ones\r\n111, payments ,CC-1\r\n\
                    \r\n\"2,2\",\"a \"\"b\"\"\nc\",\r\n";
        assert_eq!(cell(text, "111", 0).as_deref(), Some("payments"));
        assert_eq!(cell(text, "2,2", 0).as_deref(), Some("a \"b\"\nc"));
        assert_eq!(cell(text, "2,2", 1), None);
        assert_eq!(cell(text, "333", 0), None);
    }

    #[test]
    fn names_the_line_of_what_is_wrong() {
        let findings = |text: &str| {
            LookupTable::parse("t.csv", text)
                .err()
                .unwrap_or_default()
                .iter()
                .map(|finding| finding.to_string())
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(
            findings("k,v\na,1\n\"b\nb\",2\na,3\n"),
            "t.csv:5: R107: the key 'a' already stands on line 2"
        );
        assert_eq!(
            findings("k,v\na\n,2\n"),
            "t.csv:2: R107: the row has 1 cells, the header has 2\nt.csv:3: R107: the row has no \
             key"
        );
        assert_eq!(
            findings(""),
            "t.csv:1: R107: the table is empty: it needs a header row such as `key,value`"
        );
        assert_eq!(findings("k,v\n\"a,1\n"), "t.csv:2: R107: a quoted cell does not end");
        assert_eq!(findings("k,v,v\n"), "t.csv:1: R107: two columns are named 'v'");
        assert_eq!(
            findings("k\n"),
            "t.csv:1: R107: the table needs a key column and at least one value column"
        );
    }
}
