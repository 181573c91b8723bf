//! Findings: the fault, its place, its reason, and the line that mends it.

use crate::code::Code;
use crate::hint::Hint;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    pub file: String,
    /// From 1. The file as a whole is 0.
    pub line: u32,
    /// From 1, in characters. The line as a whole is 0.
    pub column: u32,
}

/// One finding, the same for rules, plugins, files and checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub message: String,
    pub location: Option<Location>,
    /// The source line with a caret under the place.
    pub excerpt: Option<String>,
    /// What to do about it.
    pub hint: Option<Hint>,
    /// Whether another try of the same may go well.
    pub retry: Retry,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retry {
    #[default]
    No,
    Soon,
    /// Another try may go well after so many seconds.
    After(u32),
}

impl Diagnostic {
    pub fn new(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            location: None,
            excerpt: None,
            hint: None,
            retry: Retry::No,
        }
    }

    pub fn at(mut self, file: impl Into<String>, line: u32, column: u32) -> Diagnostic {
        self.location = Some(Location { file: file.into(), line, column });
        self
    }

    /// Shows the source line with a caret under the location's column.
    pub fn excerpt(mut self, source_line: &str) -> Diagnostic {
        let column = self.location.as_ref().map_or(0, |location| location.column as usize);
        let indent: String = source_line
            .chars()
            .take(column.saturating_sub(1))
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        self.excerpt = Some(if column == 0 {
            source_line.to_owned()
        } else {
            format!("{source_line}\n{indent}^")
        });
        self
    }

    /// Says that another try may help.
    pub fn retry(mut self, retry: Retry) -> Diagnostic {
        self.retry = retry;
        self
    }

    pub fn hint(mut self, hint: impl Into<Hint>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// Place, code and message in one line: a reason that is kept.
    pub fn reason(&self) -> String {
        let place = self.location.as_ref().map_or_else(String::new, |place| format!("{place}: "));
        format!("{place}{}: {}", self.code, self.message)
    }

    /// The hint as a terminal shows it.
    pub fn hint_text(&self) -> Option<String> {
        self.hint.as_ref().map(Hint::to_string)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// `rules/aws/shared.rhai:12:5: R103: unknown field …`, then the excerpt and the hint on lines of
/// their own.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}: {}", self.code, self.message)?;
        for line in self.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            write!(f, "\n    {line}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// The longest name that is compared with others. The work grows with the product of the lengths,
/// and a request can hold a name of any length.
const COMPARED_MAX: usize = 120;

/// The closest of `known` to the written name, for "did you mean". A swap of two neighbors counts
/// as one change, since it is one slip of the fingers. Another case is no change.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = written.chars().count();
    if length > COMPARED_MAX {
        return None;
    }
    let limit = (length / 3).max(1);
    let folded = written.to_lowercase();
    known
        .into_iter()
        // Each letter more or less is a change.
        .filter(|name| name.chars().count().abs_diff(length) <= limit)
        .map(|name| (strsim::osa_distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beyond_all_names_is_compared_with_none() {
        let (name, longer) = ("x".repeat(COMPARED_MAX), "x".repeat(COMPARED_MAX + 1));
        assert_eq!(did_you_mean(&name, [longer.as_str()]), Some(longer.as_str()));
        assert_eq!(did_you_mean(&longer, [longer.as_str()]), None);
    }

    /// Figures of the edit distance that stood here before `strsim`, and of the literature.
    #[test]
    fn an_edit_is_a_letter_more_less_or_other_or_two_neighbors_swapped() {
        for (written, meant, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("rules", "rules", 0),
            ("kitten", "sitting", 3),
            ("pahts", "paths", 1),
            ("ab", "ba", 1),
            // No letter takes part in two edits: the unrestricted distance would be 2.
            ("ca", "abc", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(strsim::osa_distance(written, meant), distance, "{written} {meant}");
        }
    }

    #[test]
    fn of_equally_close_names_the_first_by_letters_is_meant() {
        assert_eq!(did_you_mean("bat", ["cat", "bar", "hat"]), Some("bar"));
    }

    #[test]
    fn typing_errors_are_understood_and_other_words_are_not() {
        let known = ["ledger", "rules", "paths"];
        for (written, expect) in [
            ("ledgr", Some("ledger")),
            ("pahts", Some("paths")),
            ("rulez", Some("rules")),
            ("pools", None),
            ("x", None),
        ] {
            assert_eq!(did_you_mean(written, known), expect, "{written}");
        }
    }
}
