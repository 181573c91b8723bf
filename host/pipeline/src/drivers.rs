//! What costs are shared by on a day: direct costs, usage, and the weights of allocator plugins.

use crate::allocate::{DaySlice, Generation};
use domain::code;
use domain::decision::{
    Basis, Decision, Driver, DriverFilter, Outcome, Spread, UsageDriver, Verdict, WhenZero, Window,
};
use domain::diagnostic::Diagnostic;
use domain::money::Currency;
use domain::period::{Day, Period};
use domain::port::AllocatorCall;
use domain::spread::{Facts, PluginCall};
use domain::usage::{Quantity, Usage, is_for};
use foldhash::HashMap;
use ledger::Transaction;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Usage by metric and day: all that the spreads of a generation ask for.
#[derive(Default)]
pub struct Drivers {
    by_metric: HashMap<String, BTreeMap<Day, UsageDay>>,
}

/// A day's usage of one metric. Spreads of single machines ask for theirs among many: these are found at once.
#[derive(Default)]
struct UsageDay {
    rows: Vec<Usage>,
    by_resource: HashMap<String, Vec<usize>>,
}

const RESOURCE: &str = "resource_id";

impl Drivers {
    /// Loads what the outcomes name, for charges of these days.
    pub fn load(
        transaction: &Transaction<'_>,
        outcomes: &[Outcome],
        first: Day,
        last: Day,
    ) -> Result<Drivers, Diagnostic> {
        let mut asked: BTreeMap<&str, (Day, Day)> = BTreeMap::new();
        for usage in outcomes.iter().filter_map(spread_of).flat_map(usages) {
            let (from, to) = (window(usage.window, first).0, window(usage.window, last).1);
            let span = asked.entry(&usage.metric).or_insert((from, to));
            *span = (span.0.min(from), span.1.max(to));
        }
        for metric in outcomes.iter().filter_map(spread_of).flat_map(metrics) {
            let span = asked.entry(metric).or_insert((first, last.plus(1)));
            *span = (span.0.min(first), span.1.max(last.plus(1)));
        }
        let mut drivers = Drivers::default();
        for (metric, (from, to)) in asked {
            let days = drivers.by_metric.entry(metric.to_owned()).or_default();
            let period = Period::new(from, to)
                .map_err(|error| Diagnostic::new(code::INTERNAL, error.to_string()))?;
            for usage in transaction.usage(metric, period)? {
                days.entry(usage.day).or_default().add(usage);
            }
        }
        Ok(drivers)
    }

    fn by_key(
        &self,
        driver: &UsageDriver,
        day: Day,
        currency: Currency,
    ) -> BTreeMap<String, Quantity> {
        let mut by_key: BTreeMap<String, Quantity> = BTreeMap::new();
        let (from, to) = window(driver.window, day);
        let days =
            self.by_metric.get(&driver.metric).into_iter().flat_map(|days| days.range(from..to));
        let rows = days.flat_map(|(_, day)| day.matching(&driver.filter));
        for usage in rows.filter(|usage| is_for(&usage.keys, currency.code())) {
            let sum =
                by_key.entry(usage.key(&driver.key).unwrap_or_default().to_owned()).or_default();
            sum.0 = sum.0.saturating_add(usage.value.0);
        }
        by_key
    }

    fn of_day(&self, metrics: &[String], day: Day, currency: Currency) -> Vec<&Usage> {
        let days = metrics
            .iter()
            .filter_map(|metric| self.by_metric.get(metric))
            .filter_map(|days| days.get(&day));
        days.flat_map(|day| &day.rows)
            .filter(|usage| is_for(&usage.keys, currency.code()))
            .collect()
    }
}

impl UsageDay {
    fn add(&mut self, usage: Usage) {
        if let Some(resource) = usage.key(RESOURCE) {
            self.by_resource.entry(resource.to_owned()).or_default().push(self.rows.len());
        }
        self.rows.push(usage);
    }

    fn matching<'a>(
        &'a self,
        filter: &'a DriverFilter,
    ) -> Box<dyn Iterator<Item = &'a Usage> + 'a> {
        let passes = |usage: &&Usage| {
            filter.iter().all(|(key, value)| {
                usage.key(key.strip_prefix("tag:").unwrap_or(key)) == Some(value)
            })
        };
        match filter.get(RESOURCE) {
            Some(resource) => Box::new(
                self.by_resource
                    .get(resource)
                    .into_iter()
                    .flatten()
                    .map(|at| &self.rows[*at])
                    .filter(passes),
            ),
            None => Box::new(self.rows.iter().filter(passes)),
        }
    }
}

