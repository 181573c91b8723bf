//! Creates, opens, upgrades and copies the file.

use crate::code;
use crate::error::{Stored, not_ours};
use crate::{Ledger, Reader, Result};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `Aptn`. It distinguishes our files from other databases, for `file(1)` as well.
const APPLICATION_ID: i32 = 0x4170_746E;

/// The migrations. Each brings the schema one version on. Released ones are never edited; a test
/// checks that.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/01-journal/up.sql"),
    include_str!("../migrations/02-approval/up.sql"),
    include_str!("../migrations/03-usage/up.sql"),
    include_str!("../migrations/04-stages/up.sql"),
    include_str!("../migrations/05-sources/up.sql"),
    include_str!("../migrations/06-coverage/up.sql"),
];

/// The time that a second writer waits before it fails with `L105`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Pages copied between two reports of a backup: 8 MiB.
const BACKUP_PAGES: i32 = 1024;

impl Reader {
    /// Opens a journal for reading. One of an older version must be upgraded first.
    pub fn open(path: &Path) -> Result<Reader> {
        refuse_missing(path)?;
        let reader = Reader { connection: open_to_read(path)?, path: Some(path.to_owned()) };
        let version = checked_version(&reader.connection).map_err(|error| at(error, path))?;
        if version < MIGRATIONS.len() {
            return Err(Diagnostic::new(
                code::LEDGER_READ_ONLY,
                format!(
                    "{} was written by an older version and must be upgraded first",
                    path.display()
                ),
            )
            .hint(
                Hint::text("make a copy, then run ")
                    .then(Hint::command("run"))
                    .then(" once, which upgrades the ledger"),
            ));
        }
        Ok(reader)
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
        refuse_existing(to, "choose a new name for the backup")?;
        // Named last, so that a copy that was cut off is never taken for a backup.
        let partial = partial_name(to);
        // Left over from a copy that was interrupted.
        let _ = std::fs::remove_file(&partial);
        let copied = Connection::open(&partial)
            .stored()
            .and_then(|mut target| self.copy_into(&mut target, progress))
            .and_then(|()| {
                std::fs::rename(&partial, to).map_err(|error| {
                    Diagnostic::new(
                        code::LEDGER_STORAGE,
                        format!("the backup cannot be named {}: {error}", to.display()),
                    )
                    .hint("choose another folder for the backup")
                })
            });
        if copied.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        copied.map_err(|error| at(error, to))
    }

    /// Copies all pages in steps. An open read pins one state for all steps; otherwise each commit
    /// of another process would make the copy start over.
    fn copy_into(&self, target: &mut Connection, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let pins = self.connection.is_autocommit();
        if pins {
            // `BEGIN` alone pins nothing: SQLite takes its state at the first read.
            self.connection.execute_batch("BEGIN; SELECT count(*) FROM run;").stored()?;
        }
        let copied = copy(&self.connection, target, progress);
        if pins {
            self.connection.execute_batch("ROLLBACK").stored()?;
        }
        copied
    }

    /// The journal's file. `None` for a journal in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Empties the write-ahead log into the file. Readers may hold that up, and then a later run
    /// does it.
    pub(crate) fn checkpoint(&self) {
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

impl Ledger {
    /// Creates a new journal. An existing file is refused and not touched.
    pub fn create(path: &Path) -> Result<Ledger> {
        refuse_existing(path, "choose another path for the ledger")?;
        // Another process may make the file after the check above, so making it is a check as well.
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        made.map_err(|error| {
            Diagnostic::new(
                code::LEDGER_READ_ONLY,
                format!("{} cannot be made: {error}", path.display()),
            )
            .hint("choose a folder that exists and is writable")
        })?;
        let ledger = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
            set_up_file(&connection)?;
            Ledger::migrated(connection, Some(path))
        });
        // Half a file would be refused by `open`, and be in the way of the next `create`.
        if ledger.is_err() {
            let _ = std::fs::remove_file(path);
        }
        ledger
    }

    /// Opens a journal for writing. One of an older version is upgraded first.
    pub fn open(path: &Path) -> Result<Ledger> {
        refuse_missing(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Before anything is written: a file of another program must stay as it is.
        checked_version(&connection).map_err(|error| at(error, path))?;
        Ledger::migrated(connection, Some(path))
    }

    /// A journal in memory, for tests and dry runs.
    pub fn in_memory() -> Result<Ledger> {
        let connection = Connection::open_in_memory().stored()?;
        set_up_connection(&connection)?;
        Ledger::migrated(connection, None)
    }

    fn migrated(mut connection: Connection, path: Option<&Path>) -> Result<Ledger> {
        migrate(&mut connection)?;
        Ok(Ledger { reader: Reader { connection, path: path.map(Path::to_owned) } })
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .stored()
        .map_err(|error| at(error, path))?;
    set_up_connection(&connection).map_err(|error| at(error, path))?;
    Ok(connection)
}

/// The number of migrations that the file has seen; refuses files of others and of the future.
fn checked_version(connection: &Connection) -> Result<usize> {
    let pragma =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).stored();
    if pragma("application_id")? != APPLICATION_ID {
        return Err(not_ours("it belongs to another program, or was never finished"));
    }
    let version = pragma("user_version")?;
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(Diagnostic::new(
            code::LEDGER_NEWER,
            format!(
                "the ledger has format {version}, and this version knows formats up to {}",
                MIGRATIONS.len()
            ),
        )
        .hint("install the version of apportion that wrote it, or a newer one")),
    }
}

