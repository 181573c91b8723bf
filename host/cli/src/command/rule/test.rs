//! `rule test`: runs the cases, and tells which branches they and last month's charges reach.

use super::calendar::this_month;
use super::show::find;
use super::{money, shares};
use crate::args::Format;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::period::Month;
use domain::port::Rules;
use installation::notice;
use installation::rules;
use installation::settings::Settings;
use rule_engine::branches::{self, RuleBranches};
use rule_engine::cases::{self, CaseReport, RuleCases};
use rule_engine::properties::PropertyRun;
use rule_engine::set::RuleSet;
use serde_json::{Value, json};

#[derive(clap::Args, Debug)]
pub struct TestRulesArgs {
    /// Only this rule, such as shared/tax
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
    /// Say also which branches no case takes, and what share of a month's cost each rule decided
    #[arg(long)]
    pub coverage: bool,
    /// The month whose cost is looked at, such as 2026-03; otherwise the last one
    #[arg(long, value_name = "MONTH", requires = "coverage")]
    pub month: Option<Month>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn test(ui: Ui, settings: &Settings, args: &TestRulesArgs) -> Result<(), Failure> {
    let rules = rules::load(settings)?;
    let dir = &settings.rules.value;
    let report = match &args.rule {
        Some(rule) => cases::run_one(dir, &rules, &find(rules.facts(), rule)?.version.rule),
        None => cases::run(dir, &rules),
    };
    let coverage =
        if args.coverage { Some(Coverage::measure(settings, &rules, args)?) } else { None };
    match args.format {
        Format::Json => ui.data(&json_text(&report_json(&report, coverage.as_ref(), &rules)))?,
        Format::Text => {
            for rule in &report.rules {
                ui.data(&rule_text(rule, &report, coverage.as_ref()))?;
            }
            if let Some(coverage) = &coverage {
                ui.data(&coverage.totals_text(ui, &rules))?;
            }
        }
    }
    let passed = report.passed;
    let findings = report.findings();
    if !findings.is_empty() {
        return Err(findings.into());
    }
    ui.note(&format!("{passed} cases passed"));
    Ok(())
}

/// The branches that the cases reach, and the part of the month's money that the rules decide.
struct Coverage {
    branches: Vec<RuleBranches>,
    /// Nothing where there is no ledger yet.
    money: Option<money::Money>,
}

impl Coverage {
    fn measure(
        settings: &Settings,
        rules: &RuleSet,
        args: &TestRulesArgs,
    ) -> Result<Coverage, Failure> {
        let branches = branches::measure(&settings.rules.value, rules.options())?;
        let ledger = money::ledger(settings)?;
        let money = ledger
            .map(|ledger| money::of_month(&ledger, rules.facts(), args.month, this_month()))
            .transpose()?;
        Ok(Coverage { branches, money })
    }

    fn of(&self, rule: &str) -> Option<&RuleBranches> {
        self.branches.iter().find(|branches| branches.rule == rule)
    }

    fn totals_text(&self, ui: Ui, rules: &RuleSet) -> String {
        let reached: usize = self.branches.iter().map(RuleBranches::reached).sum();
        let all: usize = self.branches.iter().map(|rule| rule.branches.len()).sum();
        let money = self
            .money
            .as_ref()
            .map(|money| format!("\n{}", shares::text(ui, money, rules.facts())))
            .unwrap_or_default();
        format!("branches: {reached} of {all} reached\n{money}")
    }
}

fn rule_text(rule: &RuleCases, report: &CaseReport, coverage: Option<&Coverage>) -> String {
    let unreached = rule.never_reached();
    let mut text = format!("{}: {} of {} cases passed", rule.rule, rule.passed, rule.cases);
    let properties = report.properties.iter().filter(|run| run.rule == rule.rule);
    let (hold, all) =
        properties.fold((0, 0), |(hold, all), run| (hold + usize::from(run.holds), all + 1));
    if all > 0 {
        text.push_str(&format!(", {hold} of {all} properties hold"));
    }
    let branches = coverage.and_then(|coverage| coverage.of(&rule.rule));
    if let Some(branches) = branches {
        text.push_str(&format!(
            ", {} of {} branches reached",
            branches.reached(),
            branches.branches.len()
        ));
    }
    if !unreached.is_empty() && rule.cases > 0 {
        text.push_str(&format!("; no case reaches {}", unreached.join(", ")));
    }
    text.push('\n');
    for branches in branches.into_iter() {
        branches.never().for_each(|branch| {
            text.push_str(&format!(
                "  {}:{}:{}: {}\n",
                branches.file,
                branch.line,
                branch.column,
                branch.kind.never()
            ));
        });
    }
    text
}

fn report_json(report: &CaseReport, coverage: Option<&Coverage>, rules: &RuleSet) -> Value {
    let rule = |rule: &RuleCases| {
        let mut value = json!({
            "rule": rule.rule,
            "cases": rule.cases,
            "passed": rule.passed,
            "never_reached": rule.never_reached(),
        });
        if let Some(branches) = coverage.and_then(|coverage| coverage.of(&rule.rule)) {
            let never = branches.never().map(|branch| {
                json!({
                    "line": branch.line,
                    "column": branch.column,
                    "message": branch.kind.never(),
                })
            });
            value["branches"] = json!({
                "all": branches.branches.len(),
                "reached": branches.reached(),
                "never": never.collect::<Value>(),
            });
        }
        value
    };
    let failures = report.failures.iter().chain(&report.missing);
    let mut value = json!({
        "passed": report.passed,
        "rules": report.rules.iter().map(rule).collect::<Value>(),
        "properties": report.properties.iter().map(property_json).collect::<Value>(),
        "failures": failures.map(notice::document).collect::<Value>(),
    });
    if let Some(money) = coverage.and_then(|coverage| coverage.money.as_ref()) {
        value["money"] = shares::json(money, rules.facts());
    }
    value
}

fn property_json(run: &PropertyRun) -> Value {
    // Numbers beyond 53 bits do not survive in every reader of JSON.
    json!({
        "rule": run.rule,
        "name": run.name,
        "seed": run.seed.to_string(),
        "tried": run.tried,
        "holds": run.holds,
    })
}
