//! `rule check`: compiles and lints.

use crate::args::Format;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use installation::notice;
use installation::rules;
use installation::settings::Settings;
use rule_engine::lint::{self, Lints};
use serde_json::{Value, json};

pub fn check(ui: Ui, settings: &Settings, on: Option<Day>, format: Format) -> Result<(), Failure> {
    let lints = match rules::load(settings) {
        Ok(rules) => lint::check(&rules, on),
        Err(errors) => Lints { errors, warnings: Vec::new() },
    };
    match format {
        Format::Text => lints.warnings.iter().for_each(|warning| ui.warning(warning)),
        Format::Json => ui.data(&json_text(&lints_json(&lints)))?,
    }
    if lints.errors.is_empty() { Ok(()) } else { Err(lints.errors.into()) }
}

fn lints_json(lints: &Lints) -> Value {
    let list = |findings: &[Diagnostic]| findings.iter().map(notice::document).collect::<Value>();
    json!({ "errors": list(&lints.errors), "warnings": list(&lints.warnings) })
}
