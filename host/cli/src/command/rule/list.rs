//! `rule list`: the rules by stage, in the order in which they are tried.

use super::calendar::today;
use super::facts::{facts_json, validity};
use super::money;
use crate::args::Format;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, json_text};
use domain::period::Day;
use domain::port::{RuleFacts, Rules, Stage};
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
                ("stage".to_owned(), Align::Left),
                ("rule".to_owned(), Align::Left),
                ("priority".to_owned(), Align::Right),
                ("valid".to_owned(), Align::Left),
                ("owner".to_owned(), Align::Left),
                ("review by".to_owned(), Align::Left),
                ("placed".to_owned(), Align::Right),
                ("what it does".to_owned(), Align::Left),
            ]);
            let today = today();
            let mut facts: Vec<&RuleFacts> = rules.facts().iter().collect();
            facts.sort_by_key(|rule| turn(&rule.stage));
            for rule in facts {
                table.row(cells(rule, money.through(&rule.version.rule), today));
            }
            let (header, body) = table.parts();
            format!("{}\n{body}\n", ui.bold(&header))
        }
    })?)
}

fn cells(rule: &RuleFacts, placed: Option<&money::Sums>, today: Option<Day>) -> Vec<String> {
    vec![
        rule.stage.name().to_owned(),
        rule.version.rule.clone(),
        rule.priority.to_string(),
        validity(rule, today),
        if rule.owner.is_empty() { "-".into() } else { rule.owner.clone() },
        rule.review_by.map_or("-".into(), |day| day.to_string()),
        money::text(placed),
        rule.description.lines().next().unwrap_or_default().to_owned(),
    ]
}

/// The stages in their order.
fn turn(stage: &Stage) -> u8 {
    match stage {
        Stage::Attribution => 0,
        Stage::Distribution => 1,
        Stage::Cascade(_) => 2,
    }
}
