//! What becomes of the rows of one answer: charges, or rows that are set aside.

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
    /// Reads one row, which becomes any number of charges or is set aside.
    pub fn take(&mut self, row: &Node, read: impl FnOnce(&Node) -> Result<Vec<Charge>, Fault>) {
        self.note(row);
        match read(row) {
            Ok(charges) => self.charges.extend(charges),
            Err(fault) => self.rejected.push(row.rejected(fault)),
        }
    }

    /// A row that only says where to go on: it counts where pages are compared.
    pub fn note(&mut self, row: &Node) {
        row.value.to_string().hash(self.digest.get_or_insert_default());
    }

    /// A digest of all rows; nothing where there were none.
    pub(crate) fn digest(&self) -> Option<u64> {
        self.digest.as_ref().map(DefaultHasher::finish)
    }

    pub(crate) fn batch(self) -> Batch {
        Batch { rejected: self.rejected, ..Batch::new(Form::Charges(self.charges)) }
    }
}

/// A charge of a source that knows no commitments: what is billed is the effective cost too.
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
        dimensions: Vec::new(),
        tags: Vec::new(),
    }
}

/// Gives the charge a dimension, where there is one.
pub fn dimension(charge: &mut Charge, field: Field, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        charge.dimensions.push(Dimension { field, value: value.into() });
    }
}

/// Gives the charge a tag, where there is one.
pub fn tag(charge: &mut Charge, key: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        charge.tags.push(Tag { key: key.into(), value: value.into() });
    }
}
