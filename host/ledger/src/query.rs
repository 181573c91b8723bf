//! Reads of posted entries: single ones, those that stand, and balances. Amounts are added up here
//! in 128 bits and never by SQL, whose sums would overflow or become floats.

use crate::error::{Stored, corrupt};
use crate::intern::{Numbers, Words};
use crate::row;
use crate::{
    Balance, BalanceFilter, Bucket, EntryId, GenerationId, Reader, Result, StandingEntry,
    StoredEntry,
};
use domain::account::Account;
use domain::axis::Axis;
use domain::entry::{Entry, EntryKind, Posting};
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use domain::run::RunId;
use foldhash::{HashMap, HashMapExt};
use rusqlite::{Connection, Row};
use serde_json::json;

pub const ENTRY: &str = "SELECT e.id, e.kind, e.source, e.charge_day, e.currency, e.posting_day,
    e.run, e.generation, e.reverses,
    (SELECT r.id FROM entry r WHERE r.reverses = e.id), e.content_digest, e.hash FROM entry e";

/// An entry that was reversed on its own posting day adds nothing to any bucket. Leaving such pairs
/// out makes restatements free.
const HEADS_POSTED: &str = "SELECT e.id, e.posting_day, e.source, e.currency, e.charge_day
    FROM entry e
    WHERE e.posting_day >= ?1 AND e.posting_day < ?2
    AND (?3 IS NULL OR e.source IN (SELECT value FROM json_each(?3)))
    AND NOT EXISTS (SELECT 1 FROM entry r
        WHERE r.reverses = e.id AND r.posting_day = e.posting_day)
    AND NOT EXISTS (SELECT 1 FROM entry o
        WHERE o.id = e.reverses AND o.posting_day = e.posting_day)
    ORDER BY e.id";

const HEADS_CHARGED: &str = "SELECT e.id, e.charge_day, e.source, e.currency, e.charge_day
    FROM entry e
    WHERE e.charge_day >= ?1 AND e.charge_day < ?2
    AND (?3 IS NULL OR e.source IN (SELECT value FROM json_each(?3)))
    AND e.reverses IS NULL AND NOT EXISTS (SELECT 1 FROM entry r WHERE r.reverses = e.id)
    ORDER BY e.id";

const POSTINGS: &str = "SELECT entry, account, target, rule, service, amount FROM posting
    WHERE entry BETWEEN ?1 AND ?2";

impl BalanceFilter {
    /// All that was posted on the days of the period, summed over all of it.
    pub fn of(period: Period) -> BalanceFilter {
        let (axis, bucket) = (Axis::Posting, Bucket::Whole);
        BalanceFilter { period, axis, bucket, accounts: None, sources: None }
    }

    /// By the day of the charge, only entries that stand count, on whatever day they were posted.
    pub fn on(self, axis: Axis) -> BalanceFilter {
        BalanceFilter { axis, ..self }
    }

    pub fn by(self, bucket: Bucket) -> BalanceFilter {
        BalanceFilter { bucket, ..self }
    }

    pub fn accounts(self, accounts: impl IntoIterator<Item = Account>) -> BalanceFilter {
        BalanceFilter { accounts: Some(accounts.into_iter().collect()), ..self }
    }

    pub fn sources(self, sources: impl IntoIterator<Item = String>) -> BalanceFilter {
        BalanceFilter { sources: Some(sources.into_iter().collect()), ..self }
    }
}

impl Reader {
    /// The entries that count for charges of the period, oldest first.
    pub fn standing(&self, period: Period) -> Result<Vec<StandingEntry>> {
        let sql = "SELECT e.id, e.kind, e.source, e.charge_day, e.currency, e.posting_day, e.run,
            e.generation, e.content_digest FROM entry e
             WHERE e.charge_day >= ?1 AND e.charge_day < ?2 AND e.reverses IS NULL
               AND NOT EXISTS (SELECT 1 FROM entry r WHERE r.reverses = e.id) ORDER BY e.id";
        row::rows(
            &self.connection,
            sql,
            (period.start().epoch_days(), period.end().epoch_days()),
            |row| {
                Ok(StandingEntry {
                    id: EntryId(row::cell(row, 0)?),
                    kind: row::entry_kind(row, 1)?,
                    source_day: row::source_day(row, 2)?,
                    posting_day: row::day(row, 5)?,
                    run: RunId(row::cell(row, 6)?),
                    generation: GenerationId(row::cell(row, 7)?),
                    digest: row::digest(row, 8)?,
                })
            },
        )
    }

