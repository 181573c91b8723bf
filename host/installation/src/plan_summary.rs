//! A plan in one line.

use crate::amount_text::moneys;
use pipeline::plan::Plan;

/// The summary of a plan in one line.
pub fn plan_summary(plan: &Plan) -> String {
    // Other charges do not only move.
    let how = if plan.as_of.is_some() { "of what teams bear" } else { "between teams" };
    match (plan.moved.is_empty(), plan.moved_elsewhere.is_empty()) {
        (true, true) => "no team's cost changes".into(),
        (false, true) => format!("{} {how}", moneys(&plan.moved)),
        (true, false) => format!(
            "nothing in the period, and {} {how} outside of it",
            moneys(&plan.moved_elsewhere)
        ),
        (false, false) => format!(
            "{} {how}, and {} outside of the period",
            moneys(&plan.moved),
            moneys(&plan.moved_elsewhere)
        ),
    }
}
