//! The money that went through each rule, out of the ledger.

use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use domain::money::{Currency, Sum};
use domain::period::{Month, Period};
use domain::port::{RuleFacts, Stage};
use installation::amount_text::grouped;
use installation::ledger_file;
use installation::settings::Settings;
use ledger::Reader;
use ledger::code;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::costs;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Sums by currency, in the order of the codes.
pub type Sums = BTreeMap<Currency, Sum>;

/// Where the cost of a period ended, and through which rules it went.
#[derive(Debug, Default)]
pub struct Money {
    /// The month, or nothing for all there is.
    pub month: Option<Month>,
    pub total: Sums,
    pub unallocated: Sums,
    pub suspense: Sums,
    by_rule: BTreeMap<String, Sums>,
}

impl Money {
    /// The sums that a rule decided on. For a rule of a later stage: the sums that it passed on.
    pub fn through(&self, rule: &str) -> Option<&Sums> {
        self.by_rule.get(rule)
    }
}

/// The ledger, or nothing where there is none yet.
pub fn ledger(settings: &Settings) -> Result<Option<Reader>, Diagnostic> {
    match ledger_file::reader(settings) {
        Ok(ledger) => Ok(Some(ledger)),
        Err(finding) if finding.code == code::LEDGER_NOT_FOUND => Ok(None),
        Err(finding) => Err(finding),
    }
}

/// All that the ledger has.
pub fn ever(ledger: &Reader, rules: &[RuleFacts]) -> Result<Money, Diagnostic> {
    money(ledger, rules, None)
}

/// The month that was asked for; else the one before `this_month`, or, if it has no cost, the last
/// one that has.
pub fn of_month(
    ledger: &Reader,
    rules: &[RuleFacts],
    asked: Option<Month>,
    this_month: Month,
) -> Result<Money, Diagnostic> {
    let month = match asked {
        Some(month) => Some(month),
        None => last_month(ledger, this_month)?,
    };
    money(ledger, rules, month)
}

fn last_month(ledger: &Reader, this_month: Month) -> Result<Option<Month>, Diagnostic> {
    let query = CostQuery {
        axis: Axis::Posting,
        period: Period::all(),
        granularity: Granularity::Monthly,
        group_by: vec![GroupBy::Rule, GroupBy::Account],
        filter: Vec::new(),
    };
    let months: Vec<Month> = costs(ledger, &query)?
        .rows
        .into_iter()
        .filter_map(|row| row.period_start)
        .map(|day| day.month())
        .collect();
    let before = months.iter().filter(|month| **month < this_month).max();
    Ok(before.or(months.iter().max()).copied())
}

fn money(ledger: &Reader, rules: &[RuleFacts], month: Option<Month>) -> Result<Money, Diagnostic> {
    let period = month.map_or(Period::all(), Month::period);
    let query = CostQuery {
        axis: Axis::Posting,
        period,
        granularity: Granularity::Total,
        group_by: vec![GroupBy::Rule, GroupBy::Account],
        filter: Vec::new(),
    };
    let mut money = Money { month, ..Money::default() };
    for row in costs(ledger, &query)?.rows {
        let (Some(rule), Some(account)) = (row.keys.first(), row.keys.get(1)) else { continue };
        let add = |sums: &mut Sums| *sums.entry(row.currency).or_default() += row.amount;
        add(&mut money.total);
        match account.as_str() {
            "unallocated" => add(&mut money.unallocated),
            "suspense" => add(&mut money.suspense),
            _ => {}
        }
        // A pool or a serving team books its transfer with a minus, and the receivers book the
        // same amount with a plus. Only the receivers' side counts.
        if account != "suspense"
            && !rule.is_empty()
            && taken_from(rules, rule).as_ref() != Some(account)
        {
            add(money.by_rule.entry(rule.clone()).or_default());
        }
    }
    Ok(money)
}

/// The account that a rule of a later stage passes on.
fn taken_from(rules: &[RuleFacts], id: &str) -> Option<String> {
    match &rules.iter().find(|rule| rule.version.rule == id)?.stage {
        Stage::Attribution => None,
        Stage::Distribution => Some(format!("pool/{id}")),
        Stage::Cascade(team) => Some(format!("team/{team}")),
    }
}

/// `1,234.50 USD, 12.00 EUR`, or a hyphen for nothing.
pub fn text(sums: Option<&Sums>) -> String {
    let shown: Vec<String> =
        sums.into_iter().flatten().map(|(currency, sum)| amount(*currency, *sum)).collect();
    if shown.is_empty() { "-".into() } else { shown.join(", ") }
}

pub fn amount(currency: Currency, sum: Sum) -> String {
    format!("{} {currency}", grouped(&sum.rounded_text(currency.payable_decimals())))
}

pub fn json(sums: Option<&Sums>) -> Value {
    sums.into_iter()
        .flatten()
        .map(|(currency, sum)| json!({ "amount": sum.to_string(), "currency": currency.code() }))
        .collect()
}

/// A part of the whole in tenths of a percent, rounded half away from zero; nothing of a whole that
/// is zero.
pub fn share(part: Sum, whole: Sum) -> Option<String> {
    if whole.is_zero() {
        return None;
    }
    let doubled = part.nanos().checked_mul(2000)?.checked_div(whole.nanos())?;
    let tenths = (doubled + doubled.signum()) / 2;
    let sign = if tenths < 0 { "-" } else { "" };
    Some(format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_have_a_sign() {
        let of = |part: i128, whole: i128| share(Sum::from_nanos(part), Sum::from_nanos(whole));
        assert_eq!(of(1, 3).as_deref(), Some("33.3 %"));
        assert_eq!(of(2, 3).as_deref(), Some("66.7 %"));
        assert_eq!(of(-1, 8).as_deref(), Some("-12.5 %"));
        assert_eq!(of(-1, -4).as_deref(), Some("25.0 %"));
        assert_eq!(of(3, 2000).as_deref(), Some("0.2 %"));
        assert_eq!(of(1, 0), None);
    }
}
