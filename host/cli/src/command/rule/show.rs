//! `rule show`: all there is to know of one rule.

use super::facts::facts_json;
use super::money;
use crate::args::Format;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use domain::port::{RuleFacts, Rules, Stage};
use installation::rules;
use installation::settings::Settings;
use rule_engine::code;
use std::fmt::Write;
use std::fs;

#[derive(clap::Args, Debug)]
pub struct ShowRuleArgs {
    /// The rule's id, such as shared/tax
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// How the rule is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn show(ui: Ui, settings: &Settings, args: &ShowRuleArgs) -> Result<(), Failure> {
    let rules = rules::load(settings)?;
    let rule = find(rules.facts(), &args.rule)?;
    let ledger = money::ledger(settings)?;
    let has_ledger = ledger.is_some();
    let money =
        ledger.map(|ledger| money::ever(&ledger, rules.facts())).transpose()?.unwrap_or_default();
    let placed = money.through(&rule.version.rule);
    let cases =
        fs::read_to_string(settings.rules.value.join(format!("{}.cases.toml", args.rule))).ok();
    if args.format == crate::args::Format::Json {
        let mut value = facts_json(rule, placed);
        value["source"] = rule.source.clone().into();
        value["cases"] = cases.into();
        return Ok(ui.data(&json_text(&value))?);
    }
    let placed = if has_ledger { money::text(placed) } else { "no ledger yet".to_owned() };
    Ok(ui.data(&ui.shown(&page(rule, &placed, cases.as_deref())))?)
}

pub fn find<'a>(rules: &'a [RuleFacts], id: &str) -> Result<&'a RuleFacts, Diagnostic> {
    rules.iter().find(|rule| rule.version.rule == id).ok_or_else(|| {
        let finding = Diagnostic::new(code::RULE_UNKNOWN, format!("there is no rule '{id}'"));
        match did_you_mean(id, rules.iter().map(|rule| rule.version.rule.as_str())) {
            Some(meant) => finding.hint(
                Hint::text("did you mean ")
                    .then(Hint::command(format!("rule show {meant}")))
                    .then("?"),
            ),
            None => finding.hint(Hint::command("rule list").then(" names them all")),
        }
    })
}

fn page(rule: &RuleFacts, placed: &str, cases: Option<&str>) -> String {
    let mut page = format!("{}\n\n{}\n\n", rule.version.rule, rule.description);
    for (name, value) in facts(rule) {
        line(&mut page, format_args!("{name:<9} {value}"));
    }
    line(&mut page, format_args!("{:<9} {placed}\n", "placed"));
    line(&mut page, format_args!("{}.rhai", rule.version.rule));
    for (number, text) in rule.source.lines().enumerate() {
        line(&mut page, format_args!("{}", format!("{:>4}  {text}", number + 1).trim_end()));
    }
    if let Some(cases) = cases {
        line(&mut page, format_args!("\n{}.cases.toml", rule.version.rule));
        for (number, text) in cases.lines().enumerate() {
            line(&mut page, format_args!("{}", format!("{:>4}  {text}", number + 1).trim_end()));
        }
    }
    page
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text does not fail.
    let _written = writeln!(page, "{text}");
}

/// The facts of the header in words. Facts that are not written are left out.
pub fn facts(rule: &RuleFacts) -> Vec<(&'static str, String)> {
    let stage = match &rule.stage {
        Stage::Cascade(team) => format!("cascade of {team}, {}", rule.mutual.name()),
        Stage::Distribution => format!("distribution, {}", rule.mutual.name()),
        Stage::Attribution => "attribution".to_owned(),
    };
    let mut facts = vec![("priority", rule.priority.to_string()), ("stage", stage)];
    facts.push(("owner", if rule.owner.is_empty() { "nobody".into() } else { rule.owner.clone() }));
    facts.push(("review by", rule.review_by.map_or("no date".into(), |day| day.to_string())));
    facts.extend(rule.from.map(|day| ("from", day.to_string())));
    facts.extend(rule.until.map(|day| ("until", day.to_string())));
    if !rule.enabled {
        facts.push(("enabled", "no".into()));
    }
    facts.push(("digest", rule.version.digest.clone()));
    facts
}
