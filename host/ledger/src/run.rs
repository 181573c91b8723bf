//! A run's beginning and end. All that it writes is one SQL transaction.

use crate::digest::START;
use crate::error::{Stored, misuse};
use crate::intern::Interner;
use crate::row;
use crate::seal;
use crate::{GenerationId, Ledger, Result, RunEnd, RunRow, RunRowEnd, RunStart, Transaction};
use domain::run::{RunId, RunState};
use rusqlite::TransactionBehavior;

impl Ledger {
    /// Begins a run. That it began is kept at once, so that a crash shows as an interrupted run; all else waits for `commit`.
    pub fn begin(&mut self, start: &RunStart) -> Result<Transaction<'_>> {
        self.connection.execute_batch("PRAGMA synchronous = NORMAL").stored()?;
        let marked = self.mark_started(start);
        // The commit that counts waits for the disk.
        self.connection.execute_batch("PRAGMA synchronous = FULL").stored()?;
        let run = marked?;
        self.connection.execute_batch("BEGIN IMMEDIATE").stored()?;
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
        let mark =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).stored()?;
        row::execute(
            &mark,
            "INSERT INTO run (started_at_ms, version) VALUES (?1, ?2)",
            (start.at_ms, &start.version),
        )?;
        let run = RunId(mark.last_insert_rowid());
        mark.commit().stored()?;
        Ok(run)
    }

    /// Says why a run that was dropped came to nothing.
    pub fn fail(&mut self, run: RunId, at_ms: i64, note: &str) -> Result<()> {
        let ending =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).stored()?;
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

    /// The latest runs, newest first.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunRow>> {
        let sql = "SELECT r.id, r.started_at_ms, r.version, e.run, e.ended_at_ms, e.state, e.generation, e.charges, e.rejected, e.note
             FROM run r LEFT JOIN run_end e ON e.run = r.id ORDER BY r.id DESC LIMIT ?1";
        row::rows(&self.connection, sql, [limit as i64], |row| {
            let ended: Option<i64> = row::cell(row, 3)?;
            let end = ended.map(|_| read_end(row, 4)).transpose()?;
            Ok(RunRow {
                id: RunId(row::cell(row, 0)?),
                started_at_ms: row::cell(row, 1)?,
                version: row::cell(row, 2)?,
                end,
            })
        })
    }
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
    let before =
        row::row(connection, "SELECT seal FROM run_end ORDER BY id DESC LIMIT 1", [], |row| {
            row::digest(row, 0)
        })?
        .unwrap_or(START);
    let contents = seal::contents(connection, Some(run))?;
    let seal = seal::of_run(
        &before,
        &seal::Facts::read(connection, run)?,
        end,
        contents.get(&run).copied(),
    );
    let sql = "INSERT INTO run_end (run, ended_at_ms, state, generation, charges, rejected, note, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
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

    /// What the journal says with this run's writes.
    pub fn reader(&self) -> &Ledger {
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
    type Target = Ledger;
    fn deref(&self) -> &Ledger {
        self.ledger
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
