//! The share of a month's cost that each rule decided, and the rest that none decided.

use super::money::{self, Money, Sums};
use crate::table::{Align, Table};
use crate::ui::Ui;
use domain::money::Sum;
use domain::port::RuleFacts;
use serde_json::{Value, json};

/// Enabled rules that no money of the month went through.
pub fn never_reached<'a>(money: &Money, rules: &'a [RuleFacts]) -> Vec<&'a str> {
    let unreached =
        rules.iter().filter(|rule| rule.enabled && money.through(&rule.version.rule).is_none());
    unreached.map(|rule| rule.version.rule.as_str()).collect()
}

pub fn text(ui: Ui, money: &Money, rules: &[RuleFacts]) -> String {
    let month = money.month.map_or("the ledger has no cost".to_owned(), |month| month.to_string());
    let columns = [
        (month, Align::Left),
        ("stage".to_owned(), Align::Left),
        ("cost".to_owned(), Align::Right),
        ("share".to_owned(), Align::Right),
    ];
    let mut table = Table::new(columns);
    let row = |name: &str, stage: &str, sums: &Sums| {
        sums.iter()
            .map(|(currency, sum)| {
                let share = share_text(money, sums, *currency);
                vec![name.to_owned(), stage.to_owned(), money::amount(*currency, *sum), share]
            })
            .collect::<Vec<_>>()
    };
    for rule in rules {
        let through = money.through(&rule.version.rule);
        through
            .into_iter()
            .flat_map(|sums| row(&rule.version.rule, rule.stage.name(), sums))
            .for_each(|cells| table.row(cells));
    }
    for (name, sums) in [
        ("unallocated", &money.unallocated),
        ("suspense", &money.suspense),
        ("total", &money.total),
    ] {
        row(name, "", sums).into_iter().for_each(|cells| table.total(cells));
    }
    let (header, body) = table.parts();
    let unreached = match never_reached(money, rules) {
        none if none.is_empty() => "every rule was reached".to_owned(),
        some => format!("never reached: {}", some.join(", ")),
    };
    format!("{}\n{body}\n{unreached}\n", ui.bold(&header))
}

fn share_text(money: &Money, sums: &Sums, currency: domain::money::Currency) -> String {
    let of = |sums: &Sums| sums.get(&currency).copied().unwrap_or(Sum::ZERO);
    money::share(of(sums), of(&money.total)).unwrap_or_else(|| "-".to_owned())
}

pub fn json(money: &Money, rules: &[RuleFacts]) -> Value {
    let rule = |rule: &RuleFacts| {
        let through = money.through(&rule.version.rule);
        json!({
            "rule": rule.version.rule,
            "stage": rule.stage.name(),
            "cost": sums_json(money, through),
        })
    };
    json!({
        "month": money.month.map(|month| month.to_string()),
        "total": money::json(Some(&money.total)),
        "unallocated": sums_json(money, Some(&money.unallocated)),
        "suspense": sums_json(money, Some(&money.suspense)),
        "rules": rules.iter().map(rule).collect::<Value>(),
        "never_reached": never_reached(money, rules),
    })
}

fn sums_json(money: &Money, sums: Option<&Sums>) -> Value {
    let one = |sums: &Sums| -> Vec<Value> {
        let each = sums.iter().map(|(currency, sum)| {
            json!({
                "amount": sum.to_string(),
                "currency": currency.code(),
                "share": share_text(money, sums, *currency),
            })
        });
        each.collect()
    };
    sums.map(one).unwrap_or_default().into()
}
