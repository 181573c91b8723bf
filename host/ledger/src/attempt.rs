//! Attempts to collect sources: the days that were asked for, the failure if there was one, the
//! cost of the plugins, and the states that were forgotten.
//!
//! A collector may leave a *state* for its next collection, such as a cursor. A state is never
//! deleted; a *reset* says up to which state everything is forgotten.

use crate::digest::{Hash, Hasher, START};
use crate::error::Stored;
use crate::row;
use crate::{
    Attempt, AttemptFailure, CollectionId, Ledger, Reader, Result, StoredAttempt, StoredCost,
    Transaction,
};
use domain::period::{Day, Period};
use domain::port::{PluginCost, PluginIdentity, UnknownDays};
use domain::run::RunId;
use rusqlite::{Connection, Row, TransactionBehavior};
use std::collections::BTreeMap;

impl Reader {
    /// The state that a source's collector left for its next collection, unless it was forgotten.
    pub fn state(&self, source: &str) -> Result<Option<String>> {
        let sql = "SELECT state FROM collector_state WHERE source = ?1
               AND id > coalesce((SELECT max(last_state) FROM state_reset WHERE source = ?1), 0) \
                 ORDER BY id DESC LIMIT 1";
        row::row(&self.connection, sql, [source], |row| row::cell(row, 0))
    }

    /// All attempts to collect a source, oldest first.
    pub fn attempts(&self, source: &str) -> Result<Vec<StoredAttempt>> {
        let sql =
            "SELECT a.run, r.started_at_ms, a.plugin_name, a.plugin_version, a.plugin_digest, \
                a.period_start, a.period_end, a.tries, a.without_state,
                a.code, a.message, a.hint, a.id
             FROM attempt a JOIN run r ON r.id = a.run WHERE a.source = ?1 ORDER BY a.id";
        let mut unknown = self.unknown_days(source)?;
        row::rows(&self.connection, sql, [source], |row| {
            let end = row::optional_day(row, 6)?;
            let period = row::optional_day(row, 5)?
                .zip(end)
                .map(|(start, end)| period(start, end))
                .transpose()?;
            let unknown = unknown.remove(&row::cell(row, 12)?).unwrap_or_default();
            let attempt = Attempt {
                period,
                tries: row::cell(row, 7)?,
                without_state: row::cell(row, 8)?,
                failure: failure(row)?,
                unknown,
            };
            Ok(StoredAttempt {
                run: RunId(row::cell(row, 0)?),
                at_ms: row::cell(row, 1)?,
                plugin: plugin(row, 2)?,
                attempt,
            })
        })
    }

    /// The unknown days of a source by the number of the attempt.
    fn unknown_days(&self, source: &str) -> Result<BTreeMap<i64, Vec<UnknownDays>>> {
        let sql = "SELECT u.attempt, u.period_start, u.period_end, u.reason FROM unknown_days u \
             JOIN attempt a ON a.id = u.attempt
             WHERE a.source = ?1 ORDER BY u.id";
        let days = row::rows(&self.connection, sql, [source], |row| {
            Ok((
                row::cell::<i64>(row, 0)?,
                UnknownDays {
                    period: period(row::day(row, 1)?, row::day(row, 2)?)?,
                    reason: row::cell(row, 3)?,
                },
            ))
        })?;
        let mut by_attempt: BTreeMap<i64, Vec<UnknownDays>> = BTreeMap::new();
        for (attempt, days) in days {
            by_attempt.entry(attempt).or_default().push(days);
        }
        Ok(by_attempt)
    }

    /// The sources that were ever tried, ordered by name.
    pub fn attempted_sources(&self) -> Result<Vec<String>> {
        row::rows(
            &self.connection,
            "SELECT DISTINCT source FROM attempt ORDER BY source",
            [],
            |row| row::cell(row, 0),
        )
    }

