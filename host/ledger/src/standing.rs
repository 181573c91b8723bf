//! One digest over the inputs of a run, and one over the entries that stand. They tell whether
//! anything has moved.

use crate::digest::{Hasher, hex};
use crate::error::Stored;
use crate::row;
use crate::seal::add_value;
use crate::{Reader, Result};
use rusqlite::Connection;

/// The current statements of every source-day, without their numbers: equal charges count as equal.
const STATEMENTS: &str = "SELECT s.source, s.day, s.currency, s.billing_period, s.charges,
        s.billed_nanos, s.effective_nanos, s.billed_rest, s.effective_rest, s.fingerprint
    FROM statement s WHERE s.id = (SELECT max(t.id) FROM statement t
        WHERE t.source = s.source AND t.day = s.day AND t.currency = s.currency
        AND t.billing_period IS s.billing_period)
    ORDER BY s.source, s.day, s.currency, s.billing_period";

const USAGE: &str = "SELECT s.metric, s.source, s.day, s.digest FROM usage_statement s
    WHERE s.rows > 0
      AND s.id = (SELECT max(t.id) FROM usage_statement t WHERE t.metric = s.metric
      AND t.source = s.source AND t.day = s.day)
    ORDER BY s.metric, s.source, s.day";

const ENTRIES: &str =
    "SELECT e.source, e.charge_day, e.currency, e.posting_day, e.content_digest FROM entry e
    WHERE e.reverses IS NULL AND NOT EXISTS (SELECT 1 FROM entry r WHERE r.reverses = e.id)
    ORDER BY e.source, e.charge_day, e.currency, e.content_digest, e.posting_day";

const CLOSED: &str = "SELECT p.month_start FROM period_event p
    WHERE p.id = (SELECT max(q.id) FROM period_event q WHERE q.month_start = p.month_start)
      AND p.state = 'closed' ORDER BY p.month_start";

impl Reader {
    /// Tells this journal and its copies from all others, hex. Nothing before the first run has
    /// ended.
    pub fn identity(&self) -> Result<Option<String>> {
        row::row(&self.connection, "SELECT seal FROM run_end ORDER BY id LIMIT 1", [], |row| {
            row::digest(row, 0).map(|seal| hex(&seal))
        })
    }

    /// Over the inputs of a run that does not collect, hex: charges and usage as stated, standing
    /// entries and closed months.
    pub fn inputs_digest(&self) -> Result<String> {
        digest(&self.connection, "apportion inputs 2", &[STATEMENTS, USAGE, ENTRIES, CLOSED])
    }

    /// Over the entries that stand, hex: equal if every posting of every source-day is.
    pub fn standing_digest(&self) -> Result<String> {
        digest(&self.connection, "apportion standing 1", &[ENTRIES])
    }
}

fn digest(connection: &Connection, purpose: &str, queries: &[&str]) -> Result<String> {
    let mut hasher = Hasher::new(purpose);
    for (number, sql) in queries.iter().enumerate() {
        hasher.number(number as i64);
        let mut statement = connection.prepare_cached(sql).stored()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).stored()?;
        while let Some(row) = rows.next().stored()? {
            for column in 0..columns {
                add_value(&mut hasher, row.get_ref(column).stored()?);
            }
        }
    }
    Ok(hex(&hasher.finish()))
}
