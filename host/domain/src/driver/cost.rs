//! `by_cost`: in proportion to the direct cost that each team has on the day.

use super::candidates::Candidates;
use super::facts::{Basis, DriverFilter, Facts, MetricWindow, Pool, describe_filter};
use super::method::{DriverAnswer, DriverMethod};
use crate::diagnostic::Diagnostic;
use crate::recipient::Recipient;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CostDriver {
    pub among: Candidates,
    pub filter: DriverFilter,
    pub basis: Basis,
}

impl DriverMethod for CostDriver {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let direct = facts.direct_costs(&self.filter, self.basis);
        let targets = self.among.targets(direct.keys(), pool).into_iter();
        let weights = targets.map(|target| {
            let cost = direct.get(&target.team).copied().unwrap_or(0);
            (Recipient::Team(target), cost)
        });
        Ok(DriverAnswer::Weights(weights.collect()))
    }

    /// Also teams whose cost the filter leaves out: another day's charges may pass it.
    fn recipients(&self, pool: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        Ok(self.among.recipients_with_cost(pool, facts))
    }

    fn teams(&self) -> Vec<&str> {
        self.among.teams()
    }

    fn needs_total(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        let mut words = vec!["by_cost".to_owned(), self.among.describe()];
        words.extend(describe_filter(&self.filter));
        if self.basis == Basis::Billed {
            words.push("basis billed_cost".into());
        }
        words.join(" ")
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        Vec::new()
    }

    fn cost_filters(&self) -> Vec<&DriverFilter> {
        if self.filter.is_empty() { Vec::new() } else { vec![&self.filter] }
    }
}
