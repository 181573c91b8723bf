//! The decisions of the rules for all resources, before any day is summed.

use crate::cells::Cells;
use crate::drivers::Drivers;
use crate::inputs::AllocationInputs;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::period::Day;
use domain::port::{Allocators, Decider, Rules};
use foldhash::HashMap;
use ledger::{GenerationId, Transaction};

/// The rules and plugins by which days are allocated.
#[derive(Clone, Copy)]
pub struct AllocationPorts<'a> {
    pub rules: &'a dyn Rules,
    pub allocators: &'a dyn Allocators,
    pub threads: usize,
}

/// The decision on every resource, in the ledger's numbers for the generation.
pub struct Rulings {
    pub decisions: Vec<OutcomeId>,
    pub outcomes: Vec<Outcome>,
    /// Outcomes of the later stages' rules, by priority.
    pub later: Vec<OutcomeId>,
    pub cells: Cells,
    /// Whether some resources are decided charge by charge.
    pub per_charge: bool,
}

impl Rulings {
    /// Decides only resources that are new since the generation was used last.
    pub fn decide(
        transaction: &Transaction<'_>,
        dictionary: &Dictionary,
        decider: &mut dyn Decider,
        generation: GenerationId,
        day: Day,
    ) -> Result<Rulings, Diagnostic> {
        let mut decisions = transaction.decisions(generation)?;
        let mut outcomes = transaction.outcomes(generation)?;
        let mut numbers = OutcomeNumbers::new(&outcomes);
        for id in decisions.len()..dictionary.resource_count() {
            let decided = decider.decide(dictionary, ResourceId(id as u32), day, None);
            decisions.push(numbers.number(decided, decider.outcomes(), &mut outcomes));
        }
        let later = decider.later_stages(day);
        let later = later
            .into_iter()
            .map(|decided| numbers.number(decided, decider.outcomes(), &mut outcomes))
            .collect();
        let per_charge = decisions.contains(&OutcomeId::PER_CHARGE);
        let cells = Cells::new(dictionary, &decisions, &outcomes)?;
        Ok(Rulings { decisions, outcomes, later, cells, per_charge })
    }

    pub fn inputs<'a>(
        &'a self,
        dictionary: &'a Dictionary,
        ports: AllocationPorts<'a>,
        drivers: &'a Drivers,
    ) -> AllocationInputs<'a> {
        AllocationInputs {
            dictionary,
            cells: &self.cells,
            outcomes: &self.outcomes,
            rules: ports.rules,
            later: &self.later,
            drivers,
            allocators: ports.allocators,
        }
    }
}

/// The ledger's numbers of a decider's outcomes.
///
/// A decider numbers outcomes as they come up. The ledger keeps one number for each outcome of a
/// generation, over all runs.
pub struct OutcomeNumbers {
    known: HashMap<Outcome, OutcomeId>,
    of_decider: Vec<Option<OutcomeId>>,
}

impl OutcomeNumbers {
    pub fn new(outcomes: &[Outcome]) -> OutcomeNumbers {
        let known = outcomes
            .iter()
            .enumerate()
            .map(|(number, outcome)| (outcome.clone(), OutcomeId(number as u32)))
            .collect();
        OutcomeNumbers { known, of_decider: Vec::new() }
    }

    pub fn number(
        &mut self,
        decided: OutcomeId,
        decider: &[Outcome],
        outcomes: &mut Vec<Outcome>,
    ) -> OutcomeId {
        if decided == OutcomeId::PER_CHARGE {
            return decided;
        }
        let at = decided.0 as usize;
        // An outcome is hashed once, and not once for each resource.
        if let Some(Some(known)) = self.of_decider.get(at) {
            return *known;
        }
        // Number 0 means unallocated in every generation.
        if outcomes.is_empty() {
            let unallocated = Outcome { verdict: Verdict::Unallocated };
            self.known.insert(unallocated.clone(), OutcomeId::UNALLOCATED);
            outcomes.push(unallocated);
        }
        let outcome = decider[at].clone();
        let number = *self.known.entry(outcome.clone()).or_insert_with(|| {
            outcomes.push(outcome);
            OutcomeId(outcomes.len() as u32 - 1)
        });
        self.of_decider.resize(self.of_decider.len().max(at + 1), None);
        self.of_decider[at] = Some(number);
        number
    }
}

/// The findings of rules that failed.
pub fn suspended(rulings: &Rulings) -> Vec<String> {
    let diagnostic = |outcome: &Outcome| match &outcome.verdict {
        Verdict::Suspense { diagnostic, .. } => Some(diagnostic.clone()),
        Verdict::Decided { .. } | Verdict::Unallocated => None,
    };
    rulings.outcomes.iter().filter_map(diagnostic).collect()
}
