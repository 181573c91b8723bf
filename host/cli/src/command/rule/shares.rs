//! The share of a month's cost that each rule decided, and the rest that none decided.

use super::calendar::today;
use super::facts::validity;
use super::money::{self, Money, Sums};
use crate::table::{Align, Table};
use crate::ui::Ui;
use domain::money::Sum;
use domain::period::Month;
use domain::port::RuleFacts;
use serde_json::{Value, json};

/// Enabled rules that hold in the month, and that no money of it went through.
pub fn never_reached<'a>(money: &Money, rules: &'a [RuleFacts]) -> Vec<&'a str> {
    let unreached = unreached(money, rules).filter(|rule| holds_in(money.month, rule));
    unreached.map(|rule| rule.version.rule.as_str()).collect()
}

/// Enabled rules that hold on no day of the month.
fn elsewhere<'a>(money: &Money, rules: &'a [RuleFacts]) -> Vec<&'a RuleFacts> {
    unreached(money, rules).filter(|rule| !holds_in(money.month, rule)).collect()
}

fn unreached<'a>(money: &Money, rules: &'a [RuleFacts]) -> impl Iterator<Item = &'a RuleFacts> {
    rules.iter().filter(|rule| rule.enabled && money.through(&rule.version.rule).is_none())
}

fn holds_in(month: Option<Month>, rule: &RuleFacts) -> bool {
    month.is_none_or(|month| {
        let period = month.period();
        rule.from.is_none_or(|from| from < period.end())
            && rule.until.is_none_or(|until| until > period.start())
    })
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
    let elsewhere = match elsewhere(money, rules).as_slice() {
        [] => String::new(),
        some => {
            let told = some
                .iter()
                .map(|rule| format!("{} ({})", rule.version.rule, validity(rule, today())));
            format!("not valid in the month: {}\n", told.collect::<Vec<_>>().join(", "))
        }
    };
    format!("{}\n{body}\n{unreached}\n{elsewhere}", ui.bold(&header))
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
    let elsewhere = elsewhere(money, rules);
    let not_valid = elsewhere.iter();
    json!({
        "month": money.month.map(|month| month.to_string()),
        "total": money::json(Some(&money.total)),
        "unallocated": sums_json(money, Some(&money.unallocated)),
        "suspense": sums_json(money, Some(&money.suspense)),
        "rules": rules.iter().map(rule).collect::<Value>(),
        "never_reached": never_reached(money, rules),
        "not_valid": not_valid.map(|rule| &rule.version.rule).collect::<Vec<_>>(),
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
