//! Closing and reopening of months. Each is an event that stays in the journal, linked to the one
//! before.

use crate::code;
use crate::digest::{Hash, Hasher, START};
use crate::error::Stored;
use crate::row;
use crate::{Ledger, PeriodEvent, PeriodState, Reader, Result};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::{Day, Month};
use rusqlite::{Connection, TransactionBehavior};
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
        self.change_period(PeriodEvent {
            month,
            state: PeriodState::Closed,
            at_ms,
            note: note.to_owned(),
        })
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
        self.change_period(PeriodEvent {
            month,
            state: PeriodState::Reopened,
            at_ms,
            note: reason.to_owned(),
        })
    }

    fn change_period(&mut self, event: PeriodEvent) -> Result<()> {
        let change = self
            .reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .stored()?;
        // Asked inside the transaction: another process may be closing the same month.
        let is_closed = closed_months(&change)?.contains(&event.month.first_day());
        if is_closed == (event.state == PeriodState::Closed) {
            let state = if is_closed { "closed already" } else { "open" };
            return Err(Diagnostic::new(code::PERIOD_STATE, format!("{} is {state}", event.month))
                .hint(Hint::command("period list")));
        }
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

    pub fn closed_months(&self) -> Result<Vec<Month>> {
        Ok(closed_months(&self.connection)?.into_iter().map(Day::month).collect())
    }
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
