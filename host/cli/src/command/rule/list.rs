//! `rule list`: the rules in the order in which they are tried.

use super::facts::facts_json;
use super::money;
use crate::args::Format;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, json_text};
use domain::port::{RuleFacts, Rules};
use installation::rules;
use installation::settings::Settings;

pub fn list(ui: Ui, settings: &Settings, format: Format) -> Result<(), Failure> {
    let rules = rules::load(settings)?;
    let ledger = money::ledger(settings)?;
    let money =
        ledger.map(|ledger| money::ever(&ledger, rules.facts())).transpose()?.unwrap_or_default();
    Ok(ui.data(&match format {
        Format::Json => json_text(
            &rules
                .facts()
                .iter()
                .map(|rule| facts_json(rule, money.through(&rule.version.rule)))
                .collect(),
        ),
        Format::Text => {
            let mut table = Table::new([
                ("rule".to_owned(), Align::Left),
                ("priority".to_owned(), Align::Right),
                ("owner".to_owned(), Align::Left),
                ("review by".to_owned(), Align::Left),
                ("placed".to_owned(), Align::Right),
                ("what it does".to_owned(), Align::Left),
            ]);
            for rule in rules.facts() {
                table.row(cells(rule, money.through(&rule.version.rule)));
            }
            let (header, body) = table.parts();
            format!("{}\n{body}\n", ui.bold(&header))
        }
    })?)
}

fn cells(rule: &RuleFacts, placed: Option<&money::Sums>) -> Vec<String> {
    let state = if rule.enabled { "" } else { "(disabled) " };
    vec![
        rule.version.rule.clone(),
        rule.priority.to_string(),
        if rule.owner.is_empty() { "-".into() } else { rule.owner.clone() },
        rule.review_by.map_or("-".into(), |day| day.to_string()),
        money::text(placed),
        format!("{state}{}", rule.description.lines().next().unwrap_or_default()),
    ]
}
