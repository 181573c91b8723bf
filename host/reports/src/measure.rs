//! What charges say beside their cost, summed for each portion.

use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, Symbol};
use domain::figure::{Figure, FigureSum};
use domain::period::Day;
use domain::terms::{Term, TermsId};
use foldhash::HashMap;
use ledger::StoredSegment;
use ledger::segment::{self, Details, NO_HOUR, PriceList, SegmentCharges};
use std::ops::RangeInclusive;

/// Something that charges say, and that can be added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    BilledCost,
    ListCost,
    ContractedCost,
    PricingQuantity,
    ConsumedQuantity,
}

impl Metric {
    pub const ALL: [Metric; 5] = [
        Metric::BilledCost,
        Metric::ListCost,
        Metric::ContractedCost,
        Metric::PricingQuantity,
        Metric::ConsumedQuantity,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::BilledCost => "billed_cost",
            Metric::ListCost => "list_cost",
            Metric::ContractedCost => "contracted_cost",
            Metric::PricingQuantity => "pricing_quantity",
            Metric::ConsumedQuantity => "consumed_quantity",
        }
    }

    pub fn by_name(name: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The details that must be kept for it.
    pub fn detail(self) -> Option<&'static str> {
        match self {
            Metric::BilledCost => None,
            Metric::ListCost | Metric::ContractedCost => Some("prices"),
            Metric::PricingQuantity | Metric::ConsumedQuantity => Some("quantities"),
        }
    }

    /// The unit of a quantity. The unit of a cost is the currency.
    fn unit(self) -> Option<Term> {
        match self {
            Metric::BilledCost | Metric::ListCost | Metric::ContractedCost => None,
            Metric::PricingQuantity => Some(Term::PricingUnit),
            Metric::ConsumedQuantity => Some(Term::ConsumedUnit),
        }
    }

    pub fn is_cost(self) -> bool {
        self.unit().is_none()
    }
}

/// What is summed of charges beside their cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// By unit.
    Metric(Metric),
    /// Pricing quantities, by billing period and terms.
    Terms,
}

/// What the charges of one sum have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MeasureKey {
    /// The unit of a quantity; nothing for a cost, and for a quantity without a unit.
    Unit(Symbol),
    Terms {
        billing_period: Option<Day>,
        terms: TermsId,
    },
}

/// An hour of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour {
    pub day: Day,
    pub hour: u8,
}

impl Hour {
    /// Milliseconds since 1970.
    pub fn start_ms(self) -> i64 {
        (i64::from(self.day.epoch_days()) * 24 + i64::from(self.hour)) * 3_600_000
    }
}

/// A sum over charges. Charges that do not say it are counted and add nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredSum {
    pub key: MeasureKey,
    pub sum: FigureSum,
    pub known: u64,
    pub unknown: u64,
    /// The first and the last hour that a charge says, where terms are measured.
    pub hours: Option<RangeInclusive<Hour>>,
}

impl MeasuredSum {
    pub fn new(key: MeasureKey) -> MeasuredSum {
        MeasuredSum { key, sum: FigureSum::default(), known: 0, unknown: 0, hours: None }
    }

    pub fn charges(&self) -> u64 {
        self.known + self.unknown
    }

    /// Nothing where no charge says it.
    pub fn value(&self) -> Option<String> {
        (self.known > 0).then(|| self.sum.value().to_string())
    }

    pub fn add(&mut self, other: &MeasuredSum) {
        self.sum.add_sum(&other.sum);
        self.known += other.known;
        self.unknown += other.unknown;
        if let Some(hours) = &other.hours {
            self.widen(hours.clone());
        }
    }

    fn widen(&mut self, hours: RangeInclusive<Hour>) {
        let (first, last) = match &self.hours {
            Some(known) => (known.start().min(hours.start()), known.end().max(hours.end())),
            None => (hours.start(), hours.end()),
        };
        self.hours = Some(*first..=*last);
    }
}

/// Sums by their keys, in no order. One resource can have as many prices as charges.
#[derive(Clone, Debug, Default)]
pub struct MeasuredSums(HashMap<MeasureKey, MeasuredSum>);

