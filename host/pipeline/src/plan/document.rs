//! A plan as JSON: what a plan file holds and what the API answers, so that there is one form of it.

use super::redecided::{ResourceChange, RuleChange, Ruling};
use super::{Change, Plan};
use crate::run::Conservation;
use domain::money::{Currency, Sum};
use domain::period::{Month, instant};
use reports::document::period;
use serde_json::{Value, json};

/// The form's name and version. A reader refuses any other.
pub const SCHEMA: &str = "apportion-plan/1";

impl Plan {
    /// Amounts are decimal text with nine places; both dates of the period are included, and null where a side is open.
    pub fn document(&self) -> Value {
        json!({
            "schema": SCHEMA,
            "made_at": instant(self.at_ms),
            "version": self.version,
            "ledger": self.ledger,
            "generation": { "before": self.generation_before, "after": self.generation },
            "inputs": self.inputs,
            "outcome": self.outcome,
            "as_of": self.as_of.map(|day| day.to_string()),
            "period": period(self.period),
            "source_days": self.source_days,
            "charges": self.charges,
            "entries": { "posted": self.entries_posted, "reversed": self.entries_reversed, "unchanged": self.entries_unchanged },
            "moved": moneys(&self.moved),
            "moved_elsewhere": moneys(&self.moved_elsewhere),
            "teams": changes(&self.teams),
            "services": changes(&self.services),
            "rules": changes(&self.rules),
            "redecided": {
                "resources": self.redecided.resources,
                "charges": self.redecided.charges,
                "costs": moneys(&self.redecided.costs),
                "by_rule": self.redecided.by_rule.iter().map(rule_change).collect::<Vec<_>>(),
                "largest": self.redecided.largest.iter().map(resource_change).collect::<Vec<_>>(),
            },
            "rules_silent": self.redecided.silent,
            "rules_woken": self.redecided.woken,
            "closed_months": self.closed.iter().map(Month::to_string).collect::<Vec<_>>(),
            "conservation": self.conservation.iter().map(conservation).collect::<Vec<_>>(),
            "suspense": self.suspense,
            "unresolved": self.unresolved,
        })
    }
}

fn money(currency: Currency, amount: Sum) -> Value {
    json!({ "amount": amount.to_string(), "currency": currency.code() })
}

fn moneys(amounts: &[(Currency, Sum)]) -> Vec<Value> {
    amounts.iter().map(|(currency, amount)| money(*currency, *amount)).collect()
}

fn changes(changes: &[Change]) -> Vec<Value> {
    let shown = |change: &Change| {
        json!({
            "name": change.name,
            "before": money(change.currency, change.before),
            "after": money(change.currency, change.after),
            "change": money(change.currency, change.change()),
        })
    };
    changes.iter().map(shown).collect()
}

fn rule_change(change: &RuleChange) -> Value {
    json!({
        "before": change.before,
        "after": change.after,
        "resources": change.resources,
        "charges": change.charges,
        "cost": money(change.currency, change.cost),
    })
}

fn resource_change(change: &ResourceChange) -> Value {
    json!({
        "resource": change.resource,
        "service_name": change.service_name,
        "before": ruling(&change.before),
        "after": ruling(&change.after),
        "charges": change.charges,
        "cost": money(change.currency, change.cost),
    })
}

fn ruling(ruling: &Ruling) -> Value {
    json!({ "rule": ruling.rule, "to": ruling.to })
}

fn conservation(line: &Conservation) -> Value {
    json!({
        "currency": line.currency.code(),
        "charges": line.charges,
        "charged": line.charged.to_string(),
        "teams": line.teams.to_string(),
        "pools": line.pools.to_string(),
        "excluded": line.excluded.to_string(),
        "unallocated": line.unallocated.to_string(),
        "suspense": line.suspense.to_string(),
        "rounding": line.rounding.to_string(),
        "difference": line.difference.to_string(),
    })
}
