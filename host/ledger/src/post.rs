//! Posting. Entries are appended and never edited: an entry that no longer holds is reversed, and a
//! new one is posted.
//!
//! A run gives [`Transaction::settle`] all entries that should stand for a source-day. Comparing
//! them with the entries that do stand, by content digest, makes a run idempotent: the same run
//! again posts nothing. It also keeps corrections small: only entries whose content changed move.

use crate::digest::{EntryLink, Hash, PostingLine, START, of_content, of_entry, of_link};
use crate::error::{Stored, misuse};
use crate::period::{closed_months, open_day};
use crate::query::read_entry;
use crate::row;
use crate::rule_work::works_of;
use crate::{EntryId, GenerationId, Result, Settled, Transaction};
use domain::entry::{Entry, EntryKind};
use domain::period::Day;
use domain::run::SourceDay;
use foldhash::{HashMap, HashMapExt};
use rusqlite::types::Value;
use std::collections::BTreeSet;

/// Postings of one INSERT. More would save no time.
const POSTINGS_AT_ONCE: usize = 32;
const POSTING_COLUMNS: usize = 7;

impl Transaction<'_> {
    /// Makes `entries` the standing entries of a source-day. Equal entries stay, all others are
    /// reversed, and new ones are posted.
    ///
    /// An entry of a closed month is posted on the first day of the next open month. Its charge day
    /// stays. What was corrected there goes on there, also if its month is reopened: the month has
    /// the old amount, and the correction is the difference to it.
    pub fn settle(
        &mut self,
        day: &SourceDay,
        generation: GenerationId,
        entries: Vec<Entry>,
    ) -> Result<Settled> {
        entries.iter().try_for_each(|entry| check(day, entry))?;
        let mut standing = self.standing_digests(day)?;
        let mut settled = Settled::default();
        let mut fresh = Vec::new();
        for entry in entries {
            let digest = of_entry(&entry);
            // Popped, so that of two equal entries each stands for one.
            match standing.get_mut(&digest).and_then(Vec::pop) {
                Some(_) => settled.unchanged += 1,
                None => fresh.push((entry, digest)),
            }
        }
        let mut outdated: Vec<EntryId> = standing.into_values().flatten().collect();
        if outdated.is_empty() && fresh.is_empty() {
            return Ok(settled);
        }
        // A map has no order, and the chain must not depend on chance.
        outdated.sort();
        let closed = closed_months(&self.ledger.connection)?;
        for id in outdated {
            self.reverse(id, generation, &closed)?;
            settled.reversed += 1;
        }
        let posted = self.posted_days(day)?;
        for (entry, digest) in fresh {
            let posting_day = open_day(&closed, posted.day_of(&entry));
            self.append(&entry, posting_day, generation, None, &digest)?;
            settled.posted += 1;
        }
        Ok(settled)
    }

    /// The days on which a source-day was posted.
    fn posted_days(&self, day: &SourceDay) -> Result<PostedDays> {
        let sql = "SELECT e.posting_day FROM entry e WHERE e.source = ?1 AND e.charge_day = ?2 \
                   AND e.currency = ?3 ORDER BY e.posting_day DESC LIMIT 1";
        let connection = &self.ledger.connection;
        let key = (&day.source, day.day.epoch_days(), day.currency.code());
        let latest = row::row(connection, sql, key, |row| row::day(row, 0))?.unwrap_or(day.day);
        let mut by_rule = HashMap::new();
        // Most days were never corrected, and then no rule has another day.
        if latest != day.day {
            for work in works_of(connection, &self.interner.words, day)? {
                let rule = work.rule.map(|version| version.rule);
                let of_rule = by_rule.entry((work.kind, rule)).or_insert(work.posting_day);
                *of_rule = work.posting_day.max(*of_rule);
            }
        }
        Ok(PostedDays { latest, by_rule })
    }

    /// The standing entries of a source-day by content digest. Two entries can have equal content.
    fn standing_digests(&self, day: &SourceDay) -> Result<HashMap<Hash, Vec<EntryId>>> {
        // Descending, because `settle` pops: of equal entries the oldest ones stay.
        let sql = "SELECT e.id, e.content_digest FROM entry e
             WHERE e.source = ?1 AND e.charge_day = ?2 AND e.currency = ?3 AND e.reverses IS NULL
               AND NOT EXISTS (SELECT 1 FROM entry r WHERE r.reverses = e.id) ORDER BY e.id DESC";
        let mut standing: HashMap<Hash, Vec<EntryId>> = HashMap::new();
        row::rows(
            &self.ledger.connection,
            sql,
            (&day.source, day.day.epoch_days(), day.currency.code()),
            |row| {
                standing.entry(row::digest(row, 1)?).or_default().push(EntryId(row::cell(row, 0)?));
                Ok(())
            },
        )?;
        Ok(standing)
    }

    /// Reverses an entry on its own posting day, if that month is open. The month's balances are
    /// then as if the entry had never been. Otherwise the reversal is posted in the next open
    /// month.
    fn reverse(
        &mut self,
        id: EntryId,
        generation: GenerationId,
        closed: &BTreeSet<Day>,
    ) -> Result<()> {
        let stored = read_entry(&self.ledger.connection, &self.interner.words, id)?;
        let stored = stored.ok_or_else(|| {
            misuse(format!("entry {} is to be reversed and does not exist", id.0))
        })?;
        let reversal = stored.entry.reversal();
        let digest = of_entry(&reversal);
        let posting_day = open_day(closed, reversal.posting_day());
        self.append(&reversal, posting_day, generation, Some(id), &digest)
    }

    /// Appends an entry as the next link of the chain.
    fn append(
        &mut self,
        entry: &Entry,
        posting_day: Day,
        generation: GenerationId,
        reverses: Option<EntryId>,
        content: &Hash,
    ) -> Result<()> {
        let connection = &self.ledger.connection;
        let last = row::row(
            connection,
            "SELECT id, hash FROM entry ORDER BY id DESC LIMIT 1",
            [],
            |row| Ok((row::cell::<i64>(row, 0)?, row::digest(row, 1)?)),
        )?;
        // The number is chosen here and not by SQLite, because the link covers it.
        let (last, before) = last.unwrap_or((0, START));
        let source_day = SourceDay {
            source: entry.source().to_owned(),
            day: entry.charge_day(),
            currency: entry.currency(),
        };
        let link = EntryLink {
            id: EntryId(last + 1),
            kind: entry.kind(),
            source_day: &source_day,
            posting_day,
            run: self.run,
            generation,
            reverses,
            content,
        };
        let hash = of_link(&before, &link);
        let sql = "INSERT INTO entry (id, kind, source, charge_day, posting_day, currency, run, \
             generation, reverses, content_digest, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let (charge_day, posting_day) = (entry.charge_day().epoch_days(), posting_day.epoch_days());
        let reversed = reverses.map(|reversed| reversed.0);
        row::execute(
            connection,
            sql,
            (
                link.id.0,
                entry.kind().name(),
                entry.source(),
                charge_day,
                posting_day,
                entry.currency().code(),
                self.run.0,
                generation.0,
                reversed,
                content,
                hash,
            ),
        )?;
        self.append_postings(link.id, entry)
    }

    fn append_postings(&mut self, id: EntryId, entry: &Entry) -> Result<()> {
        let connection = &self.ledger.connection;
        let mut line = 0;
        for postings in entry.postings().chunks(POSTINGS_AT_ONCE) {
            let mut statement =
                connection.prepare_cached(&insert_postings(postings.len())).stored()?;
            for (place, posting) in postings.iter().enumerate() {
                let numbers = self.interner.numbers(connection, posting)?;
                let optional = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
                let first = place * POSTING_COLUMNS + 1;
                statement.raw_bind_parameter(first, id.0).stored()?;
                statement.raw_bind_parameter(first + 1, line).stored()?;
                statement.raw_bind_parameter(first + 2, numbers.account).stored()?;
                statement.raw_bind_parameter(first + 3, optional(numbers.target)).stored()?;
                statement.raw_bind_parameter(first + 4, optional(numbers.rule)).stored()?;
                statement.raw_bind_parameter(first + 5, optional(numbers.service)).stored()?;
                statement.raw_bind_parameter(first + 6, posting.amount.nanos()).stored()?;
                line += 1;
            }
            statement.raw_execute().stored()?;
        }
        Ok(())
    }
}

