//! The results of collecting: collections, segments of charges, statements of source-days, and rows
//! set aside.
//!
//! A *statement* is everything that the deliveries of one billing period say about one day and
//! currency. A newer statement replaces the older one as a whole; both stay in the file. Statements
//! of other billing periods stand beside it.

use crate::digest::of_bytes;
use crate::error::{Stored, misuse};
use crate::intern::Interner;
use crate::row;
use crate::segment::EncodedSegment;
use crate::{CollectionId, Reader, Restated, Result, StoredDay, StoredSegment, Transaction};
use domain::charge::RejectedRow;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::port::{Delivery, PluginIdentity};
use domain::run::{DayTotals, DeliveryDay, RunId, SourceDay};

/// The most rows that are kept with their reasons, of one source in one run.
const REJECTED_KEPT: i64 = 1000;

impl Reader {
    /// The charges of every source-day of the period as they are stated now, ordered by day.
    pub fn source_days(&self, period: Period) -> Result<Vec<StoredDay>> {
        let sql = "SELECT s.source, s.day, s.currency, s.charges, s.billed_nanos, \
                s.effective_nanos, s.billed_rest, s.effective_rest, s.fingerprint,
                c.id, c.run, c.plugin_name, c.plugin_version, c.plugin_digest
             FROM statement s JOIN collection c ON c.id = s.collection
             WHERE s.day >= ?1 AND s.day < ?2
               AND s.id = (SELECT max(t.id) FROM statement t WHERE t.source = s.source \
                 AND t.day = s.day AND t.currency = s.currency \
                 AND t.billing_period IS s.billing_period)
             ORDER BY s.day, s.source, s.currency, c.id DESC";
        let mut days: Vec<StoredDay> = Vec::new();
        row::rows(
            &self.connection,
            sql,
            (period.start().epoch_days(), period.end().epoch_days()),
            |row| {
                let (source_day, totals) = (row::source_day(row, 0)?, row::day_totals(row, 3)?);
                // The statements of a day follow each other, that of the last collection first.
                match days.last_mut() {
                    Some(day) if day.source_day == source_day => day.totals.merge(&totals),
                    _ => days.push(StoredDay {
                        source_day,
                        totals,
                        collection: CollectionId(row::cell(row, 9)?),
                        run: RunId(row::cell(row, 10)?),
                        plugin: PluginIdentity {
                            name: row::cell(row, 11)?,
                            version: row::cell(row, 12)?,
                            digest: row::cell(row, 13)?,
                        },
                    }),
                }
                Ok(())
            },
        )?;
        Ok(days)
    }

    /// The current statements of a source that have charges, ordered by day.
    pub fn statements(&self, source: &str) -> Result<Vec<(DeliveryDay, DayTotals)>> {
        let sql = "SELECT s.source, s.day, s.currency, s.charges, s.billed_nanos, \
                s.effective_nanos, s.billed_rest, s.effective_rest, s.fingerprint, s.billing_period
             FROM statement s WHERE s.source = ?1 AND s.charges > 0
               AND s.id = (SELECT max(t.id) FROM statement t WHERE t.source = s.source \
                 AND t.day = s.day AND t.currency = s.currency \
                 AND t.billing_period IS s.billing_period)
             ORDER BY s.day, s.currency, s.billing_period";
        row::rows(&self.connection, sql, [source], row::statement)
    }

    /// The days of all other sources as they are stated now, a line for each billing period.
    pub fn days_of_others(
        &self,
        source: &str,
        period: Period,
    ) -> Result<Vec<(DeliveryDay, DayTotals)>> {
        let sql = "SELECT s.source, s.day, s.currency, s.charges, s.billed_nanos, \
                s.effective_nanos, s.billed_rest, s.effective_rest, s.fingerprint, s.billing_period
             FROM statement s
             WHERE s.source <> ?1 AND s.day >= ?2 AND s.day < ?3 AND s.charges > 0
               AND s.id = (SELECT max(t.id) FROM statement t WHERE t.source = s.source \
                 AND t.day = s.day AND t.currency = s.currency \
                 AND t.billing_period IS s.billing_period)";
        let (start, end) = (period.start().epoch_days(), period.end().epoch_days());
        row::rows(&self.connection, sql, (source, start, end), row::statement)
    }

