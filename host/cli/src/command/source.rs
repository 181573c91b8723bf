//! `source check`: whether the bills are there and what the plugins say about them.

use super::opening;
use crate::args::{GlobalArgs, SourceCommand};
use crate::error::Failure;
use crate::settings::{Need, Settings, SourceSettings};
use crate::ui::Ui;
use domain::diagnostic::Diagnostic;

pub fn source(ui: Ui, global: &GlobalArgs, command: &SourceCommand) -> Result<(), Failure> {
    let SourceCommand::Check { name } = command;
    let settings = Settings::load(global, Need::File)?;
    let chosen: Vec<&SourceSettings> = match name {
        Some(name) => vec![settings.source(name)?],
        None => settings.sources.iter().collect(),
    };
    let host = opening::plugin_host(Some(&settings))?;
    let mut findings: Vec<Diagnostic> = Vec::new();
    for source in chosen {
        match opening::source(&settings, &host, source, None) {
            Err(finding) => findings.push(finding),
            Ok(source) => match source.collector.check(&source.request) {
                Err(finding) => findings.push(finding),
                Ok(found) => {
                    ui.note(&format!(
                        "{}: {} files, read by {} {}",
                        source.name,
                        source.request.tables.len(),
                        source.collector.identity().name,
                        source.collector.identity().version
                    ));
                    findings.extend(found);
                }
            },
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings.into()) }
}
