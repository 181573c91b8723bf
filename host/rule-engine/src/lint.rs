//! Lints: advice about rules that compile.

use crate::code::{
    RULE_ADVICE, RULE_DOC, RULE_FIELD_NOT_KEPT, RULE_METRIC, RULE_ORDER, RULE_SHADOWED,
    RULE_TAG_KEY, RULE_TEAM_UNLISTED, TABLE_UNUSED,
};
use crate::compile::Rule;
use crate::constants::{self, ConstantDecision};
use crate::decision::meant;
use crate::header::Header;
use crate::kept::details_hint;
use crate::set::{RuleSet, overlap};
use crate::table::TEAMS;
use domain::detail::Detail;
use domain::diagnostic::Diagnostic;
use domain::driver::facts::Basis;
use domain::period::Day;
use domain::port::{Mutual, Stage};
use rhai::Position;

/// The findings of the lints. Errors keep a set from being published; warnings are only shown.
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

/// Lints a set. Review dates are compared with `today`, which the caller brings: this crate has no
/// clock.
pub fn check(set: &RuleSet, today: Option<Day>) -> Lints {
    let mut lints = Lints::default();
    for (index, rule) in set.rules.iter().enumerate() {
        if rule.description.is_empty() {
            let list =
                if set.options.require_doc { &mut lints.errors } else { &mut lints.warnings };
            let finding = rule.file.finding_at(RULE_DOC, "the rule has no doc comment", 1, 0);
            list.push(finding.hint("begin the file with: //! What is charged to whom, and why."));
        }
        lints.errors.extend(tag_keys(set, rule));
        for constant in constants::decisions(set, rule) {
            match &constant.outcome {
                Err(fault) => {
                    lints.errors.push(rule.file.finding(fault.code, &fault.message, fault.position))
                }
                Ok(_) => {
                    lints.errors.extend(filtered_tags(set, rule, &constant));
                    lints.errors.extend(unkept_bases(set, rule, &constant));
                    lints.warnings.extend(unlisted_teams(set, rule, &constant));
                }
            }
        }
        lints.warnings.extend(advice(rule, today));
        let earlier = set.rules.get(..index).unwrap_or_default();
        lints
            .warnings
            .extend(shadowed(rule, earlier).or_else(|| same_priority(set, rule, earlier)));
    }
    lints.warnings.extend(unused_tables(set));
    lints
}

/// Whether the rule takes part in attribution.
fn is_tried(rule: &Rule) -> bool {
    rule.header.enabled && rule.header.stage == Stage::Attribution
}

/// Finds the earlier rule that claims every charge of this one.
fn shadowed(rule: &Rule, earlier: &[Rule]) -> Option<Diagnostic> {
    let claims = |other: &&Rule| {
        is_tried(other) && !other.insight.may_pass && covers(&other.header, &rule.header)
    };
    let place =
        |message: String| rule.file.finding(RULE_SHADOWED, message, rule.matches_position());
    let first = earlier.iter().filter(|_| is_tried(rule)).filter(claims).find_map(|other| {
        let insight = &other.insight;
        if insight.matches_all {
            Some(format!(
                "the rule is never reached: {} comes first and claims everything",
                other.id
            ))
        } else if insight.applies_to == rule.insight.applies_to && !insight.applies_to.is_empty() {
            Some(format!(
                "the rule is never reached: {} comes first and `matches` says the same there",
                other.id
            ))
        } else {
            None
        }
    });
    let hint = "delete the rule, set `enabled: false`, or give it a smaller `priority`, \
                so that it is tried before the other";
    first.map(|message| place(message).hint(hint))
}

/// Whether one rule is valid on all days on which the other is.
fn covers(header: &Header, other: &Header) -> bool {
    let begins = header.from.is_none() || header.from <= other.from;
    let ends = header.until.is_none_or(|until| other.until.is_some_and(|other| other <= until));
    begins && ends
}

