//! `by_cost`: in proportion to the cost of each team.

use super::candidates::Candidates;
use super::facts::{CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use super::method::{DriverAnswer, DriverMethod};
use crate::diagnostic::Diagnostic;
use crate::recipient::Recipient;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CostDriver {
    pub among: Candidates,
    pub costs: CostQuestion,
}

impl DriverMethod for CostDriver {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let costs = facts.team_costs(&self.costs);
        let targets = self.among.targets(costs.keys(), pool).into_iter();
        let weights = targets.map(|target| {
            let cost = costs.get(&target.team).copied().unwrap_or(0);
            (Recipient::Team(target), cost)
        });
        Ok(DriverAnswer::Weights(weights.collect()))
    }

    /// Also teams whose cost the filter leaves out: another day's charges may pass it.
    fn recipients(&self, pool: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        let mut recipients = self.among.recipients_with_cost(pool, facts);
        let costs = facts.team_costs(&self.costs);
        let others = self.among.targets(costs.keys(), pool).into_iter().map(Recipient::Team);
        recipients.extend(others);
        recipients.sort();
        recipients.dedup();
        Ok(recipients)
    }

    fn teams(&self) -> Vec<&str> {
        self.among.teams()
    }

    fn needs_total(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        let mut words = vec!["by_cost".to_owned(), self.among.describe()];
        words.extend(self.costs.words());
        words.join(" ")
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        Vec::new()
    }

    fn team_costs(&self) -> Vec<&CostQuestion> {
        vec![&self.costs]
    }

    fn priced(&self) -> Vec<PricedUsage<'_>> {
        Vec::new()
    }
}
