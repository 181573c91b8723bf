//! `period`: close, reopen, list.

use crate::args::{Format, GlobalArgs, PeriodCommand};
use crate::error::Failure;
use crate::ui::Ui;
use installation::clock;
use installation::ledger_file;
use installation::settings::Need;
use ledger::{PeriodEvent, PeriodState};
use serde_json::{Value, json};

pub fn period(ui: Ui, global: &GlobalArgs, command: &PeriodCommand) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    match command {
        PeriodCommand::Close { month, note } => {
            ledger_file::open(&settings)?.close_period(*month, clock::now_ms(), note)?;
            ui.note(&format!("{month} is closed"));
            Ok(())
        }
        PeriodCommand::Reopen { month, reason } => {
            ledger_file::open(&settings)?.reopen_period(*month, clock::now_ms(), reason)?;
            ui.note(&format!("{month} is open again"));
            Ok(())
        }
        PeriodCommand::List { format } => {
            let events = ledger_file::reader(&settings)?.periods()?;
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