/// Finds an earlier rule with the same priority: the names decide which of the two has its turn
/// first, and nobody has chosen that.
fn same_priority(set: &RuleSet, rule: &Rule, earlier: &[Rule]) -> Option<Diagnostic> {
    let header = &rule.header;
    let is_later = |other: &Rule| other.header.stage != Stage::Attribution;
    let has_turns = |other: &Rule| is_later(other) && other.header.mutual == Mutual::StepDown;
    let compete = |other: &Rule| match is_later(rule) {
        false => is_tried(rule) && is_tried(other),
        true => has_turns(rule) && has_turns(other),
    };
    let same = |other: &&Rule| {
        compete(other) && other.header.priority == header.priority && overlap(&other.header, header)
    };
    let other = earlier.iter().find(same)?;
    let turn = if is_later(rule) { "has its turn" } else { "is tried" };
    let message = format!(
        "{} has the priority {} as well; it {turn} first only because of its name",
        other.id, header.priority
    );
    Some(
        rule.file
            .finding(RULE_ORDER, message, rule.header_position())
            .hint(format!("priority: {}", set.free_priority(header.priority))),
    )
}

/// Finds tags that are read by a key which the schema turns into another one. They are never there.
fn tag_keys(set: &RuleSet, rule: &Rule) -> Vec<Diagnostic> {
    let tags = rule.insight.tags.iter();
    let mut findings: Vec<Diagnostic> =
        tags.filter_map(|(key, position)| other_key(set, rule, key, *position)).collect();
    // Rhai stores functions by hash. Findings are shown in the order of the file.
    findings.sort_by(|left, right| left.location.cmp(&right.location));
    findings
}

/// The same for filters.
fn filtered_tags(set: &RuleSet, rule: &Rule, constant: &ConstantDecision) -> Vec<Diagnostic> {
    let Ok(decision) = &constant.outcome else { return Vec::new() };
    let costs = decision.spread().map(|spread| spread.team_costs()).unwrap_or_default();
    let keys = costs.into_iter().flat_map(|costs| costs.filter.keys());
    keys.filter_map(|key| {
        let place = constant.place(|text| text == key.as_str());
        other_key(set, rule, key.strip_prefix("tag:")?, place)
    })
    .collect()
}

/// Finds weights by a cost that no source keeps.
fn unkept_bases(set: &RuleSet, rule: &Rule, constant: &ConstantDecision) -> Vec<Diagnostic> {
    let Ok(decision) = &constant.outcome else { return Vec::new() };
    let costs = decision.spread().map(|spread| spread.team_costs()).unwrap_or_default();
    let details = costs.into_iter().filter_map(|costs| costs.basis.of_charges().detail());
    let unkept = details.filter(|detail| !set.options.details.keeps(detail.feed()));
    let finding = |detail: Detail| {
        let position = constant.place(|text| text == detail.name());
        let message = format!("the detail '{}' exists but is not kept", detail.name());
        let finding = rule.file.finding(RULE_FIELD_NOT_KEPT, message, position);
        finding.hint(details_hint(set.options.details, detail))
    };
    unkept.map(finding).collect()
}

fn other_key(set: &RuleSet, rule: &Rule, key: &str, position: Position) -> Option<Diagnostic> {
    let canonical = set.options.tags.canonical_key(key);
    (canonical != key).then(|| {
        let message =
            format!("no charge has a tag '{key}', because the settings turn it into '{canonical}'");
        rule.file.finding(RULE_TAG_KEY, message, position).hint(format!("\"{canonical}\""))
    })
}

