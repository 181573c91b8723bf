//! `rule docs`: a page for each pack of rules, and one that names them all.

use super::calendar::this_month;
use super::money::{self, Money};
use super::show;
use crate::error::Failure;
use crate::ui::Ui;
use domain::period::Month;
use domain::port::{RuleFacts, Rules};
use installation::amount_text::counted;
use installation::file;
use installation::rules;
use installation::settings::Settings;
use rule_engine::examples::{self, RuleExample};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct RuleDocsArgs {
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "rule-docs")]
    pub out: PathBuf,
    /// The month whose cost is shown, such as 2026-03; otherwise the last one
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
}

pub fn docs(ui: Ui, settings: &Settings, args: &RuleDocsArgs) -> Result<(), Failure> {
    let rules = rules::load(settings)?;
    let examples = examples::read(&settings.rules.value, &rules)?;
    let ledger = money::ledger(settings)?;
    let money = ledger
        .map(|ledger| money::of_month(&ledger, rules.facts(), args.month, this_month()))
        .transpose()?;
    let mut packs: BTreeMap<&str, String> = BTreeMap::new();
    for rule in rules.facts() {
        let pack = pack(rule);
        let page = packs.entry(pack).or_insert_with(|| {
            format!(
                "# {pack}\n\nWritten by `apportion rule \
                docs`; the rules themselves are the source.\n"
            )
        });
        page.push_str(&section(
            rule,
            examples.get(&rule.version.rule).map_or(&[], Vec::as_slice),
            money.as_ref(),
        ));
    }
    let index = index(rules.facts(), money.as_ref());
    file::write(&args.out.join("README.md"), &index)?;
    for (pack, page) in &packs {
        file::write(&args.out.join(format!("{pack}.md")), page)?;
    }
    ui.note(&format!(
        "wrote {} to {}",
        counted(packs.len() as u64 + 1, "page", "pages"),
        args.out.display()
    ));
    Ok(())
}

/// The folder of a rule; those at the top stand on a page of their own.
fn pack(rule: &RuleFacts) -> &str {
    rule.version.rule.rsplit_once('/').map_or("rules", |(pack, _)| pack)
}

fn index(rules: &[RuleFacts], money: Option<&Money>) -> String {
    let mut page = String::from(
        "# Rules\n\nIn the order in which they are tried. Written by `apportion rule docs`.\n\n",
    );
    let month = money
        .and_then(|money| money.month)
        .map_or("cost".to_owned(), |month| format!("cost of {month}"));
    page.push_str(&format!(
        "| rule | priority | stage | owner | review by | {month} | \
        |\n|---|---|---|---|---|---|---|\n"
    ));
    for rule in rules {
        let id = &rule.version.rule;
        let cells = [
            format!("[{id}]({}.md#{})", pack(rule), anchor(id)),
            rule.priority.to_string(),
            rule.stage.name().to_owned(),
            if rule.owner.is_empty() { "nobody".to_owned() } else { rule.owner.clone() },
            rule.review_by.map_or("no date".to_owned(), |day| day.to_string()),
            money.map_or("no ledger yet".to_owned(), |money| money::text(money.through(id))),
            rule.description.lines().next().unwrap_or_default().to_owned(),
        ];
        page.push_str(&row(&cells));
    }
    page
}

fn section(rule: &RuleFacts, examples: &[RuleExample], money: Option<&Money>) -> String {
    let id = &rule.version.rule;
    let mut page = format!("\n## {id}\n\n{}\n\n| | |\n|---|---|\n", rule.description);
    for (name, value) in show::facts(rule) {
        page.push_str(&row(&[name.to_owned(), value]));
    }
    if let Some(money) = money {
        let month = money.month.map_or("cost".to_owned(), |month| format!("cost of {month}"));
        page.push_str(&row(&[month, money::text(money.through(id))]));
    }
    if !examples.is_empty() {
        page.push_str("\n| example | given | answer |\n|---|---|---|\n");
        for example in examples {
            page.push_str(&row(&[
                example.name.clone(),
                example.given.clone(),
                example.answer.clone(),
            ]));
        }
    }
    let fence = if rule.source.contains("```") { "~~~~" } else { "```" };
    page.push_str(&format!("\n{fence}rhai\n{}\n{fence}\n", rule.source.trim_end()));
    page
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> =
        cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The anchor that Markdown viewers make of a heading: letters, digits and hyphens only.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_')
        .collect()
}
