//! The rows of one answer: charges, and rows that are set aside.

use crate::{Fault, Node};
use apportion_plugin_sdk::{Batch, Charge, Dimension, Field, Rejected, Rows as Form, Tag};
use std::hash::{DefaultHasher, Hash, Hasher};

#[derive(Default)]
pub struct Rows {
    pub charges: Vec<Charge>,
    pub rejected: Vec<Rejected>,
    digest: Option<DefaultHasher>,
}

impl Rows {
    /// Reads one row. It becomes any number of charges, or is set aside.
    pub fn take(&mut self, row: &Node, read: impl FnOnce(&Node) -> Result<Vec<Charge>, Fault>) {
        self.note(row);
        match read(row) {
            Ok(charges) => self.charges.extend(charges),
            Err(fault) => self.rejected.push(row.rejected(fault)),
        }
    }

    /// Counts a row that has no charge but leads to another answer: pages are compared by it too.
    pub fn note(&mut self, row: &Node) {
        row.value.to_string().hash(self.digest.get_or_insert_default());
    }

    /// A digest of all rows; nothing for no rows.
    pub(crate) fn digest(&self) -> Option<u64> {
        self.digest.as_ref().map(DefaultHasher::finish)
    }

    pub(crate) fn batch(self) -> Batch {
        Batch { rejected: self.rejected, ..Batch::new(Form::Charges(self.charges)) }
    }
}

/// A charge of a source without commitments: the billed cost is the effective cost too.
pub fn charge(
    start: String,
    cost: String,
    currency: &str,
    service: &str,
    category: &str,
) -> Charge {
    Charge {
        charge_period_start: start,
        billed_cost: cost.clone(),
        effective_cost: cost,
        billing_currency: currency.into(),
        service_name: service.into(),
        charge_category: category.into(),
        ..Charge::default()
    }
}

/// Adds a dimension to the charge if it has a value.
pub fn dimension(charge: &mut Charge, field: Field, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        charge.dimensions.push(Dimension { field, value: value.into() });
    }
}

/// Adds a tag to the charge if it has a value.
pub fn tag(charge: &mut Charge, key: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        charge.tags.push(Tag { key: key.into(), value: value.into() });
    }
}
