//! Estimates: what a source last collected of a day, although less of it may be stated by now.
//!
//! Only a collection that succeeded has an attempt. So a statement without one took charges out of
//! what was collected, or put them back.

use crate::row;
use crate::{Reader, Result, StoredSegment};
use domain::period::Day;
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use std::collections::BTreeMap;

impl Reader {
    /// The last statement of each day that was collected from the source, ordered by day.
    pub fn collected_statements(&self, source: &str) -> Result<Vec<(DeliveryDay, DayTotals)>> {
        let sql = "SELECT s.source, s.day, s.currency, s.charges, s.billed_nanos, \
                s.effective_nanos, s.billed_rest, s.effective_rest, s.fingerprint, s.billing_period
             FROM statement s WHERE s.source = ?1 AND s.charges > 0
               AND s.id = (SELECT max(t.id) FROM statement t WHERE t.source = s.source \
                 AND t.day = s.day AND t.currency = s.currency \
                 AND t.billing_period IS s.billing_period \
                 AND t.collection IN (SELECT collection FROM attempt WHERE source = ?1))
             ORDER BY s.day, s.currency, s.billing_period";
        row::rows(&self.connection, sql, [source], row::statement)
    }

    /// The charges of that statement.
    pub fn collected_segments(&self, day: &DeliveryDay) -> Result<Vec<StoredSegment>> {
        let sql = "SELECT rows, billed_nanos, effective_nanos, data, billing_period FROM segment
             WHERE day = ?2 AND currency = ?3 AND billing_period IS ?4
               AND collection = (SELECT t.collection FROM statement t WHERE t.source = ?1 \
                 AND t.day = ?2 AND t.currency = ?3 AND t.billing_period IS ?4 \
                 AND t.collection IN (SELECT collection FROM attempt WHERE source = ?1)
                 ORDER BY t.id DESC LIMIT 1)
             ORDER BY id";
        let DeliveryDay { source_day: SourceDay { source, day, currency }, billing_period } = day;
        let period = row::stored_period(*billing_period);
        let key = (source, day.epoch_days(), currency.code(), period);
        row::rows(&self.connection, sql, key, row::stored_segment)
    }

    /// The time of the first run that had charges of the source, by day.
    pub fn first_stated(&self, source: &str) -> Result<BTreeMap<Day, i64>> {
        let sql = "SELECT s.day, min(r.started_at_ms) FROM statement s
             JOIN collection c ON c.id = s.collection JOIN run r ON r.id = c.run
             WHERE s.source = ?1 AND s.charges > 0 GROUP BY s.day";
        let days = row::rows(&self.connection, sql, [source], |row| {
            Ok((row::day(row, 0)?, row::cell::<i64>(row, 1)?))
        })?;
        Ok(days.into_iter().collect())
    }
}
