//! Charges that two tables of a source both have: the same file twice, or exports that overlap.
//!
//! A day counts as repeated if two tables have exactly the same charges of it. Their sum would be
//! money that nobody is owed, and nothing in the tables tells which of them to leave out.

use crate::cell::Dates;
use crate::code::CHARGES_REPEATED;
use crate::columns::{Input, TableReading};
use crate::gather::{ChargeDay, GatheredCharges};
use decode::{Scan, ShortRows, WantedColumn};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Day;
use domain::port::GrantedTable;
use domain::run::DayTotals;
use foldhash::fast::FixedState;
use foldhash::{HashMap, HashMapExt};
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

/// A day of which two tables have equal sums.
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
        let Some(repeat) = repeats.first() else { return Ok(()) };
        // Charges have no hour here. The hours of a resource that always costs the same are equal
        // charges, and may stand in files of their own.
        let day = repeat.day.day;
        if rows_of(&repeat.first, day)? != rows_of(&read, day)? {
            return Ok(());
        }
        Err(refusal(source, &read.table.name, repeat, repeats.len() - 1))
    }
}

/// A sum over the rows of a day, by the texts of all cells that are read of resource and amounts. It does not depend on the
/// order of rows and columns.
fn rows_of(read: &ReadTable, day: Day) -> Result<u64, Diagnostic> {
    let Input::Column(column) = &read.reading.charge_period_start else { return Ok(0) };
    let period_start = read.reading.name(*column).to_owned();
    let mut wanted = vec![WantedColumn::text(&period_start)];
    for column in read.reading.wanted_without_details() {
        if wanted.iter().all(|known| known.name != column.name) {
            wanted.push(WantedColumn::text(column.name));
        }
    }
    let scan = Scan::open(&read.table, &wanted, ShortRows::Filled)?;
    let mut dates = Dates::new(read.reading.date_order);
    let (mut worker, mut sum, hasher) = (scan.worker(), 0_u64, FixedState::default());
    while worker.next(&mut |batch| {
        for row in 0..batch.rows {
            if dates.day(&Input::Column(0), batch, row).is_ok_and(|found| found == day) {
                let cells = wanted.iter().zip(batch.columns);
                let row = cells.fold(0_u64, |sum, (column, cells)| {
                    sum.wrapping_add(hasher.hash_one((&column.name, cells.text(row).trim())))
                });
                sum = sum.wrapping_add(hasher.hash_one(row));
            }
        }
        Ok(())
    })? {}
    Ok(sum)
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
