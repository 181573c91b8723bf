//! The days of which each source knows the usage of a metric.
//!
//! A metric is added up over its sources. Where one of them has nothing for a while, although it
//! had something before and after, the others' usage would look like all there was. That is a gap,
//! and a gap is not zero.

use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use ledger::Reader;
use reports::coverage::days::Coverage;
use std::collections::{BTreeMap, BTreeSet};

/// By metric and source.
#[derive(Default)]
pub struct KnownUsage(BTreeMap<String, BTreeMap<String, SourceUsage>>);

/// The days of one source and metric.
#[derive(Default)]
struct SourceUsage {
    /// With a statement, also one that says that there was none.
    stated: BTreeSet<Day>,
    /// Within which the source can have gaps.
    span: Option<(Day, Day)>,
    /// What it was asked for and did not answer with usage.
    coverage: Coverage,
}

impl KnownUsage {
    pub fn of(ledger: &Reader) -> Result<KnownUsage, Diagnostic> {
        let mut known = KnownUsage::default();
        for stated in ledger.usage_days(Period::all())? {
            let sources = known.0.entry(stated.metric).or_default();
            let source = sources.entry(stated.source).or_default();
            source.stated.insert(stated.day);
            if stated.rows > 0 {
                let (first, last) = source.span.unwrap_or((stated.day, stated.day));
                source.span = Some((first.min(stated.day), last.max(stated.day)));
            }
        }
        for (name, source) in known.0.values_mut().flatten() {
            // Most sources have no day without a statement, and need no look at their attempts.
            if source.days_between().any(|day| !source.stated.contains(&day)) {
                source.coverage = Coverage::of(&ledger.attempts(name)?);
            }
        }
        Ok(known)
    }

    /// Whether a source knows nothing of these days, and knows days before and after them.
    pub fn has_gap(&self, metric: &str, (from, end): (Day, Day)) -> bool {
        let sources = self.0.get(metric).into_iter().flat_map(BTreeMap::values);
        sources.into_iter().any(|source| source.is_blind(from, end))
    }

    /// The metrics and days that came to lie in a gap, or do no more, while their own usage may be
    /// as it was.
    pub fn turned_since(&self, before: &BTreeSet<(String, Day)>) -> BTreeSet<(String, Day)> {
        self.gaps().symmetric_difference(before).cloned().collect()
    }

    /// The metrics and days that lie in gaps.
    pub fn gaps(&self) -> BTreeSet<(String, Day)> {
        let mut gaps = BTreeSet::new();
        for (metric, sources) in &self.0 {
            for source in sources.values() {
                let days = source.days_between().filter(|day| !source.knows(*day));
                gaps.extend(days.map(|day| (metric.clone(), day)));
            }
        }
        gaps
    }
}

impl SourceUsage {
    fn days_between(&self) -> impl Iterator<Item = Day> + use<> {
        let (first, last) = self.span.unwrap_or((Day::from_epoch(0), Day::from_epoch(0)));
        (first.epoch_days()..last.epoch_days()).map(Day::from_epoch)
    }

    fn knows(&self, day: Day) -> bool {
        self.stated.contains(&day) || self.coverage.knows(day)
    }

    fn is_blind(&self, from: Day, end: Day) -> bool {
        let surrounds = self.span.is_some_and(|(first, last)| first < from && last >= end);
        let mut days = (from.epoch_days()..end.epoch_days()).map(Day::from_epoch);
        surrounds && !days.any(|day| self.knows(day))
    }
}