    /// The work of plugins, run by run.
    pub fn plugin_costs(&self) -> Result<Vec<StoredCost>> {
        let sql = "SELECT run, source, plugin_name, plugin_version, plugin_digest,
                starts, wall_us, waited_us, memory_bytes, rows, bytes, host_calls, requests, \
                  denials, fuel FROM plugin_cost ORDER BY id";
        row::rows(&self.connection, sql, [], |row| {
            let cost = PluginCost {
                starts: row::count(row, 5)?,
                wall_us: row::count(row, 6)?,
                waited_us: row::count(row, 7)?,
                memory_bytes: row::count(row, 8)?,
                rows: row::count(row, 9)?,
                bytes: row::count(row, 10)?,
                host_calls: row::count(row, 11)?,
                requests: row::count(row, 12)?,
                denials: row::count(row, 13)?,
                fuel: row::count(row, 14)?,
            };
            Ok(StoredCost {
                run: RunId(row::cell(row, 0)?),
                source: row::cell(row, 1)?,
                plugin: plugin(row, 2)?,
                cost,
            })
        })
    }

    /// The days whose statement was later replaced by another one.
    pub fn restated_days(&self, source: &str) -> Result<Vec<Day>> {
        let sql = "SELECT DISTINCT day FROM (
                 SELECT day FROM statement WHERE source = ?1 \
                   GROUP BY day, currency, billing_period HAVING count(*) > 1
                 UNION SELECT day FROM usage_statement WHERE source = ?1 GROUP BY day, metric \
                   HAVING count(*) > 1
             ) ORDER BY day";
        row::rows(&self.connection, sql, [source], |row| row::day(row, 0))
    }
}

impl Ledger {
    /// Forgets a source's state, so that its next collection begins without one. Returns whether
    /// there was a state.
    pub fn forget_state(&mut self, source: &str, at_ms: i64) -> Result<bool> {
        let change = self
            .reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .stored()?;
        let forgotten = forget(&change, source, at_ms)?;
        change.commit().stored()?;
        Ok(forgotten)
    }
}

fn forget(connection: &Connection, source: &str, at_ms: i64) -> Result<bool> {
    let last_state = row::number(
        connection,
        "SELECT coalesce(max(id), 0) FROM collector_state WHERE source = ?1",
        [source],
    )?;
    let forgotten = row::number(
        connection,
        "SELECT coalesce(max(last_state), 0) FROM state_reset WHERE source = ?1",
        [source],
    )?;
    // Forgetting twice must not make a second reset.
    if last_state <= forgotten {
        return Ok(false);
    }
    let last = row::row(
        connection,
        "SELECT id, hash FROM state_reset ORDER BY id DESC LIMIT 1",
        [],
        |row| Ok((row::cell::<i64>(row, 0)?, row::digest(row, 1)?)),
    )?;
    let (last, before) = last.unwrap_or((0, START));
    let reset = Reset { number: last + 1, at_ms, source: source.to_owned(), last_state };
    let sql =
        "INSERT INTO state_reset (id, at_ms, source, last_state, hash) VALUES (?1, ?2, ?3, ?4, ?5)";
    row::execute(connection, sql, (reset.number, at_ms, source, last_state, reset.hash(&before)))?;
    Ok(true)
}

