//! The facts of a day that drivers ask for. Drivers are pure: their caller brings the facts.

use crate::diagnostic::Diagnostic;
use crate::money::Sum;
use crate::period::Day;
use crate::recipient::{Recipient, Target};
use crate::usage::Quantity;
use std::collections::BTreeMap;

/// An amount that is being shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where the amount stands. A part that is not shared stays there.
    pub stands: Recipient,
    pub rule: String,
    /// Of the day, over all sources.
    pub total: Sum,
}

impl Pool {
    /// A team does not share its own cost with itself, unless the rule lists it.
    pub(crate) fn is_of(&self, target: &Target) -> bool {
        matches!(&self.stands, Recipient::Team(own) if own.team == target.team)
    }
}

/// The questions that a driver can ask of a day.
pub trait Facts {
    /// Direct cost by team, in nanos.
    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> BTreeMap<String, i128>;
    /// Usage of the window by the value of the query's key. Usage that lacks the key is under the
    /// empty text.
    fn usage(&self, query: &UsageQuery) -> BTreeMap<String, Quantity>;
    /// The team that a name means, with its cost center. `None` if it cannot be charged.
    fn team(&self, name: &str) -> Option<Target> {
        Some(Target::team(name))
    }
    /// The first cell behind a key of a lookup table.
    fn cell(&self, table: &str, key: &str) -> Option<String>;
    /// One weight for each target, from an allocator plugin.
    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic>;
}

/// Selects direct costs or usage: every pair must hold. A key is a dimension's name or `tag:<key>`.
pub type DriverFilter = BTreeMap<String, String>;

/// The amount of a charge that counts as its cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    #[default]
    Effective,
    Billed,
}

/// One question about usage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageQuery {
    pub metric: String,
    pub filter: DriverFilter,
    /// The key whose value names the user.
    pub key: String,
    pub window: Window,
}

/// The days whose usage counts, up to the day of the charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    Days(u16),
    /// The calendar month of the day, with the days after it.
    Month,
}

impl Window {
    pub const DAY: Window = Window::Days(1);

    /// The days whose usage decides over a day's shares: the first, and the one after the last.
    pub fn days_for(self, day: Day) -> (Day, Day) {
        match self {
            Window::Days(days) => (day.plus(1 - i32::from(days.max(1))), day.plus(1)),
            Window::Month => (day.month().first_day(), day.month().next().first_day()),
        }
    }

    /// The days whose shares hang on a day's usage: the first, and the one after the last.
    pub fn days_after(self, day: Day) -> (Day, Day) {
        match self {
            Window::Days(days) => (day, day.plus(i32::from(days.max(1)))),
            // Usage at the end of a month also changes the shares of its first days.
            Window::Month => self.days_for(day),
        }
    }
}

/// A metric that a driver looks at, and how far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricWindow<'a> {
    pub metric: &'a str,
    pub window: Window,
}

/// One question to an allocator plugin.
#[derive(Debug)]
pub struct PluginCall<'a> {
    pub plugin: &'a str,
    pub config: &'a str,
    pub pool: &'a Pool,
    pub targets: &'a [Target],
    pub metrics: &'a [String],
}

pub(crate) fn describe_filter(filter: &DriverFilter) -> impl Iterator<Item = String> {
    filter.iter().map(|(key, value)| format!("where {key} = \"{value}\""))
}
