//! A configured source, ready to be collected.

use domain::charge::KeptDetails;
use domain::port::{CollectRequest, Collector};
use reports::coverage::days::SourceWindow;

pub struct Source {
    pub name: String,
    pub collector: Box<dyn Collector>,
    pub request: CollectRequest,
    /// The source whose charges this one estimates, with its former names. Estimates count on days
    /// of which that source has no charges yet. Nothing for a source that estimates nothing.
    pub accrues_for: Vec<String>,
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
