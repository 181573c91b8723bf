//! An explanation as JSON, for the command line and the API alike.

use super::{
    EntryFacts, ExplainedAccount, ExplainedResource, ExplainedRule, ExplainedSource,
    ExplainedWeights, Explanation, Subject,
};
use crate::document::period;
use domain::account::Account;
use domain::decision::Recipient;
use domain::money::{Currency, Sum};
use domain::port::TriedRule;
use serde_json::{Value, json};

impl Explanation {
    /// Amounts are decimal text with nine places.
    pub fn document(&self) -> Value {
        let subject = match &self.subject {
            Subject::Account(account) => json!({ "account": account.to_string() }),
            Subject::Resource(name) => json!({ "resource": name }),
            Subject::Entry(entry) => json!({ "entry": entry_json(entry) }),
        };
        json!({
            "subject": subject,
            "service_name": self.service_name,
            "period": period(self.period),
            "totals": self.totals.iter().map(|(currency, total)| money(*currency, *total)).collect::<Vec<_>>(),
            "accounts": self.accounts.iter().map(account_json).collect::<Vec<_>>(),
            "sources": self.sources.iter().map(source_json).collect::<Vec<_>>(),
        })
    }
}

fn money(currency: Currency, amount: Sum) -> Value {
    json!({ "amount": amount.to_string(), "currency": currency.code() })
}

fn entry_json(entry: &EntryFacts) -> Value {
    let day = &entry.source_day;
    json!({
        "id": entry.id.0,
        "kind": entry.kind.name(),
        "source": day.source,
        "day": day.day.to_string(),
        "posting_day": entry.posting_day.to_string(),
        "run": entry.run.0,
        "reverses": entry.reverses.map(|id| id.0),
        "reversed_by": entry.reversed_by.map(|id| id.0),
        "hash": entry.hash,
        "stands": entry.stands,
        "postings": entry.postings.iter().map(|posting| json!({
            "account": posting.account.to_string(),
            "rule": posting.rule.as_ref().map(|version| &version.rule),
            "service_name": posting.service_name,
            "cost": money(day.currency, Sum::from(posting.amount)),
        })).collect::<Vec<_>>(),
    })
}

fn account_json(account: &ExplainedAccount) -> Value {
    json!({
        "account": account.account.to_string(),
        "cost": money(account.currency, account.amount),
        "rules": account.rules.iter().map(|rule| rule_json(rule, account.currency)).collect::<Vec<_>>(),
    })
}

fn rule_json(rule: &ExplainedRule, currency: Currency) -> Value {
    json!({
        "rule": rule.version.as_ref().map(|version| &version.rule),
        "digest": rule.version.as_ref().map(|version| &version.digest),
        "name": rule.name,
        "description": rule.doc,
        "cost": money(currency, rule.amount),
        "charges": rule.charges,
        "resources": rule.resources.iter().map(|resource| resource_json(resource, currency)).collect::<Vec<_>>(),
        "rest": { "resources": rule.rest_resources, "cost": money(currency, rule.rest_amount) },
        "weights": rule.weights.iter().map(weights_json).collect::<Vec<_>>(),
    })
}

fn object(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect())
}

fn resource_json(resource: &ExplainedResource, currency: Currency) -> Value {
    let tried = |tried: &TriedRule| json!({ "rule": tried.rule.rule, "digest": tried.rule.digest, "matched": tried.matched, "line": tried.line, "read": object(&tried.read) });
    json!({
        "dimensions": object(&resource.dimensions),
        "tags": object(&resource.tags),
        "charges": resource.charges,
        "charged": money(currency, resource.charged),
        "cost": money(currency, resource.amount),
        "tried": resource.tried.iter().map(tried).collect::<Vec<_>>(),
    })
}

fn weights_json(weights: &ExplainedWeights) -> Value {
    let share = |(recipient, weight): &(Recipient, i64)| {
        let target = recipient.target();
        json!({
            "account": Account::of(recipient).to_string(),
            "cost_center": target.and_then(|target| target.cost_center.as_ref()),
            "environment": target.and_then(|target| target.environment.as_ref()),
            "application": target.and_then(|target| target.application.as_ref()),
            "weight": weight.to_string(),
        })
    };
    json!({
        "day": weights.day.to_string(),
        "decision": weights.decision,
        "total": weights.total.to_string(),
        "targets": weights.weights.iter().map(share).collect::<Vec<_>>(),
    })
}

fn source_json(source: &ExplainedSource) -> Value {
    let plugin = &source.plugin;
    json!({
        "source": source.source,
        "cost": money(source.currency, source.amount),
        "plugin": { "name": plugin.name, "version": plugin.version, "digest": plugin.digest },
    })
}
