//! `period`: close, reopen, list.

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::period::Month;
use installation::clock;
use installation::ledger_file;
use installation::settings::Need;
use ledger::{PeriodEvent, PeriodState};
use serde_json::{Value, json};

#[derive(clap::Subcommand, Debug)]
pub enum PeriodCommand {
    /// Close a month: nothing is posted to it any more
    Close {
        /// The month, such as 2026-03
        #[arg(value_name = "MONTH")]
        month: Month,
        /// Why, for the record
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Reopen a closed month
    Reopen {
        /// The month, such as 2026-03
        #[arg(value_name = "MONTH")]
        month: Month,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// List the months that were closed or reopened
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

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
                    .map(|event| format!("{}  {:<8}  {}", event.month, state(event), event.note))
                    .map(|line| ui.shown(&line) + "\n")
                    .collect(),
                Format::Json => json_text(&events.iter().map(event_json).collect()),
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
    json!({
        "month": event.month.to_string(),
        "state": state(event),
        "at_ms": event.at_ms,
        "note": event.note,
    })
}
