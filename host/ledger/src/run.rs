//! A run's beginning and end. All that it writes is one SQL transaction.

use crate::digest::START;
use crate::error::{Stored, misuse};
use crate::intern::Interner;
use crate::period;
use crate::row;
use crate::seal;
use crate::{
    GenerationId, Ledger, PostedRun, Reader, Result, RunCount, RunEnd, RunRow, RunRowEnd, RunStart,
    Transaction,
};
use domain::run::{RunId, RunState};
use rusqlite::TransactionBehavior;

impl Ledger {
    /// Begins a run. Its start is kept at once, so that a crash shows as an interrupted run. All
    /// else waits for `commit`.
    pub fn begin(&mut self, start: &RunStart) -> Result<Transaction<'_>> {
        // A power cut may take the mark away: the run has done nothing yet.
        self.connection.execute_batch("PRAGMA synchronous = NORMAL").stored()?;
        let marked = self.mark_started(start);
        // The commit that counts waits for the disk.
        self.connection.execute_batch("PRAGMA synchronous = FULL").stored()?;
        let run = marked?;
        // Takes the write lock at once: another run fails before it collects, and not after.
        self.connection.execute_batch("BEGIN IMMEDIATE").stored()?;
        // Made before the words are loaded: if that fails, dropping it rolls back.
        let mut transaction = Transaction {
            ledger: self,
            run,
            interner: Interner::default(),
            source_open: false,
            finished: false,
        };
        transaction.interner = Interner::load(&transaction.ledger.connection)?;
        Ok(transaction)
    }

    fn mark_started(&mut self, start: &RunStart) -> Result<RunId> {
        let mark = self
            .reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .stored()?;
        let earliest = period::last_change(&mark)?.map_or(i64::MIN, |at_ms| at_ms + 1);
        row::execute(
            &mark,
            "INSERT INTO run (started_at_ms, version) VALUES (?1, ?2)",
            (start.at_ms.max(earliest), &start.version),
        )?;
        let run = RunId(mark.last_insert_rowid());
        mark.commit().stored()?;
        Ok(run)
    }

    /// Notes why a run that was dropped has failed.
    pub fn fail(&mut self, run: RunId, at_ms: i64, note: &str) -> Result<()> {
        let ending = self
            .reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .stored()?;
        let end = RunRowEnd {
            at_ms,
            state: RunState::Failed,
            generation: None,
            charges: 0,
            rejected: 0,
            note: note.to_owned(),
        };
        write_end(&ending, run, &end)?;
        ending.commit().stored()
    }
}

const RUNS: &str = "SELECT r.id, r.started_at_ms, r.version,
        e.run, e.ended_at_ms, e.state, e.generation, e.charges, e.rejected, e.note
    FROM run r LEFT JOIN run_end e ON e.run = r.id";

impl Reader {
    /// The latest runs, newest first.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunRow>> {
        self.runs_before(RunId(i64::MAX), limit)
    }

    /// The latest runs that began before another one, newest first: a page of a list.
    pub fn runs_before(&self, before: RunId, limit: usize) -> Result<Vec<RunRow>> {
        let sql = format!("{RUNS} WHERE r.id < ?1 ORDER BY r.id DESC LIMIT ?2");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        row::rows(&self.connection, &sql, (before.0, limit), read_run)
    }

    pub fn run(&self, id: RunId) -> Result<Option<RunRow>> {
        row::row(&self.connection, &format!("{RUNS} WHERE r.id = ?1"), [id.0], read_run)
    }

    /// The last run that posted. The ledger stands by its rules: a run that ends leaves every day
    /// allocated by its own rules. Failed runs have no generation and are passed over.
    pub fn last_posted_run(&self) -> Result<Option<PostedRun>> {
        let sql = "SELECT run, generation FROM run_end WHERE generation IS NOT NULL
            ORDER BY run DESC LIMIT 1";
        row::row(&self.connection, sql, [], |row| {
            Ok(PostedRun {
                id: RunId(row::cell(row, 0)?),
                generation: GenerationId(row::cell(row, 1)?),
            })
        })
    }

    /// How many runs ended in each state. No state: they run, or they were interrupted.
    pub fn run_counts(&self) -> Result<Vec<RunCount>> {
        let sql = "SELECT count(*), max(e.ended_at_ms), e.state
            FROM run r LEFT JOIN run_end e ON e.run = r.id GROUP BY e.state ORDER BY e.state";
        row::rows(&self.connection, sql, [], |row| {
            let last_ended_at_ms: Option<i64> = row::cell(row, 1)?;
            let state = last_ended_at_ms.map(|_| row::run_state(row, 2)).transpose()?;
            Ok(RunCount { state, runs: row::count(row, 0)?, last_ended_at_ms })
        })
    }
}

