//! The questions: a page of runs, or one run with its rejected rows.

use domain::run::RunId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunsQuery {
    /// Only runs that began before this one.
    pub before: Option<RunId>,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunQuery {
    pub id: RunId,
    /// Rejected rows shown.
    pub limit: usize,
}
