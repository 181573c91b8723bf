//! The stages after attribution, for one day: shared charges go through the pools of their rules,
//! pools of distribution rules are spread, and teams that serve others pass their costs on.
//!
//! This file moves amounts by shares that `turns` works out, which also has the order. How the
//! amounts of each source-day move is in `domain::flow`, which reports use as well. The weights are
//! kept, so that a report needs no facts.

use crate::cells::Cell;
use crate::day_facts::DayFacts;
use crate::inputs::AllocationInputs;
use crate::lines::{ByRule, Lines};
use crate::slice::{DaySlice, SideSums};
use domain::decision::{Decision, OutcomeId, RuleIndex};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Symbol;
use domain::driver::facts::Pool;
use domain::flow::passage::{FlowSink, Passage};
use domain::flow::queue::{Queue, Queues, WaitingAmount};
use domain::flow::station::{CHARGES, Station, Stations};
use domain::money::Sum;
use domain::port::{Mutual, RuleFacts};
use domain::recipient::Recipient;
use domain::sharing::Sharing;
use domain::spread::Spread;
use ledger::Weights;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Charges of one service with the same driver filters. Those above and below zero are apart, so
/// that what cancels out is passed on too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellPart {
    service: Symbol,
    filters: u64,
    is_below: bool,
}

/// Amounts of one place, by slice.
pub type SliceQueues<'a> = Vec<Queue<'a, CellPart>>;

/// The rule that passes on what comes to a station.
pub struct LaterRule<'a> {
    pub outcome: OutcomeId,
    pub rule: RuleIndex,
    pub spread: &'a Spread,
    pub mutual: Mutual,
}

/// How the charges of one outcome are split one by one.
struct ChargePassage<'s> {
    rule: RuleIndex,
    pool: Rc<Recipient>,
    sharing: &'s Sharing,
    passage: Passage<'s>,
}

/// A day's shared amounts in one currency, on their way to those that bear them.
pub struct Distribution<'a> {
    inputs: &'a AllocationInputs<'a>,
    slices: &'a [DaySlice],
    pub stations: Stations,
    /// By station.
    pub rules: Vec<LaterRule<'a>>,
    /// By slice.
    queues: Vec<Queues<'a, CellPart>>,
    /// By slice.
    pub moves: Vec<ByRule>,
    pub weights: Vec<Weights>,
    pub unresolved: Vec<Diagnostic>,
}

impl<'a> Distribution<'a> {
    pub fn new(inputs: &'a AllocationInputs<'a>, slices: &'a [DaySlice]) -> Distribution<'a> {
        let later_rule = |outcome: &OutcomeId| {
            let (rule, decision) = inputs.decision(*outcome)?;
            let (spread, facts) = (decision.spread()?, inputs.facts(rule)?);
            let later = LaterRule { outcome: *outcome, rule, spread, mutual: facts.mutual };
            Some((Station::of(facts)?, later))
        };
        // A rule that failed has no spread, so its pool is no station and keeps its cost.
        let (stations, rules): (Vec<Station>, Vec<LaterRule<'a>>) =
            inputs.later.iter().filter_map(later_rule).unzip();
        Distribution {
            inputs,
            slices,
            queues: slices.iter().map(|_| Queues::new(stations.len())).collect(),
            stations: Stations::new(stations),
            rules,
            moves: slices.iter().map(|_| ByRule::new()).collect(),
            weights: Vec::new(),
            unresolved: Vec::new(),
        }
    }

    /// Shared charges by their outcome. Assigned charges go to the station where their recipient
    /// stands, if there is one.
    pub fn charges_by_outcome(&mut self) -> BTreeMap<OutcomeId, SliceQueues<'a>> {
        let inputs = self.inputs;
        let mut shared: BTreeMap<OutcomeId, SliceQueues<'a>> = BTreeMap::new();
        for (number, cell) in inputs.cells.cells.iter().enumerate() {
            let Some((rule, decision)) = inputs.decision(cell.outcome) else { continue };
            let slices = self.slices.iter().enumerate();
            match decision {
                Decision::Assign(recipient) => {
                    let Some(station) = self.stations.next(recipient, CHARGES) else { continue };
                    let from = Rc::new(recipient.clone());
                    for (at, slice) in slices {
                        for waiting in waiting(inputs, cell, &from, slice.effective(number)) {
                            self.queues[at].push(station, waiting);
                        }
                    }
                }
                Decision::Spread(_) => {
                    let from = Rc::new(inputs.pool_of(rule));
                    for (at, slice) in slices.filter(|(_, slice)| slice.has_charges(number)) {
                        let queues = shared
                            .entry(cell.outcome)
                            .or_insert_with(|| vec![Queue::default(); self.slices.len()]);
                        for waiting in waiting(inputs, cell, &from, slice.effective(number)) {
                            queues[at].push(waiting);
                        }
                    }
                }
                Decision::Exclude { .. } => {}
            }
        }
        shared
    }

    /// The pool of shared charges.
    pub fn pool_of_charges(&self, rule: RuleIndex, waiting: &[Queue<'a, CellPart>]) -> Pool {
        self.pool(self.inputs.pool_of(rule), rule, waiting.iter())
    }

    /// The pool of what waits at a station.
    pub fn pool_at(&self, station: usize) -> Pool {
        let stands = self.stations.get(station).stands.clone();
        let waiting = self.queues.iter().map(|queues| queues.at(station));
        self.pool(stands, self.rules[station].rule, waiting)
    }

    fn pool<'q>(
        &self,
        stands: Recipient,
        rule: RuleIndex,
        waiting: impl Iterator<Item = &'q Queue<'a, CellPart>>,
    ) -> Pool
    where
        'a: 'q,
    {
        let (mut total, mut gross) = (0, 0);
        for queue in waiting {
            total += queue.total();
            gross += queue.gross();
        }
        let gross = Sum::from_nanos(gross);
        Pool { gross, ..Pool::new(stands, self.name(rule), Sum::from_nanos(total)) }
    }

    pub fn name(&self, rule: RuleIndex) -> String {
        self.rule(rule).map_or_else(String::new, |facts| facts.version.rule.clone())
    }

    pub fn rule(&self, rule: RuleIndex) -> Option<&'a RuleFacts> {
        self.inputs.facts(rule)
    }

