//! `rule test`: runs the cases.

use super::super::opening;
use crate::error::Failure;
use crate::settings::Settings;
use crate::ui::Ui;
use rule_engine::cases;

pub fn test(ui: Ui, settings: &Settings) -> Result<(), Failure> {
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
