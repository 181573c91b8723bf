//! Tables that a cases file brings, so that its cases hold whatever the folder's tables say.

use crate::set::{RuleSet, build};
use crate::text_file::TextFile;
use domain::diagnostic::Diagnostic;

/// The same rules with these tables, by name, in place of the folder's.
pub(crate) fn with_tables(
    set: &RuleSet,
    file: &TextFile,
    tables: &[(String, String)],
) -> Result<RuleSet, Vec<Diagnostic>> {
    let is_brought = |id: &str| tables.iter().any(|(name, _)| name == id);
    let kept = set.tables.values().map(|table| &table.file).filter(|it| !is_brought(&it.id));
    let brought = tables.iter().map(|(name, text)| TextFile {
        id: name.clone(),
        label: format!("{} (tables.{name})", file.label),
        text: text.clone(),
    });
    let rules = set.rules.iter().map(|rule| rule.file.clone()).collect();
    build(rules, kept.cloned().chain(brought).collect(), &set.options)
}