    pub fn is_empty(&self, station: usize) -> bool {
        self.queues.iter().all(|queues| queues.at(station).is_empty())
    }

    /// Splits charges one by one, and keeps the weights.
    pub fn pass_charges(
        &mut self,
        sharings: BTreeMap<OutcomeId, (RuleIndex, Sharing)>,
        facts: &mut DayFacts<'a>,
    ) {
        let (inputs, slices) = (self.inputs, self.slices);
        let mut passages: BTreeMap<OutcomeId, ChargePassage<'_>> = BTreeMap::new();
        for (outcome, (rule, sharing)) in &sharings {
            let pool = Rc::new(inputs.pool_of(*rule));
            let passage = Passage::new(sharing, CHARGES, &self.stations);
            passages.insert(*outcome, ChargePassage { rule: *rule, pool, sharing, passage });
        }
        let cells = &inputs.cells.cells;
        // Looked up once for each cell, because the loop over charges is the hot one.
        let of_cell: Vec<_> = cells.iter().map(|cell| passages.get(&cell.outcome)).collect();
        for (at, slice) in slices.iter().enumerate() {
            let mut shares: Vec<[Vec<i128>; 2]> = vec![Default::default(); cells.len()];
            for (cell, nanos) in &slice.by_charge {
                if let Some(of_cell) = of_cell[*cell as usize] {
                    let side = &mut shares[*cell as usize][usize::from(*nanos < 0)];
                    of_cell.passage.split_charge(*nanos, side);
                }
            }
            for (number, (cell, shares)) in cells.iter().zip(shares).enumerate() {
                let Some(of_cell) = of_cell[number] else { continue };
                let lines = self.moves[at].entry(Some(of_cell.rule)).or_default();
                let recipients = &of_cell.sharing.recipients;
                let mut sink = RuleLines { lines, recipients, facts: &mut *facts };
                for waiting in waiting(inputs, cell, &of_cell.pool, slice.effective(number)) {
                    let shares = &shares[usize::from(waiting.part.is_below)];
                    of_cell.passage.pass_split(&waiting, shares, &mut self.queues[at], &mut sink);
                }
            }
        }
        let kept = sharings.into_iter();
        self.weights.extend(kept.map(|(outcome, (_, sharing))| Weights {
            outcome,
            sharing,
            step: CHARGES,
        }));
    }

    /// Splits what waits, and keeps the weights for later explanation.
    pub fn pass(
        &mut self,
        (rule, outcome, step): (RuleIndex, OutcomeId, u32),
        waiting: SliceQueues<'a>,
        sharing: Sharing,
        facts: &mut DayFacts<'a>,
    ) {
        let passage = Passage::new(&sharing, step, &self.stations);
        for (slice, waiting) in waiting.into_iter().enumerate() {
            let lines = self.moves[slice].entry(Some(rule)).or_default();
            let mut sink = RuleLines { lines, recipients: &sharing.recipients, facts: &mut *facts };
            passage.pass(waiting, &mut self.queues[slice], &mut sink);
        }
        self.weights.push(Weights { outcome, sharing, step });
    }

    pub fn pass_station(&mut self, station: usize, sharing: Sharing, facts: &mut DayFacts<'a>) {
        let LaterRule { rule, outcome, .. } = self.rules[station];
        let step = self.stations.get(station).step;
        let waiting = self.queues.iter_mut().map(|queues| queues.take(station)).collect();
        self.pass((rule, outcome, step), waiting, sharing, facts);
    }
}

/// A cell's charges above and below zero where they stand, each if there are any.
fn waiting<'a>(
    inputs: &AllocationInputs<'a>,
    cell: &Cell,
    from: &Rc<Recipient>,
    sums: SideSums,
) -> impl Iterator<Item = WaitingAmount<'a, CellPart>> {
    let Cell { service, filters, .. } = *cell;
    let name = inputs.dictionary.text(service);
    let sides = [false, true].into_iter().zip(sums.sides());
    sides.filter(|(_, nanos)| *nanos != 0).map(move |(is_below, nanos)| WaitingAmount {
        from: Rc::clone(from),
        service: name,
        part: CellPart { service, filters, is_below },
        amount: Sum::from_nanos(nanos),
    })
}

/// Makes lines of the amounts that one rule moves.
struct RuleLines<'l, 'a> {
    lines: &'l mut Lines,
    recipients: &'l [Recipient],
    facts: &'l mut DayFacts<'a>,
}

impl FlowSink<CellPart> for RuleLines<'_, '_> {
    /// Every share is booked with the place that it comes from.
    fn leave(&mut self, _: &WaitingAmount<'_, CellPart>) {}

    fn arrive(&mut self, waiting: &WaitingAmount<'_, CellPart>, taker: usize, share: Sum) {
        let CellPart { service, filters, .. } = waiting.part;
        let (to, nanos) = (&self.recipients[taker], share.nanos());
        self.facts.note(&waiting.from, filters, -nanos);
        self.facts.note(to, filters, nanos);
        self.lines.pass(&waiting.from, to, service, nanos);
    }
}
