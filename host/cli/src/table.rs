//! Lays out tables: in text, names to the left and amounts to the right; or as CSV.
//!
//! Names come from bills. In text they cannot move the cursor or begin a line. In CSV they cannot
//! become a formula of a spreadsheet.

use domain::visible::visible_line;

/// Between two columns.
const GAP: &str = "  ";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A table with a header, rows, and lines that stand below a rule.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    totals: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: impl IntoIterator<Item = (String, Align)>) -> Table {
        let columns = columns.into_iter().map(|(name, align)| (shown(name), align)).collect();
        Table { columns, rows: Vec::new(), totals: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    pub fn total(&mut self, cells: Vec<String>) {
        self.totals.push(cells.into_iter().map(shown).collect());
    }

    /// The header apart from the body, so that it can be shown in bold.
    pub fn parts(&self) -> (String, String) {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let header = self
            .line(&self.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), &widths);
        let mut body: Vec<String> = self.rows.iter().map(|row| self.line(row, &widths)).collect();
        if !self.totals.is_empty() {
            body.push(widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join(GAP));
            body.extend(self.totals.iter().map(|row| self.line(row, &widths)));
        }
        (header, body.join("\n"))
    }

    /// The table in pieces that fit a width. Each has the first columns, and as many of the others
    /// as there is room for, one at least.
    pub fn folded(&self, first: usize, width: usize) -> Vec<Table> {
        let needed = |column: usize| self.width(column) + GAP.len();
        let start: usize = (0..first).map(needed).sum();
        let mut pieces: Vec<Vec<usize>> = Vec::new();
        let mut used = 0;
        for column in first..self.columns.len() {
            used += needed(column);
            // The last column needs no gap.
            match pieces.last_mut().filter(|_| used - GAP.len() <= width) {
                Some(piece) => piece.push(column),
                None => {
                    pieces.push((0..first).chain([column]).collect());
                    used = start + needed(column);
                }
            }
        }
        pieces.iter().map(|columns| self.piece(columns)).collect()
    }

    fn piece(&self, columns: &[usize]) -> Table {
        let cells = |row: &Vec<String>| -> Vec<String> {
            columns.iter().map(|column| row.get(*column).cloned().unwrap_or_default()).collect()
        };
        Table {
            columns: columns
                .iter()
                .filter_map(|column| self.columns.get(*column).cloned())
                .collect(),
            rows: self.rows.iter().map(cells).collect(),
            totals: self.totals.iter().map(cells).collect(),
        }
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().chain(&self.totals).filter_map(|row| row.get(column));
        let header = self.columns.get(column).map(|(name, _)| name);
        cells.chain(header).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let padded =
            cells.iter().zip(widths).zip(&self.columns).map(|((cell, width), (_, align))| {
                match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                }
            });
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

fn shown(cell: String) -> String {
    visible_line(&cell).into_owned()
}

/// A spreadsheet takes a cell that begins so for a formula, in its usual and its wide form.
const FORMULA_STARTS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];

/// The cell with an apostrophe before it, if a spreadsheet would take it for a formula. A negative
/// number stays a number.
fn without_formula(cell: &str) -> String {
    let is_number = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        [whole, fraction]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_negative = cell.strip_prefix('-').is_some_and(is_number);
    if cell.starts_with(FORMULA_STARTS) && !is_negative {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// Cells with commas between them, quoted where they need it.
pub fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = |cell: &str| {
        let cell = without_formula(cell);
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let line: Vec<String> = cells.map(quoted).collect();
    format!("{}\n", line.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_left_amounts_right() {
        let mut table =
            Table::new([("team".to_owned(), Align::Left), ("USD".to_owned(), Align::Right)]);
        table.row(vec!["payments".into(), "1.00".into()]);
        table.row(vec!["größe".into(), "12.50".into()]);
        table.total(vec!["total".into(), "13.50".into()]);
        let (header, body) = table.parts();
        assert_eq!(header, "team        USD");
        assert_eq!(body, "payments   1.00\ngröße     12.50\n────────  ─────\ntotal     13.50");
    }

    #[test]
    fn a_wide_table_is_folded_and_loses_no_column() {
        let right = |name: &str| (name.to_owned(), Align::Right);
        let names = ["2026-01", "2026-02", "2026-03", "total"];
        let mut table =
            Table::new(std::iter::once(("team".to_owned(), Align::Left)).chain(names.map(right)));
        table.row(["payments", "1.00", "", "2.00", "3.00"].map(str::to_owned).into());
        table.total(["total", "1.00", "0.00", "2.00", "3.00"].map(str::to_owned).into());
        let pieces = |width: usize| -> Vec<String> {
            let text = |piece: &Table| {
                let (header, body) = piece.parts();
                format!("{header}\n{body}")
            };
            table.folded(1, width).iter().map(text).collect()
        };
        // payments, two gaps and two months are 8 + 2 × 9 = 26 wide.
        let two = [
            "team      2026-01  2026-02\npayments     1.00\n\
             ────────  ───────  ───────\ntotal        1.00     0.00",
            "team      2026-03  total\npayments     2.00   3.00\n\
             ────────  ───────  ─────\ntotal        2.00   3.00",
        ];
        assert_eq!(pieces(26), two);
        // The third month fits with 35, and the total with 42.
        assert_eq!(pieces(34), two);
        assert_eq!(pieces(41).len(), 2);
        assert_eq!(pieces(42).len(), 1);
        // The third month and the total need 24; below that each column stands alone.
        assert_eq!(pieces(24).len(), 3);
        assert_eq!(pieces(23).len(), 4);
        assert_eq!(pieces(0).len(), 4);
    }

    #[test]
    fn a_name_stays_in_its_cell() {
        let mut table = Table::new([("tag:a\u{1B}[2J".to_owned(), Align::Left)]);
        table.row(vec!["x\ntotal  0.00\u{1B}[1A".into()]);
        let (header, body) = table.parts();
        assert_eq!(
            (header.as_str(), body.as_str()),
            ("tag:a\\u{1b}[2J", "x\\ntotal  0.00\\u{1b}[1A")
        );
    }

    #[test]
    fn a_cell_of_csv_is_no_formula_and_a_number_stays_one() {
        for (cell, expect) in [
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("+1", "'+1"),
            ("-2+3", "'-2+3"),
            ("-", "'-"),
            ("-.5", "'-.5"),
            ("-12.500000000", "-12.500000000"),
            ("-7", "-7"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\r=1", "\"'\r=1\""),
            ("\u{FF1D}1", "'\u{FF1D}1"),
            ("a=b", "a=b"),
            ("'=1", "'=1"),
            ("", ""),
        ] {
            assert_eq!(csv_line([cell].into_iter()), format!("{expect}\n"), "{cell:?}");
        }
    }

    #[test]
    fn cells_are_quoted_where_csv_needs_it() {
        assert_eq!(csv_line(["a", "b,c", "d\"e"].into_iter()), "a,\"b,c\",\"d\"\"e\"\n");
    }
}
