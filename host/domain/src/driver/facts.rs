//! The facts of a day that drivers ask for. Drivers are pure: their caller brings the facts.

use crate::detail::Detail;
use crate::diagnostic::Diagnostic;
use crate::money::Sum;
use crate::period::Day;
use crate::recipient::{Recipient, Target};
use crate::usage::Quantity;
use num_bigint::BigInt;
use std::collections::BTreeMap;

/// An amount that is being shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where the amount stands. A part that is not shared stays there.
    pub stands: Recipient,
    pub rule: String,
    /// Of the day, over all sources.
    pub total: Sum,
    /// The sizes of its parts, added up without their signs. It is more than the size of the total
    /// where parts cancel out.
    pub gross: Sum,
    /// Its place among the pools that divide one count of usage.
    pub part: PoolPart,
}

/// The part of a whole that begins after the parts before it. Parts that follow one another add up
/// to the whole, to the nano.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolPart {
    pub before: i128,
    pub part: i128,
    pub whole: i128,
}

impl PoolPart {
    pub const WHOLE: PoolPart = PoolPart { before: 0, part: 1, whole: 1 };

    /// Its part of an amount.
    pub(crate) fn of(self, nanos: i128) -> i128 {
        let reached = |upto: i128| {
            let cut = BigInt::from(nanos) * upto / self.whole.max(1);
            // Not beyond the amount itself, which fits.
            i128::try_from(cut).unwrap_or(nanos)
        };
        reached(self.before + self.part) - reached(self.before)
    }
}

impl Pool {
    /// A pool whose parts all have the sign of the total, and that counts usage alone.
    pub fn new(stands: Recipient, rule: impl Into<String>, total: Sum) -> Pool {
        let gross = Sum::from_nanos(total.nanos().abs());
        Pool { stands, rule: rule.into(), total, gross, part: PoolPart::WHOLE }
    }

    /// A team does not share its own cost with itself, unless the rule lists it.
    pub(crate) fn is_of(&self, target: &Target) -> bool {
        matches!(&self.stands, Recipient::Team(own) if own.team == target.team)
    }
}

/// The questions that a driver can ask of a day.
pub trait Facts {
    /// The currency of the amounts.
    fn currency(&self) -> &str;
    /// Cost by team over the window of the question, in nanos.
    fn team_costs(&self, question: &CostQuestion) -> BTreeMap<String, i128>;
    /// The charges that do not say the cost that the question asks for, by day, source and team.
    /// Effective and billed cost are known of every charge.
    fn cost_gaps(&self, _: &CostQuestion) -> Vec<CostGap> {
        Vec::new()
    }
    /// Direct cost of the day by team, in nanos.
    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> BTreeMap<String, i128>;
    /// Usage of the window by the values of the query's keys. A key that usage lacks has the empty
    /// text. Nothing where a source of the metric has a gap on every day of the window that
    /// has usage: the others' usage alone would say that nobody else used anything.
    fn usage(&self, query: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>>;
    /// The team that a name means, with its cost center. `None` if it cannot be charged.
    fn team(&self, name: &str) -> Option<Target> {
        Some(Target::team(name))
    }
    /// The first cell behind a key of a lookup table.
    fn cell(&self, table: &str, key: &[String]) -> Option<String>;
    /// One weight for each target, from an allocator plugin.
    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic>;
}

/// Selects direct costs or usage: every pair must hold. A key is a dimension's name or `tag:<key>`.
pub type DriverFilter = BTreeMap<String, String>;

/// The amount of a charge that counts as its cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Basis {
    #[default]
    Effective,
    Billed,
    Contracted,
    List,
}

impl Basis {
    /// The detail of the charge that it is, if it is one. Charges need not say details.
    pub fn detail(self) -> Option<Detail> {
        match self {
            Basis::Effective | Basis::Billed => None,
            Basis::Contracted => Some(Detail::ContractedCost),
            Basis::List => Some(Detail::ListCost),
        }
    }
}

/// The cost of a team that counts as its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CostBasis {
    /// The effective cost of the charges that were assigned to it.
    #[default]
    Direct,
    /// The billed cost of the same charges.
    Billed,
    /// Their contracted cost, which some charges may not say.
    Contracted,
    /// Their list cost, which some charges may not say.
    List,
    /// The effective cost that it bears when the turn comes: assigned, shared and passed on to it.
    Allocated,
}

impl CostBasis {
    /// The amount of the charges that counts.
    pub fn of_charges(self) -> Basis {
        match self {
            CostBasis::Direct | CostBasis::Allocated => Basis::Effective,
            CostBasis::Billed => Basis::Billed,
            CostBasis::Contracted => Basis::Contracted,
            CostBasis::List => Basis::List,
        }
    }

