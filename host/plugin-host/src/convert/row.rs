//! One charge while its fields come in. It serves both forms, JSON and Arrow.

use super::{BatchRefusal, OutputMeter};
use domain::charge::RawCharge;
use domain::diagnostic::did_you_mean;
use domain::field::Field;
use domain::mapping::Feed;

/// Where a value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeSlot {
    ChargePeriodStart,
    BilledCost,
    EffectiveCost,
    BillingCurrency,
    BillingPeriodStart,
    PricingQuantity,
    ConsumedQuantity,
    ListUnitPrice,
    ContractedUnitPrice,
    ListCost,
    ContractedCost,
    Dimension(Field),
}

/// All slots but the dimensions, by name.
const CORE: [(&str, ChargeSlot); 11] = [
    ("charge_period_start", ChargeSlot::ChargePeriodStart),
    ("billed_cost", ChargeSlot::BilledCost),
    ("effective_cost", ChargeSlot::EffectiveCost),
    ("billing_currency", ChargeSlot::BillingCurrency),
    ("billing_period_start", ChargeSlot::BillingPeriodStart),
    ("pricing_quantity", ChargeSlot::PricingQuantity),
    ("consumed_quantity", ChargeSlot::ConsumedQuantity),
    ("list_unit_price", ChargeSlot::ListUnitPrice),
    ("contracted_unit_price", ChargeSlot::ContractedUnitPrice),
    ("list_cost", ChargeSlot::ListCost),
    ("contracted_cost", ChargeSlot::ContractedCost),
];

pub const TAGS: &str = "tags";

/// The fields that every charge must have.
pub const NEEDED: [ChargeSlot; 6] = [
    ChargeSlot::ChargePeriodStart,
    ChargeSlot::BilledCost,
    ChargeSlot::EffectiveCost,
    ChargeSlot::BillingCurrency,
    ChargeSlot::Dimension(Field::SERVICE_NAME),
    ChargeSlot::Dimension(Field::CHARGE_CATEGORY),
];

impl ChargeSlot {
    pub fn by_name(name: &str) -> Result<ChargeSlot, BatchRefusal> {
        if let Some((_, slot)) = CORE.iter().find(|(known, _)| *known == name) {
            return Ok(*slot);
        }
        if let Some(field) = Field::by_name(name) {
            return Ok(ChargeSlot::Dimension(field));
        }
        let known =
            CORE.iter().map(|(name, _)| *name).chain(Field::all().map(Field::name)).chain([TAGS]);
        let meant = did_you_mean(name, known)
            .map_or_else(String::new, |close| format!("; did you mean '{close}'?"));
        Err(BatchRefusal::Junk(format!("a charge has no field '{name}'{meant}")))
    }

    pub fn feed(self) -> Feed {
        match self {
            ChargeSlot::ChargePeriodStart => Feed::ChargePeriodStart,
            ChargeSlot::BilledCost => Feed::BilledCost,
            ChargeSlot::EffectiveCost => Feed::EffectiveCost,
            ChargeSlot::BillingCurrency => Feed::BillingCurrency,
            ChargeSlot::BillingPeriodStart => Feed::BillingPeriodStart,
            ChargeSlot::PricingQuantity => Feed::PricingQuantity,
            ChargeSlot::ConsumedQuantity => Feed::ConsumedQuantity,
            ChargeSlot::ListUnitPrice => Feed::ListUnitPrice,
            ChargeSlot::ContractedUnitPrice => Feed::ContractedUnitPrice,
            ChargeSlot::ListCost => Feed::ListCost,
            ChargeSlot::ContractedCost => Feed::ContractedCost,
            ChargeSlot::Dimension(field) => Feed::Dimension(field),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            ChargeSlot::Dimension(field) => field.name(),
            core => CORE.iter().find(|(_, slot)| *slot == core).map_or("", |(name, _)| name),
        }
    }
}

#[derive(Default)]
pub struct ChargeRow {
    charge: RawCharge,
    /// One bit for each slot that has a value: first those of the core, then the dimensions.
    filled: u64,
    has_tags: bool,
}

const _: () = assert!(Field::COUNT + CORE.len() <= 64, "the slots fit the bits");

impl ChargeRow {
    pub fn set(
        &mut self,
        slot: ChargeSlot,
        value: String,
        output: &mut OutputMeter,
    ) -> Result<(), BatchRefusal> {
        output.bytes(value.len())?;
        let bit = 1_u64 << position(slot);
        if self.filled & bit != 0 {
            return Err(BatchRefusal::Junk(format!("a charge gives '{}' twice", slot.name())));
        }
        self.filled |= bit;
        match slot {
            ChargeSlot::ChargePeriodStart => self.charge.charge_period_start = value,
            ChargeSlot::BilledCost => self.charge.billed_cost = value,
            ChargeSlot::EffectiveCost => self.charge.effective_cost = value,
            ChargeSlot::BillingCurrency => self.charge.billing_currency = value,
            ChargeSlot::BillingPeriodStart => self.charge.billing_period_start = value,
            ChargeSlot::PricingQuantity => self.charge.pricing_quantity = value,
            ChargeSlot::ConsumedQuantity => self.charge.consumed_quantity = value,
            ChargeSlot::ListUnitPrice => self.charge.list_unit_price = value,
            ChargeSlot::ContractedUnitPrice => self.charge.contracted_unit_price = value,
            ChargeSlot::ListCost => self.charge.list_cost = value,
            ChargeSlot::ContractedCost => self.charge.contracted_cost = value,
            ChargeSlot::Dimension(field) => self.charge.dimensions.push((field, value)),
        }
        Ok(())
    }

    pub fn set_tags(
        &mut self,
        tags: Vec<(String, String)>,
        output: &mut OutputMeter,
    ) -> Result<(), BatchRefusal> {
        output.bytes(tags.iter().map(|(key, value)| key.len() + value.len()).sum())?;
        if self.has_tags {
            return Err(BatchRefusal::Junk("a charge gives 'tags' twice".into()));
        }
        self.has_tags = true;
        self.charge.tags = tags;
        Ok(())
    }

    /// The charge, with its dimensions in the order of the fields. Equal charges are equal,
    /// whichever form they came in.
    pub fn finish(mut self) -> Result<RawCharge, BatchRefusal> {
        if let Some(missing) =
            NEEDED.into_iter().find(|slot| self.filled & (1 << position(*slot)) == 0)
        {
            return Err(BatchRefusal::Junk(format!("a charge has no '{}'", missing.name())));
        }
        self.charge.dimensions.sort_by_key(|(field, _)| *field);
        Ok(self.charge)
    }
}

fn position(slot: ChargeSlot) -> usize {
    match slot {
        ChargeSlot::Dimension(field) => CORE.len() + field.index(),
        core => CORE.iter().position(|(_, slot)| *slot == core).unwrap_or(0),
    }
}
