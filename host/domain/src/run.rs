//! A run: one pass from collect to post.

use crate::decimal::Exact;
use crate::money::{Currency, Sum};
use crate::period::Day;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// The charges of one source on one day in one currency: the unit of entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceDay {
    pub source: String,
    pub day: Day,
    pub currency: Currency,
}

impl SourceDay {
    /// The day as a source states it that tells no billing periods.
    pub fn without_period(self) -> DeliveryDay {
        DeliveryDay { source_day: self, billing_period: None }
    }
}

/// The part of a source-day that deliveries of one billing period state, and restate, as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryDay {
    pub source_day: SourceDay,
    /// The first day of the billing period. `None` where the source does not tell it.
    pub billing_period: Option<Day>,
}

/// The totals of a source-day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayTotals {
    pub charges: u64,
    pub billed: Sum,
    pub effective: Sum,
    /// Exact totals of the source minus the sums above: less than half a nano per charge.
    pub billed_rest: Exact,
    pub effective_rest: Exact,
    pub fingerprint: Fingerprint,
}

/// The multiset of a day's charges in 128 bits: equal for equal charges in any order, cut in any
/// way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    #[inline]
    pub fn add(&mut self, resource_digest: u128, billed: i64, effective: i64) {
        let low = mix(
            resource_digest as u64 ^ (billed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            (resource_digest >> 64) as u64 ^ effective as u64,
        );
        let high = mix(
            low ^ (resource_digest >> 64) as u64,
            (effective as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ billed as u64,
        );
        self.0 = self.0.wrapping_add(u128::from(low) | u128::from(high) << 64);
    }

    /// As [`Fingerprint::add`], of a charge with details. Details of which nothing is known have
    /// digest 0, and leave the fingerprint as it is without them. So a day of a source that tells
    /// no details has the fingerprint that it always had.
    #[inline]
    pub fn add_detailed(&mut self, resource: u128, details: u128, billed: i64, effective: i64) {
        self.add(resource ^ details, billed, effective);
    }

    pub fn merge(&mut self, other: Fingerprint) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

#[inline]
fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left ^ 0xA076_1D64_78BD_642F)
        .wrapping_mul(u128::from(right ^ 0xE703_7ED1_A0B4_28DB));
    (product as u64) ^ (product >> 64) as u64
}

impl DayTotals {
    /// Whether two totals are of the same charges. The fingerprint is a sum over the charges'
    /// digests, so equal sums with unequal charges do not occur by accident. Rests are compared as
    /// texts, because equal values can have different parts.
    pub fn are_of_the_charges_of(&self, other: &DayTotals) -> bool {
        let facts = |totals: &DayTotals| {
            (totals.charges, totals.billed, totals.effective, totals.fingerprint)
        };
        facts(self) == facts(other)
            && self.billed_rest.to_string() == other.billed_rest.to_string()
            && self.effective_rest.to_string() == other.effective_rest.to_string()
    }

    pub fn merge(&mut self, other: &DayTotals) {
        self.charges += other.charges;
        self.billed += other.billed;
        self.effective += other.effective;
        self.billed_rest.add(&other.billed_rest);
        self.effective_rest.add(&other.effective_rest);
        self.fingerprint.merge(other.fingerprint);
    }
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    Complete,
    /// Posted, but rows were set aside or a source failed.
    Incomplete,
    /// Nothing was posted.
    Failed,
}

impl RunState {
    pub fn name(self) -> &'static str {
        match self {
            RunState::Complete => "complete",
            RunState::Incomplete => "incomplete",
            RunState::Failed => "failed",
        }
    }
}
