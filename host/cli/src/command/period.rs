//! `period`: close, reopen, list.

use super::opening;
use crate::args::{Format, GlobalArgs, PeriodCommand};
use crate::error::Failure;
use crate::query;
use crate::settings::{Need, Settings};
use crate::ui::Ui;
use ledger::{PeriodEvent, PeriodState};
use serde_json::{Value, json};

pub fn period(ui: Ui, global: &GlobalArgs, command: &PeriodCommand) -> Result<(), Failure> {
    let settings = Settings::load(global, Need::LedgerOnly)?;
    match command {
        PeriodCommand::Close { month, note } => {
            opening::ledger(&settings)?.close_period(*month, query::now_ms(), note)?;
            ui.note(&format!("{month} is closed"));
            Ok(())
        }
        PeriodCommand::Reopen { month, reason } => {
            opening::ledger(&settings)?.reopen_period(*month, query::now_ms(), reason)?;
            ui.note(&format!("{month} is open again"));
            Ok(())
        }
        PeriodCommand::List { format } => {
            let events = opening::reader(&settings)?.periods()?;
            Ok(ui.data(&match format {
                Format::Text => events
                    .iter()
                    .map(|event| format!("{}  {:<8}  {}\n", event.month, state(event), event.note))
                    .collect(),
                Format::Json => super::json_text(&events.iter().map(event_json).collect()),
            })?)
        }
    }
}

fn state(event: &PeriodEvent) -> &'static str {
    match event.state {
        PeriodState::Closed => "closed",
        PeriodState::Reopened => "reopened",
    }
}

fn event_json(event: &PeriodEvent) -> Value {
    json!({ "month": event.month.to_string(), "state": state(event), "at_ms": event.at_ms, "note": event.note })
}
