//! The slow and careful way through CSV that breaks the rules of quoting: a bad line costs only
//! itself.

use crate::batch::UnreadableRow;
use crate::code;
use crate::csv::{Block, ROW_BYTES_MAX, excerpt};
use crate::text::BYTE_ORDER_MARK;

pub(crate) struct PickedBytes {
    /// Bytes left in the block: the good rows, moved together.
    pub kept: usize,
    /// Bytes of the file that were dealt with.
    pub read: usize,
}

enum RowEnd {
    /// The row ends with the line end at this byte.
    Good {
        end: usize,
    },
    /// The quote at this byte does not belong there.
    Bad {
        at: usize,
    },
    /// The cell that begins with the quote at this byte holds rows.
    Swallows {
        at: usize,
        lines: usize,
    },
    Unfinished,
}

/// Keeps the good rows of a block, notes the bad lines, and leaves an unfinished row at the end
/// behind.
pub(crate) fn pick(
    block: &mut Block,
    (delimiter, columns): (u8, usize),
    ended: bool,
) -> PickedBytes {
    let bytes = std::mem::take(&mut block.bytes);
    let mut at = 0;
    while at < bytes.len() {
        let place = block.place + at as u64;
        let row = read_row(&bytes[at..], delimiter, columns);
        let line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
        match row {
            RowEnd::Good { end } => {
                block.places.push(place);
                block.bytes.extend_from_slice(&bytes[at..=at + end]);
                at += end + 1;
            }
            // The end may come with the next block, as far as a row may be so long.
            RowEnd::Unfinished if !ended && bytes.len() - at <= ROW_BYTES_MAX => break,
            // Only this line is given up: up to the next quote, many good rows may follow.
            RowEnd::Unfinished | RowEnd::Bad { .. } | RowEnd::Swallows { .. } => {
                block.unreadable.push(UnreadableRow {
                    code: code::ROW_QUOTE,
                    reason: row.reason(&bytes[at..]),
                    place,
                    excerpt: excerpt(&bytes[at..line_end]),
                });
                at = line_end;
            }
        }
    }
    let kept = block.bytes.len();
    // Only good rows are left, so the fast scan can be trusted with them.
    block.structure.scan(&block.bytes, delimiter);
    block.bytes.extend_from_slice(&bytes[at..]);
    PickedBytes { kept, read: at }
}

impl RowEnd {
    /// Why the row that begins these bytes is not read.
    fn reason(&self, bytes: &[u8]) -> String {
        let character = |quote: usize| String::from_utf8_lossy(&bytes[..quote]).chars().count() + 1;
        match self {
            RowEnd::Good { .. } | RowEnd::Unfinished => {
                "a quote opens in this line and is never closed".to_owned()
            }
            RowEnd::Bad { at } => format!(
                "a quote stands at character {}, inside a cell; cells with quotes must be quoted \
                 and their quotes doubled",
                character(*at)
            ),
            RowEnd::Swallows { at, lines } => {
                let lines =
                    if *lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
                format!(
                    "the quote that opens at character {} is closed {lines} below, over lines \
                     that are rows themselves; cells with quotes must be quoted and their quotes \
                     doubled",
                    character(*at)
                )
            }
        }
    }
}

/// Columns from which on the delimiters of a cell tell rows from prose.
const COLUMNS_MIN: usize = 4;

/// Whether a quoted cell is the end of a row, further rows, and the beginning of another one: then
/// it has as many delimiters as these lines have, and so has each whole line in it. Rows with
/// quotes would have closed it.
pub(crate) fn is_of_rows(cell: &[u8], delimiter: u8, columns: usize) -> bool {
    let [b'"', inner @ ..] = cell else { return false };
    let lines = memchr::memchr_iter(b'\n', inner).count();
    let delimiters = |bytes: &[u8]| memchr::memchr_iter(delimiter, bytes).count();
    lines > 0
        && columns >= COLUMNS_MIN
        && delimiters(inner) == lines * (columns - 1)
        && inner
            .split(|byte| *byte == b'\n')
            .take(lines)
            .skip(1)
            .all(|line| delimiters(line) == columns - 1)
}

fn read_row(bytes: &[u8], delimiter: u8, columns: usize) -> RowEnd {
    let mut at = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    loop {
        if bytes.get(at) == Some(&b'"') {
            let open = at;
            at = match closing_quote(bytes, at + 1) {
                Some(close) => close + 1,
                None => return RowEnd::Unfinished,
            };
            let cell = &bytes[open..at];
            if is_of_rows(cell, delimiter, columns) {
                let lines = memchr::memchr_iter(b'\n', cell).count();
                return RowEnd::Swallows { at: open, lines };
            }
            match bytes.get(at) {
                Some(byte) if *byte == delimiter || *byte == b'\n' => {}
                Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => at += 1,
                Some(_) => return RowEnd::Bad { at },
                // The next byte may be a second quote, so the cell may not be closed.
                None => return RowEnd::Unfinished,
            }
        } else {
            match bytes[at..]
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\n') || *byte == delimiter)
            {
                Some(offset) if bytes[at + offset] == b'"' => {
                    return RowEnd::Bad { at: at + offset };
                }
                Some(offset) => at += offset,
                None => return RowEnd::Unfinished,
            }
        }
        if bytes.get(at) == Some(&b'\n') {
            return RowEnd::Good { end: at };
        }
        at += 1;
    }
}

fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let quote = at + memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// The cells of one line, unquoted.
pub(crate) fn cells(line: &str, delimiter: u8) -> Vec<String> {
    let (mut cells, mut cell, mut inside) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => inside = !inside,
            _ if c == char::from(delimiter) && !inside => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}