    /// The charges that a collection has of a day, stated or not.
    pub fn segments_of(
        &self,
        collection: CollectionId,
        day: Day,
        currency: Currency,
    ) -> Result<Vec<StoredSegment>> {
        let sql = "SELECT rows, billed_nanos, effective_nanos, data, billing_period FROM segment
             WHERE collection = ?1 AND day = ?2 AND currency = ?3 ORDER BY id";
        let key = (collection.0, day.epoch_days(), currency.code());
        row::rows(&self.connection, sql, key, row::stored_segment)
    }

    /// The charges of a source-day as they are stated now.
    pub fn segments(&self, day: &SourceDay) -> Result<Vec<StoredSegment>> {
        self.segments_by(day, i64::MAX)
    }

    /// The charges of a source-day as they were stated when the run had ended.
    pub fn segments_as_of(&self, day: &SourceDay, run: RunId) -> Result<Vec<StoredSegment>> {
        let sql = "SELECT coalesce(max(id), 0) FROM collection WHERE run = (SELECT max(run)
            FROM collection WHERE run <= ?1)";
        self.segments_by(day, row::number(&self.connection, sql, [run.0])?)
    }

    fn segments_by(&self, day: &SourceDay, last_collection: i64) -> Result<Vec<StoredSegment>> {
        // SQLite would sort the charges themselves, so only their numbers are sorted, here.
        let sql = "SELECT g.rows, g.billed_nanos, g.effective_nanos, g.data, g.billing_period, g.id
             FROM statement s JOIN segment g ON g.collection = s.collection AND g.day = s.day \
               AND g.currency = s.currency AND g.billing_period IS s.billing_period
             WHERE s.source = ?1 AND s.day = ?2 AND s.currency = ?3
               AND s.id = (SELECT max(t.id) FROM statement t WHERE t.source = ?1 AND t.day = ?2 \
                 AND t.currency = ?3 AND t.billing_period IS s.billing_period \
                 AND t.collection <= ?4)";
        let key = (&day.source, day.day.epoch_days(), day.currency.code(), last_collection);
        let mut segments = row::rows(&self.connection, sql, key, |row| {
            Ok((row::cell::<i64>(row, 5)?, row::stored_segment(row)?))
        })?;
        segments.sort_unstable_by_key(|(id, _)| *id);
        Ok(segments.into_iter().map(|(_, segment)| segment).collect())
    }

    /// The current statement of a day. It has no charges if they were taken back.
    pub fn statement(&self, day: &DeliveryDay) -> Result<Option<DayTotals>> {
        let sql = "SELECT charges, billed_nanos, effective_nanos, billed_rest, effective_rest, \
             fingerprint
             FROM statement WHERE source = ?1 AND day = ?2 AND currency = ?3 \
               AND billing_period IS ?4 ORDER BY id DESC LIMIT 1";
        let DeliveryDay { source_day: SourceDay { source, day, currency }, billing_period } = day;
        let period = row::stored_period(*billing_period);
        row::row(
            &self.connection,
            sql,
            (source, day.epoch_days(), currency.code(), period),
            |row| row::day_totals(row, 0),
        )
    }

    /// The rows that the run set aside, ordered by source.
    pub fn rejected(&self, run: RunId, limit: usize) -> Result<Vec<(String, RejectedRow)>> {
        let sql = "SELECT source, location, reason, excerpt FROM rejected WHERE run = ?1 \
                   ORDER BY source, id LIMIT ?2";
        row::rows(&self.connection, sql, (run.0, limit as i64), |row| {
            Ok((
                row::cell(row, 0)?,
                RejectedRow {
                    location: row::cell(row, 1)?,
                    reason: row::cell(row, 2)?,
                    excerpt: row::cell(row, 3)?,
                },
            ))
        })
    }

    /// The number of rows that the run set aside for each source. Rows that were not kept count
    /// too.
    pub fn rejected_counts(&self, run: RunId) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT source, count FROM rejected_count WHERE run = ?1 ORDER BY source, id";
        let counts = row::rows(&self.connection, sql, [run.0], |row| {
            Ok((row::cell::<String>(row, 0)?, row::count(row, 1)?))
        })?;
        let mut summed: Vec<(String, u64)> = Vec::new();
        for (source, count) in counts {
            match summed.last_mut() {
                Some((last, sum)) if *last == source => *sum += count,
                _ => summed.push((source, count)),
            }
        }
        Ok(summed)
    }
}