/// Finds teams that the table of teams does not have.
fn unlisted_teams(set: &RuleSet, rule: &Rule, constant: &ConstantDecision) -> Vec<Diagnostic> {
    let Ok(decision) = &constant.outcome else { return Vec::new() };
    let mut teams = decision.teams();
    teams.sort_unstable();
    teams.dedup();
    let unlisted =
        teams.into_iter().filter(|team| !constants::is_unknown(team) && !set.lists_team(team));
    let finding = |team: &str| {
        let position = constant.place(|text| set.options.tags.spelled("team", text) == team);
        let message = format!("there is no team '{team}' in tables/{TEAMS}.csv");
        let finding = rule.file.finding(RULE_TEAM_UNLISTED, message, position);
        match set.team_close_to(team) {
            Some(close) => finding.hint(format!("did you mean '{close}'?")),
            None => finding.hint(format!("add a line for it to tables/{TEAMS}.csv")),
        }
    };
    unlisted.map(finding).collect()
}

/// Finds metrics that no usage has. `known` are those that were collected.
pub fn unknown_metrics(set: &RuleSet, known: &[String]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for rule in &set.rules {
        for constant in constants::decisions(set, rule) {
            let Ok(decision) = &constant.outcome else { continue };
            let usages = decision.spread().map(|spread| spread.usages()).unwrap_or_default();
            let unknown = usages.iter().map(|usage| usage.metric);
            for metric in unknown.filter(|metric| !known.iter().any(|it| it == metric)) {
                let advice = meant(metric, known.iter().map(String::as_str));
                let message = format!("no usage of the metric '{metric}' was collected{advice}");
                let position = constant.place(|text| text == metric);
                let finding = rule.file.finding(RULE_METRIC, message, position);
                findings.push(match is_cost_of_charges(metric) {
                    true => finding.hint(format!("by_cost(#{{basis: \"{metric}\"}})")),
                    false => finding,
                });
            }
        }
    }
    findings
}

/// Whether charges have a cost of this name, which is no usage unless a source states it.
fn is_cost_of_charges(metric: &str) -> bool {
    let details = [Basis::Contracted, Basis::List].into_iter().filter_map(Basis::detail);
    details.map(Detail::name).chain(["billed_cost"]).any(|name| name == metric)
}

/// Finds tables that no rule names. The table `teams` is read by the host.
fn unused_tables(set: &RuleSet) -> Vec<Diagnostic> {
    // Such a rule may read any table, so no table can be called unused.
    if set.rules.iter().any(|rule| rule.insight.looks_up_anything) {
        return Vec::new();
    }
    let is_named = |name: &str| {
        name == TEAMS || set.rules.iter().any(|rule| rule.insight.texts.contains(name))
    };
    let unused = set.tables.iter().filter(|(name, _)| !is_named(name));
    let finding = |label: &str, name: &str| {
        let finding = Diagnostic::new(
            TABLE_UNUSED,
            format!("no rule looks anything up in the table '{name}'"),
        )
        .at(label, 1, 0);
        finding.hint(format!("delete {label}, or read it: lookup(\"{name}\", …)"))
    };
    unused.map(|(name, table)| finding(&table.file.label, name)).collect()
}

const LATER: &str = "look whether it still holds, then move `review_by` to the next date";

fn advice(rule: &Rule, today: Option<Day>) -> Vec<Diagnostic> {
    let header = &rule.header;
    let mut findings = Vec::new();
    if header.owner.trim().is_empty() {
        findings.push(
            advise(rule, "the rule has no owner".into(), rule.header_position())
                .hint("owner: \"finops@example.com\""),
        );
    }
    match (header.review_by, today) {
        (None, _) => findings.push(
            advise(rule, "the rule has no review date".into(), rule.header_position())
                .hint("review_by: \"2027-03-31\""),
        ),
        (Some(review_by), Some(today)) if review_by < today => {
            findings.push(
                advise(
                    rule,
                    format!("the rule was to be reviewed by {review_by}"),
                    rule.header_position(),
                )
                .hint(LATER),
            );
        }
        _ => {}
    }
    for (name, position) in &rule.insight.amounts {
        let message = format!(
            "reading '{name}' makes the rule run for every single charge \
             instead of once per resource"
        );
        findings.push(advise(rule, message, *position));
    }
    findings
}

fn advise(rule: &Rule, message: String, position: Position) -> Diagnostic {
    rule.file.finding(RULE_ADVICE, message, position)
}
