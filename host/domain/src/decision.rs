//! What a rule answers, and the table of the answers that a run met.

use std::collections::BTreeMap;

/// Who bears a cost, as a rule says it. Cost center, environment and application are dimensions, not accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub team: String,
    pub cost_center: Option<String>,
    pub environment: Option<String>,
    pub application: Option<String>,
}

impl Target {
    pub fn team(team: impl Into<String>) -> Target {
        Target { team: team.into(), ..Target::default() }
    }
}

/// What happens to a pool whose weights are all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum WhenZero {
    /// It stays in the pool, visible.
    #[default]
    Stay,
    Even,
}

/// Which direct costs count as a driver: every pair must hold. The key is a dimension's name or `tag:<key>`.
pub type DriverFilter = BTreeMap<String, String>;

/// The targets of `by_cost`: the teams listed, in that order, or every team with direct cost that day, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Candidates {
    Listed(Vec<Target>),
    AllTeams,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// One target bears all.
    Assign(Target),
    /// Fixed weights, in order; at least one is positive.
    Split(Vec<(Target, u64)>),
    /// In proportion to the direct cost of the day.
    ByCost { candidates: Candidates, filter: DriverFilter, when_zero: WhenZero },
    /// Set aside from the teams.
    Exclude { reason: String },
}

impl Decision {
    /// Whether the charge passes through the rule's pool.
    pub fn is_shared(&self) -> bool {
        matches!(self, Decision::Split(_) | Decision::ByCost { .. })
    }
}

/// A decision with the rule that took it. `RuleIndex` points into the generation's rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Decided {
        rule: RuleIndex,
        decision: Decision,
    },
    /// No rule claimed it.
    Unallocated,
    /// A rule failed on it; the text is the diagnostic.
    Suspense {
        rule: RuleIndex,
        diagnostic: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub u32);

/// An outcome in the table of its generation. Number 0 is always `Unallocated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutcomeId(pub u32);

impl OutcomeId {
    pub const UNALLOCATED: OutcomeId = OutcomeId(0);
    /// Not an outcome: the decision hangs on the single charge, because a rule read an amount or a date.
    pub const PER_CHARGE: OutcomeId = OutcomeId(u32::MAX);
}
