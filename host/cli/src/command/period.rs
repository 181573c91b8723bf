//! `period`: close, reopen, list.

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Month;
use installation::clock;
use installation::ledger_file;
use installation::settings::Need;
use ledger::code::PERIOD_STATE;
use ledger::{Ledger, PeriodEvent, PeriodState, Reader};
use reports::closing;
use serde_json::{Value, json};

#[derive(clap::Subcommand, Debug)]
pub enum PeriodCommand {
    /// Close a month: nothing is posted to it any more
    Close {
        /// The month, such as 2026-03
        #[arg(value_name = "MONTH")]
        month: Month,
        /// A note, for the record
        #[arg(long, default_value = "")]
        note: String,
        /// Close although something stands against it, for this reason
        #[arg(long, value_name = "REASON")]
        because: Option<String>,
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
        PeriodCommand::Close { month, note, because } => {
            let ledger = ledger_file::open(&settings)?;
            close(ledger, *month, note, because.as_deref())?;
            ui.note(&format!("{month} is closed"));
            Ok(())
        }
        PeriodCommand::Reopen { month, reason } => {
            ledger_file::open(&settings)?.reopen_period(*month, clock::now_ms(), reason)?;
            ui.note(&format!(
                "{month} is open again; corrections of it in later months stay there"
            ));
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

fn close(
    mut ledger: Ledger,
    month: Month,
    note: &str,
    because: Option<&str>,
) -> Result<(), Diagnostic> {
    let now_ms = clock::now_ms();
    let Some(reason) = because.map(str::trim) else {
        let check = |ledger: &Reader| closing::check(ledger, month, now_ms);
        return ledger.close_period_if(month, now_ms, note, &check);
    };
    if reason.is_empty() {
        let message = format!("closing {month} all the same needs a reason");
        let hint = Hint::command(format!("period close {month} --because \"the reason\""));
        return Err(Diagnostic::new(PERIOD_STATE, message).hint(hint));
    }
    let against = closing::obstacles(&ledger, month, now_ms)?;
    let although = match against.is_empty() {
        true => String::new(),
        false => format!("although {}", closing::listed(&against)),
    };
    let parts = [note.trim(), reason, &although];
    let recorded = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    ledger.close_period(month, now_ms, &recorded.join("; "))
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
