//! Translates SQLite's errors into the product's own. It happens only here.

use crate::Result;
use crate::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use rusqlite::ErrorCode;

/// Turns a result of SQLite into a result of this crate.
pub trait Stored<T> {
    fn stored(self) -> Result<T>;
}

impl<T> Stored<T> for rusqlite::Result<T> {
    fn stored(self) -> Result<T> {
        self.map_err(|error| storage(&error))
    }
}

pub fn storage(error: &rusqlite::Error) -> Diagnostic {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows,
        SqliteFailure, Utf8Error,
    };
    match error {
        SqliteFailure(failure, _) => failed(failure.code, error),
        InvalidColumnType(..)
        | IntegralValueOutOfRange(..)
        | FromSqlConversionFailure(..)
        | Utf8Error(..)
        | QueryReturnedNoRows => {
            corrupt(format!("a stored value is not what it should be: {error}"))
        }
        _ => Diagnostic::new(code::LEDGER_STORAGE, format!("the ledger cannot be used: {error}")),
    }
}

fn failed(failure: ErrorCode, error: &rusqlite::Error) -> Diagnostic {
    match failure {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            Diagnostic::new(code::LEDGER_BUSY, "another run is writing to the ledger")
                .hint("wait until it has ended, then try again")
        }
        ErrorCode::DiskFull => {
            Diagnostic::new(code::LEDGER_FULL, "the ledger's disk is full; nothing was kept")
                .hint("make room on the ledger's disk, then give the command again")
        }
        ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied => Diagnostic::new(
            code::LEDGER_READ_ONLY,
            format!("the ledger cannot be written: {error}"),
        )
        .hint("the ledger and its folder must be writable by the user that runs apportion"),
        ErrorCode::NotADatabase => not_ours("the file is not a database"),
        ErrorCode::DatabaseCorrupt => corrupt(format!("the file is damaged: {error}")),
        ErrorCode::SystemIoFailure => Diagnostic::new(
            code::LEDGER_STORAGE,
            format!("the ledger's storage reports: {error}; nothing was kept"),
        )
        .hint("look at the ledger's disk, its quota and the limit of file sizes (`ulimit -f`)"),
        _ => {
            Diagnostic::new(code::LEDGER_STORAGE, format!("the ledger's storage reports: {error}"))
        }
    }
}

/// The same fault in the words of a copy of the ledger: `what` cannot be written, and the ledger's
/// own disk is well.
pub fn of_copy(fault: Diagnostic, what: &str, hint: impl Into<Hint>) -> Diagnostic {
    let reason = match fault.code {
        code::LEDGER_FULL => "its disk is full",
        code::LEDGER_STORAGE => "its disk, quota or limit of file sizes does not let it grow",
        code::LEDGER_READ_ONLY => "its folder cannot be written to",
        _ => return fault,
    };
    Diagnostic::new(fault.code, format!("{what} cannot be written: {reason}")).hint(hint)
}

pub fn not_ours(why: &str) -> Diagnostic {
    Diagnostic::new(code::LEDGER_NOT_OURS, format!("this is not an Apportion ledger: {why}")).hint(
        Hint::text("set ").then(Hint::setting("ledger")).then(
            " in the settings to the right \
            file",
        ),
    )
}

pub fn corrupt(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code::LEDGER_CORRUPT, message).hint(
        Hint::text("run ").then(Hint::command("ledger verify")).then(", and restore a backup"),
    )
}

/// The error for a caller that broke a rule of this crate.
pub fn misuse(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(domain::code::INTERNAL, message)
        .hint("this is a fault of Apportion; nothing was posted")
}