impl Transaction<'_> {
    /// Begins to collect a source. Its writes are kept or abandoned as a whole.
    pub fn begin_source(&mut self, source: &str, plugin: &PluginIdentity) -> Result<CollectionId> {
        if self.source_open {
            return Err(misuse(format!(
                "{source} would be collected while another source still is"
            )));
        }
        self.ledger.connection.execute_batch("SAVEPOINT source").stored()?;
        self.source_open = true;
        let sql = "INSERT INTO collection (run, source, plugin_name, plugin_version, \
                   plugin_digest) VALUES (?1, ?2, ?3, ?4, ?5)";
        row::execute(
            &self.ledger.connection,
            sql,
            (self.run.0, source, &plugin.name, &plugin.version, &plugin.digest),
        )?;
        Ok(CollectionId(self.ledger.connection.last_insert_rowid()))
    }

    pub fn add_segment(
        &mut self,
        collection: CollectionId,
        day: &DeliveryDay,
        segment: &EncodedSegment,
    ) -> Result<()> {
        let sql = "INSERT INTO segment (collection, day, currency, rows, billed_nanos, \
                   effective_nanos, digest, data, billing_period) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let (billed, effective) = (row::sum_text(segment.billed), row::sum_text(segment.effective));
        let digest = of_bytes(&segment.data);
        row::execute(
            &self.ledger.connection,
            sql,
            (
                collection.0,
                day.source_day.day.epoch_days(),
                day.source_day.currency.code(),
                segment.rows,
                billed,
                effective,
                digest,
                &segment.data,
                row::stored_period(day.billing_period),
            ),
        )
    }

    /// Keeps the first rows that were set aside for a source, and the number of all.
    pub fn reject(&mut self, source: &str, rejected: &[RejectedRow], total: u64) -> Result<()> {
        let connection = &self.ledger.connection;
        let kept = row::number(
            connection,
            "SELECT count(*) FROM rejected WHERE run = ?1 AND source = ?2",
            (self.run.0, source),
        )?;
        let room = usize::try_from(REJECTED_KEPT - kept).unwrap_or(0);
        let sql = "INSERT INTO rejected (run, source, location, reason, excerpt) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        for rejected in rejected.iter().take(room) {
            row::execute(
                connection,
                sql,
                (self.run.0, source, &rejected.location, &rejected.reason, &rejected.excerpt),
            )?;
        }
        if total == 0 {
            return Ok(());
        }
        row::execute(
            connection,
            "INSERT INTO rejected_count (run, source, count) VALUES (?1, ?2, ?3)",
            (self.run.0, source, row::stored_count(total)),
        )
    }

    /// States the totals of the segments that were added for a day. If the totals are those
    /// of the current statement, the charges are the same, and the segments are dropped again.
    pub fn restate(
        &mut self,
        collection: CollectionId,
        day: &DeliveryDay,
        totals: &DayTotals,
    ) -> Result<Restated> {
        let before = self.ledger.statement(day)?;
        let unchanged = match &before {
            Some(before) => before.are_of_the_charges_of(totals),
            // A day that was never stated and has nothing needs no statement.
            None => totals.are_of_the_charges_of(&DayTotals::default()),
        };
        let period = row::stored_period(day.billing_period);
        let SourceDay { source, day: charge_day, currency } = &day.source_day;
        let key = (collection.0, charge_day.epoch_days(), currency.code(), period);
        if unchanged {
            // A trigger allows this only as long as no statement covers the segments.
            row::execute(
                &self.ledger.connection,
                "DELETE FROM segment WHERE collection = ?1 AND day = ?2 AND currency = ?3 \
                 AND billing_period IS ?4",
                key,
            )?;
            return Ok(Restated::Unchanged);
        }
        self.check_segments(collection, day, totals)?;
        let sql = "INSERT INTO statement (collection, source, day, currency, charges, \
             billed_nanos, effective_nanos, billed_rest, effective_rest, fingerprint, \
             billing_period)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let fingerprint = totals.fingerprint.0.to_be_bytes();
        let (billed_rest, effective_rest) =
            (totals.billed_rest.to_string(), totals.effective_rest.to_string());
        let (billed, effective) = (row::sum_text(totals.billed), row::sum_text(totals.effective));
        let charges = row::stored_count(totals.charges);
        let values = (
            collection.0,
            source,
            charge_day.epoch_days(),
            currency.code(),
            charges,
            billed,
            effective,
            billed_rest,
            effective_rest,
            fingerprint,
            period,
        );
        row::execute(&self.ledger.connection, sql, values)?;
        Ok(if before.is_some() { Restated::Changed } else { Restated::New })
    }

    /// Refuses a statement that its segments do not add up to.
    fn check_segments(
        &self,
        collection: CollectionId,
        day: &DeliveryDay,
        totals: &DayTotals,
    ) -> Result<()> {
        let sql = "SELECT rows, billed_nanos, effective_nanos FROM segment WHERE collection = ?1 \
                   AND day = ?2 AND currency = ?3 AND billing_period IS ?4";
        let period = row::stored_period(day.billing_period);
        let day = &day.source_day;
        let (mut charges, mut billed, mut effective) = (0, Sum::ZERO, Sum::ZERO);
        row::rows(
            &self.ledger.connection,
            sql,
            (collection.0, day.day.epoch_days(), day.currency.code(), period),
            |row| {
                charges += row::count(row, 0)?;
                billed += row::sum(row, 1)?;
                effective += row::sum(row, 2)?;
                Ok(())
            },
        )?;
        if (charges, billed, effective) == (totals.charges, totals.billed, totals.effective) {
            return Ok(());
        }
        let (source, currency) = (&day.source, day.currency);
        Err(Diagnostic::new(
            code::CONSERVATION,
            format!(
                "{source} on {}: {} charges of {} {currency} billed and {} effective were read, \
                 and {charges} of {billed} and {effective} stored; nothing was posted",
                day.day, totals.charges, totals.billed, totals.effective
            ),
        )
        .hint("this is a fault of Apportion: keep the input and report it"))
    }

    /// Keeps a delivery that was found, whether it counts or not.
    pub fn keep_delivery(&mut self, collection: CollectionId, delivery: &Delivery) -> Result<()> {
        let sql = "INSERT INTO delivery (collection, name, billing_period, left_out) \
                   VALUES (?1, ?2, ?3, ?4)";
        let period = row::stored_period(delivery.billing_period);
        let values = (collection.0, &delivery.name, period, &delivery.left_out);
        row::execute(&self.ledger.connection, sql, values)
    }

    /// Keeps the writes since `begin_source`, and the state that the collector left.
    pub fn keep_source(&mut self, state: Option<&str>) -> Result<()> {
        if !self.source_open {
            return Err(misuse("no source is being collected"));
        }
        if let Some(state) = state {
            let sql = "INSERT INTO collector_state (collection, source, state)
                 SELECT id, source, ?1 FROM collection WHERE id = (SELECT max(id) FROM collection)";
            row::execute(&self.ledger.connection, sql, [state])?;
        }
        self.ledger.connection.execute_batch("RELEASE source").stored()?;
        self.source_open = false;
        Ok(())
    }

    /// Takes back the writes since `begin_source`.
    pub fn abandon_source(&mut self) -> Result<()> {
        if !self.source_open {
            return Err(misuse("no source is being collected"));
        }
        self.ledger.connection.execute_batch("ROLLBACK TO source; RELEASE source").stored()?;
        self.source_open = false;
        // The interner may know words that were just taken back.
        self.interner = Interner::load(&self.ledger.connection)?;
        Ok(())
    }
}
