//! Rules that their own cases show to be shadowed: in each of the cases an earlier rule decides.

use crate::case_file::{self, Case};
use crate::cases::{CaseOutcome, charge, through_set};
use crate::code::RULE_SHADOWED;
use crate::compile::Rule;
use crate::evaluate::{RuleAnswer, try_rule};
use crate::folder;
use crate::set::RuleSet;
use domain::diagnostic::Diagnostic;
use domain::port::Stage;
use std::path::Path;

/// Warns of attribution rules that decide none of their own cases once the whole set is asked. A
/// folder that cannot be read is told by others.
pub fn by_example(dir: &Path, set: &RuleSet) -> Vec<Diagnostic> {
    let Ok(folder) = folder::read(dir) else { return Vec::new() };
    let finding = |rule: &Rule| {
        let file = folder.cases.iter().find(|file| file.id == rule.id)?;
        let read = case_file::read(file, &set.options.dimensions, false).ok()?;
        let (case, other) = always_before(set, rule, &read.cases)?;
        let message = format!(
            "the rule decides none of its own cases, because other rules come first; {other} \
             decides \"{case}\""
        );
        let hint = "give the rule a smaller `priority`, or narrow `matches` of the other";
        Some(rule.file.finding(RULE_SHADOWED, message, rule.matches_position()).hint(hint))
    };
    let attributes = |rule: &&Rule| rule.header.enabled && rule.header.stage == Stage::Attribution;
    set.rules.iter().filter(attributes).filter_map(finding).collect()
}

/// The first case that another rule decides, and that rule. `None` if the rule decides some of its
/// cases in the set as well.
fn always_before(set: &RuleSet, rule: &Rule, cases: &[Case]) -> Option<(String, String)> {
    let mut first = None;
    for case in cases {
        let (charge, on) = (charge(&case.charge), case.charge.day_for(rule));
        let alone = try_rule(&set.engine, &set.options.limits, rule, &charge, on).answer;
        if !matches!(alone, RuleAnswer::Decided(_)) {
            continue;
        }
        match through_set(set, on, &charge) {
            CaseOutcome::Decided(_, Some(other)) if other != rule.id => {
                first.get_or_insert((case.name.clone(), other));
            }
            _ => return None,
        }
    }
    first
}
