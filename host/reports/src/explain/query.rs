//! The question: whose cost is explained.

use domain::axis::Axis;
use domain::period::Period;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainQuery {
    /// A team, an account, a resource, or `entry:<number>`.
    pub what: String,
    /// With a team and a month this is a line of its invoice.
    pub service_name: Option<String>,
    pub axis: Axis,
    /// Of days by the axis. An entry has days of its own.
    pub period: Period,
}
