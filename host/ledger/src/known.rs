//! The state of knowledge at a time: statements of later runs are taken back, so that a run goes by
//! the older ones.
//!
//! Nothing is hidden or deleted: the older statement is stated again and its charges are copied, so
//! the journal can still be proved. This is meant for scratch copies and would do no harm
//! elsewhere.

use crate::row;
use crate::{CollectionId, Result, Transaction, UsageDay};
use domain::period::Day;
use domain::run::SourceDay;

/// Source-days whose current statement of a billing period is of a run that began at ?1 or later.
/// Each comes with the last statement before that time, if there is one.
const RESTATED: &str = "SELECT s.source, s.day, s.currency, s.id,
        (SELECT max(t.id) FROM statement t JOIN collection c ON c.id = t.collection
        JOIN run r ON r.id = c.run
         WHERE t.source = s.source AND t.day = s.day AND t.currency = s.currency
         AND t.billing_period IS s.billing_period AND r.started_at_ms < ?1)
    FROM statement s JOIN collection c ON c.id = s.collection JOIN run r ON r.id = c.run
    WHERE r.started_at_ms >= ?1
      AND s.id = (SELECT max(u.id) FROM statement u WHERE u.source = s.source
      AND u.day = s.day AND u.currency = s.currency AND u.billing_period IS s.billing_period)
    ORDER BY s.source, s.day, s.currency, s.billing_period";

/// The same of usage, by metric.
const RESTATED_USAGE: &str = "SELECT s.source, s.day, s.metric, s.id,
        (SELECT max(t.id) FROM usage_statement t JOIN collection c ON c.id = t.collection
        JOIN run r ON r.id = c.run
         WHERE t.metric = s.metric AND t.source = s.source AND t.day = s.day
         AND r.started_at_ms < ?1)
    FROM usage_statement s JOIN collection c ON c.id = s.collection JOIN run r ON r.id = c.run
    WHERE r.started_at_ms >= ?1
      AND s.id = (SELECT max(u.id) FROM usage_statement u WHERE u.metric = s.metric
      AND u.source = s.source AND u.day = s.day)
    ORDER BY s.metric, s.source, s.day";

impl Transaction<'_> {
    /// States usage again as it was known before `until_ms`. Returns the metrics and days that
    /// change.
    pub fn restate_usage_as_known(&mut self, until_ms: i64) -> Result<Vec<(String, Day)>> {
        let restated = row::rows(&self.ledger.connection, RESTATED_USAGE, [until_ms], |row| {
            let texts: (String, String) = (row::cell(row, 0)?, row::cell(row, 2)?);
            Ok((
                texts,
                row::day(row, 1)?,
                row::cell::<i64>(row, 3)?,
                row::cell::<Option<i64>>(row, 4)?,
            ))
        })?;
        for ((source, metric), day, current, known) in &restated {
            let like = known.unwrap_or(*current);
            let collection = self.collection_like("usage_statement", like)?;
            let unit = row::row(
                &self.ledger.connection,
                "SELECT unit FROM usage_statement WHERE id = ?1",
                [like],
                |row| row::cell::<String>(row, 0),
            )?;
            let unit = &unit.unwrap_or_default();
            let rows = known.map_or(Ok(Vec::new()), |known| self.ledger.usage_rows(known))?;
            self.restate_usage(
                CollectionId(collection),
                &UsageDay { source, day: *day, metric, unit },
                &rows,
            )?;
        }
        Ok(restated.into_iter().map(|((_, metric), day, ..)| (metric, day)).collect())
    }

    /// A collection of this run by the plugin that made the statement.
    fn collection_like(&self, table: &str, statement: i64) -> Result<i64> {
        let sql = format!(
            "INSERT INTO collection (run, source, plugin_name, plugin_version, plugin_digest)
             SELECT ?1, c.source, c.plugin_name, c.plugin_version, c.plugin_digest
             FROM collection c JOIN {table} s ON s.collection = c.id
             WHERE s.id = ?2"
        );
        row::execute(&self.ledger.connection, &sql, (self.run.0, statement))?;
        Ok(self.ledger.connection.last_insert_rowid())
    }

    /// States charges again as they were known before `until_ms`. Returns the source-days that
    /// change.
    pub fn restate_as_known(&mut self, until_ms: i64) -> Result<Vec<SourceDay>> {
        let connection = &self.ledger.connection;
        let restated = row::rows(connection, RESTATED, [until_ms], |row| {
            Ok((
                row::source_day(row, 0)?,
                row::cell::<i64>(row, 3)?,
                row::cell::<Option<i64>>(row, 4)?,
            ))
        })?;
        for (_, current, known) in &restated {
            let collection = self.collection_like("statement", known.unwrap_or(*current))?;
            match known {
                Some(known) => self.state_again(collection, *known)?,
                None => self.state_nothing(collection, *current)?,
            }
        }
        let mut days: Vec<SourceDay> = restated.into_iter().map(|(day, ..)| day).collect();
        // A day can be restated for several billing periods.
        days.dedup();
        Ok(days)
    }

    fn state_again(&self, collection: i64, statement: i64) -> Result<()> {
        let segments = "INSERT INTO segment (collection, day, currency, rows, billed_nanos,
            effective_nanos, digest, data, billing_period)
             SELECT ?1, g.day, g.currency, g.rows, g.billed_nanos, g.effective_nanos, g.digest,
             g.data, g.billing_period
             FROM segment g JOIN statement s ON s.collection = g.collection AND s.day = g.day
             AND s.currency = g.currency AND s.billing_period IS g.billing_period
             WHERE s.id = ?2 ORDER BY g.id";
        row::execute(&self.ledger.connection, segments, (collection, statement))?;
        let stated = "INSERT INTO statement (collection, source, day, currency, charges,
            billed_nanos, effective_nanos, billed_rest, effective_rest, fingerprint,
            billing_period)
             SELECT ?1, source, day, currency, charges, billed_nanos, effective_nanos,
                billed_rest, effective_rest, fingerprint, billing_period
             FROM statement WHERE id = ?2";
        row::execute(&self.ledger.connection, stated, (collection, statement))
    }

    /// States a day without charges: nothing was known of it before the time.
    fn state_nothing(&self, collection: i64, statement: i64) -> Result<()> {
        let sql = "INSERT INTO statement (collection, source, day, currency, charges,
            billed_nanos, effective_nanos, billed_rest, effective_rest, fingerprint,
            billing_period)
             SELECT ?1, source, day, currency, 0, '0', '0', '0', '0', zeroblob(16), billing_period
             FROM statement WHERE id = ?2";
        row::execute(&self.ledger.connection, sql, (collection, statement))
    }
}
