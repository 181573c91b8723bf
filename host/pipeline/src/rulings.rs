//! The decisions of the rules for all resources, before any day is summed.

use crate::cells::Cells;
use crate::drivers::Drivers;
use crate::inputs::AllocationInputs;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::driver::facts::DriverFilter;
use domain::period::Day;
use domain::port::{Allocators, Decider, Rules};
use domain::run::SourceDay;
use foldhash::HashMap;
use ledger::segment::{ChargeLines, SegmentCharges};
use ledger::{GenerationId, Transaction};
use std::collections::BTreeMap;

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
    numbers: OutcomeNumbers,
    /// Resources and outcomes of the charges that are decided by themselves, in the order of
    /// charges. Nothing of days without such charges.
    per_charge: BTreeMap<SourceDay, Vec<(u32, OutcomeId)>>,
}

/// The cells of all resources and charges, numbered once all is decided.
pub struct NumberedCells {
    pub cells: Cells,
    per_charge: BTreeMap<SourceDay, Vec<u32>>,
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
        Ok(Rulings { decisions, outcomes, later, numbers, per_charge: BTreeMap::new() })
    }

    /// Whether some resources are decided charge by charge.
    pub fn is_per_charge(&self) -> bool {
        self.decisions.contains(&OutcomeId::PER_CHARGE)
    }

    /// The slow way, for rules that read amounts or dates: every charge of such a resource is
    /// decided by itself, before any day is summed. New decisions can look at other days.
    pub fn decide_charges(
        &mut self,
        transaction: &Transaction<'_>,
        dictionary: &Dictionary,
        decider: &mut dyn Decider,
        lines: &mut ChargeLines<'_>,
        source_day: &SourceDay,
    ) -> Result<(), Diagnostic> {
        let mut columns = SegmentCharges::default();
        let mut decided = Vec::new();
        for stored in transaction.segments(source_day)? {
            lines.decode(&stored.data, &mut columns)?;
            for (row, resource) in columns.resources.iter().enumerate() {
                if self.decisions[*resource as usize] != OutcomeId::PER_CHARGE {
                    continue;
                }
                let line = lines.line(source_day, &columns, row);
                let (id, day) = (ResourceId(*resource), source_day.day);
                let outcome = decider.decide(dictionary, id, day, Some(&line));
                let outcome = self.numbers.number(outcome, decider.outcomes(), &mut self.outcomes);
                decided.push((*resource, outcome));
            }
        }
        self.per_charge.insert(source_day.clone(), decided);
        Ok(())
    }

    /// The cells, once all charges are decided.
    pub fn cells(&self, dictionary: &Dictionary, filters: &[DriverFilter]) -> NumberedCells {
        let mut cells = Cells::new(dictionary, &self.decisions, &self.outcomes, filters);
        let mut per_charge = BTreeMap::new();
        let mut known: HashMap<(u32, OutcomeId), u32> = HashMap::default();
        for (source_day, decided) in &self.per_charge {
            let numbers = decided.iter().map(|(resource, outcome)| {
                *known
                    .entry((*resource, *outcome))
                    .or_insert_with(|| cells.number(dictionary, ResourceId(*resource), *outcome))
            });
            per_charge.insert(source_day.clone(), numbers.collect());
        }
        NumberedCells { cells, per_charge }
    }

    pub fn inputs<'a>(
        &'a self,
        dictionary: &'a Dictionary,
        ports: AllocationPorts<'a>,
        NumberedCells { cells, per_charge }: &'a NumberedCells,
        drivers: &'a Drivers,
    ) -> AllocationInputs<'a> {
        AllocationInputs {
            dictionary,
            cells,
            per_charge,
            outcomes: &self.outcomes,
            rules: ports.rules,
            later: &self.later,
            drivers,
            allocators: ports.allocators,
            prices: None,
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