    /// The word by which rules ask for it.
    pub fn name(self) -> &'static str {
        match self {
            CostBasis::Direct => "direct",
            CostBasis::Billed => "billed_cost",
            CostBasis::Contracted => "contracted_cost",
            CostBasis::List => "list_cost",
            CostBasis::Allocated => "allocated",
        }
    }
}

/// Charges of a team that do not say a cost, of one source and day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CostGap {
    pub day: Day,
    pub source: String,
    pub team: String,
    pub charges: u64,
}

/// One question about costs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CostQuestion {
    pub filter: DriverFilter,
    pub basis: CostBasis,
    pub window: Window,
}

impl CostQuestion {
    /// The direct cost of the day.
    pub fn direct(filter: DriverFilter) -> CostQuestion {
        CostQuestion { filter, basis: CostBasis::Direct, window: Window::DAY }
    }

    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = describe_filter(&self.filter).collect();
        if self.basis != CostBasis::Direct {
            words.push(format!("basis {}", self.basis.name()));
        }
        words.extend(self.window.words());
        words
    }
}

/// One question about usage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageQuery {
    pub metric: String,
    pub filter: DriverFilter,
    /// The keys whose values name the user: mostly one, such as the team.
    pub key: Vec<String>,
    pub window: Window,
}

/// The days whose usage or cost counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// Up to the day of the charges.
    Days(u16),
    /// From Monday to Sunday, as far as the days lie in one month: months are closed one by one.
    Week,
    /// The calendar month of the day, with the days after it.
    Month,
}

impl Window {
    pub const DAY: Window = Window::Days(1);

    /// The days that decide over a day's shares: the first, and the one after the last.
    pub fn days_for(self, day: Day) -> (Day, Day) {
        let month = (day.month().first_day(), day.month().next().first_day());
        match self {
            Window::Days(days) => (day.plus(1 - i32::from(days.max(1))), day.plus(1)),
            Window::Week => {
                // 1970-01-01 was a Thursday.
                let monday = day.plus(-(day.epoch_days() + 3).rem_euclid(7));
                (monday.max(month.0), monday.plus(7).min(month.1))
            }
            Window::Month => month,
        }
    }

    /// Whether the days of a window share it, so that each decides over the shares of all.
    pub fn is_shared(self) -> bool {
        matches!(self, Window::Week | Window::Month)
    }

    pub(crate) fn words(self) -> Option<String> {
        match self {
            Window::Days(1) => None,
            Window::Days(days) => Some(format!("window {days} days")),
            Window::Week => Some("window week".into()),
            Window::Month => Some("window month".into()),
        }
    }

    /// The days whose shares hang on a day: the first, and the one after the last.
    pub fn days_after(self, day: Day) -> (Day, Day) {
        match self {
            Window::Days(days) => (day, day.plus(i32::from(days.max(1)))),
            // Usage at the end of a month also changes the shares of its first days.
            Window::Week | Window::Month => self.days_for(day),
        }
    }
}

/// A metric that a driver looks at, and how far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricWindow<'a> {
    pub metric: &'a str,
    pub window: Window,
}

/// A count of usage that is charged once, however many pools of a rule share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedUsage<'a> {
    pub query: &'a UsageQuery,
    /// Prices without a currency mean that of the charges.
    pub currency: Option<&'a str>,
    /// As a person would say it.
    pub prices: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_end_with_their_month() {
        let days = |day: &str| {
            let (from, to) = Window::Week.days_for(day.parse().unwrap());
            format!("{from} {to}")
        };
        // 2026-03-30 is a Monday, and 2026-04-01 the Wednesday after it.
        for (day, expect) in [
            ("2026-03-29", "2026-03-23 2026-03-30"),
            ("2026-03-30", "2026-03-30 2026-04-01"),
            ("2026-03-31", "2026-03-30 2026-04-01"),
            ("2026-04-01", "2026-04-01 2026-04-06"),
            ("2026-04-06", "2026-04-06 2026-04-13"),
            ("1969-12-31", "1969-12-29 1970-01-01"),
        ] {
            assert_eq!(days(day), expect, "{day}");
        }
    }

    #[test]
    fn portions_add_up_to_the_whole() {
        let portion = |before, part| PoolPart { before, part, whole: 7 };
        let given: Vec<i128> =
            [(0, 3), (3, 3), (6, 1)].map(|(before, part)| portion(before, part).of(100)).into();
        // 300/7 = 42.9, 600/7 = 85.7.
        assert_eq!(given, [42, 43, 15]);
        assert_eq!(portion(0, 7).of(-100), -100);
    }
}
