//! Charges that two tables of a source both have: the same file twice, or exports that overlap.
//!
//! A day counts as repeated if two tables have exactly the same charges of it. Their sum would be
//! money that nobody is owed, and nothing in the tables tells which of them to leave out.

use crate::cell::Dates;
use crate::code::CHARGES_REPEATED;
use crate::columns::TableReading;
use crate::gather::{ChargeDay, GatheredCharges};
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
    /// The first table that had these charges.
    seen: HashMap<(ChargeDay, u128, u64), Arc<ReadTable>>,
}

/// A table that was read, and how.
pub struct ReadTable {
    pub table: GrantedTable,
    pub reading: TableReading,
}

/// A day of which two tables have equal charges.
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
    pub fn note(
        &mut self,
        source: &str,
        read: ReadTable,
        gathered: &GatheredCharges,
    ) -> Result<(), Diagnostic> {
        let read = Arc::new(read);
        let mut repeats = Vec::new();
        for (day, totals) in &gathered.totals {
            // Charges of nothing cost nothing when they are counted twice.
            if totals.billed.is_zero() && totals.effective.is_zero() {
                continue;
            }
            // Without details: an export that was made again may name the invoice, or a quantity.
            let amounts = gathered.amounts.get(day).copied().unwrap_or_default();
            let key = (*day, amounts.0, totals.charges);
            let first = self.seen.entry(key).or_insert_with(|| Arc::clone(&read));
            if !Arc::ptr_eq(first, &read) {
                repeats.push(Repeat { day: *day, totals, first: Arc::clone(first) });
            }
        }
        repeats.sort_by(|one, other| {
            (&one.first.table.name, one.day).cmp(&(&other.first.table.name, other.day))
        });
        // Charges have no hour here. The hours of a resource that always costs the same are equal
        // charges, and may stand in files of their own. So the rows themselves are compared.
        for repeats in repeats.chunk_by(|one, other| Arc::ptr_eq(&one.first, &other.first)) {
            let days: BTreeSet<Day> = repeats.iter().map(|repeat| repeat.day.day).collect();
            let first = rows_of(&repeats[0].first, &days)?;
            let rows = rows_of(&read, &days)?;
            let is_same =
                |repeat: &&Repeat<'_>| first.get(&repeat.day.day) == rows.get(&repeat.day.day);
            let same: Vec<&Repeat<'_>> = repeats.iter().filter(is_same).collect();
            if let Some(repeat) = same.first() {
                return Err(refusal(source, &read.table.name, repeat, same.len() - 1));
            }
        }
        Ok(())
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
        let Some(other) = ledger.source_of_same(&source_day, totals)? else { continue };
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