    pub fn entry(&self, id: EntryId) -> Result<Option<StoredEntry>> {
        read_entry(&self.connection, &Words::load(&self.connection)?, id)
    }

    /// The balance of each account in the period. Zero balances are left out.
    pub fn balances(&self, filter: &BalanceFilter) -> Result<Vec<Balance>> {
        let heads = match filter.axis {
            Axis::Posting => HEADS_POSTED,
            Axis::Charge => HEADS_CHARGED,
        };
        let (heads, sources) = self.heads(heads, filter)?;
        let words = Words::load(&self.connection)?;
        // A list in JSON is one parameter, so one prepared statement serves lists of any length.
        let wanted = filter.accounts.as_deref().map(|accounts| words.account_numbers(accounts));
        let mut sums: HashMap<Key, i128> = HashMap::new();
        // Consecutive entries lie side by side in the table: one query reads them all.
        for heads in heads.chunk_by(|left, right| left.id + 1 == right.id) {
            self.add_postings(heads, wanted.as_deref(), &mut sums)?;
        }
        let mut balances = Vec::with_capacity(sums.len());
        for (key, nanos) in sums.into_iter().filter(|(_, nanos)| *nanos != 0) {
            balances.push(balance(&key, nanos, &words, &sources)?);
        }
        // The sums come out of a hash table.
        balances.sort_unstable_by(|left, right| order(left).cmp(&order(right)));
        Ok(balances)
    }

    /// The entries of the period by number, and the names of their sources.
    fn heads(&self, sql: &str, filter: &BalanceFilter) -> Result<(Vec<Head>, Vec<String>)> {
        let BalanceFilter { period, bucket, .. } = *filter;
        let wanted = filter.sources.as_ref().map(|sources| json!(sources).to_string());
        let mut sources: Vec<String> = Vec::new();
        let mut heads = row::rows(
            &self.connection,
            sql,
            (period.start().epoch_days(), period.end().epoch_days(), wanted),
            |row| {
                let name = row::text(row, 2)?;
                let source = sources.iter().position(|known| known == name).unwrap_or_else(|| {
                    sources.push(name.to_owned());
                    sources.len() - 1
                });
                let (day, charged) = (row::day(row, 1)?, row::day(row, 4)?.month());
                Ok(Head {
                    id: row::cell(row, 0)?,
                    bucket: bucket_start(bucket, period, day),
                    source,
                    currency: row::currency(row, 3)?,
                    corrects: Some(charged).filter(|charged| *charged != day.month()),
                })
            },
        )?;
        if bucket == Bucket::Whole
            && let Some(first) = heads.iter().map(|head| head.bucket).min()
        {
            heads.iter_mut().for_each(|head| head.bucket = first);
        }
        Ok((heads, sources))
    }

    /// Adds the postings of entries with consecutive numbers. `accounts` is a JSON list of numbers.
    fn add_postings(
        &self,
        heads: &[Head],
        accounts: Option<&str>,
        sums: &mut HashMap<Key, i128>,
    ) -> Result<()> {
        let (Some(first), Some(last)) = (heads.first(), heads.last()) else {
            return Ok(());
        };
        let sql = match accounts {
            None => POSTINGS.to_owned(),
            Some(_) => format!("{POSTINGS} AND account IN (SELECT value FROM json_each(?3))"),
        };
        let mut statement = self.connection.prepare_cached(&sql).stored()?;
        let found = match accounts {
            None => statement.query((first.id, last.id)),
            Some(accounts) => statement.query((first.id, last.id, accounts)),
        };
        let mut rows = found.stored()?;
        while let Some(row) = rows.next().stored()? {
            let entry: i64 = row::cell(row, 0)?;
            let head = usize::try_from(entry - first.id)
                .ok()
                .and_then(|at| heads.get(at))
                .unwrap_or(first);
            let key = Key {
                bucket: head.bucket,
                source: head.source,
                currency: head.currency,
                corrects: head.corrects,
                numbers: numbers(row, 1)?,
            };
            *sums.entry(key).or_default() += i128::from(row::cell::<i64>(row, 5)?);
        }
        Ok(())
    }
}

