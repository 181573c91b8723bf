//! A configured source, ready to be collected.

use domain::charge::KeptDetails;
use domain::field::Field;
use domain::port::{CollectRequest, Collector};
use reports::coverage::days::SourceWindow;

pub struct Source {
    pub name: String,
    pub collector: Box<dyn Collector>,
    pub request: CollectRequest,
    /// The bill that this source estimates, if it does.
    pub accrues_for: Option<Accrual>,
    /// Names that the source had before. What they stated is its own, until it states it anew.
    pub formerly: Vec<String>,
    /// The days to ask for, if the request names no period. Without a window, the source is asked
    /// for everything.
    pub window: Option<SourceWindow>,
    /// `None`: the settings do not say it, and it is refused where that could cost money.
    pub delivery: Option<DeliveryExtent>,
    pub repeats: RepeatPolicy,
    /// The details that are kept of its charges.
    pub kept: KeptDetails,
}

impl Source {
    /// All names of the source, the present one first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.formerly.iter().map(String::as_str))
    }
}

/// How the estimates of a source give way to a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The source of the bill.
    pub bill: String,
    /// Names that the bill had before.
    pub formerly: Vec<String>,
    /// An estimate goes by the first of these dimensions that it has. It gives way once the bill
    /// has a charge of the day with the same value.
    pub by: Vec<Field>,
    /// Days from the first charges that the bill has of a day until all estimates of it give way.
    pub settled_after_days: u32,
}

impl Accrual {
    /// All names of the bill, the present one first.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.bill).chain(&self.formerly)
    }
}

/// What a delivery of files states as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryExtent {
    /// Its billing periods: days of them that it lacks are taken back.
    BillingPeriod,
    /// Only the days that it has.
    Day,
}

/// What to do about charges that two files both have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepeatPolicy {
    /// The source fails, by the names of the files.
    #[default]
    Refuse,
    /// Both count.
    Count,
}
