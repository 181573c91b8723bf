//! `rule`: check, test, list.

use super::{approval, opening};
use crate::args::{Format, GlobalArgs, RuleCommand};
use crate::error::Failure;
use crate::query;
use crate::settings::{Need, Settings};
use crate::table::{Align, Table, grouped};
use crate::ui::Ui;
use domain::catalogue as code;
use domain::diagnostic::Diagnostic;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::port::{RuleFacts, Rules};
use ledger::Access;
use pipeline::report::{CostQuery, Granularity, GroupBy};
use rule_engine::{cases, lint};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY_MS: i64 = 86_400_000;

pub fn rule(ui: Ui, global: &GlobalArgs, command: &RuleCommand) -> Result<(), Failure> {
    let settings = Settings::load(global, Need::File)?;
    match command {
        RuleCommand::Check => check(ui, &settings),
        RuleCommand::Test => test(ui, &settings),
        RuleCommand::List { format } => list(ui, &settings, *format),
        RuleCommand::Approve(approval) => approval::approve(ui, &settings, approval),
        RuleCommand::History { format } => approval::history(ui, &settings, *format),
    }
}

fn check(ui: Ui, settings: &Settings) -> Result<(), Failure> {
    let rules = opening::rules(settings)?;
    let today = i32::try_from(query::now_ms().div_euclid(DAY_MS)).ok().map(Day::from_epoch);
    let lints = lint::check(&rules, today);
    for warning in &lints.warnings {
        ui.warning(warning);
    }
    if lints.errors.is_empty() { Ok(()) } else { Err(lints.errors.into()) }
}

fn test(ui: Ui, settings: &Settings) -> Result<(), Failure> {
    let rules = opening::rules(settings)?;
    let report = cases::run(&settings.rules.value, &rules);
    for rule in &report.rules {
        let unreached = rule.never_reached();
        let note = if unreached.is_empty() || rule.cases == 0 { String::new() } else { format!("; no case reaches {}", unreached.join(", ")) };
        ui.data(&format!("{}: {} of {} cases passed{note}\n", rule.rule, rule.passed, rule.cases))?;
    }
    if !report.is_clean() {
        return Err(report.failures.into());
    }
    ui.note(&format!("{} cases passed", report.passed));
    Ok(())
}

/// What each rule placed, by currency, as the ledger stands.
type Coverage = BTreeMap<String, Vec<(Currency, Sum)>>;

fn list(ui: Ui, settings: &Settings, format: Format) -> Result<(), Failure> {
    let rules = opening::rules(settings)?;
    let coverage = coverage(settings)?;
    let placed = |rule: &RuleFacts| coverage.as_ref().and_then(|coverage| coverage.get(&rule.version.rule)).cloned().unwrap_or_default();
    Ok(ui.data(&match format {
        Format::Json => super::json_text(&rules.facts().iter().map(|rule| rule_json(rule, &placed(rule))).collect()),
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
                table.row(rule_cells(rule, &placed(rule)));
            }
            let (header, body) = table.parts();
            format!("{}\n{body}\n", ui.bold(&header))
        }
    })?)
}

/// Nothing where there is no ledger yet.
fn coverage(settings: &Settings) -> Result<Option<Coverage>, Diagnostic> {
    let ledger = match opening::ledger(settings, Access::Read) {
        Ok(ledger) => ledger,
        Err(finding) if finding.code == code::LEDGER_NOT_FOUND => return Ok(None),
        Err(finding) => return Err(finding),
    };
    let query = CostQuery { period: Period::all(), granularity: Granularity::Total, group_by: vec![GroupBy::Rule], filter: Vec::new() };
    let mut coverage = Coverage::new();
    for row in pipeline::report::costs(&ledger, &query)?.rows {
        coverage.entry(row.keys.concat()).or_default().push((row.currency, row.amount));
    }
    Ok(Some(coverage))
}

fn rule_cells(rule: &RuleFacts, placed: &[(Currency, Sum)]) -> Vec<String> {
    let amount = |(currency, sum): &(Currency, Sum)| format!("{} {currency}", grouped(&sum.rounded_text(currency.payable_decimals())));
    let state = if rule.enabled { "" } else { "(disabled) " };
    vec![
        rule.version.rule.clone(),
        rule.priority.to_string(),
        if rule.owner.is_empty() { "-".into() } else { rule.owner.clone() },
        rule.review_by.map_or("-".into(), |day| day.to_string()),
        if placed.is_empty() { "-".into() } else { placed.iter().map(amount).collect::<Vec<_>>().join(", ") },
        format!("{state}{}", rule.description.lines().next().unwrap_or_default()),
    ]
}

fn rule_json(rule: &RuleFacts, placed: &[(Currency, Sum)]) -> Value {
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    json!({
        "rule": rule.version.rule,
        "digest": rule.version.digest,
        "name": rule.name,
        "priority": rule.priority,
        "owner": rule.owner,
        "review_by": day(rule.review_by),
        "enabled": rule.enabled,
        "from": day(rule.from),
        "until": day(rule.until),
        "description": rule.description,
        "placed": placed.iter().map(|(currency, sum)| json!({ "amount": sum.to_string(), "currency": currency.code() })).collect::<Vec<_>>(),
    })
}
