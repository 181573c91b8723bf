//! `explain`: from an amount to the charges behind it.

use crate::args::{AxisName, Format, GlobalArgs, PeriodArgs};
use crate::error::Failure;
use crate::query;
use crate::ui::{Ui, document_text};
use domain::account::Account;
use domain::money::Currency;
use domain::period::Period;
use domain::port::{RuleFacts, TriedRule};
use domain::recipient::Recipient;
use installation::amount_text::counted;
use installation::ledger_file;
use installation::rules;
use installation::settings::Need;
use reports::explain::answer::{
    Correction, EntryFacts, ExplainedResource, ExplainedRule, ExplainedSource, ExplainedTerms,
    ExplainedWeights, Explanation, Subject,
};
use reports::explain::document::ExplanationDocument;
use reports::explain::query::ExplainQuery;
use reports::measure::Hour;
use std::ops::RangeInclusive;

#[derive(clap::Args, Debug)]
pub struct ExplainArgs {
    /// A team, a resource id, or entry:ID
    #[arg(value_name = "WHAT")]
    pub what: String,
    /// Only charges of this service: with a team and a month, a line of its invoice
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// The days that all of the answer goes by
    #[arg(long, value_enum, default_value_t)]
    pub axis: AxisName,
    /// How the explanation is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Rules that did not match, if there are no more of them.
const SILENT_SHOWN: usize = 10;
/// The largest total of weights with which a fraction is read at a glance.
const FRACTION_SHOWN: u64 = 1_000;
/// Enough of a digest to tell versions apart.
const DIGEST_SHOWN: usize = 12;

pub fn explain(ui: Ui, global: &GlobalArgs, args: &ExplainArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let period = query::period(&args.period)?.unwrap_or(Period::all());
    let (what, service_name) = (args.what.clone(), args.service.clone());
    let asked = ExplainQuery { what, service_name, axis: args.axis.into(), period };
    let ledger = ledger_file::reader(&settings)?;
    let rules_of =
        |facts: &[RuleFacts], tables: &[(String, String)]| rules::stored(&settings, facts, tables);
    let explanation = reports::explain::read::explain(&ledger, &asked, &rules_of)?;
    Ok(ui.data(&match args.format {
        Format::Text => ui.shown(&text_of(ui, &explanation)),
        Format::Json => document_text(&ExplanationDocument::from(&explanation)),
    })?)
}

fn text_of(ui: Ui, explanation: &Explanation) -> String {
    let service =
        explanation.service_name.as_ref().map_or(String::new(), |service| format!(", {service}"));
    let mut lines = vec![ui.bold(&format!(
        "{}{service}, {}, {}",
        subject_text(&explanation.subject),
        query::shown(explanation.period),
        explanation.axis.words()
    ))];
    if let Subject::Entry(entry) = &explanation.subject {
        lines.extend(entry_lines(entry));
    }
    lines.extend(
        explanation.totals.iter().map(|(currency, total)| format!("total: {total} {currency}")),
    );
    for account in &explanation.accounts {
        lines.push(String::new());
        lines.push(format!("{}: {} {}", account.account, account.amount, account.currency));
        if account.rules.iter().any(|rule| rule.correction.is_some()) {
            let (sum, currency) = (account.corrections(), account.currency);
            lines.push(format!("  of this, corrections of earlier months: {sum} {currency}"));
        }
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
        format!(
            "{} of {} on {}, posted on {} by run {}",
            entry.kind.name(),
            day.source,
            day.day,
            entry.posting_day,
            entry.run.0
        ),
        format!("chain: {}", entry.hash),
    ];
    lines.extend(entry.reverses.map(|other| format!("takes back entry {}", other.0)));
    lines.extend(entry.reversed_by.map(|other| format!("taken back by entry {}", other.0)));
    lines.extend(entry.postings.iter().map(|posting| {
        let service =
            posting.service_name.as_deref().map_or(String::new(), |service| format!("  {service}"));
        format!("  {} {}  {}{service}", posting.amount, day.currency, posting.account)
    }));
    if !entry.stands {
        lines.push("it does not count any more; it is explained as it was posted".into());
    }
    lines
}

fn rule_lines(rule: &ExplainedRule, currency: Currency) -> Vec<String> {
    let title = match &rule.version {
        Some(version) => format!(
            "{} ({})",
            version.rule,
            version.digest.chars().take(DIGEST_SHOWN).collect::<String>()
        ),
        None => "no rule".to_owned(),
    };
    let doc = if rule.doc.is_empty() { String::new() } else { format!(": {}", rule.doc) };
    let mut lines = vec![
        format!("  {}by {title}{doc}", correction_text(rule.correction)),
        format!("    {} {currency} of {}", rule.amount, counted(rule.charges, "charge", "charges")),
    ];
    lines.extend(rule.resources.iter().flat_map(|resource| resource_lines(resource, currency)));
    if rule.rest_resources > 0 {
        lines.push(format!(
            "    {} {currency}  {} more resources",
            rule.rest_amount, rule.rest_resources
        ));
    }
    lines.extend(rule.weights.iter().map(|weights| {
        format!("    spread on {}, {}: {}", weights.day, weights.decision, weights_text(weights))
    }));
    lines
}

fn correction_text(correction: Option<Correction>) -> String {
    correction.map_or(String::new(), |Correction { charge_month, way }| {
        format!("correction of {charge_month}, {}, ", way.name())
    })
}

fn resource_lines(resource: &ExplainedResource, currency: Currency) -> Vec<String> {
    let part = if resource.amount == resource.charged {
        String::new()
    } else {
        format!(" of {} charged", resource.charged)
    };
    let mut lines = vec![format!(
        "    {} {currency}{part}  {} of {}",
        resource.amount,
        counted(resource.charges, "charge", "charges"),
        pairs(&resource.dimensions)
    )];
    if !resource.tags.is_empty() {
        lines.push(format!("      tags {}", pairs(&resource.tags)));
    }
    lines.extend(resource.priced.iter().filter_map(priced_text));
    let silent = resource.tried.iter().filter(|tried| !tried.matched).count();
    if silent > SILENT_SHOWN {
        lines.push(format!(
            "      {silent} rules were tried and did not match; --format json lists them"
        ));
    }
    let shown = resource.tried.iter().filter(|tried| tried.matched || silent <= SILENT_SHOWN);
    lines.extend(shown.map(|tried| format!("      {}", tried_text(tried))));
    lines
}

/// `24 Hours at 0.0464 (list 0.05), invoice INV-1 of Cloud Inc., billing period of 2026-03-01`.
/// Nothing if nothing is known.
fn priced_text(priced: &ExplainedTerms) -> Option<String> {
    let invoice = priced.invoice_id.as_ref().map(|id| {
        let issuer = priced.invoice_issuer_name.as_ref();
        format!("invoice {id}{}", issuer.map_or(String::new(), |name| format!(" of {name}")))
    });
    let period = priced.billing_period.map(|day| format!("billing period of {day}"));
    let hours = priced.hours.as_ref().map(hours_text);
    let price = priced.contracted_unit_price.as_ref().or(priced.list_unit_price.as_ref());
    let first = match (&priced.pricing_quantity, price, &invoice) {
        (None, None, None) if period.is_none() && hours.is_none() => return None,
        (None, None, None) => counted(priced.charges, "charge", "charges"),
        _ => quantity_text(priced),
    };
    let missing = (priced.unknown_charges > 0 && priced.pricing_quantity.is_some()).then(|| {
        let charges = counted(priced.unknown_charges, "charge", "charges");
        format!("without the quantity of {charges}")
    });
    let parts = [Some(first), invoice, period, hours, missing];
    Some(format!("      {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")))
}

