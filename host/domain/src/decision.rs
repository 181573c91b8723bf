//! The answer of a rule, and the table of the answers in a run.

use crate::recipient::Recipient;
use crate::spread::Spread;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// One recipient gets all.
    Assign(Recipient),
    /// Several share it: it passes through the rule's pool.
    Spread(Box<Spread>),
    /// Set aside from the teams.
    Exclude { reason: String },
}

impl From<Spread> for Decision {
    fn from(spread: Spread) -> Decision {
        Decision::Spread(Box::new(spread))
    }
}

impl Decision {
    pub fn fixed(weights: Vec<(Recipient, u64)>) -> Decision {
        Spread::fixed(weights).into()
    }

    /// The teams that it names.
    pub fn teams(&self) -> Vec<&str> {
        match self {
            Decision::Assign(recipient) => {
                recipient.target().into_iter().map(|target| target.team.as_str()).collect()
            }
            Decision::Spread(spread) => spread.teams(),
            Decision::Exclude { .. } => Vec::new(),
        }
    }

    /// Whether each charge is split by itself, and not the day's total of the pool.
    pub fn is_split_by_charge(&self) -> bool {
        matches!(self, Decision::Spread(spread) if !spread.needs_total())
    }

    /// The spread, where several share.
    pub fn spread(&self) -> Option<&Spread> {
        match self {
            Decision::Spread(spread) => Some(spread),
            Decision::Assign(_) | Decision::Exclude { .. } => None,
        }
    }

    /// As a person would say it, for findings, the functions' page and reports.
    pub fn describe(&self) -> String {
        match self {
            Decision::Assign(recipient) => format!("assign {}", recipient.describe()),
            Decision::Spread(spread) => spread.describe(),
            Decision::Exclude { reason } => format!("exclude \"{reason}\""),
        }
    }
}

/// The outcome for resources: a decision with the rule that took it, or the reason why there is
/// none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    pub verdict: Verdict,
}

impl Outcome {
    /// The spread, where a rule decided that several share.
    pub fn spread(&self) -> Option<&Spread> {
        match &self.verdict {
            Verdict::Decided { decision, .. } => decision.spread(),
            Verdict::Unallocated | Verdict::Suspense { .. } => None,
        }
    }
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

/// A rule's place in the list of rules of its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub u32);

/// An outcome in the table of its generation. Number 0 is always `Unallocated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutcomeId(pub u32);

impl OutcomeId {
    pub const UNALLOCATED: OutcomeId = OutcomeId(0);
    /// Not an outcome: a rule read an amount or a date, so it decides anew for every charge.
    pub const PER_CHARGE: OutcomeId = OutcomeId(u32::MAX);
}
