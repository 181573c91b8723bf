//! All that the allocation of days needs besides their charges.

use crate::cells::Cells;
use crate::drivers::Drivers;
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::dictionary::Dictionary;
use domain::flow::station;
use domain::port::{Allocators, RuleFacts, Rules};
use domain::recipient::Recipient;
use domain::run::SourceDay;
use ledger::segment::PriceList;
use std::collections::BTreeMap;

/// The rules in force with their decisions, and what these ask for.
pub struct AllocationInputs<'a> {
    pub dictionary: &'a Dictionary,
    pub cells: &'a Cells,
    /// The cells of charges that are decided by themselves, in the order of charges.
    pub per_charge: &'a BTreeMap<SourceDay, Vec<u32>>,
    pub outcomes: &'a [Outcome],
    pub rules: &'a dyn Rules,
    /// Outcomes of the rules of the later stages, by priority.
    pub later: &'a [OutcomeId],
    pub drivers: &'a Drivers,
    pub allocators: &'a dyn Allocators,
    /// For reading list and contracted cost; nothing where no rule of the run weighs by them.
    pub prices: Option<&'a PriceList>,
}

impl AllocationInputs<'_> {
    pub fn decision(&self, outcome: OutcomeId) -> Option<(RuleIndex, &Decision)> {
        match &self.outcomes.get(outcome.0 as usize)?.verdict {
            Verdict::Decided { rule, decision } => Some((*rule, decision)),
            Verdict::Unallocated | Verdict::Suspense { .. } => None,
        }
    }

    pub fn facts(&self, rule: RuleIndex) -> Option<&RuleFacts> {
        self.rules.facts().get(rule.0 as usize)
    }

    /// The pool through which a rule's shared charges go.
    pub fn pool_of(&self, rule: RuleIndex) -> Recipient {
        self.facts(rule).map_or_else(|| Recipient::Pool(String::new()), station::pool_of)
    }
}
