//! What is worth saying of rules that compile.

use crate::compile::Rule;
use crate::set::RuleSet;
use domain::catalogue::{RULE_ADVICE, RULE_DOC};
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use rhai::Position;

/// Errors keep a set from being published; warnings are shown.
#[derive(Clone, Debug, Default)]
pub struct Lints {
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

impl Lints {
    /// Errors first.
    pub fn all(&self) -> impl Iterator<Item = &Diagnostic> {
        self.errors.iter().chain(&self.warnings)
    }
}

/// Lints a set. Review dates are compared with `today`, where it is known: there is no clock here.
pub fn check(set: &RuleSet, today: Option<Day>) -> Lints {
    let mut lints = Lints::default();
    let mut catch_all: Option<&Rule> = None;
    for rule in &set.rules {
        if rule.description.is_empty() {
            let list = if set.options.require_doc { &mut lints.errors } else { &mut lints.warnings };
            let finding = rule.file.finding_at(RULE_DOC, "the rule has no doc comment", 1, 0);
            list.push(finding.hint("begin the file with: //! What is charged to whom, and why."));
        }
        lints.warnings.extend(advice(rule, today));
        if !rule.header.enabled {
            continue;
        }
        if let Some(earlier) = catch_all {
            lints.warnings.push(advise(rule, format!("the rule is never reached: {} comes first and claims everything", earlier.id), Position::NONE));
        }
        let insight = &rule.insight;
        let claims_all = insight.matches_all && !insight.may_pass && rule.header.from.is_none() && rule.header.until.is_none();
        if claims_all && catch_all.is_none() {
            catch_all = Some(rule);
        }
    }
    lints
}

fn advice(rule: &Rule, today: Option<Day>) -> Vec<Diagnostic> {
    let header = &rule.header;
    let mut findings = Vec::new();
    if header.owner.trim().is_empty() {
        findings.push(advise(rule, "the rule has no owner".into(), Position::NONE).hint("owner: \"finops@example.com\""));
    }
    match (header.review_by, today) {
        (None, _) => findings.push(advise(rule, "the rule has no review date".into(), Position::NONE).hint("review_by: \"2027-03-31\"")),
        (Some(review_by), Some(today)) if review_by < today => {
            findings.push(advise(rule, format!("the rule was to be reviewed by {review_by}"), Position::NONE));
        }
        _ => {}
    }
    for (name, position) in &rule.insight.amounts {
        let message = format!("reading '{name}' makes the rule run for every single charge instead of once per resource");
        findings.push(advise(rule, message, *position));
    }
    findings
}

fn advise(rule: &Rule, message: String, position: Position) -> Diagnostic {
    rule.file.finding(RULE_ADVICE, message, position)
}
