//! `rule review`: the rules that are due for review in a quarter, by owner.

use super::calendar::{this_month, today};
use super::money::{self, Money};
use crate::args::Format;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, json_text};
use domain::period::{Day, Month};
use domain::port::{RuleFacts, Rules};
use installation::rules;
use installation::settings::Settings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

#[derive(clap::Args, Debug)]
pub struct ReviewArgs {
    /// The quarter, such as 2026Q4; otherwise this one
    #[arg(long, value_name = "QUARTER")]
    pub quarter: Option<Quarter>,
    /// The month whose cost is shown, such as 2026-03; otherwise the last one
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Three months of a year, written 2026Q4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarter {
    first: Month,
}

impl Quarter {
    fn of(day: Day) -> Option<Quarter> {
        let (year, month, _) = day.civil();
        Month::new(year, (month - 1) / 3 * 3 + 1).map(|first| Quarter { first })
    }

    /// The first day after it.
    fn end(self) -> Day {
        self.first.next().next().next().first_day()
    }
}

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Quarter, String> {
        let wrong = || format!("'{text}' is not a quarter; write 2026Q4");
        let (year, quarter) = text.split_once('Q').ok_or_else(wrong)?;
        let number: u32 =
            quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter)).ok_or_else(wrong)?;
        let year =
            year.parse().ok().filter(|year| (1900..=9999).contains(year)).ok_or_else(wrong)?;
        Month::new(year, number * 3 - 2).map(|first| Quarter { first }).ok_or_else(wrong)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, _) = self.first.first_day().civil();
        write!(f, "{year}Q{}", month.div_ceil(3))
    }
}

/// Why a rule is to be looked at.
fn reasons(
    rule: &RuleFacts,
    quarter: Quarter,
    today: Day,
    money: Option<&Money>,
) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    match rule.review_by {
        None => reasons.push("no review date"),
        Some(day) if day < today => reasons.push("overdue"),
        Some(day) if day < quarter.end() => reasons.push("due"),
        Some(_) => {}
    }
    let is_over = rule.until.is_some_and(|until| until <= today);
    if is_over {
        reasons.push("expired");
    }
    if rule.enabled
        && !is_over
        && money.is_some_and(|money| money.through(&rule.version.rule).is_none())
    {
        reasons.push("never reached");
    }
    reasons
}

pub fn review(ui: Ui, settings: &Settings, args: &ReviewArgs) -> Result<(), Failure> {
    let rules = rules::load(settings)?;
    let today = today().unwrap_or(Day::from_epoch(0));
    let quarter = args.quarter.or(Quarter::of(today)).unwrap_or(Quarter { first: this_month() });
    let ledger = money::ledger(settings)?;
    let money = ledger
        .map(|ledger| money::of_month(&ledger, rules.facts(), args.month, this_month()))
        .transpose()?;
    let mut owners: BTreeMap<&str, Vec<(&RuleFacts, Vec<&str>)>> = BTreeMap::new();
    for rule in rules.facts() {
        let reasons = reasons(rule, quarter, today, money.as_ref());
        if !reasons.is_empty() {
            let owner = if rule.owner.trim().is_empty() { "nobody" } else { &rule.owner };
            owners.entry(owner).or_default().push((rule, reasons));
        }
    }
    let through =
        |rule: &RuleFacts| money.as_ref().and_then(|money| money.through(&rule.version.rule));
    let month = money.as_ref().and_then(|money| money.month);
    if args.format == Format::Json {
        let rule = |(rule, reasons): &(&RuleFacts, Vec<&str>)| {
            let review_by = rule.review_by.map(|day| day.to_string());
            json!({
                "rule": rule.version.rule,
                "review_by": review_by,
                "reasons": reasons,
                "cost": money::json(through(rule)),
            })
        };
        let owner = |(owner, rules): (&&str, &Vec<(&RuleFacts, Vec<&str>)>)| {
            json!({
                "owner": owner,
                "rules": rules.iter().map(rule).collect::<Value>(),
            })
        };
        let month = month.map(|month| month.to_string());
        return Ok(ui.data(&json_text(&json!({
            "quarter": quarter.to_string(),
            "month": month,
            "owners": owners.iter().map(owner).collect::<Value>(),
        })))?);
    }
    if owners.is_empty() {
        return Ok(ui.data(&format!("{quarter}: no rule is to be reviewed\n"))?);
    }
    let cost = month.map_or("cost".to_owned(), |month| format!("cost of {month}"));
    for (owner, rules) in &owners {
        let mut table = Table::new([
            (format!("{quarter} {owner}"), Align::Left),
            ("review by".into(), Align::Left),
            (cost.clone(), Align::Right),
            ("why".into(), Align::Left),
        ]);
        for (rule, reasons) in rules {
            let review_by = rule.review_by.map_or("-".to_owned(), |day| day.to_string());
            table.row(vec![
                rule.version.rule.clone(),
                review_by,
                money::text(through(rule)),
                reasons.join(", "),
            ]);
        }
        let (header, body) = table.parts();
        ui.data(&format!("{}\n{body}\n\n", ui.bold(&header)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_read_and_end() {
        let end = |text: &str| {
            text.parse::<Quarter>().map(|quarter| (quarter.to_string(), quarter.end().to_string()))
        };
        assert_eq!(end("2026Q4"), Ok(("2026Q4".into(), "2027-01-01".into())));
        assert_eq!(end("2026Q1"), Ok(("2026Q1".into(), "2026-04-01".into())));
        for wrong in ["2026Q5", "2026", "Q1", "2026Q0", "2026q1"] {
            assert_eq!(end(wrong), Err(format!("'{wrong}' is not a quarter; write 2026Q4")));
        }
        let of =
            |day: &str| day.parse().ok().and_then(Quarter::of).map(|quarter| quarter.to_string());
        assert_eq!(
            (of("2026-03-31"), of("2026-11-24")),
            (Some("2026Q1".into()), Some("2026Q4".into()))
        );
    }
}
