//! The teams that a driver shares among.

use super::facts::{Basis, DriverFilter, Facts, Pool};
use crate::recipient::{Recipient, Target};

/// The teams listed, in that order, or every team that the driver knows, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Candidates {
    Listed(Vec<Target>),
    AllTeams,
}

impl Candidates {
    /// The teams of a day on which these are known.
    pub(crate) fn targets<'a>(
        &self,
        known: impl Iterator<Item = &'a String>,
        pool: &Pool,
    ) -> Vec<Target> {
        match self {
            Candidates::Listed(targets) => targets.clone(),
            Candidates::AllTeams => known
                .map(|team| Target::team(team.as_str()))
                .filter(|target| !pool.is_of(target))
                .collect(),
        }
    }

    /// Whether a team of the day takes part.
    pub(crate) fn has(&self, team: &str, pool: &Pool) -> bool {
        match self {
            Candidates::Listed(targets) => targets.iter().any(|target| target.team == team),
            Candidates::AllTeams => !pool.is_of(&Target::team(team)),
        }
    }

    /// The teams of a day with direct cost of any kind.
    pub(crate) fn targets_with_cost(&self, pool: &Pool, facts: &dyn Facts) -> Vec<Target> {
        let direct = facts.direct_costs(&DriverFilter::new(), Basis::Effective);
        self.targets(direct.keys(), pool)
    }

    pub(crate) fn recipients_with_cost(&self, pool: &Pool, facts: &dyn Facts) -> Vec<Recipient> {
        self.targets_with_cost(pool, facts).into_iter().map(Recipient::Team).collect()
    }

    /// The teams that the rule lists.
    pub(crate) fn teams(&self) -> Vec<&str> {
        match self {
            Candidates::Listed(targets) => {
                targets.iter().map(|target| target.team.as_str()).collect()
            }
            Candidates::AllTeams => Vec::new(),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Candidates::AllTeams => "all teams".into(),
            Candidates::Listed(targets) => {
                targets.iter().map(Target::describe).collect::<Vec<_>>().join(", ")
            }
        }
    }
}
