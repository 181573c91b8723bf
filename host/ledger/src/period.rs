//! Closing and reopening of months. Each is an event that stays in the journal, linked to the one
//! before.

use crate::code;
use crate::digest::{Hash, Hasher, START};
use crate::error::Stored;
use crate::row;
use crate::{GenerationId, Ledger, PeriodEvent, PeriodState, PostedRun, Reader, Result};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::{Day, Month};
use domain::run::RunId;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::BTreeSet;

impl PeriodState {
    pub fn name(self) -> &'static str {
        match self {
            PeriodState::Closed => "closed",
            PeriodState::Reopened => "reopened",
        }
    }
}

impl Ledger {
    /// Closes a month. Entries for its days are from now on posted in the next open month.
    pub fn close_period(&mut self, month: Month, at_ms: i64, note: &str) -> Result<()> {
        self.close_period_if(month, at_ms, note, &|_| Ok(()))
    }

    /// Closes a month, if nothing stands against it. The check sees the journal under the lock
    /// that closes, so that no run can end between both.
    pub fn close_period_if(
        &mut self,
        month: Month,
        at_ms: i64,
        note: &str,
        check: &dyn Fn(&Reader) -> Result<()>,
    ) -> Result<()> {
        let event = PeriodEvent { month, state: PeriodState::Closed, at_ms, note: note.to_owned() };
        self.change_period(event, check)
    }

    /// Opens a closed month again. The reason stays in the journal.
    pub fn reopen_period(&mut self, month: Month, at_ms: i64, reason: &str) -> Result<()> {
        if reason.trim().is_empty() {
            return Err(Diagnostic::new(
                code::PERIOD_STATE,
                format!("reopening {month} needs a reason, which stays in the ledger"),
            )
            .hint(Hint::command(format!(
                "period reopen {month} --reason \"the provider sent a late credit\""
            ))));
        }
        let event =
            PeriodEvent { month, state: PeriodState::Reopened, at_ms, note: reason.to_owned() };
        self.change_period(event, &|_| Ok(()))
    }

    fn change_period(
        &mut self,
        mut event: PeriodEvent,
        check: &dyn Fn(&Reader) -> Result<()>,
    ) -> Result<()> {
        let connection = &self.reader.connection;
        let change =
            Transaction::new_unchecked(connection, TransactionBehavior::Immediate).stored()?;
        // Asked inside the transaction: another process may be closing the same month.
        let is_closed = closed_months(&change)?.contains(&event.month.first_day());
        if is_closed == (event.state == PeriodState::Closed) {
            let state = if is_closed { "closed already" } else { "open" };
            return Err(Diagnostic::new(code::PERIOD_STATE, format!("{} is {state}", event.month))
                .hint(Hint::command("period list")));
        }
        check(&self.reader)?;
        // A clock that was set back does not put the event before what is in the journal already.
        event.at_ms = event.at_ms.max(last_moment(&change)?);
        let last = row::row(
            &change,
            "SELECT id, hash FROM period_event ORDER BY id DESC LIMIT 1",
            [],
            |row| Ok((row::cell::<i64>(row, 0)?, row::digest(row, 1)?)),
        )?;
        let (last, before) = last.unwrap_or((0, START));
        let hash = of_event(&before, last + 1, &event);
        let sql = "INSERT INTO period_event (id, month_start, state, at_ms, note, hash) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        row::execute(
            &change,
            sql,
            (
                last + 1,
                event.month.first_day().epoch_days(),
                event.state.name(),
                event.at_ms,
                &event.note,
                hash,
            ),
        )?;
        change.commit().stored()
    }
}

impl Reader {
    /// All events of months, oldest first.
    pub fn periods(&self) -> Result<Vec<PeriodEvent>> {
        Ok(events(&self.connection)?.into_iter().map(|(_, event, _)| event).collect())
    }

    /// The latest end of a run and change of a month, in milliseconds since 1970.
    pub fn last_moment_ms(&self) -> Result<i64> {
        last_moment(&self.connection)
    }

