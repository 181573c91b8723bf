//! `by_cost`: in proportion to the cost of each team.

use super::candidates::Candidates;
use super::facts::{CostGap, CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use super::method::{DriverAnswer, DriverMethod};
use crate::code::COST_UNKNOWN;
use crate::detail::Detail;
use crate::diagnostic::Diagnostic;
use crate::hint::Hint;
use crate::recipient::Recipient;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CostDriver {
    pub among: Candidates,
    pub costs: CostQuestion,
}

impl CostDriver {
    /// The finding of charges that do not say their cost. A share by the others alone would take
    /// the unknown cost for zero.
    fn unknown(&self, pool: &Pool, facts: &dyn Facts) -> Option<Diagnostic> {
        let detail = self.costs.basis.of_charges().detail()?;
        let mut gaps = facts.cost_gaps(&self.costs);
        gaps.retain(|gap| self.among.has(&gap.team, pool));
        gaps.sort();
        let CostGap { day, source, .. } = gaps.first()?;
        let (here, elsewhere): (Vec<&CostGap>, Vec<&CostGap>) =
            gaps.iter().partition(|gap| (gap.day, &gap.source) == (*day, source));
        let charges = |gaps: &[&CostGap]| gaps.iter().map(|gap| gap.charges).sum::<u64>();
        let others = match charges(&elsewhere) {
            0 => String::new(),
            others => format!(", and {others} more of other days or sources"),
        };
        let (rule, basis) = (&pool.rule, self.costs.basis.name());
        let here = match charges(&here) {
            1 => format!("1 charge of the source '{source}' on {day} says"),
            many => format!("{many} charges of the source '{source}' on {day} say"),
        };
        let message = format!(
            "{rule} shares by {basis}, and {here} none{others}: the cost stays in its pool, \
             because unknown is not zero"
        );
        Some(Diagnostic::new(COST_UNKNOWN, message).hint(gap_hint(detail)))
    }
}

fn gap_hint(detail: Detail) -> Hint {
    Hint::text(format!(
        "the bill lacks {}, or the ledger was told not to keep it: write \"{}\" into `details` \
         of the source in apportion.toml, and collect the days again with ",
        detail.focus_name(),
        detail.setting()
    ))
    .then(Hint::command("run --from DAY --to DAY"))
    .then("; or share by another basis")
}

impl DriverMethod for CostDriver {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        if let Some(finding) = self.unknown(pool, facts) {
            return Err(finding);
        }
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
