//! Rows of CSV texts that people write, such as lookup tables, with the places of their cells.
//!
//! The crate `csv` is not used: it accepts a quote that does not end and reads the rest of the file
//! into one cell. A finding must name the place of that quote.

use std::iter::Peekable;
use std::str::Chars;

/// A place in a text: line and column, both from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvPlace {
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvCell {
    pub text: String,
    pub place: CsvPlace,
}

/// A quote that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenQuote(pub CsvPlace);

/// The rows of a text, by RFC 4180. Blank lines and lines that start with `#` are left out.
pub struct CsvRows<'t> {
    text: Peekable<Chars<'t>>,
    next: CsvPlace,
    failed: bool,
}

impl<'t> CsvRows<'t> {
    pub fn of(text: &'t str) -> CsvRows<'t> {
        // Spreadsheets write a byte order mark, which would become part of the first name.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).chars().peekable();
        CsvRows { text, next: CsvPlace { line: 1, column: 1 }, failed: false }
    }

    fn letter(&mut self) -> Option<char> {
        let letter = self.text.next()?;
        if letter == '\n' {
            self.next = CsvPlace { line: self.next.line.saturating_add(1), column: 1 };
        } else {
            self.next.column = self.next.column.saturating_add(1);
        }
        Some(letter)
    }

    fn row(&mut self) -> Result<Vec<CsvCell>, OpenQuote> {
        let mut cells = Vec::new();
        let mut cell = CellText::at(self.next);
        loop {
            let place = self.next;
            match self.letter() {
                Some('"') if cell.quote.is_some() && self.text.peek() == Some(&'"') => {
                    self.letter();
                    cell.text.push('"');
                }
                Some('"') if cell.quote.is_some() => cell.quote = None,
                Some('"') if cell.text.trim().is_empty() && !cell.was_quoted => {
                    cell.text.clear();
                    (cell.quote, cell.was_quoted) = (Some(place), true);
                }
                Some(',') if cell.quote.is_none() => {
                    cells.push(std::mem::replace(&mut cell, CellText::at(self.next)).finished());
                }
                Some(letter) if letter != '\n' || cell.quote.is_some() => cell.text.push(letter),
                _ => match cell.quote {
                    Some(open) => return Err(OpenQuote(open)),
                    None => {
                        cells.push(cell.finished());
                        return Ok(cells);
                    }
                },
            }
        }
    }
}

impl Iterator for CsvRows<'_> {
    type Item = Result<Vec<CsvCell>, OpenQuote>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(first) = self.text.peek().filter(|_| !self.failed) {
            let is_comment = *first == '#';
            match self.row() {
                Err(open) => {
                    self.failed = true;
                    return Some(Err(open));
                }
                Ok(cells) => {
                    let is_blank =
                        cells.len() == 1 && cells.iter().all(|cell| cell.text.is_empty());
                    if !is_comment && !is_blank {
                        return Some(Ok(cells));
                    }
                }
            }
        }
        None
    }
}

/// A cell that is being read.
struct CellText {
    text: String,
    place: CsvPlace,
    /// The quote that is open.
    quote: Option<CsvPlace>,
    was_quoted: bool,
}

impl CellText {
    fn at(place: CsvPlace) -> CellText {
        CellText { text: String::new(), place, quote: None, was_quoted: false }
    }

    /// A quoted cell keeps its blanks; others lose the blanks around them, and all lose the
    /// carriage return of a line's end.
    fn finished(self) -> CsvCell {
        let text = match self.was_quoted {
            true => self.text.trim_end_matches(['\r', ' ']),
            false => self.text.trim(),
        };
        CsvCell { text: text.to_owned(), place: self.place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<String> {
        let cell =
            |cell: CsvCell| format!("{}@{}:{}", cell.text, cell.place.line, cell.place.column);
        CsvRows::of(text)
            .map(|row| match row {
                Ok(cells) => cells.into_iter().map(cell).collect::<Vec<_>>().join("|"),
                Err(OpenQuote(place)) => format!("open at {}:{}", place.line, place.column),
            })
            .collect()
    }

    #[test]
    fn cells_come_with_their_places() {
        assert_eq!(
            rows("\u{FEFF}a,é,c\r\n# no\r\n1, x ,y\r\n\r\n\"2,2\",\"a \"\"b\"\"\nc\",z\nlast"),
            ["a@1:1|é@1:3|c@1:5", "1@3:1|x@3:3|y@3:7", "2,2@5:1|a \"b\"\nc@5:7|z@6:4", "last@7:1"]
        );
        assert_eq!(rows("a,b\n1, \"x\n2"), ["a@1:1|b@1:3", "open at 2:4"]);
        assert_eq!(rows("\n\n"), Vec::<String>::new());
        assert_eq!(rows("a,\n"), ["a@1:1|@1:3"]);
    }
}
