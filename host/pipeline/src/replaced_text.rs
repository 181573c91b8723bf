//! Names of which characters were lost before their file came here: some program wrote U+FFFD for
//! bytes that it could not read.

use crate::code::TEXT_REPLACED;
use decode::Cells;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::GrantedTable;
use std::collections::BTreeMap;

/// Texts are long, and the place of the lost character is what counts.
const SHOWN_CHARS: usize = 60;

/// Notes the first such text of each column.
pub fn note(replaced: &mut BTreeMap<usize, String>, columns: &[(usize, Cells<'_>)], row: usize) {
    let lost = char::REPLACEMENT_CHARACTER.to_string();
    for (column, cells) in columns {
        let text = cells.plain(row);
        // Most texts are of ASCII.
        if !text.is_ascii() && String::from_utf8_lossy(text).contains(&lost) {
            let shown = || cells.text(row).chars().take(SHOWN_CHARS).collect();
            replaced.entry(*column).or_insert_with(shown);
        }
    }
}

/// One warning for each column.
pub fn warnings(
    source: &str,
    table: &GrantedTable,
    replaced: Vec<(String, String)>,
) -> Vec<Diagnostic> {
    let warning = |(column, text): (String, String)| {
        let message = format!(
            "{column} has texts with the character U+FFFD, such as '{text}': a program before put \
             it in the place of characters that it could not read, and different names can be \
             equal by it"
        );
        let hint = Hint::text("read the bill as its provider made it; if that is no UTF-8, write ")
            .then(Hint::setting("encoding = \"windows-1252\""))
            .then(format!(" or another one in [sources.{source}]"));
        Diagnostic::new(TEXT_REPLACED, message).at(&table.name, 0, 0).hint(hint)
    };
    replaced.into_iter().map(warning).collect()
}
