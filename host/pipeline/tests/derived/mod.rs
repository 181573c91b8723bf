//! Costs worked out from charges, which costs from postings are checked against.

use domain::diagnostic::Diagnostic;
use ledger::Reader;
use reports::costs::query::{CostQuery, GroupBy};
use reports::costs::read::{CostTable, costs, costs_with_rules};
use reports::stored::RulesOf;

/// Groups by a tag that no charge has, too. Postings know no tags, so that the charges are read.
pub fn derived_costs(
    ledger: &Reader,
    query: &CostQuery,
    rules_of: Option<&RulesOf<'_>>,
) -> Result<CostTable, Diagnostic> {
    let mut by_tag = query.clone();
    by_tag.group_by.push(GroupBy::Tag("no charge has it".into()));
    let mut table = match rules_of {
        Some(rules_of) => costs_with_rules(ledger, &by_tag, rules_of),
        None => costs(ledger, &by_tag),
    }?;
    for row in &mut table.rows {
        assert_eq!(row.keys.pop().as_deref(), Some(""));
    }
    Ok(CostTable { query: query.clone(), ..table })
}
