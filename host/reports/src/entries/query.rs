//! The question: which entries.

use domain::axis::Axis;
use domain::period::Period;
use domain::run::RunId;
use ledger::EntryId;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryQuery {
    pub axis: Axis,
    /// Of days by the axis.
    pub period: Period,
    pub source: Option<String>,
    pub run: Option<RunId>,
    /// With a posting of this team, or of the account that stands in for one.
    pub team: Option<String>,
    /// With a posting of this account.
    pub account: Option<String>,
    /// With a posting by a version of this rule.
    pub rule: Option<String>,
}

/// A page of the list: so many entries after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryPage {
    pub after: Option<EntryId>,
    pub limit: usize,
}