/// The latest posting days of a source-day.
struct PostedDays {
    latest: Day,
    /// By kind and rule, whatever its version.
    by_rule: HashMap<(EntryKind, Option<String>), Day>,
}

impl PostedDays {
    /// The first day that can take a new entry: that of the last one of the same rule.
    fn day_of(&self, entry: &Entry) -> Day {
        let cost = entry.postings().iter().find(|posting| posting.account.is_cost());
        let rule = cost.and_then(|posting| posting.rule.as_ref()).map(|rule| rule.rule.clone());
        self.by_rule.get(&(entry.kind(), rule)).copied().unwrap_or(self.latest)
    }
}

fn insert_postings(count: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?, ?, ?)"; count].join(", ");
    format!(
        "INSERT INTO posting (entry, line, account, target, rule, service, amount) VALUES {values}"
    )
}

/// Refuses entries of other source-days, reversals, and amounts that cannot be reversed.
fn check(day: &SourceDay, entry: &Entry) -> Result<()> {
    let place = || format!("{} on {} in {}", day.source, day.day, day.currency);
    if entry.kind() == EntryKind::Reversal {
        return Err(misuse(format!(
            "{}: reversals are made by settling, not given to it",
            place()
        )));
    }
    if entry.source() != day.source
        || entry.charge_day() != day.day
        || entry.currency() != day.currency
    {
        return Err(misuse(format!(
            "{}: an entry of {} on {} in {} does not belong here",
            place(),
            entry.source(),
            entry.charge_day(),
            entry.currency()
        )));
    }
    // The smallest number has no positive counterpart, so its posting could not be reversed.
    if entry.postings().iter().any(|posting| posting.amount.nanos() == i64::MIN) {
        return Err(misuse(format!("{}: a posting is larger than one can be", place())));
    }
    Ok(())
}

