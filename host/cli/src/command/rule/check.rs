//! `rule check`: compiles and lints.

use super::money;
use crate::args::Format;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use installation::notice;
use installation::rules;
use installation::settings::Settings;
use rule_engine::lint::{self, Lints};
use rule_engine::set::RuleSet;
use rule_engine::shadow;
use serde_json::{Value, json};

pub fn check(ui: Ui, settings: &Settings, on: Option<Day>, format: Format) -> Result<(), Failure> {
    let lints = match rules::load(settings) {
        Ok(rules) => looked_through(settings, &rules, on)?,
        Err(errors) => Lints { errors, warnings: Vec::new() },
    };
    match format {
        Format::Text => lints.warnings.iter().for_each(|warning| ui.warning(warning)),
        Format::Json => ui.data(&json_text(&lints_json(&lints)))?,
    }
    if lints.errors.is_empty() { Ok(()) } else { Err(lints.errors.into()) }
}

/// All that can be said of rules that compile.
fn looked_through(
    settings: &Settings,
    rules: &RuleSet,
    on: Option<Day>,
) -> Result<Lints, Diagnostic> {
    let mut lints = lint::check(rules, on);
    let mut shadowed = shadow::by_example(&settings.rules.value, rules);
    // The text of two rules says it better than their cases.
    shadowed.retain(|finding| {
        let is_same =
            |known: &Diagnostic| known.code == finding.code && known.location == finding.location;
        !lints.warnings.iter().any(is_same)
    });
    lints.warnings.extend(shadowed);
    // Before the first run, nobody can know the metrics.
    if let Some(ledger) = money::ledger(settings)?
        && ledger.last_posted_run()?.is_some()
    {
        lints.warnings.extend(lint::unknown_metrics(rules, &ledger.usage_metrics()?));
    }
    Ok(lints)
}

fn lints_json(lints: &Lints) -> Value {
    let list = |findings: &[Diagnostic]| findings.iter().map(notice::document).collect::<Value>();
    json!({ "errors": list(&lints.errors), "warnings": list(&lints.warnings) })
}
