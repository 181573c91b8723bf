//! Copies the file: a backup to keep, or a scratch copy to try things on.

use crate::code;
use crate::error::Stored;
use crate::open::{at, set_up_connection};
use crate::{Ledger, Reader, Result};
use domain::diagnostic::Diagnostic;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs;
use std::path::{Path, PathBuf};

/// Pages copied between two reports of a backup: 8 MiB.
const BACKUP_PAGES: i32 = 1024;

impl Reader {
    /// From now on it shows the journal as it stands now, whatever others write.
    pub fn hold(&self) -> Result<()> {
        // `BEGIN` alone holds nothing: SQLite takes its state at the first read.
        self.connection.execute_batch("BEGIN; SELECT count(*) FROM run;").stored()
    }

    /// A copy to try things on. SQLite keeps it in a nameless file, which is gone after a crash
    /// too.
    pub fn scratch(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Ledger> {
        let mut connection = Connection::open("").stored()?;
        // A crash leaves no file that would have to be repaired, so the log can stay in memory.
        connection
            .execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = MEMORY;")
            .stored()?;
        self.copy_into(&mut connection, progress)?;
        set_up_connection(&connection)?;
        Ok(Ledger { reader: Reader { connection, path: None } })
    }

    /// Copies the journal as it stands, while others may read and write it.
    /// Reports pages done and pages in all.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        if to.symlink_metadata().is_ok() {
            return Err(Diagnostic::new(
                domain::code::CONFIG_EXISTS,
                format!("there is already a file at {}", to.display()),
            )
            .hint("choose a new name for the backup"));
        }
        // Named last, so that a copy that was cut off is never taken for a backup.
        let partial = partial_name(to);
        // Left over from a copy that was interrupted.
        let _ = fs::remove_file(&partial);
        let copied = Connection::open(&partial)
            .stored()
            .and_then(|mut target| self.copy_into(&mut target, progress))
            .and_then(|()| {
                fs::rename(&partial, to).map_err(|error| {
                    Diagnostic::new(
                        code::LEDGER_STORAGE,
                        format!("the backup cannot be named {}: {error}", to.display()),
                    )
                    .hint("choose another folder for the backup")
                })
            });
        if copied.is_err() {
            let _ = fs::remove_file(&partial);
        }
        copied.map_err(|error| at(error, to))
    }

    /// Copies all pages in steps. An open read pins one state for all steps; otherwise each commit
    /// of another process would make the copy start over.
    fn copy_into(&self, target: &mut Connection, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let pins = self.connection.is_autocommit();
        if pins {
            self.hold()?;
        }
        let copied = copy(&self.connection, target, progress);
        if pins {
            self.connection.execute_batch("ROLLBACK").stored()?;
        }
        copied
    }
}

fn copy(
    source: &Connection,
    target: &mut Connection,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    let backup = Backup::new(source, target).stored()?;
    loop {
        let step = backup.step(BACKUP_PAGES).stored()?;
        let state = backup.progress();
        let all = u64::try_from(state.pagecount).unwrap_or_default();
        progress(all.saturating_sub(u64::try_from(state.remaining).unwrap_or_default()), all);
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => {
                return Err(Diagnostic::new(
                    code::LEDGER_BUSY,
                    "another run is writing to the ledger",
                )
                .hint("wait until it has ended, then try again"));
            }
        }
    }
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}
