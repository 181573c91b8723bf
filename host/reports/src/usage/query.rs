//! The question: which metrics, over which days, by which keys.

use domain::period::Period;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    pub period: Period,
    /// Nothing: all metrics.
    pub metric: Option<String>,
    /// Keys such as `team`; without any there are no groups, which saves reading the rows.
    pub group_by: Vec<String>,
}
