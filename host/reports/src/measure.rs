//! What charges say beside their cost, summed for each portion.

use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, Symbol};
use domain::figure::{Figure, FigureSum};
use domain::terms::{Term, TermsId};
use ledger::segment::{self, Details, PriceList, SegmentCharges};

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
    /// Pricing quantities, by terms.
    Terms,
}

/// What the charges of one sum have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MeasureKey {
    /// The unit of a quantity; nothing for a cost, and for a quantity without a unit.
    Unit(Symbol),
    Terms(TermsId),
}

/// A sum over charges. Charges that do not say it are counted and add nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredSum {
    pub key: MeasureKey,
    pub sum: FigureSum,
    pub known: u64,
    pub unknown: u64,
}

impl MeasuredSum {
    pub fn new(key: MeasureKey) -> MeasuredSum {
        MeasuredSum { key, sum: FigureSum::default(), known: 0, unknown: 0 }
    }

    /// The sum of this key among some, which is made where it is missing.
    pub fn among(sums: &mut Vec<MeasuredSum>, key: MeasureKey) -> &mut MeasuredSum {
        let at = sums.iter().position(|sum| sum.key == key).unwrap_or_else(|| {
            sums.push(MeasuredSum::new(key));
            sums.len() - 1
        });
        &mut sums[at]
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
    }
}

/// Reads segments with what a metric needs of them.
pub struct Meter<'a> {
    measure: Measure,
    dictionary: &'a Dictionary,
    prices: PriceList,
    details: Details,
}

impl<'a> Meter<'a> {
    pub fn new(measure: Measure, dictionary: &'a Dictionary) -> Meter<'a> {
        let prices = PriceList::of(dictionary);
        Meter { measure, dictionary, prices, details: Details::default() }
    }

    pub fn decode(&mut self, data: &[u8], into: &mut SegmentCharges) -> Result<(), Diagnostic> {
        segment::decode_with(data, &self.prices, into, &mut self.details)
    }

    /// Adds a charge of the segment that was decoded last.
    pub fn measure(&self, charges: &SegmentCharges, row: usize, into: &mut Vec<MeasuredSum>) {
        let terms = self.terms(row);
        let (key, metric) = match self.measure {
            Measure::Terms => (MeasureKey::Terms(terms), Metric::PricingQuantity),
            Measure::Metric(metric) => {
                let unit = metric.unit().map(|unit| self.dictionary.terms(terms).get(unit));
                (MeasureKey::Unit(unit.unwrap_or_default()), metric)
            }
        };
        let sum = MeasuredSum::among(into, key);
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
