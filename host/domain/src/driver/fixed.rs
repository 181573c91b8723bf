//! `split`: fixed weights, in the order in which the rule has them.

use super::facts::{CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use super::method::{DriverAnswer, DriverMethod, team_names};
use crate::diagnostic::Diagnostic;
use crate::recipient::Recipient;

/// At least one weight is positive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FixedDriver {
    pub weights: Vec<(Recipient, u64)>,
}

impl FixedDriver {
    fn named(&self) -> impl Iterator<Item = &Recipient> {
        self.weights.iter().map(|(recipient, _)| recipient)
    }
}

impl DriverMethod for FixedDriver {
    fn weigh(&self, _: &Pool, _: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let weights = self.weights.iter();
        Ok(DriverAnswer::Weights(
            weights.map(|(recipient, weight)| (recipient.clone(), i128::from(*weight))).collect(),
        ))
    }

    fn recipients(&self, _: &Pool, _: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        Ok(self.named().cloned().collect())
    }

    fn teams(&self) -> Vec<&str> {
        team_names(self.named()).collect()
    }

    fn needs_total(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        let parts: Vec<String> = self
            .weights
            .iter()
            .map(|(recipient, weight)| format!("{} {weight}", recipient.describe()))
            .collect();
        format!("split {}", parts.join(", "))
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        Vec::new()
    }

    fn team_costs(&self) -> Vec<&CostQuestion> {
        Vec::new()
    }

    fn priced(&self) -> Vec<PricedUsage<'_>> {
        Vec::new()
    }
}
