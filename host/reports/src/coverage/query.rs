//! The question: which source, as the settings describe it.

use crate::coverage::days::SourceWindow;
use domain::schedule::Schedule;

/// A source as the settings describe it.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    pub name: String,
    pub window: Option<SourceWindow>,
    /// Whether its charges are estimates of what another source will bill.
    pub is_estimate: bool,
    pub schedule: Option<Schedule>,
}
