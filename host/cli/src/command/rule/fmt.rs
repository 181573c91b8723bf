//! `rule fmt`: lays rules out anew, and nothing else.

use crate::error::Failure;
use crate::ui::Ui;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use installation::amount_text::counted;
use installation::file;
use installation::settings::Settings;
use rule_engine::code;
use rule_engine::layout::{self, RuleLayout};
use std::path::Path;

pub fn fmt(ui: Ui, settings: &Settings, check: bool) -> Result<(), Failure> {
    let (rules, mut findings) = layout::lay_out(&settings.rules.value)?;
    let count = rules.len() as u64;
    let mut changed = 0;
    for RuleLayout { file, text, .. } in rules {
        let Some(text) = text else { continue };
        changed += 1;
        if check {
            let message = "the rule is not laid out as `rule fmt` does it";
            findings.push(
                Diagnostic::new(code::RULE_LAYOUT, message)
                    .at(file, 0, 0)
                    .hint(Hint::command("rule fmt")),
            );
        } else {
            file::write(Path::new(&file), &text)?;
            ui.note(&format!("laid out {file}"));
        }
    }
    if findings.is_empty() {
        ui.note(&format!(
            "{changed} of {} {}",
            counted(count, "rule", "rules"),
            if check { "would change" } else { "changed" }
        ));
        return Ok(());
    }
    Err(findings.into())
}
