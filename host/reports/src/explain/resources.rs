//! Resources made readable: their dimensions, prices, and the rules that were tried for them.

use crate::explain::answer::{ExplainedResource, ExplainedTerms};
use crate::explain::gather::ResourceSums;
use crate::explain::read::ExplanationWriter;
use crate::measure::{MeasureKey, MeasuredSum, MeasuredSums};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{ResourceId, Symbol};
use domain::port::TriedRule;
use domain::terms::{Term, TermsId};
use ledger::GenerationId;
use std::collections::{BTreeSet, HashMap};

impl ExplanationWriter<'_> {
    pub(super) fn resources(
        &self,
        resources: Vec<(ResourceId, ResourceSums)>,
    ) -> Result<Vec<ExplainedResource>, Diagnostic> {
        let mut tried: HashMap<ResourceId, Vec<TriedRule>> = HashMap::new();
        let generations: BTreeSet<GenerationId> =
            resources.iter().map(|(_, seen)| seen.generation).collect();
        // Rules are compiled once for each generation, and not for each resource.
        for generation in generations {
            let rules =
                (self.rules_of)(&self.ledger.rules(generation)?, &self.ledger.tables(generation)?)?;
            let mut decider = rules.decider();
            for (resource, seen) in
                resources.iter().filter(|(_, seen)| seen.generation == generation)
            {
                let explained = decider.explain(
                    self.dictionary,
                    *resource,
                    seen.largest.day,
                    Some(&seen.largest),
                );
                tried.insert(*resource, explained.tried);
            }
        }
        let texts = |pairs: &[(Symbol, Symbol)]| {
            let text = |symbol: Symbol| self.dictionary.text(symbol).to_owned();
            let mut tags: Vec<(String, String)> =
                pairs.iter().map(|(key, value)| (text(*key), text(*value))).collect();
            tags.sort();
            tags
        };
        let priced = |sums: &MeasuredSums| {
            let mut sums: Vec<&MeasuredSum> = sums.into_iter().collect();
            sums.sort_by_key(|sum| sum.key);
            sums.into_iter().map(|sum| self.terms(sum)).collect()
        };
        let shown = |(resource, seen): (ResourceId, ResourceSums)| ExplainedResource {
            dimensions: self.dimensions(resource),
            tags: texts(self.dictionary.tags(self.dictionary.resource_tags(resource))),
            charges: seen.charges,
            charged: seen.charged,
            amount: seen.amount,
            priced: priced(&seen.priced),
            tried: tried.remove(&resource).unwrap_or_default(),
        };
        Ok(resources.into_iter().map(shown).collect())
    }

    pub(super) fn dimensions(&self, resource: ResourceId) -> Vec<(String, String)> {
        let text = |value| self.dictionary.text(value).to_owned();
        let dimensions = self.dictionary.dimensions(resource);
        dimensions.map(|(field, value)| (field.name().to_owned(), text(value))).collect()
    }

    fn terms(&self, sum: &MeasuredSum) -> ExplainedTerms {
        let (billing_period, terms) = match sum.key {
            MeasureKey::Terms { billing_period, terms } => (billing_period, terms),
            MeasureKey::Unit(_) => (None, TermsId::UNKNOWN),
        };
        let text = |term| match self.dictionary.term_text(terms, term) {
            "" => None,
            text => Some(text.to_owned()),
        };
        ExplainedTerms {
            billing_period,
            hours: sum.hours.clone(),
            list_unit_price: text(Term::ListUnitPrice),
            contracted_unit_price: text(Term::ContractedUnitPrice),
            pricing_unit: text(Term::PricingUnit),
            invoice_id: text(Term::InvoiceId),
            invoice_issuer_name: text(Term::InvoiceIssuerName),
            pricing_quantity: sum.value(),
            charges: sum.charges(),
            unknown_charges: sum.unknown,
        }
    }
}
