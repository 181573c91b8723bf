//! Amounts that wait at stations.

use crate::money::Sum;
use crate::recipient::Recipient;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

/// An amount that waits to be passed on.
///
/// `part` is its caller's name for it: a cell's service in a run, a portion's number in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingAmount<'a, P> {
    /// Where it stands until then. Shared, since many amounts wait at one place.
    pub from: Rc<Recipient>,
    pub service: &'a str,
    pub part: P,
    pub amount: Sum,
}

impl<P: Ord> WaitingAmount<'_, P> {
    /// Whether it stands at the same place, for the same service.
    pub(super) fn has_name_of(&self, other: &Self) -> bool {
        (Rc::ptr_eq(&self.from, &other.from) || self.from == other.from)
            && self.service == other.service
    }

    /// The order in which amounts are split. Most neighbors share the place itself, and then no
    /// names are compared.
    fn order(&self, other: &Self) -> Ordering {
        let place = match Rc::ptr_eq(&self.from, &other.from) {
            true => Ordering::Equal,
            false => self.from.cmp(&other.from),
        };
        place.then_with(|| (self.service, &self.part).cmp(&(other.service, &other.part)))
    }
}

/// The amounts that wait at one place, in any order.
#[derive(Clone, Debug)]
pub struct Queue<'a, P>(Vec<WaitingAmount<'a, P>>);

impl<P> Default for Queue<'_, P> {
    fn default() -> Self {
        Queue(Vec::new())
    }
}

impl<'a, P: Ord> Queue<'a, P> {
    pub fn push(&mut self, waiting: WaitingAmount<'a, P>) {
        self.0.push(waiting);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn total(&self) -> i128 {
        self.0.iter().map(|waiting| waiting.amount.nanos()).sum()
    }

    /// The sizes of its names' amounts, added up without their signs.
    pub fn gross(&self) -> i128 {
        let mut by_name: BTreeMap<(&Recipient, &str), i128> = BTreeMap::new();
        for waiting in &self.0 {
            *by_name.entry((&waiting.from, waiting.service)).or_default() += waiting.amount.nanos();
        }
        by_name.values().map(|nanos| nanos.abs()).sum()
    }

    /// In the order of names, with one amount for each part of a place and service.
    pub(super) fn in_order(self) -> Vec<WaitingAmount<'a, P>> {
        let mut waiting = self.0;
        // Amounts that compare equal become one below, so the sort need not be stable.
        waiting.sort_unstable_by(WaitingAmount::order);
        waiting.dedup_by(|next, kept| {
            let is_same = next.order(kept) == Ordering::Equal;
            if is_same {
                kept.amount += next.amount;
            }
            is_same
        });
        waiting
    }
}

/// One queue for each station.
#[derive(Clone, Debug)]
pub struct Queues<'a, P>(Vec<Queue<'a, P>>);

impl<'a, P: Ord> Queues<'a, P> {
    pub fn new(stations: usize) -> Queues<'a, P> {
        Queues((0..stations).map(|_| Queue::default()).collect())
    }

    pub fn push(&mut self, station: usize, waiting: WaitingAmount<'a, P>) {
        self.0[station].push(waiting);
    }

    pub fn at(&self, station: usize) -> &Queue<'a, P> {
        &self.0[station]
    }

    /// Leaves an empty queue.
    pub fn take(&mut self, station: usize) -> Queue<'a, P> {
        std::mem::take(&mut self.0[station])
    }
}
