//! What speaks for two lists of charges being the same money.

use crate::alike::Likeness;
use crate::reread::CurrencyDay;
use crate::same_sums::Totals;
use domain::money::{Currency, Sum};
use domain::run::DayTotals;
use std::collections::{BTreeMap, BTreeSet};

/// Different amounts that make charges a repetition, where one of two tables says less than the
/// other. Two subscriptions with the same one or two fees are no rarity. Three amounts that are
/// equal to the nano, on the same day and in the same number of charges, are no chance.
const AMOUNTS_MIN: usize = 3;

/// What is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatKind {
    Charges,
    /// The same amounts, where one list says less of its charges.
    Amounts,
    /// Billed sums of services.
    Services,
}

#[derive(Default)]
pub struct Evidence {
    /// Days that are the same, with their charges and billed sum.
    days: Vec<(CurrencyDay, u64, Sum)>,
    is_certain: bool,
    /// Whether one list says less of its charges, and nothing else differs.
    says_less: bool,
    amounts: BTreeSet<(i64, i64)>,
    by_service: BTreeSet<i128>,
    /// Days of equal figures whose charges are others.
    different: BTreeSet<CurrencyDay>,
}

impl Evidence {
    /// Adds a day. `are_alike`: both have the same number of charges, and the same sums.
    pub fn add(
        &mut self,
        day: CurrencyDay,
        totals: &DayTotals,
        are_alike: bool,
        likeness: Likeness,
    ) {
        match likeness {
            Likeness::Different => {
                self.different.extend(are_alike.then_some(day));
                return;
            }
            Likeness::Same => self.is_certain = true,
            Likeness::Compatible(amounts) => {
                self.says_less |= !amounts.is_empty();
                self.amounts.extend(amounts);
            }
            Likeness::SameOwners(amounts) => self.amounts.extend(amounts),
            Likeness::SameByService(sums) => self.by_service.extend(sums),
        }
        self.days.push((day, totals.charges, totals.billed));
    }

    pub fn different(&self) -> &BTreeSet<CurrencyDay> {
        &self.different
    }

    pub fn kind(&self) -> RepeatKind {
        if self.is_certain {
            RepeatKind::Charges
        } else if self.amounts.len() >= self.by_service.len() {
            RepeatKind::Amounts
        } else {
            RepeatKind::Services
        }
    }

    pub fn is_enough(&self) -> bool {
        let distinct = self.amounts.len().max(self.by_service.len());
        self.is_certain || distinct >= AMOUNTS_MIN
    }

    /// Charges of most days that both have, which are the same in all that both lists say, and too
    /// few to be sure of it.
    pub fn suspicion(&self, own: &Totals, others: &Totals) -> Option<String> {
        let both = own.keys().filter(|day| others.contains_key(day)).count();
        let is_most = self.says_less && self.days.len() * 2 > both;
        let days = is_most.then(|| self.days_in_words())?;
        Some(format!(
            "the same amounts in as many charges of {days}, and one of the two says less of them"
        ))
    }

    /// The first day that is the same, with its charges and billed sum.
    pub fn first(&self) -> Option<&(CurrencyDay, u64, Sum)> {
        self.days.first()
    }

    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// `3 days, from 2026-03-02 to 2026-03-04, 12 USD billed`.
    pub fn days_in_words(&self) -> String {
        let mut billed: BTreeMap<Currency, Sum> = BTreeMap::new();
        for (day, _, sum) in &self.days {
            *billed.entry(day.currency).or_default() += *sum;
        }
        let billed: Vec<String> =
            billed.iter().map(|(currency, sum)| format!("{sum} {currency}")).collect();
        let of_days: BTreeSet<_> = self.days.iter().map(|(day, ..)| day.day).collect();
        let days = match (of_days.first(), of_days.last(), of_days.len()) {
            (Some(first), Some(last), days) if days > 1 => {
                format!("{days} days, from {first} to {last}")
            }
            (first, ..) => first.map(ToString::to_string).unwrap_or_default(),
        };
        format!("{days}, {} billed", billed.join(" and "))
    }
}
