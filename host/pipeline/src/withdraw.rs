//! The statements that a collection takes back: what a source said before, and does not say now.
//!
//! The laws:
//!
//! - A delivery states its billing period as a whole. Days of that period that it lacks are taken
//!   back. Money of other billing periods stays, even on the same days.
//! - Where no billing period is told, a day with charges is stated as a whole, in all currencies.
//! - A source that asks a service states the days that it was asked for as a whole.
//! - Nothing is taken back of deliveries in which rows could not be read: the missing days may
//!   stand in those rows.

use crate::gather::ChargeDay;
use crate::source::DeliveryExtent;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::run::{DayTotals, DeliveryDay};
use reports::coverage::days::KnownDays;
use std::collections::{BTreeMap, BTreeSet};

/// What a collection said, as far as it decides over older statements.
pub struct Stated<'a> {
    /// All days with charges.
    pub charged: BTreeSet<ChargeDay>,
    /// Their days alone, and those of charges without a billing period.
    days: BTreeSet<Day>,
    whole_days: BTreeSet<Day>,
    /// Billing periods of which there was a delivery.
    pub periods: BTreeSet<Day>,
    /// The days that count.
    pub wanted: Period,
    pub known: &'a KnownDays,
    pub extent: DeliveryExtent,
    /// Whether the source reads files, which are read as they are, whatever days are asked for.
    pub reads_files: bool,
    pub rows_set_aside: bool,
}

impl<'a> Stated<'a> {
    /// A source that was asked for everything, and has charges of these days.
    pub fn new(charged: BTreeSet<ChargeDay>, known: &'a KnownDays) -> Stated<'a> {
        let without_period = charged.iter().filter(|day| day.billing_period.is_none());
        Stated {
            days: charged.iter().map(|day| day.day).collect(),
            whole_days: without_period.map(|day| day.day).collect(),
            periods: charged.iter().filter_map(|day| day.billing_period).collect(),
            charged,
            wanted: known.asked.unwrap_or_else(Period::all),
            known,
            extent: DeliveryExtent::default(),
            reads_files: false,
            rows_set_aside: false,
        }
    }
}

/// Money that a source has taken back, by billing period and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub billing_period: Option<Day>,
    pub currency: Currency,
    pub days: u64,
    pub billed: Sum,
    pub effective: Sum,
}

/// The fate of an older statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Stays,
    /// It would be taken back, if all rows could be read.
    Waits,
    Goes,
}

impl Stated<'_> {
    pub fn fate(&self, standing: &DeliveryDay) -> Fate {
        let day = ChargeDay::of(standing);
        if self.charged.contains(&day) || !self.wanted.contains(day.day) || !self.takes_back(&day) {
            Fate::Stays
        } else if self.reads_files && self.rows_set_aside {
            Fate::Waits
        } else {
            Fate::Goes
        }
    }

    fn takes_back(&self, day: &ChargeDay) -> bool {
        let Some(period) = day.billing_period else {
            return self.known.has(day.day) || self.days.contains(&day.day);
        };
        // Charges without a period state the whole day.
        if self.whole_days.contains(&day.day) {
            return true;
        }
        if !self.reads_files {
            return self.known.has(day.day);
        }
        let is_whole =
            self.extent == DeliveryExtent::BillingPeriod && self.periods.contains(&period);
        let complete = |day: Day| self.known.complete.iter().any(|days| days.contains(day));
        is_whole || (complete(day.day) && complete(period))
    }
}

/// Sums up what goes.
#[derive(Default)]
pub struct Withdrawals(BTreeMap<(Option<Day>, Currency), Withdrawal>);

impl Withdrawals {
    pub fn add(&mut self, day: &DeliveryDay, totals: &DayTotals) {
        let (period, currency) = (day.billing_period, day.source_day.currency);
        let sum = self.0.entry((period, currency)).or_insert_with(|| Withdrawal {
            billing_period: period,
            currency,
            days: 0,
            billed: Sum::ZERO,
            effective: Sum::ZERO,
        });
        sum.days += 1;
        sum.billed += totals.billed;
        sum.effective += totals.effective;
    }

    pub fn into_list(self) -> Vec<Withdrawal> {
        self.0.into_values().collect()
    }
}
