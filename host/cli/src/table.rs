//! Lays out text tables: names to the left, amounts to the right.

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
        Table { columns: columns.into_iter().collect(), rows: Vec::new(), totals: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn total(&mut self, cells: Vec<String>) {
        self.totals.push(cells);
    }

    /// The header apart from the body, so that it can be shown in bold.
    pub fn parts(&self) -> (String, String) {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let header = self
            .line(&self.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), &widths);
        let mut body: Vec<String> = self.rows.iter().map(|row| self.line(row, &widths)).collect();
        if !self.totals.is_empty() {
            body.push(widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  "));
            body.extend(self.totals.iter().map(|row| self.line(row, &widths)));
        }
        (header, body.join("\n"))
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
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// Cells with commas between them, quoted where they need it.
pub fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = |cell: &str| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
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
    fn cells_are_quoted_where_csv_needs_it() {
        assert_eq!(csv_line(["a", "b,c", "d\"e"].into_iter()), "a,\"b,c\",\"d\"\"e\"\n");
    }
}
