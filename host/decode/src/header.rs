//! The header of a text table: its names, or the setting that is missing to find them.

use crate::careful;
use crate::code;
use crate::text::bare;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::GrantedTable;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// So many lines below the first are searched for a header.
const SEARCHED_LINES: usize = 40;
/// Fewer names do not make a line look like the header of a bill.
const NAMES_MIN: usize = 3;

/// The column names, without byte order marks and quotes. `below` is the text behind the header, as
/// far as it is read.
pub(crate) fn names(
    table: &GrantedTable,
    line: &[u8],
    below: &[u8],
) -> Result<Vec<String>, Diagnostic> {
    let line_number = table.form.skip_lines + 1;
    let text = std::str::from_utf8(line).map_err(|_| no_text(table, line_number))?;
    if text.contains('\0') {
        return Err(binary(table, text));
    }
    let names = cells(text, table.form.delimiter);
    if let Some(hint) = settings_of_header(table, text, below) {
        return Err(Diagnostic::new(
            code::FILE_PREAMBLE,
            format!(
                "{}: line {line_number} looks like no header, and line {} does",
                table.name, hint.line
            ),
        )
        .at(&table.name, line_number, 0)
        .hint(
            Hint::text("tell the source how its tables begin:\n").then(Hint::setting(hint.lines)),
        ));
    }
    if names.len() > 1 {
        return Ok(names);
    }
    let other = [';', '\t', '|', ','];
    let other = other.into_iter().find(|other| text.matches(*other).count() > 1);
    Err(match other {
        Some(other) => Diagnostic::new(
            code::FILE_DELIMITER,
            format!("{}: the header has one column, but many {other:?}", table.name),
        )
        .at(&table.name, line_number, 0)
        // In double quotes: a tab is an escape, and TOML reads none in single ones.
        .hint(
            Hint::text("tell the source its delimiter in apportion.toml: ")
                .then(Hint::setting(format!("delimiter = {:?}", other.to_string()))),
        ),
        None => not_a_table(table, "its first line has a single column"),
    })
}

pub(crate) fn not_a_table(table: &GrantedTable, why: &str) -> Diagnostic {
    Diagnostic::new(code::FILE_NOT_A_TABLE, format!("{} is not a table: {why}", table.name))
        .at(&table.name, 1, 0)
        .hint(
            "sources read CSV, CSV.GZ, CSV.ZIP and Parquet; narrow the source's `paths` to such \
             files",
        )
}

fn no_text(table: &GrantedTable, line: u32) -> Diagnostic {
    Diagnostic::new(
        code::FILE_ENCODING,
        format!("the header of {} is not {}", table.name, table.form.encoding),
    )
    .at(&table.name, line, 0)
    .hint(
        Hint::text("tell the source its encoding in apportion.toml: ")
            .then(Hint::setting("encoding = \"windows-1252\""))
            .then(" for files of Excel and of older tools, or \"latin-1\" or \"utf-16\""),
    )
}

/// The same in the reason of a row that is not UTF-8.
pub(crate) const ENCODING_HINT: &str = "tell the source its encoding in apportion.toml: \
     `encoding = \"windows-1252\"` for files of Excel and of older tools, or \"latin-1\" or \
     \"utf-16\"";

/// Every second byte of ASCII in UTF-16 is zero.
fn binary(table: &GrantedTable, text: &str) -> Diagnostic {
    let pairs = text.len() / 2;
    let zeros = |at: usize| text.bytes().skip(at).step_by(2).filter(|byte| *byte == 0).count();
    if pairs < 4 || zeros(0).max(zeros(1)) * 10 < pairs * 9 {
        return not_a_table(table, "it holds binary data");
    }
    Diagnostic::new(
        code::FILE_ENCODING,
        format!("{} looks like UTF-16 without a byte order mark", table.name),
    )
    .at(&table.name, 1, 0)
    .hint(
        Hint::text("tell the source its encoding in apportion.toml: ")
            .then(Hint::setting("encoding = \"utf-16\"")),
    )
}

fn cells(text: &str, delimiter: u8) -> Vec<String> {
    careful::cells(text, delimiter).into_iter().map(|name| name.trim().to_owned()).collect()
}

/// The settings that make a lower line the header.
struct HeaderSettings {
    line: u32,
    lines: String,
}

/// Looks for a line that names at least twice as many columns as the first one does.
fn settings_of_header(table: &GrantedTable, line: &str, below: &[u8]) -> Option<HeaderSettings> {
    // By any delimiter: a line with many names by another one is a header of another table.
    let named = DELIMITERS.map(|delimiter| filled(&cells(line, delimiter)));
    let least = NAMES_MIN.max(named.into_iter().max().unwrap_or_default() * 2);
    let form = table.form;
    let is_header = |cells: &[String]| {
        filled(cells) >= least
            && filled(cells) * 4 >= cells.len() * 3
            && cells.iter().all(|cell| is_name(cell))
    };
    // The table's own delimiter first: another one can stand in texts.
    let delimiters = std::iter::once(form.delimiter)
        .chain(DELIMITERS.into_iter().filter(|other| *other != form.delimiter));
    for delimiter in delimiters {
        let lines = below.split_inclusive(|byte| *byte == b'\n').take(SEARCHED_LINES);
        for (number, line) in lines.enumerate() {
            // The last line may go on behind what is read.
            let Some(text) = std::str::from_utf8(bare(line)).ok().filter(|_| line.ends_with(b"\n"))
            else {
                continue;
            };
            if !is_header(&cells(text, delimiter)) {
                continue;
            }
            let skipped = form.skip_lines + number as u32 + 1;
            let mut lines = format!("skip_lines = {skipped}");
            if delimiter != form.delimiter {
                lines.push_str(&format!("\ndelimiter = {:?}", char::from(delimiter).to_string()));
            }
            return Some(HeaderSettings { line: skipped + 1, lines });
        }
    }
    None
}

fn filled(cells: &[String]) -> usize {
    cells.iter().filter(|cell| !cell.is_empty()).count()
}

/// Whether a cell can name a column: values are mostly numbers, dates and empty cells.
fn is_name(cell: &str) -> bool {
    cell.chars().next().is_none_or(|first| first.is_alphabetic() || first == '_')
}
