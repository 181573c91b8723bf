//! Creates, opens and upgrades the file.

use crate::code;
use crate::error::{Stored, not_ours};
use crate::{Ledger, Reader, Result};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
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
    include_str!("../migrations/07-deliveries/up.sql"),
    include_str!("../migrations/08-terms/up.sql"),
    include_str!("../migrations/09-settings/up.sql"),
];

/// The time that a second writer waits before it fails with `L105`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

impl Reader {
    /// Opens a journal for reading. One of an older version must be upgraded first.
    pub fn open(path: &Path) -> Result<Reader> {
        if !is_there(path)? {
            return Err(missing(path));
        }
        let reader = Reader { connection: open_to_read(path)?, path: Some(path.to_owned()) };
        let version = stored_version(&reader.connection)
            .map_err(|error| at(error, path))?
            .ok_or_else(|| missing(path))?;
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
    /// Opens a journal for writing, and makes it where there is none. One of an older version is
    /// upgraded first.
    ///
    /// All of a new journal appears in one transaction. A process that is killed before leaves a
    /// file with nothing in it, which is as good as no file.
    pub fn open_or_create(path: &Path) -> Result<Ledger> {
        if !is_there(path)? {
            touch(path)?;
        }
        let (connection, version) = connect_to_write(path)?;
        if version.is_none() {
            set_up_file(&connection)?;
        }
        Ledger::migrated(connection, Some(path))
    }

    /// Opens a journal for writing; it must be there. One of an older version is upgraded first.
    pub fn open(path: &Path) -> Result<Ledger> {
        if !is_there(path)? {
            return Err(missing(path));
        }
        match connect_to_write(path)? {
            (_, None) => Err(missing(path)),
            (connection, Some(_)) => Ledger::migrated(connection, Some(path)),
        }
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

/// A connection and the file's version. Nothing is written yet: a file of another program must stay
/// as it is.
fn connect_to_write(path: &Path) -> Result<(Connection, Option<usize>)> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = stored_version(&connection).map_err(|error| at(error, path))?;
    Ok((connection, version))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .stored()
        .map_err(|error| at(error, path))?;
    set_up_connection(&connection).map_err(|error| at(error, path))?;
    Ok(connection)
}

/// The number of migrations that the file has seen, or nothing if nothing was made in it yet.
/// Refuses files of others and of the future.
fn stored_version(connection: &Connection) -> Result<Option<usize>> {
    // One read, or a process that makes the ledger at this moment would show half of its marks.
    let moment = connection.unchecked_transaction().stored()?;
    version_within(&moment)
}

fn version_within(moment: &Connection) -> Result<Option<usize>> {
    let pragma =
        |name: &str| moment.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).stored();
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let parts: i64 =
        moment.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).stored()?;
    if (application, version, parts) == (0, 0, 0) {
        return Ok(None);
    }
    if application != APPLICATION_ID {
        return Err(not_ours("it belongs to another program"));
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(Some(version)),
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
    if stored_version(connection)? == Some(MIGRATIONS.len()) {
        return Ok(());
    }
    let migration =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).stored()?;
    // Read again under the lock: another process may have made or upgraded the ledger in between.
    let version = version_within(&migration)?.unwrap_or(0);
    for sql in MIGRATIONS.iter().skip(version) {
        migration.execute_batch(sql).stored()?;
    }
    // In the same transaction, so that others see nothing or a whole ledger.
    migration.pragma_update(None, "application_id", APPLICATION_ID).stored()?;
    migration.pragma_update(None, "user_version", MIGRATIONS.len() as i32).stored()?;
    migration.commit().stored()
}

/// Whether there is a file. A ledger can be nothing else: a pipe would be waited for without end,
/// and a device would lose what is written.
fn is_there(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_file() => Ok(true),
        Ok(facts) if facts.is_dir() => Err(at(not_ours("it is a folder, not a file"), path)),
        Ok(_) => Err(at(not_ours("it is a pipe, a socket or a device, not a file"), path)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(Diagnostic::new(
            code::LEDGER_STORAGE,
            format!("{} cannot be opened: {error}", path.display()),
        )
        .hint(Hint::text("choose another path with ").then(Hint::setting("ledger = \"PATH\"")))),
    }
}

fn missing(path: &Path) -> Diagnostic {
    Diagnostic::new(code::LEDGER_NOT_FOUND, format!("there is no ledger at {}", path.display()))
        .hint(Hint::command("run").then(" makes it"))
}

/// Makes an empty file, unless another process has just made one. SQLite would not say why it
/// cannot be made.
fn touch(path: &Path) -> Result<()> {
    let touched = fs::OpenOptions::new().append(true).create(true).open(path);
    touched.map(|_| ()).map_err(|error| {
        Diagnostic::new(
            code::LEDGER_READ_ONLY,
            format!("{} cannot be made: {error}", path.display()),
        )
        .hint("choose a folder that exists and is writable")
    })
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
///
/// Of two processes that turn the log on at one time, SQLite refuses one at once, because they
/// would wait for each other. That one waits until the other is done, and finds the log turned on.
fn set_up_file(connection: &Connection) -> Result<()> {
    let set_up =
        || connection.execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;").stored();
    match set_up() {
        Err(error) if error.code == code::LEDGER_BUSY => {
            connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK;").stored()?;
            set_up()
        }
        done => done,
    }
}

/// Sets the settings of a connection. A cache of 8 MiB holds the inner pages of the trees; a run
/// does not read its own appended pages before its end. The log is emptied by
/// [`Ledger::checkpoint`] after each run, so SQLite's own checkpoint is set far off.
pub(crate) fn set_up_connection(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT).stored()?;
    connection.set_prepared_statement_cache_capacity(64);
    // Without it, SQLite plans a statement anew whenever a value of a range is bound: the values
    // could choose another index, and here they never do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).stored()?;
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

/// Adds the file's name as the place of an error that has none.
pub(crate) fn at(error: Diagnostic, path: &Path) -> Diagnostic {
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
        drop(good(Ledger::open_or_create(&path)));
        let reader = good(Reader::open(&path));
        let sql = "INSERT INTO run (started_at_ms, version) VALUES (1, '1')";
        let written = reader.connection.execute_batch(sql).stored();
        assert_eq!(written.map_err(|error| error.code), Err(code::LEDGER_READ_ONLY));
        assert_eq!(good(reader.runs(10)).len(), 0);
    }
}
