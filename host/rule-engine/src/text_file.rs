//! A text file of a rules folder, and findings that point into it.

use domain::code::Code;
use domain::diagnostic::Diagnostic;
use rhai::Position;

/// A file's text under the name that the engine uses, and under the name that findings use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextFile {
    /// The path inside the rules folder, with `/` and without the ending.
    pub(crate) id: String,
    /// The path as findings show it.
    pub(crate) label: String,
    pub(crate) text: String,
}

impl TextFile {
    /// A finding at a place of this file, with the line and a caret.
    pub(crate) fn finding(
        &self,
        code: Code,
        message: impl Into<String>,
        position: Position,
    ) -> Diagnostic {
        let (line, column) = line_and_column(position);
        self.finding_at(code, message, line, column)
    }

    pub(crate) fn finding_at(
        &self,
        code: Code,
        message: impl Into<String>,
        line: u32,
        column: u32,
    ) -> Diagnostic {
        let finding = Diagnostic::new(code, message).at(&self.label, line, column);
        match (line as usize).checked_sub(1).and_then(|index| self.text.lines().nth(index)) {
            Some(source_line) => finding.excerpt(source_line),
            None => finding,
        }
    }
}

/// Rhai's position as numbers. Zero means that the engine does not know the place.
pub(crate) fn line_and_column(position: Position) -> (u32, u32) {
    let number = |part: Option<usize>| part.and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
    (number(position.line()), number(position.position()))
}
