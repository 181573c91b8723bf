//! The days of a bill, and what its charges are of: the question whether an estimate is billed.

use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::period::Day;
use domain::usage::resource_key;
use ledger::segment::{self, SegmentCharges};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct BilledDays {
    /// An estimate goes by the first of these that it has.
    by: Vec<Field>,
    days: BTreeMap<Day, BilledDay>,
}

#[derive(Clone, Debug)]
struct BilledDay {
    is_settled: bool,
    /// The values that charges of the day have, for each of the dimensions.
    values: Vec<BTreeSet<String>>,
}

impl BilledDays {
    pub fn new(by: Vec<Field>) -> BilledDays {
        BilledDays { by, days: BTreeMap::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    pub fn has(&self, day: Day) -> bool {
        self.days.contains_key(&day)
    }

    /// Whether nothing more is expected of the day, so that all its estimates give way.
    pub fn is_settled(&self, day: Day) -> bool {
        self.days.get(&day).is_some_and(|billed| billed.is_settled)
    }

    pub fn add(&mut self, day: Day, is_settled: bool) {
        let values = vec![BTreeSet::new(); self.by.len()];
        self.days.entry(day).or_insert(BilledDay { is_settled, values });
    }

    /// Notes what the charges of a segment are of.
    pub fn note(
        &mut self,
        day: Day,
        data: &[u8],
        dictionary: &Dictionary,
    ) -> Result<(), Diagnostic> {
        let Some(billed) = self.days.get_mut(&day) else { return Ok(()) };
        let mut charges = SegmentCharges::default();
        segment::decode(data, &mut charges)?;
        // Charges are ordered by resource.
        charges.resources.dedup();
        for resource in charges.resources {
            for (field, values) in self.by.iter().zip(&mut billed.values) {
                let value = value(dictionary, ResourceId(resource), *field);
                if !value.is_empty() && !values.contains(&*value) {
                    values.insert(value.into_owned());
                }
            }
        }
        Ok(())
    }

    /// Whether an estimate does not count any more.
    pub fn gives_way(&self, day: Day, dictionary: &Dictionary, of: ResourceId) -> bool {
        self.is_settled(day) || self.has_value_of(day, dictionary, of)
    }

    /// Whether the bill has the thing that was estimated.
    pub fn has_value_of(&self, day: Day, dictionary: &Dictionary, of: ResourceId) -> bool {
        self.values_for(day, dictionary, of)
            .is_some_and(|(_, value, values)| values.contains(&*value))
    }

    /// The dimension that an estimate goes by, if no charge of the bill's day has it.
    pub fn lacking(&self, day: Day, dictionary: &Dictionary, of: ResourceId) -> Option<Field> {
        let (field, _, values) = self.values_for(day, dictionary, of)?;
        values.is_empty().then_some(field)
    }

    fn values_for<'d>(
        &self,
        day: Day,
        dictionary: &'d Dictionary,
        of: ResourceId,
    ) -> Option<(Field, Cow<'d, str>, &BTreeSet<String>)> {
        let billed = self.days.get(&day)?;
        let told = self.by.iter().zip(&billed.values);
        told.map(|(field, values)| (*field, value(dictionary, of, *field), values))
            .find(|(_, value, _)| !value.is_empty())
    }
}

/// Clusters and bills spell ids of resources in several ways.
fn value(dictionary: &Dictionary, of: ResourceId, field: Field) -> Cow<'_, str> {
    let text = dictionary.dimension_text(of, field);
    if field == Field::RESOURCE_ID { resource_key(text) } else { text.into() }
}