fn read_run(row: &rusqlite::Row<'_>) -> Result<RunRow> {
    let ended: Option<i64> = row::cell(row, 3)?;
    Ok(RunRow {
        id: RunId(row::cell(row, 0)?),
        started_at_ms: row::cell(row, 1)?,
        version: row::cell(row, 2)?,
        end: ended.map(|_| read_end(row, 4)).transpose()?,
    })
}

fn read_end(row: &rusqlite::Row<'_>, at: usize) -> Result<RunRowEnd> {
    Ok(RunRowEnd {
        at_ms: row::cell(row, at)?,
        state: row::run_state(row, at + 1)?,
        generation: row::cell::<Option<i64>>(row, at + 2)?.map(GenerationId),
        charges: row::count(row, at + 3)?,
        rejected: row::count(row, at + 4)?,
        note: row::cell(row, at + 5)?,
    })
}

fn write_end(connection: &rusqlite::Connection, run: RunId, end: &RunRowEnd) -> Result<()> {
    let beginning = seal::RunBeginning::read(connection, run)?;
    // No run ends before its start, nor before a month was closed while it waited for the lock.
    let earliest = period::last_change(connection)?.map_or(i64::MIN, |at_ms| at_ms + 1);
    let at_ms = end.at_ms.max(beginning.started_at_ms).max(earliest);
    let end = &RunRowEnd { at_ms, ..end.clone() };
    let before =
        row::row(connection, "SELECT seal FROM run_end ORDER BY id DESC LIMIT 1", [], |row| {
            row::digest(row, 0)
        })?
        .unwrap_or(START);
    // Last of all, because the seal covers everything that the run wrote.
    let contents = seal::contents(connection, Some(run))?;
    let seal = seal::of_run(&before, &beginning, end, contents.get(&run).copied());
    let sql = "INSERT INTO run_end (run, ended_at_ms, state, generation, charges, rejected, note,
        seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let generation = end.generation.map(|generation| generation.0);
    let (charges, rejected) = (row::stored_count(end.charges), row::stored_count(end.rejected));
    row::execute(
        connection,
        sql,
        (run.0, end.at_ms, end.state.name(), generation, charges, rejected, &end.note, seal),
    )
}

impl Transaction<'_> {
    pub fn run(&self) -> RunId {
        self.run
    }

    /// The journal as it is with this run's writes.
    pub fn reader(&self) -> &Reader {
        self.ledger
    }

    /// Makes everything of the run part of the journal, on disk when this returns.
    pub fn commit(mut self, end: &RunEnd) -> Result<()> {
        if self.source_open {
            return Err(misuse("a source is neither kept nor abandoned"));
        }
        let generation = if end.state == RunState::Failed { None } else { Some(end.generation) };
        let end = RunRowEnd {
            at_ms: end.at_ms,
            state: end.state,
            generation,
            charges: end.charges,
            rejected: end.rejected,
            note: end.note.clone(),
        };
        write_end(&self.ledger.connection, self.run, &end)?;
        self.ledger.connection.execute_batch("COMMIT").stored()?;
        self.finished = true;
        self.ledger.checkpoint();
        Ok(())
    }

    /// Ends a run that has no generation.
    #[cfg(test)]
    pub fn commit_for_tests(self) {
        let end = RunEnd {
            at_ms: 1,
            state: RunState::Failed,
            generation: GenerationId(0),
            charges: 0,
            rejected: 0,
            note: String::new(),
        };
        self.commit(&end).unwrap_or_else(|error| panic!("{error}"));
    }
}

impl std::ops::Deref for Transaction<'_> {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        self.ledger
    }
}

impl std::ops::Deref for Ledger {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Drop for Transaction<'_> {
    /// SQLite rolls back by itself after some errors; then there is nothing left to do.
    fn drop(&mut self) {
        if !self.finished && !self.ledger.connection.is_autocommit() {
            let _ = self.ledger.connection.execute_batch("ROLLBACK");
        }
    }
}