/// The part of an entry that balances need.
struct Head {
    id: i64,
    bucket: Day,
    source: usize,
    currency: Currency,
    corrects: Option<Month>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    bucket: Day,
    source: usize,
    currency: Currency,
    corrects: Option<Month>,
    numbers: Numbers,
}

fn balance(key: &Key, nanos: i128, words: &Words, sources: &[String]) -> Result<Balance> {
    Ok(Balance {
        bucket_start: key.bucket,
        corrects: key.corrects,
        source: sources.get(key.source).cloned().unwrap_or_default(),
        account: words.account(&key.numbers)?.clone(),
        target: words.target(&key.numbers)?.cloned(),
        rule: words.rule(&key.numbers)?.cloned(),
        service_name: words.service(&key.numbers)?.map(str::to_owned),
        currency: key.currency,
        amount: Sum::from_nanos(nanos),
    })
}

fn order(balance: &Balance) -> impl Ord + '_ {
    (
        balance.bucket_start,
        balance.corrects,
        &balance.source,
        balance.currency,
        &balance.account,
        &balance.target,
        &balance.rule,
        &balance.service_name,
    )
}

/// A week or month that began before the period starts with it.
fn bucket_start(bucket: Bucket, period: Period, day: Day) -> Day {
    match bucket {
        Bucket::Day | Bucket::Whole => day,
        Bucket::Week => day.week_start().max(period.start()),
        Bucket::Month => day.month().first_day().max(period.start()),
    }
}

/// The words of a posting, from four columns on.
pub fn numbers(row: &Row<'_>, at: usize) -> Result<Numbers> {
    Ok(Numbers {
        account: row::cell(row, at)?,
        target: row::cell(row, at + 1)?,
        rule: row::cell(row, at + 2)?,
        service: row::cell(row, at + 3)?,
    })
}

pub fn read_entry(
    connection: &Connection,
    words: &Words,
    id: EntryId,
) -> Result<Option<StoredEntry>> {
    row::row(connection, &format!("{ENTRY} WHERE e.id = ?1"), [id.0], |row| {
        stored_entry(connection, words, row)
    })
}

pub fn stored_entry(connection: &Connection, words: &Words, row: &Row<'_>) -> Result<StoredEntry> {
    let id = EntryId(row::cell(row, 0)?);
    let sql =
        "SELECT account, target, rule, service, amount FROM posting WHERE entry = ?1 ORDER BY line";
    let postings: Vec<Posting> = row::rows(connection, sql, [id.0], |row| {
        words.posting(&numbers(row, 0)?, row::cell(row, 4)?)
    })?;
    let kind: EntryKind = row::entry_kind(row, 1)?;
    let day = row::source_day(row, 2)?;
    let entry = Entry::new(kind, &day.source, day.day, day.currency, postings);
    let entry = entry.map_err(|error| corrupt(format!("entry {}: {error}", id.0)))?;
    Ok(StoredEntry {
        id,
        run: RunId(row::cell(row, 6)?),
        generation: GenerationId(row::cell(row, 7)?),
        reverses: row::cell::<Option<i64>>(row, 8)?.map(EntryId),
        reversed_by: row::cell::<Option<i64>>(row, 9)?.map(EntryId),
        digest: row::digest(row, 10)?,
        hash: row::digest(row, 11)?,
        entry: entry.posted_on(row::day(row, 5)?),
    })
}
