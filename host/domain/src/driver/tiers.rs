//! `tiered`: slices of the pool's total of the day, each shared in its own way.

use super::facts::{CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use super::method::{DriverAnswer, DriverMethod, RecipientWeights, add_amount};
use crate::diagnostic::Diagnostic;
use crate::money::{Money, Sum};
use crate::recipient::Recipient;
use crate::spread::{Spread, recipients, share};

/// Tiers from the first unit on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TieredDriver {
    pub tiers: Vec<Tier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tier {
    /// Up to this total of the day; the last tier has no end.
    pub upto: Option<Money>,
    pub spread: Spread,
}

impl Tier {
    fn describe(&self) -> String {
        match self.upto {
            Some(upto) => format!("up to {upto}: {}", self.spread.describe()),
            None => format!("beyond: {}", self.spread.describe()),
        }
    }
}

impl DriverMethod for TieredDriver {
    /// Each slice of the total is shared by its tier. A refund goes through the tiers as the cost
    /// would have.
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let (size, sign) = (pool.total.nanos().abs(), pool.total.nanos().signum());
        let mut amounts = RecipientWeights::new();
        let mut from = 0;
        for tier in &self.tiers {
            let upto = tier.upto.map_or(size, |upto| i128::from(upto.nanos()).min(size)).max(from);
            let total = Sum::from_nanos((upto - from) * sign);
            let slice =
                Pool { part: pool.part, ..Pool::new(pool.stands.clone(), &*pool.rule, total) };
            from = upto;
            if slice.total.is_zero() {
                continue;
            }
            match share(&tier.spread, &slice, facts)? {
                Some(sharing) => sharing.shares.split(slice.total, |target, share| {
                    add_amount(&mut amounts, &sharing.recipients[target], share.nanos())
                }),
                None => add_amount(&mut amounts, &pool.stands, slice.total.nanos()),
            }
        }
        if from < size {
            add_amount(&mut amounts, &pool.stands, (size - from) * sign);
        }
        Ok(DriverAnswer::Amounts { amounts, rest: pool.stands.clone() })
    }

    fn recipients(&self, pool: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        let mut all = Vec::new();
        for tier in &self.tiers {
            all.extend(recipients(&tier.spread, pool, facts)?);
        }
        Ok(all)
    }

    fn teams(&self) -> Vec<&str> {
        self.tiers.iter().flat_map(|tier| tier.spread.teams()).collect()
    }

    /// The total decides how much of it is in which tier.
    fn needs_total(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        let tiers: Vec<String> = self.tiers.iter().map(Tier::describe).collect();
        format!("tiered {}", tiers.join("; "))
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        self.tiers.iter().flat_map(|tier| tier.spread.usages()).collect()
    }

    fn team_costs(&self) -> Vec<&CostQuestion> {
        self.tiers.iter().flat_map(|tier| tier.spread.team_costs()).collect()
    }

    fn priced(&self) -> Vec<PricedUsage<'_>> {
        self.tiers.iter().flat_map(|tier| tier.spread.priced()).collect()
    }
}
