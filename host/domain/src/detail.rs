//! The numbers among a charge's details, by the names under which rules read them.

use crate::figure::Figure;
use crate::mapping::Feed;

/// A detail that is a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Detail {
    PricingQuantity,
    ConsumedQuantity,
    ListCost,
    ContractedCost,
    ListUnitPrice,
    ContractedUnitPrice,
}

impl Detail {
    pub const ALL: [Detail; 6] = [
        Detail::PricingQuantity,
        Detail::ConsumedQuantity,
        Detail::ListCost,
        Detail::ContractedCost,
        Detail::ListUnitPrice,
        Detail::ContractedUnitPrice,
    ];
    pub const COUNT: usize = Detail::ALL.len();

    /// Snake case: `pricing_quantity`.
    pub fn name(self) -> &'static str {
        match self {
            Detail::PricingQuantity => "pricing_quantity",
            Detail::ConsumedQuantity => "consumed_quantity",
            Detail::ListCost => "list_cost",
            Detail::ContractedCost => "contracted_cost",
            Detail::ListUnitPrice => "list_unit_price",
            Detail::ContractedUnitPrice => "contracted_unit_price",
        }
    }

    pub fn by_name(name: &str) -> Option<Detail> {
        Detail::ALL.into_iter().find(|detail| detail.name() == name)
    }

    /// As in a FOCUS header: `PricingQuantity`.
    pub fn focus_name(self) -> &'static str {
        match self {
            Detail::PricingQuantity => "PricingQuantity",
            Detail::ConsumedQuantity => "ConsumedQuantity",
            Detail::ListCost => "ListCost",
            Detail::ContractedCost => "ContractedCost",
            Detail::ListUnitPrice => "ListUnitPrice",
            Detail::ContractedUnitPrice => "ContractedUnitPrice",
        }
    }

    /// The part of a charge that it comes from.
    pub fn feed(self) -> Feed {
        match self {
            Detail::PricingQuantity => Feed::PricingQuantity,
            Detail::ConsumedQuantity => Feed::ConsumedQuantity,
            Detail::ListCost => Feed::ListCost,
            Detail::ContractedCost => Feed::ContractedCost,
            Detail::ListUnitPrice => Feed::ListUnitPrice,
            Detail::ContractedUnitPrice => Feed::ContractedUnitPrice,
        }
    }

    /// The word of the setting `details` that keeps it.
    pub fn setting(self) -> &'static str {
        match self {
            Detail::PricingQuantity | Detail::ConsumedQuantity => "quantities",
            Detail::ListCost
            | Detail::ContractedCost
            | Detail::ListUnitPrice
            | Detail::ContractedUnitPrice => "prices",
        }
    }
}

/// The details of one stored charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDetails {
    /// The source that collected the charge.
    pub source: String,
    figures: [Option<Figure>; Detail::COUNT],
}

impl LineDetails {
    /// A charge of which nothing more is known.
    pub fn of(source: &str) -> LineDetails {
        LineDetails { source: source.to_owned(), figures: Default::default() }
    }

    pub fn get(&self, detail: Detail) -> Option<&Figure> {
        self.figures.get(detail as usize)?.as_ref()
    }

    pub fn set(&mut self, detail: Detail, figure: Option<Figure>) {
        if let Some(known) = self.figures.get_mut(detail as usize) {
            *known = figure;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge::KeptDetails;

    #[test]
    fn every_detail_is_kept_by_its_own_word() {
        for (number, detail) in Detail::ALL.into_iter().enumerate() {
            assert_eq!((detail as usize, Detail::by_name(detail.name())), (number, Some(detail)));
            let mut kept = KeptDetails::NONE;
            assert!(!kept.keeps(detail.feed()), "{detail:?}");
            kept.by_name(detail.setting()).into_iter().for_each(|is_kept| *is_kept = true);
            assert!(kept.keeps(detail.feed()), "{detail:?}");
        }
    }
}
