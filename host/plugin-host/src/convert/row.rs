//! One charge while its fields come in, in whatever form.

use super::{Output, Refusal};
use domain::charge::RawCharge;
use domain::diagnostic::did_you_mean;
use domain::field::Field;
use domain::mapping::Feed;

/// Where a value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    ChargePeriodStart,
    BilledCost,
    EffectiveCost,
    BillingCurrency,
    Dimension(Field),
}

const CORE: [(&str, Slot); 4] = [
    ("charge_period_start", Slot::ChargePeriodStart),
    ("billed_cost", Slot::BilledCost),
    ("effective_cost", Slot::EffectiveCost),
    ("billing_currency", Slot::BillingCurrency),
];

pub const TAGS: &str = "tags";

/// What a charge cannot do without, whichever form it comes in.
pub const NEEDED: [Slot; 6] = [
    Slot::ChargePeriodStart,
    Slot::BilledCost,
    Slot::EffectiveCost,
    Slot::BillingCurrency,
    Slot::Dimension(Field::SERVICE_NAME),
    Slot::Dimension(Field::CHARGE_CATEGORY),
];

impl Slot {
    pub fn by_name(name: &str) -> Result<Slot, Refusal> {
        if let Some((_, slot)) = CORE.iter().find(|(known, _)| *known == name) {
            return Ok(*slot);
        }
        if let Some(field) = Field::by_name(name) {
            return Ok(Slot::Dimension(field));
        }
        let known =
            CORE.iter().map(|(name, _)| *name).chain(Field::all().map(Field::name)).chain([TAGS]);
        let meant = did_you_mean(name, known)
            .map_or_else(String::new, |close| format!("; did you mean '{close}'?"));
        Err(Refusal::Junk(format!("a charge has no field '{name}'{meant}")))
    }

    pub fn feed(self) -> Feed {
        match self {
            Slot::ChargePeriodStart => Feed::ChargePeriodStart,
            Slot::BilledCost => Feed::BilledCost,
            Slot::EffectiveCost => Feed::EffectiveCost,
            Slot::BillingCurrency => Feed::BillingCurrency,
            Slot::Dimension(field) => Feed::Dimension(field),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Slot::Dimension(field) => field.name(),
            core => CORE.iter().find(|(_, slot)| *slot == core).map_or("", |(name, _)| name),
        }
    }
}

#[derive(Default)]
pub struct Row {
    charge: RawCharge,
    /// One bit for each slot that has a value: four for the core, then the dimensions.
    filled: u64,
    has_tags: bool,
}

const _: () = assert!(Field::COUNT + CORE.len() <= 64, "the slots fit the bits");

impl Row {
    pub fn set(&mut self, slot: Slot, value: String, output: &mut Output) -> Result<(), Refusal> {
        output.bytes(value.len())?;
        let bit = 1_u64 << position(slot);
        if self.filled & bit != 0 {
            return Err(Refusal::Junk(format!("a charge gives '{}' twice", slot.name())));
        }
        self.filled |= bit;
        match slot {
            Slot::ChargePeriodStart => self.charge.charge_period_start = value,
            Slot::BilledCost => self.charge.billed_cost = value,
            Slot::EffectiveCost => self.charge.effective_cost = value,
            Slot::BillingCurrency => self.charge.billing_currency = value,
            Slot::Dimension(field) => self.charge.dimensions.push((field, value)),
        }
        Ok(())
    }

    pub fn set_tags(
        &mut self,
        tags: Vec<(String, String)>,
        output: &mut Output,
    ) -> Result<(), Refusal> {
        output.bytes(tags.iter().map(|(key, value)| key.len() + value.len()).sum())?;
        if self.has_tags {
            return Err(Refusal::Junk("a charge gives 'tags' twice".into()));
        }
        self.has_tags = true;
        self.charge.tags = tags;
        Ok(())
    }

    /// The charge, its dimensions in the order of the fields: no form may leave a trace.
    pub fn finish(mut self) -> Result<RawCharge, Refusal> {
        if let Some(missing) =
            NEEDED.into_iter().find(|slot| self.filled & (1 << position(*slot)) == 0)
        {
            return Err(Refusal::Junk(format!("a charge has no '{}'", missing.name())));
        }
        self.charge.dimensions.sort_by_key(|(field, _)| *field);
        Ok(self.charge)
    }
}

fn position(slot: Slot) -> usize {
    match slot {
        Slot::ChargePeriodStart => 0,
        Slot::BilledCost => 1,
        Slot::EffectiveCost => 2,
        Slot::BillingCurrency => 3,
        Slot::Dimension(field) => CORE.len() + field.index(),
    }
}
