//! The samples of a day → its quantities, exact.

use crate::answer::{Series, shown};
use crate::gaps::Missing;
use crate::options::{Aggregate, Query};
use apportion_plugin_sdk::{Rejected, Tag, Usage};
use exact::day::{Day, SECONDS};
use exact::decimal::Decimal;
use std::collections::BTreeMap;

const HOUR_SECONDS: u32 = 3_600;

pub struct Total {
    pub usage: Vec<Usage>,
    pub rejected: Vec<Rejected>,
    pub missing: Missing,
}

type Keys = Vec<(String, String)>;

/// The quantities of a day. Series with the same keys are added up.
pub fn total(query: &Query, day: Day, series: Vec<Series>) -> Total {
    let mut instants = Instants::new(query, day);
    let mut sums: BTreeMap<Keys, Sum> = BTreeMap::new();
    let mut rejected = Vec::new();
    for one in series {
        let sum = sums.entry(keys(query, &one.labels)).or_default();
        let mut odd = Odd::default();
        for (time, text) in &one.samples {
            instants.mark(*time);
            match Decimal::parse(text) {
                Ok(value) => sum.add(query.aggregate, *time, &value),
                Err(_) => odd.take(*time, text),
            }
        }
        rejected.extend(odd.rejected(query, day, &one));
    }
    let mut usage = Vec::new();
    for (keys, sum) in sums {
        let Some(value) = sum.quantity(query) else { continue };
        if value.is_negative() {
            rejected.push(Rejected {
                location: format!("{} {day} {}", query.metric, shown(&keys)),
                reason:
                    "the quantity is below zero: nobody can be charged for less than nothing used"
                        .into(),
                excerpt: value.to_string(),
            });
            continue;
        }
        usage.push(Usage {
            metric: query.metric.clone(),
            period_start: day.to_string(),
            keys: keys.into_iter().map(|(key, value)| Tag { key, value }).collect(),
            value: value.to_string(),
            unit: query.unit.clone(),
        });
    }
    Total { usage, rejected, missing: instants.missing() }
}

/// The keys of a series. A label that is missing or empty is no key.
fn keys(query: &Query, labels: &[(String, String)]) -> Keys {
    let mut keys: BTreeMap<String, String> = query.constants.iter().cloned().collect();
    match &query.keys {
        None => keys.extend(
            labels
                .iter()
                .filter(|(label, value)| label != "__name__" && !value.is_empty())
                .cloned(),
        ),
        Some(named) => {
            for (label, key) in named {
                if let Some((_, value)) =
                    labels.iter().find(|(known, value)| known == label && !value.is_empty())
                {
                    keys.insert(key.clone(), value.clone());
                }
            }
        }
    }
    keys.into_iter().collect()
}

/// The sum of all samples with the same keys.
#[derive(Default)]
struct Sum {
    all: Option<Decimal>,
    /// Sums by instant, where the highest is wanted.
    each: BTreeMap<i64, Decimal>,
}

impl Sum {
    fn add(&mut self, aggregate: Aggregate, time: i64, value: &Decimal) {
        match aggregate {
            Aggregate::Max => self.each.entry(time).or_default().add(value),
            Aggregate::Integral | Aggregate::Sum | Aggregate::Increase => {
                self.all.get_or_insert_default().add(value)
            }
        }
    }

    /// The quantity; nothing where no sample was a number.
    fn quantity(self, query: &Query) -> Option<Decimal> {
        match query.aggregate {
            Aggregate::Integral => self.all.map(|sum| sum.times(query.step).over(HOUR_SECONDS)),
            Aggregate::Sum | Aggregate::Increase => self.all,
            Aggregate::Max => self.each.into_values().max(),
        }
    }
}

/// Samples of a series that are no numbers.
#[derive(Default)]
struct Odd {
    count: usize,
    first: Option<(i64, String)>,
}

impl Odd {
    fn take(&mut self, time: i64, text: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| (time, text.to_owned()));
    }

    fn rejected(self, query: &Query, day: Day, series: &Series) -> Option<Rejected> {
        let (time, text) = self.first?;
        let (count, samples) = (self.count, series.samples.len());
        Some(Rejected {
            location: format!("{} {day} {}", query.metric, shown(&series.labels)),
            reason: format!(
                "{count} of {samples} samples are no numbers, the first at {}: the others are \
                 counted",
                clock(day, time)
            ),
            excerpt: text,
        })
    }
}

/// The instants of a day, and whether each has a measurement.
struct Instants {
    day: Day,
    step: i64,
    measured: Vec<bool>,
}

impl Instants {
    fn new(query: &Query, day: Day) -> Instants {
        let step =
            if query.aggregate == Aggregate::Increase { SECONDS } else { i64::from(query.step) };
        Instants { day, step, measured: vec![false; usize::try_from(SECONDS / step).unwrap_or(1)] }
    }

    fn mark(&mut self, time: i64) {
        // An increase has one instant, the day's end.
        let at = usize::try_from((time - self.day.start()) / self.step)
            .unwrap_or(0)
            .min(self.measured.len() - 1);
        self.measured[at] = true;
    }

    fn missing(&self) -> Missing {
        let missing = self.measured.iter().filter(|measured| !**measured).count();
        match self.measured.iter().position(|measured| !measured) {
            None => Missing::None,
            Some(_) if missing == self.measured.len() => Missing::All,
            Some(first) => {
                let first = clock(self.day, self.day.start() + first as i64 * self.step);
                Missing::Some { missing, instants: self.measured.len(), first }
            }
        }
    }
}

/// The time of day, with seconds where there are any.
fn clock(day: Day, time: i64) -> String {
    let second = time - day.start();
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    if second == 0 {
        format!("{hour:02}:{minute:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}