fn quantity_text(priced: &ExplainedTerms) -> String {
    let quantity = match (&priced.pricing_quantity, &priced.pricing_unit) {
        (None, _) => "an unknown quantity".to_owned(),
        (Some(quantity), None) => quantity.clone(),
        (Some(quantity), Some(unit)) => format!("{quantity} {unit}"),
    };
    match (&priced.contracted_unit_price, &priced.list_unit_price) {
        (Some(price), Some(list)) => format!("{quantity} at {price} (list {list})"),
        (Some(price), None) => format!("{quantity} at {price}"),
        (None, Some(list)) => format!("{quantity} at {list} by list"),
        (None, None) => format!("{quantity} at unknown"),
    }
}

fn hours_text(hours: &RangeInclusive<Hour>) -> String {
    let text = |Hour { day, hour }: &Hour| format!("{day}T{hour:02}:00Z");
    match (hours.start(), hours.end()) {
        (first, last) if first == last => format!("at {}", text(first)),
        (first, last) => format!("first at {}, last at {}", text(first), text(last)),
    }
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

/// The percentage of each recipient, after the exact fraction where a person can read that. JSON
/// has every fraction.
fn weights_text(weights: &ExplainedWeights) -> String {
    let total = weights.total.unsigned_abs().max(1);
    let share = |(recipient, weight): &(Recipient, i64)| {
        let (name, percent) = (recipient_text(recipient), percent_text(*weight, total));
        match total <= FRACTION_SHOWN {
            true => format!("{name} {weight}/{} ({percent})", weights.total),
            false => format!("{name} {percent}"),
        }
    };
    weights.weights.iter().map(share).collect::<Vec<_>>().join(", ")
}

/// A share of more than nothing is never shown as nothing.
fn percent_text(weight: i64, total: u64) -> String {
    let (size, total) = (u128::from(weight.unsigned_abs()), u128::from(total));
    let basis_points = (size * 10_000 + total / 2) / total;
    let sign = if weight < 0 { "-" } else { "" };
    match basis_points {
        0 if size > 0 => "nearly 0 %".to_owned(),
        _ => format!("{sign}{}.{:02} %", basis_points / 100, basis_points % 100),
    }
}

fn recipient_text(recipient: &Recipient) -> String {
    recipient
        .target()
        .map_or_else(|| Account::of(recipient).to_string(), |target| target.team.clone())
}

fn source_line(source: &ExplainedSource) -> String {
    let plugin = &source.plugin;
    format!(
        "from {}: {} {}, collected by {} {} ({})",
        source.source, source.amount, source.currency, plugin.name, plugin.version, plugin.digest
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::period::Period;

    /// A window weighs by amounts, whose fractions nobody reads.
    #[test]
    fn shares_are_percentages_and_short_fractions() {
        let shown = |weights: &[(&str, i64)]| {
            weights_text(&ExplainedWeights {
                day: Period::all().start(),
                decision: "by_cost all teams window month".into(),
                weights: weights.iter().map(|(team, it)| (Recipient::team(*team), *it)).collect(),
                total: weights.iter().map(|(_, weight)| weight).sum(),
            })
        };
        assert_eq!(shown(&[("a", 1), ("b", 3)]), "a 1/4 (25.00 %), b 3/4 (75.00 %)");
        assert_eq!(shown(&[("a", 8), ("b", -3)]), "a 8/5 (160.00 %), b -3/5 (-60.00 %)");
        assert_eq!(
            shown(&[("a", 41_938_473_829), ("b", 51_908_910_055), ("c", 1)]),
            "a 44.69 %, b 55.31 %, c nearly 0 %"
        );
        assert_eq!(shown(&[("a", 2_001), ("b", -1), ("c", 0)]), "a 100.05 %, b -0.05 %, c 0.00 %");
    }
}