/// The first day and the one after the last.
fn window(window: Window, day: Day) -> (Day, Day) {
    match window {
        Window::Days(days) => (day.plus(1 - i32::from(days.max(1))), day.plus(1)),
        Window::Month => (day.month().first_day(), day.month().next().first_day()),
    }
}

/// The days whose spreads look at usage that changed.
pub fn reached(outcomes: &[Outcome], changed: &BTreeSet<(String, Day)>) -> BTreeSet<Day> {
    let mut windows: HashSet<(&str, Window)> = HashSet::new();
    for spread in outcomes.iter().filter_map(spread_of) {
        windows.extend(usages(spread).map(|usage| (usage.metric.as_str(), usage.window)));
        windows.extend(metrics(spread).map(|metric| (metric, Window::Days(1))));
    }
    let mut reached = BTreeSet::new();
    for (metric, day) in changed {
        for (_, window) in windows.iter().filter(|(asked, _)| asked == metric) {
            let (first, end) = match window {
                Window::Days(days) => (*day, day.plus(i32::from((*days).max(1)))),
                Window::Month => (day.month().first_day(), day.month().next().first_day()),
            };
            reached.extend((first.epoch_days()..end.epoch_days()).map(Day::from_epoch));
        }
    }
    reached
}

fn spread_of(outcome: &Outcome) -> Option<&Spread> {
    match &outcome.verdict {
        Verdict::Decided { decision: Decision::Spread(spread), .. } => Some(spread),
        _ => None,
    }
}

/// The spread and all that may take its place.
fn parts(spread: &Spread) -> Vec<&Spread> {
    let mut parts = vec![spread];
    if let WhenZero::Spread(fallback) = &spread.when_zero {
        parts.extend(self::parts(fallback));
    }
    if let Driver::Tiers(tiers) = &spread.by {
        parts.extend(tiers.iter().flat_map(|tier| self::parts(&tier.spread)));
    }
    parts
}

fn usages(spread: &Spread) -> impl Iterator<Item = &UsageDriver> {
    parts(spread).into_iter().filter_map(|part| match &part.by {
        Driver::Usage(usage) | Driver::RateCard { usage, .. } => Some(usage),
        _ => None,
    })
}

fn metrics(spread: &Spread) -> impl Iterator<Item = &str> {
    let plugins = parts(spread).into_iter().filter_map(|part| match &part.by {
        Driver::Plugin { metrics, .. } => Some(metrics),
        _ => None,
    });
    plugins.flatten().map(String::as_str)
}

/// The `by_cost` filters that outcomes name, each once.
pub fn cost_filters(outcomes: &[Outcome]) -> BTreeSet<&DriverFilter> {
    let filters = outcomes.iter().filter_map(spread_of).flat_map(parts).filter_map(|spread| {
        match &spread.by {
            Driver::Cost { filter, .. } if !filter.is_empty() => Some(filter),
            _ => None,
        }
    });
    filters.collect()
}

/// One day in one currency, as spreads ask for it.
pub struct DayFacts<'a> {
    pub generation: &'a Generation<'a>,
    pub slices: &'a [DaySlice],
    pub day: Day,
    pub currency: Currency,
}

impl Facts for DayFacts<'_> {
    /// Over all sources of the day.
    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> BTreeMap<String, i128> {
        let Generation { cells, outcomes, .. } = self.generation;
        let bit = cells.filter_bit(filter);
        let mut direct = BTreeMap::new();
        for (number, cell) in cells.cells.iter().enumerate() {
            if let Some(Verdict::Decided { decision: Decision::Assign(recipient), .. }) =
                outcomes.get(cell.outcome.0 as usize).map(|it| &it.verdict)
                && let Some(target) = recipient.target()
                && (filter.is_empty() || cell.filters & bit != 0)
            {
                let sum: i128 = self.slices.iter().map(|slice| slice.cost(number, basis)).sum();
                if sum != 0 {
                    *direct.entry(target.team.clone()).or_default() += sum;
                }
            }
        }
        direct
    }

    fn usage(&self, driver: &UsageDriver) -> BTreeMap<String, Quantity> {
        self.generation.drivers.by_key(driver, self.day, self.currency)
    }

    fn knows_team(&self, team: &str) -> bool {
        self.generation.rules.knows_team(team)
    }

    fn cell(&self, table: &str, key: &str) -> Option<String> {
        self.generation.rules.cell(table, key)
    }

    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        self.generation.allocators.weights(&AllocatorCall {
            plugin: call.plugin,
            config: call.config,
            rule: &call.pool.rule,
            day: self.day,
            currency: self.currency,
            total: call.pool.total,
            targets: call.targets,
            usage: self.generation.drivers.of_day(call.metrics, self.day, self.currency),
        })
    }
}
