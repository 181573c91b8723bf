//! `explain`: from an amount to the charges behind it.

use super::opening;
use crate::args::{ExplainArgs, Format, GlobalArgs};
use crate::error::Failure;
use crate::query;
use crate::settings::{Need, Settings};
use crate::ui::Ui;
use crate::ui::counted;
use domain::account::Account;
use domain::decision::Recipient;
use domain::money::{Currency, Sum};
use domain::period::Period;
use domain::port::{RuleFacts, TriedRule};
use ledger::Access;
use pipeline::explain::{EntryFacts, ExplainedAccount, ExplainedResource, ExplainedRule, ExplainedSource, ExplainedWeights, Explanation, Subject};
use serde_json::{Value, json};

/// Enough of a digest to tell versions apart.
const DIGEST_SHOWN: usize = 12;

pub fn explain(ui: Ui, global: &GlobalArgs, args: &ExplainArgs) -> Result<(), Failure> {
    let settings = Settings::load(global, Need::LedgerOnly)?;
    let period = query::period(&args.period)?.unwrap_or(Period::all());
    let ledger = opening::ledger(&settings, Access::Read)?;
    let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| opening::stored_rules(&settings, facts, tables);
    let explanation = pipeline::explain::explain(&ledger, &args.what, period, &rules_of)?;
    Ok(ui.data(&match args.format {
        Format::Text => text_of(ui, &explanation),
        Format::Json => super::json_text(&json_of(&explanation)),
    })?)
}

fn text_of(ui: Ui, explanation: &Explanation) -> String {
    let mut lines = vec![ui.bold(&format!("{}, {}", subject_text(&explanation.subject), query::shown(explanation.period)))];
    if let Subject::Entry(entry) = &explanation.subject {
        lines.extend(entry_lines(entry));
    }
    lines.extend(explanation.totals.iter().map(|(currency, total)| format!("total: {total} {currency}")));
    for account in &explanation.accounts {
        lines.push(String::new());
        lines.push(format!("{}: {} {}", account.account, account.amount, account.currency));
        lines.extend(account.rules.iter().flat_map(|rule| rule_lines(rule, account.currency)));
    }
    lines.push(String::new());
    lines.extend(explanation.sources.iter().map(source_line));
    lines.push(String::new());
    lines.join("\n")
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Account(account) => account.to_string(),
        Subject::Resource(name) => format!("resource {name}"),
        Subject::Entry(entry) => format!("entry {}", entry.id.0),
    }
}

fn entry_lines(entry: &EntryFacts) -> Vec<String> {
    let day = &entry.source_day;
    let mut lines = vec![
        format!("{} of {} on {}, posted on {} by run {}", entry.kind.name(), day.source, day.day, entry.posting_day, entry.run.0),
        format!("chain: {}", entry.hash),
    ];
    lines.extend(entry.reverses.map(|other| format!("takes back entry {}", other.0)));
    lines.extend(entry.reversed_by.map(|other| format!("taken back by entry {}", other.0)));
    lines.extend(entry.postings.iter().map(|posting| {
        let service = posting.service_name.as_deref().map_or(String::new(), |service| format!("  {service}"));
        format!("  {} {}  {}{service}", posting.amount, day.currency, posting.account)
    }));
    if !entry.stands {
        lines.push("it does not count any more: its charges have been restated".into());
    }
    lines
}

fn rule_lines(rule: &ExplainedRule, currency: Currency) -> Vec<String> {
    let title = match &rule.version {
        Some(version) => format!("{} ({})", version.rule, version.digest.chars().take(DIGEST_SHOWN).collect::<String>()),
        None => "no rule".to_owned(),
    };
    let doc = if rule.doc.is_empty() { String::new() } else { format!(": {}", rule.doc) };
    let mut lines = vec![format!("  by {title}{doc}"), format!("    {} {currency} of {}", rule.amount, counted(rule.charges, "charge", "charges"))];
    lines.extend(rule.resources.iter().flat_map(|resource| resource_lines(resource, currency)));
    if rule.rest_resources > 0 {
        lines.push(format!("    {} {currency}  {} more resources", rule.rest_amount, rule.rest_resources));
    }
    lines.extend(rule.weights.iter().map(|weights| format!("    spread on {}, {}: {}", weights.day, weights.decision, weights_text(weights))));
    lines
}

fn resource_lines(resource: &ExplainedResource, currency: Currency) -> Vec<String> {
    let part = if resource.amount == resource.charged { String::new() } else { format!(" of {} charged", resource.charged) };
    let mut lines = vec![format!(
        "    {} {currency}{part}  {} of {}",
        resource.amount,
        counted(resource.charges, "charge", "charges"),
        pairs(&resource.dimensions)
    )];
    if !resource.tags.is_empty() {
        lines.push(format!("      tags {}", pairs(&resource.tags)));
    }
    lines.extend(resource.tried.iter().map(|tried| format!("      {}", tried_text(tried))));
    lines
}

fn tried_text(tried: &TriedRule) -> String {
    let verb = if tried.matched { "matched" } else { "did not match" };
    let line = if tried.line > 0 { format!(" in line {}", tried.line) } else { String::new() };
    let read = if tried.read.is_empty() { "nothing".to_owned() } else { pairs(&tried.read) };
    format!("{} {verb}{line}, having read {read}", tried.rule.rule)
}

fn pairs(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ")
}

/// The exact fraction, and about how much that is.
fn weights_text(weights: &ExplainedWeights) -> String {
    let share = |(recipient, weight): &(Recipient, i64)| {
        let total = u128::from(weights.total.unsigned_abs().max(1));
        let basis_points = (u128::from(weight.unsigned_abs()) * 10_000 + total / 2) / total;
        let sign = if *weight < 0 { "-" } else { "" };
        format!("{} {weight}/{} ({sign}{}.{:02} %)", recipient_text(recipient), weights.total, basis_points / 100, basis_points % 100)
    };
    weights.weights.iter().map(share).collect::<Vec<_>>().join(", ")
}

fn recipient_text(recipient: &Recipient) -> String {
    recipient.target().map_or_else(|| Account::of(recipient).to_string(), |target| target.team.clone())
}

fn source_line(source: &ExplainedSource) -> String {
    let plugin = &source.plugin;
    format!("from {}: {} {}, collected by {} {} ({})", source.source, source.amount, source.currency, plugin.name, plugin.version, plugin.digest)
}

fn json_of(explanation: &Explanation) -> Value {
    let subject = match &explanation.subject {
        Subject::Account(account) => json!({ "account": account.to_string() }),
        Subject::Resource(name) => json!({ "resource": name }),
        Subject::Entry(entry) => json!({ "entry": entry_json(entry) }),
    };
    json!({
        "subject": subject,
        "totals": explanation.totals.iter().map(|(currency, total)| money(*currency, *total)).collect::<Vec<_>>(),
        "accounts": explanation.accounts.iter().map(account_json).collect::<Vec<_>>(),
        "sources": explanation.sources.iter().map(source_json).collect::<Vec<_>>(),
    })
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
