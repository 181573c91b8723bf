//! Days that cost the same in two tables or two sources, though their rows are others: one bill in
//! two forms, such as by the hour and by the day.

use crate::reread::CurrencyDay;
use domain::money::Sum;
use domain::period::Day;
use domain::run::DayTotals;
use std::collections::{BTreeMap, BTreeSet};

/// Different sums that make days suspicious. A flat fee has the same sum every day, and two where
/// months begin.
const SUMS_MIN: usize = 3;

pub type Totals = BTreeMap<CurrencyDay, DayTotals>;

/// The days that cost the same in both.
pub struct SameSums {
    pub days: usize,
    pub first: Day,
    pub last: Day,
}

impl SameSums {
    pub fn in_words(&self) -> String {
        let SameSums { days, first, last } = self;
        format!("the same billed sum of {days} days, from {first} to {last}")
    }

    /// Nothing unless most days that both have cost the same. Days of which `different` is known
    /// are not the same, whatever they cost.
    pub fn of(
        own: &Totals,
        others: &Totals,
        different: &BTreeSet<CurrencyDay>,
    ) -> Option<SameSums> {
        let both = own.iter().filter_map(|(day, totals)| {
            let other = others.get(day)?.billed;
            let is_free = totals.billed.is_zero() && other.is_zero();
            (!is_free).then_some((day, totals.billed, other))
        });
        let both: Vec<(&CurrencyDay, Sum, Sum)> = both.collect();
        let is_same = |(day, own, other): &&(&CurrencyDay, Sum, Sum)| {
            own == other && !different.contains(*day)
        };
        let same: Vec<_> = both.iter().filter(is_same).collect();
        let sums: BTreeSet<Sum> = same.iter().map(|(_, sum, _)| *sum).collect();
        if sums.len() < SUMS_MIN || same.len() * 2 <= both.len() {
            return None;
        }
        let (first, last) = (same.first()?.0.day, same.last()?.0.day);
        Some(SameSums { days: same.len(), first, last })
    }
}
