//! A resource of an explanation as text: its prices, and the rules that were tried.

use domain::money::Currency;
use domain::port::TriedRule;
use installation::amount_text::counted;
use reports::explain::answer::{ExplainedResource, ExplainedTerms};
use reports::measure::Hour;
use std::ops::RangeInclusive;

/// Rules that did not match, if there are no more of them.
const SILENT_SHOWN: usize = 10;

pub fn resource_lines(resource: &ExplainedResource, currency: Currency) -> Vec<String> {
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
