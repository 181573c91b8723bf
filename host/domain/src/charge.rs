//! A charge on its way in: texts as the source gave them, before normalizing.

use crate::detail::LineDetails;
use crate::field::Field;
use crate::mapping::Feed;
use crate::tag::{self, NotTags};

/// One cost line as a collector hands it over row by row. Amounts are decimal text, dates are text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawCharge {
    pub charge_period_start: String,
    pub billed_cost: String,
    pub effective_cost: String,
    pub billing_currency: String,
    /// This and the fields below are empty where the source does not tell them.
    pub billing_period_start: String,
    pub pricing_quantity: String,
    pub consumed_quantity: String,
    pub list_unit_price: String,
    pub contracted_unit_price: String,
    pub list_cost: String,
    pub contracted_cost: String,
    pub dimensions: Vec<(Field, String)>,
    pub tags: Vec<(String, String)>,
}

/// Charges column by column, with all texts in one buffer.
///
/// A charge by itself costs sixteen texts of their own, and most of its time goes into making them.
/// A plugin with many charges hands over columns instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChargeTable {
    pub rows: usize,
    /// UTF-8.
    pub buffer: Vec<u8>,
    /// The place of each cell in the buffer. A cell without a value is empty. Tags are one text.
    pub columns: Vec<(Feed, Vec<(u32, u32)>)>,
}

impl ChargeTable {
    pub fn text(&self, (start, end): (u32, u32)) -> &str {
        self.buffer
            .get(start as usize..end as usize)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    pub fn has_the_columns_of(&self, other: &ChargeTable) -> bool {
        self.columns.iter().map(|(feed, _)| *feed).eq(other.columns.iter().map(|(feed, _)| *feed))
    }

    /// One by one.
    pub fn charges(&self) -> Result<Vec<RawCharge>, NotTags> {
        let mut charges = vec![RawCharge::default(); self.rows];
        for (feed, cells) in &self.columns {
            for (charge, cell) in charges.iter_mut().zip(cells) {
                let text = self.text(*cell);
                match feed {
                    Feed::ChargePeriodStart => charge.charge_period_start = text.into(),
                    Feed::BilledCost => charge.billed_cost = text.into(),
                    Feed::EffectiveCost => charge.effective_cost = text.into(),
                    Feed::BillingCurrency => charge.billing_currency = text.into(),
                    Feed::BillingPeriodStart => charge.billing_period_start = text.into(),
                    Feed::PricingQuantity => charge.pricing_quantity = text.into(),
                    Feed::ConsumedQuantity => charge.consumed_quantity = text.into(),
                    Feed::ListUnitPrice => charge.list_unit_price = text.into(),
                    Feed::ContractedUnitPrice => charge.contracted_unit_price = text.into(),
                    Feed::ListCost => charge.list_cost = text.into(),
                    Feed::ContractedCost => charge.contracted_cost = text.into(),
                    Feed::Tags => charge.tags = tag::parse(text)?,
                    Feed::Dimension(field) if !text.is_empty() => {
                        charge.dimensions.push((*field, text.into()))
                    }
                    Feed::Dimension(_) => {}
                }
            }
        }
        charges.iter_mut().for_each(|charge| charge.dimensions.sort_by_key(|(field, _)| *field));
        Ok(charges)
    }
}

/// The details that are kept of charges, beside resource and amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptDetails {
    /// List and contracted unit prices and costs.
    pub prices: bool,
    /// Pricing and consumed quantities with their units.
    pub quantities: bool,
    /// The invoice's id and issuer.
    pub invoice: bool,
    /// The hour, of sources that have hours.
    pub hours: bool,
}

impl KeptDetails {
    pub const ALL: KeptDetails =
        KeptDetails { prices: true, quantities: true, invoice: true, hours: true };
    pub const NONE: KeptDetails =
        KeptDetails { prices: false, quantities: false, invoice: false, hours: false };
    /// The names by which settings choose them.
    pub const NAMES: [&str; 4] = ["prices", "quantities", "invoice", "hours"];

    /// Whether this part of a charge is kept as a detail.
    pub fn keeps(self, feed: Feed) -> bool {
        match feed {
            Feed::ListUnitPrice
            | Feed::ContractedUnitPrice
            | Feed::ListCost
            | Feed::ContractedCost => self.prices,
            Feed::PricingQuantity | Feed::ConsumedQuantity => self.quantities,
            // A price is of a unit too.
            Feed::Dimension(Field::PRICING_UNIT) => self.prices || self.quantities,
            Feed::Dimension(Field::CONSUMED_UNIT) => self.quantities,
            Feed::Dimension(Field::INVOICE_ID | Field::INVOICE_ISSUER_NAME) => self.invoice,
            Feed::Dimension(_)
            | Feed::BilledCost
            | Feed::EffectiveCost
            | Feed::BillingCurrency
            | Feed::ChargePeriodStart
            | Feed::BillingPeriodStart
            | Feed::Tags => false,
        }
    }

    /// Whether they are kept, in the order of the names.
    fn each(&mut self) -> [&mut bool; 4] {
        [&mut self.prices, &mut self.quantities, &mut self.invoice, &mut self.hours]
    }

    /// The details of this name. Nothing if there are none.
    pub fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        let at = KeptDetails::NAMES.iter().position(|known| *known == name)?;
        self.each().into_iter().nth(at)
    }

    /// What either keeps.
    pub fn or(mut self, mut other: KeptDetails) -> KeptDetails {
        for (kept, also) in self.each().into_iter().zip(other.each()) {
            *kept |= *also;
        }
        self
    }

    pub fn names(mut self) -> Vec<&'static str> {
        let kept = self.each().map(|kept| *kept);
        let names = KeptDetails::NAMES.into_iter().zip(kept);
        names.filter(|(_, kept)| *kept).map(|(name, _)| name).collect()
    }
}

impl Default for KeptDetails {
    fn default() -> KeptDetails {
        KeptDetails { prices: true, quantities: true, invoice: true, hours: false }
    }
}

/// A row that could not be understood. It is set aside, counted and shown, and never dropped or
/// guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// `file:line:column`, or the source's own name for the place.
    pub location: String,
    pub reason: String,
    /// The start of the row, for the reader's eyes.
    pub excerpt: String,
}

/// A quantity that rules can use as a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawUsage {
    pub metric: String,
    pub period_start: String,
    pub keys: Vec<(String, String)>,
    pub value: String,
    pub unit: String,
}

/// The day and the amounts of one stored charge, for rules that read more than its dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeLine {
    pub day: crate::period::Day,
    pub billed_cost: crate::money::Money,
    pub effective_cost: crate::money::Money,
    /// Nothing where no rule reads details.
    pub details: Option<Box<LineDetails>>,
}
