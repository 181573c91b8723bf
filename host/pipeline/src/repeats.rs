//! Charges that two tables of a source both have: the same file twice, or exports that overlap.
//!
//! A day counts as repeated if two tables have exactly the same charges of it. Their sum would be
//! money that nobody is owed, and nothing in the tables tells which of them to leave out.

use crate::cell::Dates;
use crate::code::CHARGES_REPEATED;
use crate::columns::TableReading;
use crate::gather::{ChargeDay, GatheredCharges};
use crate::standing::Standing;
use decode::{Batch, Scan, ShortRows, WantedColumn};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Day;
use domain::port::GrantedTable;
use domain::run::DayTotals;
use foldhash::fast::FixedState;
use foldhash::{HashMap, HashMapExt};
use ledger::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::Arc;

/// The days of the tables that were read so far.
pub struct TableDays {
    seen: HashMap<(ChargeDay, u128, u64), Vec<Seen>>,
}

/// A table with the charges of a day.
struct Seen {
    read: Arc<ReadTable>,
    /// The sum over its rows, once it was needed.
    rows: Option<u64>,
}

/// A table that was read, and how.
pub struct ReadTable {
    pub table: GrantedTable,
    pub reading: TableReading,
}

/// A day of which two tables have the same charges.
struct Repeat<'t> {
    day: ChargeDay,
    totals: &'t DayTotals,
    first: Arc<ReadTable>,
}

impl TableDays {
    pub fn new() -> TableDays {
        TableDays { seen: HashMap::new() }
    }

    /// Notes the days of a table. Refuses the source if a table before has the same charges.
    ///
    /// Charges have no hour here. The hours of a resource that always costs the same are equal
    /// charges, and may stand in files of their own. So where charges are equal, the rows are
    /// compared.
    pub fn note(
        &mut self,
        source: &str,
        read: ReadTable,
        gathered: &GatheredCharges,
    ) -> Result<(), Diagnostic> {
        let read = Arc::new(read);
        let mut suspects = Vec::new();
        for (day, totals) in &gathered.totals {
            // Charges of nothing cost nothing when they are counted twice.
            if totals.billed.is_zero() && totals.effective.is_zero() {
                continue;
            }
            // Without details: an export that was made again may name the invoice, or a quantity.
            let amounts = gathered.amounts.get(day).copied().unwrap_or_default();
            let key = (*day, amounts.0, totals.charges);
            let seen = self.seen.entry(key).or_default();
            if !seen.is_empty() {
                suspects.push((key, totals));
            }
            seen.push(Seen { read: Arc::clone(&read), rows: None });
        }
        suspects.sort_by_key(|(key, _)| *key);
        let days: BTreeSet<Day> = suspects.iter().map(|((day, ..), _)| day.day).collect();
        let rows = if days.is_empty() { BTreeMap::new() } else { rows_of(&read, &days)? };
        let mut repeats = Vec::new();
        for (key, totals) in suspects {
            let (day, sum) = (key.0, rows.get(&key.0.day).copied());
            let Some(seen) = self.seen.get_mut(&key) else { continue };
            for before in seen.iter_mut() {
                if Arc::ptr_eq(&before.read, &read) {
                    before.rows = sum;
                    continue;
                }
                if before.rows.is_none() {
                    let sums = rows_of(&before.read, &BTreeSet::from([day.day]))?;
                    before.rows = sums.get(&day.day).copied();
                }
                if before.rows == sum {
                    repeats.push(Repeat { day, totals, first: Arc::clone(&before.read) });
                    break;
                }
            }
        }
        match repeats.first() {
            None => Ok(()),
            Some(repeat) => Err(refusal(source, &read.table.name, repeat, repeats.len() - 1)),
        }
    }
}

/// For each of the days, a sum over its rows by the cells that make resource and amounts. It does
/// not depend on the order of rows and columns.
fn rows_of(read: &ReadTable, days: &BTreeSet<Day>) -> Result<BTreeMap<Day, u64>, Diagnostic> {
    let reading = &read.reading;
    // Dates as texts, because a typed date has no hour.
    let wanted: Vec<WantedColumn> =
        reading.wanted().into_iter().map(|column| WantedColumn::text(column.name)).collect();
    let compared = reading.columns_without_details();
    let scan = Scan::open(&read.table, &wanted, ShortRows::Filled)?;
    let (mut dates, mut sums) = (Dates::new(reading.date_order), BTreeMap::new());
    let (mut worker, hasher) = (scan.worker(), FixedState::default());
    let mut take = |batch: &Batch<'_>| {
        for row in 0..batch.rows {
            let day = dates.day(&reading.charge_period_start, batch, row);
            let Some(day) = day.ok().filter(|day| days.contains(day)) else { continue };
            let row = compared.iter().fold(0_u64, |sum, column| {
                let cell = (reading.name(*column), batch.columns[*column].text(row));
                sum.wrapping_add(hasher.hash_one((cell.0, cell.1.trim())))
            });
            let sum: &mut u64 = sums.entry(day).or_default();
            *sum = sum.wrapping_add(hasher.hash_one(row));
        }
    };
    while worker.next(&mut |batch| {
        reading.lay_out(batch, &mut take);
        Ok(())
    })? {}
    Ok(sums)
}

/// Refuses a source whose files have a day's charges that another source has too.
pub fn expect_in_one_source(
    standing: &Standing<'_>,
    ledger: &Reader,
    source: &str,
    gathered: &GatheredCharges,
) -> Result<(), Diagnostic> {
    let mut days: Vec<_> = gathered.totals.iter().collect();
    days.sort_by_key(|(day, _)| **day);
    for (day, totals) in days {
        if totals.billed.is_zero() && totals.effective.is_zero() {
            continue;
        }
        let source_day = day.at(source).source_day;
        let Some(other) = standing.source_of_same(ledger, &source_day, totals)? else { continue };
        let message = format!(
            "the source '{other}' has exactly the same charges of {}, {} {} billed: they would \
             count twice",
            day.day, totals.billed, day.currency
        );
        let hint = Hint::text("leave the files out of one of the two; if both are owed, write ")
            .then(Hint::setting("repeats = \"count\""))
            .then(format!(" in [sources.{source}] and in [sources.{other}]"));
        return Err(Diagnostic::new(CHARGES_REPEATED, message).hint(hint));
    }
    Ok(())
}

fn refusal(source: &str, table: &str, repeat: &Repeat<'_>, others: usize) -> Diagnostic {
    let Repeat { day, totals, first } = repeat;
    let charges = match totals.charges {
        1 => "the same charge".to_owned(),
        count => format!("the same {count} charges"),
    };
    let others = match others {
        0 => String::new(),
        1 => ", and the same charges of another day".to_owned(),
        count => format!(", and the same charges of {count} other days"),
    };
    Diagnostic::new(
        CHARGES_REPEATED,
        format!(
            "{table} and {} both have {charges} of {}, {} {} billed{others}: they would count \
             twice",
            first.table.name, day.day, totals.billed, day.currency
        ),
    )
    .hint(
        Hint::text(format!(
            "leave one of the two out of the paths of the source '{source}'; if both are owed, \
             write "
        ))
        .then(Hint::setting("repeats = \"count\""))
        .then(format!(" in [sources.{source}]")),
    )
}
