//! A survey as it is shown.

use crate::document::AmountDocument;
use crate::survey::read::{CategorySum, ChargeSurvey};
use serde::Serialize;

/// The charges of one month, charge category and currency. Amounts are rounded charge by charge, as
/// the ledger keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CategorySumDocument {
    month: String,
    /// Empty where the charges have none.
    charge_category: String,
    charges: u64,
    billed_cost: AmountDocument,
    effective_cost: AmountDocument,
}

/// A tag's key with the number of resources that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagDocument {
    key: String,
    resources: u64,
}

impl From<&CategorySum> for CategorySumDocument {
    fn from(sum: &CategorySum) -> CategorySumDocument {
        CategorySumDocument {
            month: sum.month.to_string(),
            charge_category: sum.charge_category.clone(),
            charges: sum.charges,
            billed_cost: AmountDocument::new(sum.currency, sum.billed),
            effective_cost: AmountDocument::new(sum.currency, sum.effective),
        }
    }
}

impl TagDocument {
    /// All tags of a survey, by key.
    pub fn list(survey: &ChargeSurvey) -> Vec<TagDocument> {
        let tag = |(key, resources): &(String, u64)| TagDocument {
            key: key.clone(),
            resources: *resources,
        };
        survey.tags.iter().map(tag).collect()
    }
}
