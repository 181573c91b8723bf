//! Stored charges one by one, for rules that decide about each.

use super::{Details, PriceList, SegmentCharges, decode, decode_with};
use crate::Result;
use domain::charge::ChargeLine;
use domain::detail::{Detail, LineDetails};
use domain::dictionary::Dictionary;
use domain::figure::Figure;
use domain::money::Money;
use domain::port::Rules;
use domain::run::SourceDay;
use domain::terms::{Term, TermsId};

/// A charge without its details, for those that are not decided by themselves.
pub fn amounts(source_day: &SourceDay, charges: &SegmentCharges, row: usize) -> ChargeLine {
    ChargeLine {
        day: source_day.day,
        billed_cost: Money::from_nanos(charges.billed[row]),
        effective_cost: Money::from_nanos(charges.effective[row]),
        details: None,
    }
}

/// Reads segments, and gives the lines of the segment that was read last.
pub struct ChargeLines<'a> {
    dictionary: &'a Dictionary,
    /// Nothing where no rule reads details, because reading them takes longer than amounts do.
    details: Option<(PriceList, Details)>,
}

impl<'a> ChargeLines<'a> {
    /// The lines as these rules read them.
    pub fn new<'r>(
        dictionary: &'a Dictionary,
        rules: impl IntoIterator<Item = &'r dyn Rules>,
    ) -> ChargeLines<'a> {
        let reads_details = rules.into_iter().any(|rules| rules.reads_details());
        let details = reads_details.then(|| (PriceList::of(dictionary), Details::default()));
        ChargeLines { dictionary, details }
    }

    pub fn reads_details(&self) -> bool {
        self.details.is_some()
    }

    pub fn decode(&mut self, data: &[u8], into: &mut SegmentCharges) -> Result<()> {
        match &mut self.details {
            None => decode(data, into),
            Some((prices, details)) => decode_with(data, prices, into, details),
        }
    }

    /// A charge of the segment that was read last.
    pub fn line(&self, source_day: &SourceDay, charges: &SegmentCharges, row: usize) -> ChargeLine {
        let of_row = |details| Box::new(self.line_details(source_day, details, row));
        ChargeLine {
            details: self.details.as_ref().map(|(_, details)| of_row(details)),
            ..amounts(source_day, charges, row)
        }
    }

    fn line_details(&self, source_day: &SourceDay, details: &Details, row: usize) -> LineDetails {
        let cost = |nanos: Option<i128>| nanos.map(|nanos| Figure::from_scaled(nanos, 9));
        let mut line = LineDetails::of(&source_day.source);
        line.set(Detail::PricingQuantity, details.pricing_quantity.get(row));
        line.set(Detail::ConsumedQuantity, details.consumed_quantity.get(row));
        line.set(Detail::ListCost, cost(details.list_cost.get(row)));
        line.set(Detail::ContractedCost, cost(details.contracted_cost.get(row)));
        line.set(Detail::ListUnitPrice, self.price(details, row, Term::ListUnitPrice));
        line.set(Detail::ContractedUnitPrice, self.price(details, row, Term::ContractedUnitPrice));
        line
    }

    fn price(&self, details: &Details, row: usize, term: Term) -> Option<Figure> {
        let terms = details.terms.get(row).copied().unwrap_or_default();
        // Checked, because a damaged segment may name any terms.
        let is_known = (terms as usize) < self.dictionary.terms_count();
        let text = is_known.then(|| self.dictionary.term_text(TermsId(terms), term))?;
        Figure::parse(text.as_bytes()).ok()
    }
}