    pub fn closed_months(&self) -> Result<Vec<Month>> {
        Ok(closed_months(&self.connection)?.into_iter().map(Day::month).collect())
    }

    /// The run whose rules and charges tell what stands behind the entries that a run posted in a
    /// month: the last one before the month was closed for the first time after it, or the last one
    /// of all. It stays the same from the close on, whatever is reopened later.
    pub fn last_run_of(&self, month: Month, posted_by: RunId) -> Result<Option<PostedRun>> {
        let sql = "SELECT e.run, e.generation FROM run_end e
             WHERE e.generation IS NOT NULL AND e.ended_at_ms <= coalesce((SELECT p.at_ms
                FROM period_event p WHERE p.month_start = ?1 AND p.state = 'closed'
                AND p.at_ms >= (SELECT b.ended_at_ms FROM run_end b WHERE b.run = ?2)
                ORDER BY p.id LIMIT 1), ?3)
             ORDER BY e.run DESC LIMIT 1";
        let key = (month.first_day().epoch_days(), posted_by.0, i64::MAX);
        row::row(&self.connection, sql, key, |row| {
            Ok(PostedRun {
                id: RunId(row::cell(row, 0)?),
                generation: GenerationId(row::cell(row, 1)?),
            })
        })
    }
}

fn last_moment(connection: &Connection) -> Result<i64> {
    let sql = "SELECT max(coalesce((SELECT max(ended_at_ms) FROM run_end), 0), \
        coalesce((SELECT max(at_ms) FROM period_event), 0))";
    row::number(connection, sql, [])
}

/// The latest change of a month. A run begins after it, and runs before it have ended by then: so
/// it is known of each run whether it was before a month was closed.
pub fn last_change(connection: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT max(at_ms) FROM period_event";
    row::row(connection, sql, [], |row| row::cell(row, 0)).map(Option::flatten)
}

/// All events with their numbers and stored hashes.
pub fn events(connection: &Connection) -> Result<Vec<(i64, PeriodEvent, Hash)>> {
    row::rows(
        connection,
        "SELECT id, month_start, state, at_ms, note, hash FROM period_event ORDER BY id",
        [],
        |row| {
            let state = if row::text(row, 2)? == PeriodState::Closed.name() {
                PeriodState::Closed
            } else {
                PeriodState::Reopened
            };
            let event = PeriodEvent {
                month: row::day(row, 1)?.month(),
                state,
                at_ms: row::cell(row, 3)?,
                note: row::cell(row, 4)?,
            };
            Ok((row::cell(row, 0)?, event, row::digest(row, 5)?))
        },
    )
}

/// The hash of an event and of all events before it.
pub fn of_event(before: &Hash, number: i64, event: &PeriodEvent) -> Hash {
    let mut hasher = Hasher::new("apportion period 1");
    hasher.bytes(before);
    hasher.number(number);
    hasher.number(i64::from(event.month.first_day().epoch_days()));
    hasher.text(event.state.name());
    hasher.number(event.at_ms);
    hasher.text(&event.note);
    hasher.finish()
}

/// The closed months, each by its first day.
pub fn closed_months(connection: &Connection) -> Result<BTreeSet<Day>> {
    let sql = "SELECT month_start FROM period_event p
         WHERE id = (SELECT max(q.id) FROM period_event q WHERE q.month_start = p.month_start) \
           AND state = 'closed'";
    Ok(row::rows(connection, sql, [], |row| row::day(row, 0))?.into_iter().collect())
}

/// The posting day for a charge day: the day itself if its month is open, and otherwise the first
/// day of the next open month.
pub fn open_day(closed: &BTreeSet<Day>, day: Day) -> Day {
    let mut month = day.month();
    if !closed.contains(&month.first_day()) {
        return day;
    }
    while closed.contains(&month.first_day()) {
        month = month.next();
    }
    month.first_day()
}
