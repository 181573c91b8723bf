//! A resource of an explanation as it is shown: its charges, prices, and the rules that were tried.

use crate::document::{AmountDocument, DateText, TimeText};
use crate::explain::answer::{ExplainedResource, ExplainedTerms};
use domain::money::Currency;
use domain::port::TriedRule;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedResource")]
pub struct ResourceDocument {
    dimensions: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    charges: u64,
    /// The amount of all bearers together.
    charged: AmountDocument,
    cost: AmountDocument,
    /// How the charges were priced, by billing period, price and invoice.
    priced: Vec<TermsDocument>,
    /// The rules that were tried, with the values that they read.
    tried: Vec<TriedRuleDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PricedCharges")]
struct TermsDocument {
    /// Decimal text. What is not known is null, here and below.
    pricing_quantity: Option<String>,
    pricing_unit: Option<String>,
    contracted_unit_price: Option<String>,
    list_unit_price: Option<String>,
    invoice_id: Option<String>,
    invoice_issuer_name: Option<String>,
    /// The first day of the billing period.
    billing_period: Option<DateText>,
    /// In which the first of the charges starts. Hours are kept where the settings ask for them.
    first_hour: Option<TimeText>,
    /// In which the last of the charges starts.
    last_hour: Option<TimeText>,
    charges: u64,
    /// Charges whose pricing quantity is not known; they add nothing to it.
    unknown_charges: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "TriedRule")]
struct TriedRuleDocument {
    rule: String,
    digest: String,
    matched: bool,
    /// The line that decided.
    line: u32,
    read: BTreeMap<String, String>,
}

impl ResourceDocument {
    pub fn new(resource: &ExplainedResource, currency: Currency) -> ResourceDocument {
        ResourceDocument {
            dimensions: resource.dimensions.iter().cloned().collect(),
            tags: resource.tags.iter().cloned().collect(),
            charges: resource.charges,
            charged: AmountDocument::new(currency, resource.charged),
            cost: AmountDocument::new(currency, resource.amount),
            priced: resource.priced.iter().map(TermsDocument::from).collect(),
            tried: resource.tried.iter().map(TriedRuleDocument::from).collect(),
        }
    }
}

impl From<&ExplainedTerms> for TermsDocument {
    fn from(priced: &ExplainedTerms) -> TermsDocument {
        let ExplainedTerms { pricing_quantity, pricing_unit, invoice_id, .. } = priced.clone();
        let ExplainedTerms { contracted_unit_price, list_unit_price, .. } = priced.clone();
        let hours = priced.hours.as_ref();
        TermsDocument {
            pricing_quantity,
            pricing_unit,
            contracted_unit_price,
            list_unit_price,
            invoice_id,
            invoice_issuer_name: priced.invoice_issuer_name.clone(),
            billing_period: priced.billing_period.map(DateText::from),
            first_hour: hours.map(|hours| TimeText::at(hours.start().start_ms())),
            last_hour: hours.map(|hours| TimeText::at(hours.end().start_ms())),
            charges: priced.charges,
            unknown_charges: priced.unknown_charges,
        }
    }
}

impl From<&TriedRule> for TriedRuleDocument {
    fn from(tried: &TriedRule) -> TriedRuleDocument {
        TriedRuleDocument {
            rule: tried.rule.rule.clone(),
            digest: tried.rule.digest.clone(),
            matched: tried.matched,
            line: tried.line,
            read: tried.read.iter().cloned().collect(),
        }
    }
}