/// All missing migrations in one go, or none.
fn migrate(connection: &mut Connection) -> Result<()> {
    let current = |connection: &Connection| -> Result<usize> {
        let version = connection
            .pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))
            .stored()?;
        Ok(usize::try_from(version).unwrap_or(0))
    };
    if current(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let migration =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).stored()?;
    // Read again under the lock: another process may have upgraded the file in between.
    let version = current(&migration)?;
    for sql in MIGRATIONS.iter().skip(version) {
        migration.execute_batch(sql).stored()?;
    }
    // In the same transaction, so that a file that was never finished is no ledger.
    migration.pragma_update(None, "application_id", APPLICATION_ID).stored()?;
    migration.pragma_update(None, "user_version", MIGRATIONS.len() as i32).stored()?;
    migration.commit().stored()
}

fn refuse_missing(path: &Path) -> Result<()> {
    if path.is_file() {
        return Ok(());
    }
    Err(Diagnostic::new(
        code::LEDGER_NOT_FOUND,
        format!("there is no ledger at {}", path.display()),
    )
    .hint(Hint::command("run").then(" makes it")))
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

/// Opens a file for reading. With a write-ahead log, SQLite needs a writable folder even to read.
/// If no log is left, the file alone is complete and is opened without one.
fn open_to_read(path: &Path) -> Result<Connection> {
    let opened = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|connection| {
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .stored()
            .map_err(|error| at(error, path))?;
        Ok(connection)
    });
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let opened = match opened {
        Err(error) if error.code == code::LEDGER_READ_ONLY && !Path::new(&log).exists() => {
            open_immutable(path)
        }
        opened => opened,
    };
    opened.map_err(|error| match error.code == code::LEDGER_READ_ONLY {
        true => Diagnostic::new(code::LEDGER_STORAGE, format!("{} cannot be read", path.display()))
            .hint("the ledger must be readable by the user that runs apportion"),
        false => error,
    })
}

/// Opens a file without locks and log. That is right only for a file that nobody writes.
fn open_immutable(path: &Path) -> Result<Connection> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // These characters have a meaning in a URI. The percent sign comes first, or it would spoil the
    // other escapes.
    let escaped =
        absolute.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = connect(Path::new(&format!("file:{escaped}?immutable=1")), flags)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).stored()?;
    Ok(connection)
}

/// Sets the settings that stay with the file. The page size must come first.
fn set_up_file(connection: &Connection) -> Result<()> {
    connection.execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;").stored()
}

/// Sets the settings of a connection. A cache of 8 MiB holds the inner pages of the trees; a run
/// does not read its own appended pages before its end. The log is emptied by
/// [`Ledger::checkpoint`] after each run, so SQLite's own checkpoint is set far off.
fn set_up_connection(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT).stored()?;
    connection.set_prepared_statement_cache_capacity(64);
    // The file is not trusted: its schema may call no dangerous functions, and the size of each
    // cell is checked.
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; \
             PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 16384; PRAGMA trusted_schema = OFF; PRAGMA \
               cell_size_check = ON;",
        )
        .stored()
}

fn refuse_existing(path: &Path, hint: &str) -> Result<()> {
    match path.try_exists() {
        Ok(true) => Err(Diagnostic::new(
            domain::code::CONFIG_EXISTS,
            format!("there is already a file at {}", path.display()),
        )
        .hint(hint)),
        _ => Ok(()),
    }
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Adds the file's name as the place of an error that has none.
fn at(error: Diagnostic, path: &Path) -> Diagnostic {
    if error.location.is_some() { error } else { error.at(path.display().to_string(), 0, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good<T>(result: Result<T>) -> T {
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A reader has no method that writes, and SQLite refuses to write through its connection.
    #[test]
    fn a_ledger_opened_to_read_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join("a.ledger");
        drop(good(Ledger::create(&path)));
        let reader = good(Reader::open(&path));
        let sql = "INSERT INTO run (started_at_ms, version) VALUES (1, '1')";
        let written = reader.connection.execute_batch(sql).stored();
        assert_eq!(written.map_err(|error| error.code), Err(code::LEDGER_READ_ONLY));
        assert_eq!(good(reader.runs(10)).len(), 0);
    }
}
