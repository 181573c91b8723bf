//! The summary of a check: a line for each source, before all that is said of it.

use crate::table::{Align, Table};
use crate::ui::Ui;
use installation::amount_text::{counted, grouped};
use installation::survey::{Depth, SourceSurvey, Survey};

/// Nothing of a single source, whose own lines say it.
pub fn summary(ui: Ui, survey: &Survey) -> Option<String> {
    let left = |name: &str| (name.to_owned(), Align::Left);
    let right = |name: &str| (name.to_owned(), Align::Right);
    let columns = [left("source"), right("charges"), right("set aside"), left("days"), left("")];
    let mut table = Table::new(columns);
    for source in &survey.sources {
        let days = source.charges.days.map(|(first, last)| format!("{first} to {last}"));
        let counted = |count: u64| match source.report.is_some() {
            true => grouped(&count.to_string()),
            false => "-".to_owned(),
        };
        table.row(vec![
            source.name.clone(),
            counted(source.charge_count()),
            counted(source.set_aside()),
            days.unwrap_or_else(|| "-".to_owned()),
            state(source),
        ]);
    }
    let (header, body) = table.parts();
    (survey.sources.len() > 1).then(|| format!("{}\n{body}\n", ui.bold(&header)))
}

fn state(source: &SourceSurvey) -> String {
    let warnings = source.report.iter().flat_map(|report| &report.warnings).count();
    let findings = source.findings.len() + warnings;
    match &source.failure {
        Some(failure) => format!("fails with {}", failure.code),
        None if findings > 0 => counted(findings as u64, "warning", "warnings"),
        None if source.depth == Depth::Nothing => "not collected".to_owned(),
        None if source.set_aside() > 0 => "incomplete".to_owned(),
        None => "well".to_owned(),
    }
}
