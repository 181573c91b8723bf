//! Lists of entries, in pages.

use crate::intern::Words;
use crate::query::{ENTRY, stored_entry};
use crate::row;
use crate::{EntryId, Reader, Result, StoredEntry};
use domain::account::Account;
use domain::axis::Axis;
use domain::period::Period;
use domain::run::RunId;

/// Which entries are listed. What is not said leaves nothing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFilter {
    pub axis: Axis,
    /// Of days by the axis.
    pub period: Period,
    pub source: Option<String>,
    pub run: Option<RunId>,
    /// Entries with a posting of one of these.
    pub accounts: Option<Vec<Account>>,
    /// Entries with a posting by any version of this rule.
    pub rule: Option<String>,
}

impl EntryFilter {
    /// All entries that were posted in the period.
    pub fn of(period: Period) -> EntryFilter {
        let axis = Axis::Posting;
        EntryFilter { axis, period, source: None, run: None, accounts: None, rule: None }
    }
}

impl Reader {
    /// Entries after the entry `after`, oldest first, whether they stand or not. The last one's id
    /// gets the next page.
    pub fn entries(
        &self,
        filter: &EntryFilter,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<StoredEntry>> {
        let words = Words::load(&self.connection)?;
        let day = match filter.axis {
            Axis::Posting => "posting_day",
            Axis::Charge => "charge_day",
        };
        let sql = format!(
            "{ENTRY} WHERE e.id > ?1 AND e.{day} >= ?2 AND e.{day} < ?3
                AND (?4 IS NULL OR e.source = ?4) AND (?5 IS NULL OR e.run = ?5)
                AND (?6 IS NULL OR EXISTS (SELECT 1 FROM posting p WHERE p.entry = e.id
                    AND p.account IN (SELECT value FROM json_each(?6))))
                AND (?7 IS NULL OR EXISTS (SELECT 1 FROM posting p JOIN rule_version v
                    ON v.id = p.rule WHERE p.entry = e.id AND v.rule = ?7))
                ORDER BY e.id LIMIT ?8"
        );
        let (start, end) = (filter.period.start().epoch_days(), filter.period.end().epoch_days());
        let values = (
            after.map_or(0, |after| after.0),
            start,
            end,
            &filter.source,
            filter.run.map(|run| run.0),
            filter.accounts.as_deref().map(|accounts| words.account_numbers(accounts)),
            &filter.rule,
            i64::try_from(limit).unwrap_or(i64::MAX),
        );
        row::rows(&self.connection, &sql, values, |row| stored_entry(&self.connection, &words, row))
    }
}
