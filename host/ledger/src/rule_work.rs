//! Entries by what they say of the charges of their source-day: one rule took charges in, or passed
//! cost on, and counts or is taken back.

use crate::error::Stored;
use crate::intern::Words;
use crate::query::numbers;
use crate::row;
use crate::{EntryId, GenerationId, Reader, Result};
use domain::entry::{EntryKind, RuleVersion};
use domain::period::{Day, Period};
use domain::run::{RunId, SourceDay};
use rusqlite::{Connection, Params};
use std::collections::BTreeSet;

/// The work of one rule on a source-day, as an entry posted it or took it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWork {
    pub source_day: SourceDay,
    pub posting_day: Day,
    /// Whether the entry takes back another one.
    pub is_taken_back: bool,
    /// Collection or distribution, also of what is taken back.
    pub kind: EntryKind,
    /// Nothing for charges that no rule claimed.
    pub rule: Option<RuleVersion>,
    /// The run and the generation that posted it, and the day on which they did, also of what is
    /// taken back.
    pub run: RunId,
    pub generation: GenerationId,
    pub first_posted: Day,
}

/// An entry, or the one that it takes back: their postings differ by the sign only.
const WORKS: &str = "SELECT e.posting_day, e.source, e.charge_day, e.currency,
        e.reverses IS NOT NULL, o.id, o.kind, o.run, o.generation, o.posting_day
    FROM entry e JOIN entry o ON o.id = coalesce(e.reverses, e.id)";

/// A pair that was posted and taken back on one day adds nothing.
const POSTED: &str = "WHERE e.posting_day >= ?1 AND e.posting_day < ?2
    AND NOT EXISTS (SELECT 1 FROM entry r
        WHERE r.reverses = e.id AND r.posting_day = e.posting_day)
    AND (e.reverses IS NULL OR o.posting_day <> e.posting_day)
    ORDER BY e.id";

impl Reader {
    /// All that was posted on the days of a period; for the charges of some source-days, if only
    /// those are asked for. Entries without cost are left out: their charges were prepaid. Costs
    /// that cancel out are postings too.
    pub fn rule_works(
        &self,
        period: Period,
        only: Option<&BTreeSet<SourceDay>>,
    ) -> Result<Vec<RuleWork>> {
        let words = Words::load(&self.connection)?;
        let days = (period.start().epoch_days(), period.end().epoch_days());
        works_by(&self.connection, &words, POSTED, days, only)
    }

    /// The work of one entry.
    pub fn rule_work(&self, entry: EntryId) -> Result<Option<RuleWork>> {
        let words = Words::load(&self.connection)?;
        Ok(works_by(&self.connection, &words, "WHERE e.id = ?1", [entry.0], None)?.pop())
    }
}

/// Everything that was ever posted of a source-day.
pub fn works_of(connection: &Connection, words: &Words, day: &SourceDay) -> Result<Vec<RuleWork>> {
    let which = "WHERE e.source = ?1 AND e.charge_day = ?2 AND e.currency = ?3";
    let key = (&day.source, day.day.epoch_days(), day.currency.code());
    works_by(connection, words, which, key, None)
}

fn works_by(
    connection: &Connection,
    words: &Words,
    which: &str,
    parameters: impl Params,
    only: Option<&BTreeSet<SourceDay>>,
) -> Result<Vec<RuleWork>> {
    let found = row::rows(connection, &format!("{WORKS} {which}"), parameters, |row| {
        let source_day = row::source_day(row, 1)?;
        if only.is_some_and(|days| !days.contains(&source_day)) {
            return Ok(None);
        }
        let rule = work_rule(connection, words, row::cell(row, 5)?)?;
        let Some(rule) = rule else { return Ok(None) };
        Ok(Some(RuleWork {
            posting_day: row::day(row, 0)?,
            source_day,
            is_taken_back: row::cell(row, 4)?,
            kind: row::entry_kind(row, 6)?,
            rule,
            run: RunId(row::cell(row, 7)?),
            generation: GenerationId(row::cell(row, 8)?),
            first_posted: row::day(row, 9)?,
        }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// The rule of an entry's cost. Only postings of cost name it.
fn work_rule(
    connection: &Connection,
    words: &Words,
    entry: i64,
) -> Result<Option<Option<RuleVersion>>> {
    let sql = "SELECT account, target, rule, service FROM posting WHERE entry = ?1 ORDER BY line";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut postings = statement.query([entry]).stored()?;
    // The postings of cost follow those of the source, so few of them are read.
    while let Some(posting) = postings.next().stored()? {
        let posting = numbers(posting, 0)?;
        if words.account(&posting)?.is_cost() {
            return Ok(Some(words.rule(&posting)?.cloned()));
        }
    }
    Ok(None)
}