/// The digest of an entry from its stored numbers.
pub fn stored_digest(
    words: &crate::intern::Words,
    kind: EntryKind,
    day: &SourceDay,
    postings: &[(crate::intern::Numbers, i64)],
) -> Result<Hash> {
    let lines = postings.iter().map(|(numbers, amount)| {
        Ok(PostingLine {
            account: words.account(numbers)?,
            target: words.target(numbers)?,
            rule: words.rule(numbers)?,
            service_name: words.service(numbers)?,
            amount: *amount,
        })
    });
    let lines: Vec<PostingLine<'_>> = lines.collect::<Result<_>>()?;
    Ok(of_content(kind, day, lines.into_iter()))
}

#[cfg(test)]
mod tests {
    use crate::code;
    use crate::segment::{ChargeColumns, encode};
    use crate::{Ledger, Result, RunStart};
    use domain::dictionary::Dictionary;
    use domain::port::PluginIdentity;
    use domain::run::{RunId, SourceDay};

    fn fill(ledger: &mut Ledger) -> Result<()> {
        let mut transaction = ledger.begin(&RunStart { at_ms: 1, version: "1".into() })?;
        transaction.save_dictionary(&Dictionary::new())?;
        let collection = transaction.begin_source(
            "aws",
            &PluginIdentity { name: "p".into(), version: "1".into(), digest: "d".into() },
        )?;
        let currency = "USD".parse().unwrap_or_else(|error| panic!("{error}"));
        let mut amount = 1_i64;
        for day in 0..10_000 {
            let amounts: Vec<i64> = (0..4000)
                .map(|_| {
                    amount = amount.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    amount
                })
                .collect();
            let segment = encode(&ChargeColumns {
                resources: &vec![0; 4000],
                billed: &amounts,
                effective: &amounts,
            });
            let place = SourceDay {
                source: "aws".into(),
                day: domain::period::Day::from_epoch(day),
                currency,
            };
            transaction.add_segment(collection, &place.clone().without_period(), &segment)?;
        }
        Ok(())
    }

    #[test]
    fn a_full_disk_leaves_nothing_of_the_run() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let mut ledger = Ledger::open_or_create(&folder.path().join("a.ledger"))
            .unwrap_or_else(|error| panic!("{error}"));
        ledger
            .connection
            .query_row("PRAGMA max_page_count = 400", [], |_| Ok(()))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(fill(&mut ledger).map_err(|error| error.code), Err(code::LEDGER_FULL));
        assert_eq!(ledger.dictionary().map(|dictionary| dictionary.resource_count()), Ok(0));
        let stored = crate::row::number(
            &ledger.connection,
            "SELECT (SELECT count(*) FROM segment) + (SELECT count(*) FROM symbol_block)",
            [],
        );
        assert_eq!(stored, Ok(0));
        assert_eq!(ledger.verify(&mut |_| {}).map(|report| report.findings), Ok(Vec::new()));
        assert_eq!(
            ledger
                .runs(5)
                .map(|runs| runs.iter().map(|run| (run.id, run.end.is_none())).collect::<Vec<_>>()),
            Ok(vec![(RunId(1), true)])
        );
    }
}
