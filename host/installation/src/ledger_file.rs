//! The ledger that the settings name.

use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use ledger::{Ledger, Reader};

/// Opens the ledger for runs, and makes it on the first one.
pub fn open_for_runs(settings: &Settings) -> Result<Ledger, Diagnostic> {
    Ledger::open_or_create(&settings.ledger.value)
}

/// Opens the ledger for writing; it must be there.
pub fn open(settings: &Settings) -> Result<Ledger, Diagnostic> {
    Ledger::open(&settings.ledger.value).map_err(with_hint)
}

/// Opens the ledger for reading; it must be there.
pub fn reader(settings: &Settings) -> Result<Reader, Diagnostic> {
    Reader::open(&settings.ledger.value).map_err(with_hint)
}

fn with_hint(finding: Diagnostic) -> Diagnostic {
    match finding.code {
        ledger::code::LEDGER_NOT_FOUND => {
            finding.hint(Hint::command("run").then(" makes it; `--ledger PATH` names another"))
        }
        _ => finding,
    }
}