impl MeasuredSums {
    /// The sum of this key, which is made where it is missing.
    pub fn of(&mut self, key: MeasureKey) -> &mut MeasuredSum {
        self.0.entry(key).or_insert_with(|| MeasuredSum::new(key))
    }
}

impl<'a> IntoIterator for &'a MeasuredSums {
    type Item = &'a MeasuredSum;
    type IntoIter = std::collections::hash_map::Values<'a, MeasureKey, MeasuredSum>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.values()
    }
}

/// Reads segments with what a metric needs of them.
pub struct Meter<'a> {
    measure: Measure,
    dictionary: &'a Dictionary,
    prices: PriceList,
    details: Details,
    /// Of the segment that was decoded last.
    billing_period: Option<Day>,
}

impl<'a> Meter<'a> {
    pub fn new(measure: Measure, dictionary: &'a Dictionary) -> Meter<'a> {
        let (prices, details) = (PriceList::of(dictionary), Details::default());
        Meter { measure, dictionary, prices, details, billing_period: None }
    }

    pub fn decode(
        &mut self,
        segment: &StoredSegment,
        into: &mut SegmentCharges,
    ) -> Result<(), Diagnostic> {
        self.billing_period = segment.billing_period;
        segment::decode_with(&segment.data, &self.prices, into, &mut self.details)
    }

    /// Adds a charge of the segment that was decoded last, which is of this day.
    pub fn measure(&self, day: Day, charges: &SegmentCharges, row: usize, into: &mut MeasuredSums) {
        let terms = self.terms(row);
        let (key, metric) = match self.measure {
            Measure::Terms => {
                let billing_period = self.billing_period;
                (MeasureKey::Terms { billing_period, terms }, Metric::PricingQuantity)
            }
            Measure::Metric(metric) => {
                let unit = metric.unit().map(|unit| self.dictionary.terms(terms).get(unit));
                (MeasureKey::Unit(unit.unwrap_or_default()), metric)
            }
        };
        let sum = into.of(key);
        let is_known = match metric {
            Metric::BilledCost => add_cost(sum, charges.billed.get(row).copied().map(i128::from)),
            Metric::ListCost => add_cost(sum, self.details.list_cost.get(row)),
            Metric::ContractedCost => add_cost(sum, self.details.contracted_cost.get(row)),
            Metric::PricingQuantity => add_figure(sum, self.details.pricing_quantity.get(row)),
            Metric::ConsumedQuantity => add_figure(sum, self.details.consumed_quantity.get(row)),
        };
        if is_known {
            sum.known += 1;
        } else {
            sum.unknown += 1;
        }
        if self.measure == Measure::Terms
            && let Some(hour) = self.details.hours.get(row).filter(|hour| **hour < NO_HOUR)
        {
            let hour = Hour { day, hour: *hour };
            sum.widen(hour..=hour);
        }
    }

    fn terms(&self, row: usize) -> TermsId {
        let terms = self.details.terms.get(row).copied().unwrap_or_default();
        // Checked, because a damaged segment may name any terms.
        match (terms as usize) < self.dictionary.terms_count() {
            true => TermsId(terms),
            false => TermsId::UNKNOWN,
        }
    }
}

fn add_cost(sum: &mut MeasuredSum, nanos: Option<i128>) -> bool {
    nanos.inspect(|nanos| sum.sum.add_nanos(*nanos)).is_some()
}

fn add_figure(sum: &mut MeasuredSum, figure: Option<Figure>) -> bool {
    figure.inspect(|figure| sum.sum.add(figure)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// A list of that many sums, searched for each charge, took minutes here.
    #[test]
    fn a_resource_may_have_as_many_prices_as_charges() {
        const PRICES: u32 = 200_000;
        let mut sums = MeasuredSums::default();
        let begin = Instant::now();
        for nanos in [1_500_000_000, 500_000_000] {
            for terms in 0..PRICES {
                let sum =
                    sums.of(MeasureKey::Terms { billing_period: None, terms: TermsId(terms) });
                sum.known += u64::from(add_cost(sum, Some(nanos)));
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        assert_eq!(sums.into_iter().count(), PRICES as usize);
        // 1.5 + 0.5 of each.
        assert!(sums.into_iter().all(|sum| (sum.value().as_deref(), sum.known) == (Some("2"), 2)));
    }
}