impl Transaction<'_> {
    /// Forgets a state that its collector refuses. The reset becomes part of the run.
    pub fn forget_refused_state(&mut self, source: &str, at_ms: i64) -> Result<()> {
        forget(&self.ledger.connection, source, at_ms).map(|_forgotten| ())
    }

    /// Keeps an attempt. `kept` is its collection; a failed attempt has none.
    pub fn note_attempt(
        &mut self,
        source: &str,
        plugin: &PluginIdentity,
        kept: Option<CollectionId>,
        attempt: &Attempt,
    ) -> Result<()> {
        let sql = "INSERT INTO attempt (run, source, collection, plugin_name, plugin_version, \
                plugin_digest, period_start, period_end, tries, without_state,
                code, message, hint) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
                  ?13)";
        let failure = attempt.failure.as_ref();
        let values = (
            self.run.0,
            source,
            kept.map(|collection| collection.0),
            &plugin.name,
            &plugin.version,
            &plugin.digest,
            attempt.period.map(|period| period.start().epoch_days()),
            attempt.period.map(|period| period.end().epoch_days()),
            attempt.tries,
            attempt.without_state,
            failure.map(|failure| failure.code.as_str()),
            failure.map(|failure| &failure.message),
            failure.and_then(|failure| failure.hint.as_ref()),
        );
        let connection = &self.ledger.connection;
        row::execute(connection, sql, values)?;
        let number = connection.last_insert_rowid();
        for UnknownDays { period, reason } in &attempt.unknown {
            let sql = "INSERT INTO unknown_days (attempt, period_start, period_end, reason) \
                       VALUES (?1, ?2, ?3, ?4)";
            row::execute(
                connection,
                sql,
                (number, period.start().epoch_days(), period.end().epoch_days(), reason),
            )?;
        }
        Ok(())
    }

    /// Keeps the work of a plugin. A collector belongs to a source, an allocator to none.
    pub fn note_cost(
        &mut self,
        source: Option<&str>,
        plugin: &PluginIdentity,
        cost: &PluginCost,
    ) -> Result<()> {
        let sql =
            "INSERT INTO plugin_cost (run, source, plugin_name, plugin_version, plugin_digest,
                starts, wall_us, waited_us, memory_bytes, rows, bytes, host_calls, requests, \
                  denials, fuel)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        let stored = row::stored_count;
        let values = (
            self.run.0,
            source,
            &plugin.name,
            &plugin.version,
            &plugin.digest,
            stored(cost.starts),
            stored(cost.wall_us),
            stored(cost.waited_us),
            stored(cost.memory_bytes),
            stored(cost.rows),
            stored(cost.bytes),
            stored(cost.host_calls),
            stored(cost.requests),
            stored(cost.denials),
            stored(cost.fuel),
        );
        row::execute(&self.ledger.connection, sql, values)
    }
}

fn plugin(row: &Row<'_>, at: usize) -> Result<PluginIdentity> {
    Ok(PluginIdentity {
        name: row::cell(row, at)?,
        version: row::cell(row, at + 1)?,
        digest: row::cell(row, at + 2)?,
    })
}

fn period(start: Day, end: Day) -> Result<Period> {
    Period::new(start, end)
        .map_err(|error| crate::error::corrupt(format!("a stored period is wrong: {error}")))
}

fn failure(row: &Row<'_>) -> Result<Option<AttemptFailure>> {
    let Some(code) = row::cell(row, 9)? else { return Ok(None) };
    let message = row::cell::<Option<String>>(row, 10)?.unwrap_or_default();
    Ok(Some(AttemptFailure { code, message, hint: row::cell(row, 11)? }))
}

/// A reset, with its place in the chain of resets.
pub struct Reset {
    pub number: i64,
    pub at_ms: i64,
    pub source: String,
    pub last_state: i64,
}

impl Reset {
    pub fn hash(&self, before: &Hash) -> Hash {
        let mut hasher = Hasher::new("apportion reset 1");
        hasher.bytes(before);
        hasher.number(self.number);
        hasher.number(self.at_ms);
        hasher.text(&self.source);
        hasher.number(self.last_state);
        hasher.finish()
    }
}

/// All resets with their stored hashes.
pub fn resets(connection: &Connection) -> Result<Vec<(Reset, Hash)>> {
    row::rows(
        connection,
        "SELECT id, at_ms, source, last_state, hash FROM state_reset ORDER BY id",
        [],
        |row| {
            let reset = Reset {
                number: row::cell(row, 0)?,
                at_ms: row::cell(row, 1)?,
                source: row::cell(row, 2)?,
                last_state: row::cell(row, 3)?,
            };
            Ok((reset, row::digest(row, 4)?))
        },
    )
}
