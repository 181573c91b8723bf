//! The facts of a rule as a document.

use super::money;
use domain::period::Day;
use domain::port::RuleFacts;
use serde_json::{Value, json};

pub fn facts_json(rule: &RuleFacts, placed: Option<&money::Sums>) -> Value {
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    json!({
        "rule": rule.version.rule,
        "digest": rule.version.digest,
        "name": rule.name,
        "priority": rule.priority,
        "stage": rule.stage.name(),
        "owner": rule.owner,
        "review_by": day(rule.review_by),
        "enabled": rule.enabled,
        "from": day(rule.from),
        "until": day(rule.until),
        "description": rule.description,
        "placed": money::json(placed),
    })
}

/// When the rule holds, in words.
pub fn validity(rule: &RuleFacts, today: Option<Day>) -> String {
    if !rule.enabled {
        return "disabled".into();
    }
    match (rule.from, rule.until) {
        (_, Some(until)) if today.is_some_and(|today| until <= today) => format!("expired {until}"),
        (None, None) => "always".into(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}"),
        (Some(from), Some(until)) => format!("{from} until {until}"),
    }
}
