//! The summary of an account's cost as text: the parts by rule, and the largest resources.

use super::rule_title;
use crate::table::{Align, Table};
use domain::money::Sum;
use installation::amount_text::counted;
use reports::explain::answer::ExplainedAccount;

/// In place of a percentage of nothing.
const NONE: &str = "-";

/// Rules with their parts, and with their parts of what they shared. Names stand last, since they
/// can be long.
pub fn rules(account: &ExplainedAccount) -> Vec<String> {
    let currency = account.currency;
    let mut columns = vec![right(format!("amount {currency}")), right("%".into())];
    let has_shared = account.rules.iter().any(|rule| rule.shared.is_some());
    if has_shared {
        columns.extend([right(format!("of shared {currency}")), right("%".into())]);
    }
    columns.push(left("rules"));
    let mut table = Table::new(columns);
    for rule in &account.rules {
        let mut cells =
            vec![rule.amount.to_string(), percent(rule.amount.percent_of(account.amount))];
        if has_shared {
            let shared = rule.shared.map_or(String::new(), |shared| shared.to_string());
            let share = rule.shared.map_or(String::new(), |_| percent(rule.share_percent()));
            cells.extend([shared, share]);
        }
        cells.push(rule_title(rule));
        table.row(cells);
    }
    lines(&table)
}

pub fn largest(account: &ExplainedAccount) -> Vec<String> {
    let currency = account.currency;
    let columns =
        [right(format!("amount {currency}")), right("%".into()), left("largest resources")];
    let mut table = Table::new(columns);
    let mut add = |amount: Sum, name: String| {
        table.row(vec![amount.to_string(), percent(amount.percent_of(account.amount)), name]);
    };
    for resource in &account.largest {
        add(resource.amount, resource.name());
    }
    if account.rest_resources > 0 {
        add(account.rest_amount, counted(account.rest_resources, "other", "others"));
    }
    lines(&table)
}

fn left(name: &str) -> (String, Align) {
    (name.to_owned(), Align::Left)
}

fn right(name: String) -> (String, Align) {
    (name, Align::Right)
}

fn percent(percent: Option<String>) -> String {
    percent.unwrap_or_else(|| NONE.to_owned())
}

fn lines(table: &Table) -> Vec<String> {
    let (header, body) = table.parts();
    std::iter::once(header.as_str()).chain(body.lines()).map(|line| format!("  {line}")).collect()
}
