//! Usage that costs are shared by, loaded once for all days of a generation.

use crate::known_usage::KnownUsage;
use domain::code;
use domain::decision::Outcome;
use domain::diagnostic::Diagnostic;
use domain::driver::facts::{DriverFilter, MetricWindow, UsageQuery};
use domain::money::Currency;
use domain::period::{Day, Period};
use domain::spread::Spread;
use domain::usage::{BILLING_CURRENCY, Quantity, RESOURCE_ID, Usage, is_for};
use foldhash::HashMap;
use ledger::Transaction;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Usage by metric and day: all that the spreads of a generation look at.
#[derive(Default)]
pub struct Drivers {
    by_metric: HashMap<String, BTreeMap<Day, UsageDay>>,
    known: KnownUsage,
}

/// A day's usage of one metric.
///
/// The rows of a resource are found at once: a rule may share thousands of machines, each by its
/// own usage.
#[derive(Default)]
struct UsageDay {
    rows: Vec<Usage>,
    by_resource: HashMap<String, Vec<usize>>,
}

impl Drivers {
    /// Loads the usage that the outcomes look at, for charges of these days.
    pub fn load(
        transaction: &Transaction<'_>,
        outcomes: &[Outcome],
        first: Day,
        last: Day,
    ) -> Result<Drivers, Diagnostic> {
        // One span for all windows over a metric, so that no day of it is loaded twice.
        let mut spans: BTreeMap<&str, (Day, Day)> = BTreeMap::new();
        for MetricWindow { metric, window } in usages(outcomes) {
            let (from, to) = (window.days_for(first).0, window.days_for(last).1);
            let span = spans.entry(metric).or_insert((from, to));
            *span = (span.0.min(from), span.1.max(to));
        }
        let mut drivers = Drivers::default();
        if !spans.is_empty() {
            drivers.known = KnownUsage::of(transaction)?;
        }
        for (metric, (from, to)) in spans {
            let days = drivers.by_metric.entry(metric.to_owned()).or_default();
            let period = Period::new(from, to)
                .map_err(|error| Diagnostic::new(code::INTERNAL, error.to_string()))?;
            for usage in transaction.usage(metric, period)? {
                days.entry(usage.day).or_default().add(usage);
            }
        }
        Ok(drivers)
    }

    /// Usage of the query's window, by the values of its keys. Nothing where a source has a gap.
    pub fn by_key(
        &self,
        query: &UsageQuery,
        day: Day,
        currency: Currency,
    ) -> Option<BTreeMap<Vec<String>, Quantity>> {
        if self.known.has_gap(&query.metric, query.window.days_for(day)) {
            return None;
        }
        let mut by_key: BTreeMap<Vec<String>, Quantity> = BTreeMap::new();
        let rows = self.matching(query, day);
        for usage in rows.filter(|usage| is_for(&usage.keys, currency.code())) {
            let value = |key: &String| usage.key(key).unwrap_or_default().to_owned();
            let values = query.key.iter().map(value).collect();
            by_key.entry(values).or_default().0 += usage.value.0;
        }
        Some(by_key)
    }

    /// Whether some usage of the query's window counts in every currency.
    pub fn is_in_any_currency(&self, query: &UsageQuery, day: Day) -> bool {
        self.matching(query, day).any(|usage| usage.key(BILLING_CURRENCY).is_none())
    }

    fn matching<'a>(
        &'a self,
        query: &'a UsageQuery,
        day: Day,
    ) -> impl Iterator<Item = &'a Usage> + 'a {
        let (from, to) = query.window.days_for(day);
        let days = self.by_metric.get(&query.metric).into_iter();
        let days = days.flat_map(move |days| days.range(from..to));
        days.flat_map(move |(_, day)| day.matching(&query.filter))
    }

    /// All usage of some metrics on a day, for allocator plugins.
    pub fn of_day(&self, metrics: &[String], day: Day, currency: Currency) -> Vec<&Usage> {
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
        if let Some(resource) = usage.key(RESOURCE_ID) {
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
        match filter.get(RESOURCE_ID) {
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

/// The days whose spreads look at usage that changed.
pub fn reached(outcomes: &[Outcome], changed: &BTreeSet<(String, Day)>) -> BTreeSet<Day> {
    // Thousands of outcomes can look through the same window.
    let usages: HashSet<MetricWindow<'_>> = usages(outcomes).collect();
    let mut reached = BTreeSet::new();
    for (metric, day) in changed {
        for usage in usages.iter().filter(|usage| usage.metric == metric) {
            let (first, end) = usage.window.days_after(*day);
            reached.extend((first.epoch_days()..end.epoch_days()).map(Day::from_epoch));
        }
    }
    reached
}

fn usages(outcomes: &[Outcome]) -> impl Iterator<Item = MetricWindow<'_>> {
    outcomes.iter().filter_map(Outcome::spread).flat_map(Spread::usages)
}
