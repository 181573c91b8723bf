//! The survey read from the charges that stand.

use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use ledger::{Reader, segment};
use std::collections::BTreeMap;

/// The charges of one source at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChargeSurvey {
    /// As they are stored: an amount that is too large for one charge is several.
    pub charges: u64,
    pub resources: u64,
    /// The first and the last day with charges.
    pub days: Option<(Day, Day)>,
    /// By month, charge category and currency.
    pub sums: Vec<CategorySum>,
    /// The keys of the tags, each with the number of resources that have it.
    pub tags: Vec<(String, u64)>,
}

/// The charges of one month, charge category and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategorySum {
    pub month: Month,
    /// Empty where the charges have none.
    pub charge_category: String,
    pub currency: Currency,
    pub charges: u64,
    pub billed: Sum,
    pub effective: Sum,
}

/// Surveys the charges of every source. A source without charges is not among them.
pub fn surveys(ledger: &Reader) -> Result<BTreeMap<String, ChargeSurvey>, Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let categories = Categories::of(&dictionary);
    let mut open: BTreeMap<String, OpenSurvey> = BTreeMap::new();
    let mut columns = segment::SegmentCharges::default();
    for stored in ledger.source_days(Period::all())? {
        // A statement without charges says that they were taken back.
        if stored.totals.charges == 0 {
            continue;
        }
        let source_day = stored.source_day;
        let survey = open
            .entry(source_day.source.clone())
            .or_insert_with(|| OpenSurvey::new(dictionary.resource_count()));
        let mut sums = vec![Figures::default(); categories.names.len()];
        for segment in ledger.segments(&source_day)? {
            segment::decode(&segment.data, &mut columns)?;
            survey.take(&columns, &categories, &mut sums);
        }
        survey.end_day(source_day.day, source_day.currency, &sums);
    }
    Ok(open
        .into_iter()
        .map(|(source, survey)| (source, survey.closed(&dictionary, &categories)))
        .collect())
}

/// The charge category of every resource, by number, so that a charge costs one look into a list.
struct Categories {
    names: Vec<String>,
    of_resource: Vec<usize>,
}

impl Categories {
    fn of(dictionary: &Dictionary) -> Categories {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut names = Vec::new();
        let of_resource = (0..dictionary.resource_count() as u32)
            .map(|resource| {
                let name = dictionary.dimension_text(ResourceId(resource), Field::CHARGE_CATEGORY);
                *numbers.entry(name).or_insert_with(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                })
            })
            .collect();
        Categories { names, of_resource }
    }
}

#[derive(Clone, Copy, Default)]
struct Figures {
    charges: u64,
    billed: Sum,
    effective: Sum,
}

/// A survey while its charges are read.
struct OpenSurvey {
    /// Whether each resource has a charge.
    charged: Vec<bool>,
    days: Option<(Day, Day)>,
    /// By month, the number of the category, and currency.
    sums: BTreeMap<(Month, usize, Currency), Figures>,
}

impl OpenSurvey {
    fn new(resources: usize) -> OpenSurvey {
        OpenSurvey { charged: vec![false; resources], days: None, sums: BTreeMap::new() }
    }

    fn take(
        &mut self,
        columns: &segment::SegmentCharges,
        categories: &Categories,
        sums: &mut [Figures],
    ) {
        for ((resource, billed), effective) in
            columns.resources.iter().zip(&columns.billed).zip(&columns.effective)
        {
            let resource = *resource as usize;
            let figures = categories.of_resource.get(resource).and_then(|at| sums.get_mut(*at));
            let (Some(figures), Some(charged)) = (figures, self.charged.get_mut(resource)) else {
                continue;
            };
            figures.charges += 1;
            figures.billed += Sum::from_nanos(i128::from(*billed));
            figures.effective += Sum::from_nanos(i128::from(*effective));
            *charged = true;
        }
    }

    fn end_day(&mut self, day: Day, currency: Currency, sums: &[Figures]) {
        let (first, last) = self.days.unwrap_or((day, day));
        self.days = Some((first.min(day), last.max(day)));
        for (category, figures) in sums.iter().enumerate().filter(|(_, sum)| sum.charges > 0) {
            let sum = self.sums.entry((day.month(), category, currency)).or_default();
            sum.charges += figures.charges;
            sum.billed += figures.billed;
            sum.effective += figures.effective;
        }
    }

    fn closed(self, dictionary: &Dictionary, categories: &Categories) -> ChargeSurvey {
        let charged: Vec<ResourceId> = self
            .charged
            .iter()
            .zip(0..)
            .filter(|(charged, _)| **charged)
            .map(|(_, number)| ResourceId(number))
            .collect();
        let mut tags: BTreeMap<&str, u64> = BTreeMap::new();
        for resource in &charged {
            for (key, _) in dictionary.tags(dictionary.resource_tags(*resource)) {
                *tags.entry(dictionary.text(*key)).or_default() += 1;
            }
        }
        let mut sums: Vec<CategorySum> = self
            .sums
            .into_iter()
            .map(|((month, category, currency), figures)| CategorySum {
                month,
                charge_category: categories.names.get(category).cloned().unwrap_or_default(),
                currency,
                charges: figures.charges,
                billed: figures.billed,
                effective: figures.effective,
            })
            .collect();
        sums.sort_by(|left, right| {
            let key = |sum: &CategorySum| (sum.month, sum.charge_category.clone(), sum.currency);
            key(left).cmp(&key(right))
        });
        ChargeSurvey {
            charges: sums.iter().map(|sum| sum.charges).sum(),
            resources: charged.len() as u64,
            days: self.days,
            sums,
            tags: tags.into_iter().map(|(key, count)| (key.to_owned(), count)).collect(),
        }
    }
}
