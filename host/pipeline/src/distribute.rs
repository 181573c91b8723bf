//! The stages after attribution: shared charges go through the pools of their rules, pools of
//! distribution rules are spread, and teams that serve others pass their costs on.
//!
//! This file works the weights out, from the day's facts and over all sources. How the amounts of
//! each source-day then move is in `domain::flow`, which reports use as well. The weights are kept,
//! so that a report needs no facts.

use crate::code;
use crate::day_facts::DayFacts;
use crate::inputs::AllocationInputs;
use crate::lines::{ByRule, Lines};
use crate::slice::DaySlice;
use domain::code::AMOUNT_TOO_LARGE;
use domain::decision::{Decision, OutcomeId, RuleIndex};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Symbol;
use domain::driver::facts::{Basis, Pool};
use domain::flow::order::Turn;
use domain::flow::passage::{FlowSink, Passage};
use domain::flow::queue::{Queue, Queues, WaitingAmount};
use domain::flow::reciprocal::reciprocal;
use domain::flow::station::{CHARGES, Station, Stations};
use domain::money::{Currency, Sum};
use domain::period::Day;
use domain::port::Mutual;
use domain::recipient::Recipient;
use domain::sharing::Sharing;
use domain::split::Shares;
use domain::spread::{Spread, recipients, share};
use ledger::Weights;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Amounts of one place, by slice. The part is the service.
type SliceQueues<'a> = Vec<Queue<'a, Symbol>>;

/// The rule that passes on what comes to a station.
struct LaterRule<'a> {
    outcome: OutcomeId,
    rule: RuleIndex,
    spread: &'a Spread,
    mutual: Mutual,
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
    facts: DayFacts<'a>,
    stations: Stations,
    /// By station.
    rules: Vec<LaterRule<'a>>,
    /// By slice.
    queues: Vec<Queues<'a, Symbol>>,
    /// By slice.
    pub moves: Vec<ByRule>,
    pub weights: Vec<Weights>,
    pub unresolved: Vec<Diagnostic>,
}

impl<'a> Distribution<'a> {
    /// Of one day and currency.
    pub fn new(
        inputs: &'a AllocationInputs<'a>,
        slices: &'a [DaySlice],
        currency: Currency,
    ) -> Distribution<'a> {
        let day = slices.first().map_or(Day::from_epoch(0), |slice| slice.source_day.day);
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
            facts: DayFacts { inputs, slices, day, currency },
            queues: slices.iter().map(|_| Queues::new(stations.len())).collect(),
            stations: Stations::new(stations),
            rules,
            moves: slices.iter().map(|_| ByRule::new()).collect(),
            weights: Vec::new(),
            unresolved: Vec::new(),
        }
    }

    /// Brings charges straight to their recipients, or through the pool of the rule that shares
    /// them.
    pub fn spread_charges(&mut self) -> Result<(), Diagnostic> {
        let mut by_charge = BTreeMap::new();
        for (outcome, shared) in self.charges_by_outcome() {
            let Some((rule, decision)) = self.inputs.decision(outcome) else { continue };
            let Some(spread) = decision.spread() else { continue };
            let pool = Pool {
                stands: self.inputs.pool_of(rule),
                rule: self.name(rule),
                total: total(&shared),
            };
            match self.share(spread, &pool)? {
                Some(sharing) if decision.is_split_by_charge() => {
                    drop(by_charge.insert(outcome, (rule, sharing)))
                }
                Some(sharing) => self.pass(rule, outcome, CHARGES, shared, sharing),
                None => {}
            }
        }
        // Kept for the end, so that one walk over the charges splits those of all outcomes.
        self.pass_charges(by_charge);
        Ok(())
    }

    /// How a pool is shared on this day. A spread knows neither day nor currency, so both are added
    /// to its refusal of an amount.
    fn share(&self, spread: &Spread, pool: &Pool) -> Result<Option<Sharing>, Diagnostic> {
        share(spread, pool, &self.facts).map_err(|mut refusal| {
            if refusal.code == AMOUNT_TOO_LARGE {
                let DayFacts { day, currency, .. } = &self.facts;
                refusal.message = format!("on {day} in {currency}, {}", refusal.message);
            }
            refusal
        })
    }

    /// Shared charges by their outcome. Assigned charges go to the station where their recipient
    /// stands, if there is one.
    fn charges_by_outcome(&mut self) -> BTreeMap<OutcomeId, SliceQueues<'a>> {
        let inputs = self.inputs;
        let mut shared: BTreeMap<OutcomeId, SliceQueues<'a>> = BTreeMap::new();
        for (number, cell) in inputs.cells.cells.iter().enumerate() {
            let Some((rule, decision)) = inputs.decision(cell.outcome) else { continue };
            let amounts = self.slices.iter().enumerate();
            let amounts = amounts.map(|(at, slice)| (at, slice.cost(number, Basis::Effective)));
            let waiting = |from: &Rc<Recipient>, amount: i128| WaitingAmount {
                from: Rc::clone(from),
                service: inputs.dictionary.text(cell.service),
                part: cell.service,
                amount: Sum::from_nanos(amount),
            };
            match decision {
                Decision::Assign(recipient) => {
                    let Some(station) = self.stations.next(recipient, CHARGES) else { continue };
                    let from = Rc::new(recipient.clone());
                    // Assigned charges move as one sum, so nothing moves where they cancel out.
                    for (at, amount) in amounts.filter(|(_, amount)| *amount != 0) {
                        self.queues[at].push(station, waiting(&from, amount));
                    }
                }
                Decision::Spread(_) => {
                    let from = Rc::new(inputs.pool_of(rule));
                    for (at, amount) in
                        amounts.filter(|(at, _)| self.slices[*at].has_charges(number))
                    {
                        let queues = shared
                            .entry(cell.outcome)
                            .or_insert_with(|| vec![Queue::default(); self.slices.len()]);
                        queues[at].push(waiting(&from, amount));
                    }
                }
                Decision::Exclude { .. } => {}
            }
        }
        shared
    }

    /// Splits charges one by one, and keeps the weights.
    fn pass_charges(&mut self, sharings: BTreeMap<OutcomeId, (RuleIndex, Sharing)>) {
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
            let mut shares: Vec<Vec<i128>> = vec![Vec::new(); cells.len()];
            for (cell, nanos) in &slice.by_charge {
                if let Some(of_cell) = of_cell[*cell as usize] {
                    of_cell.passage.split_charge(*nanos, &mut shares[*cell as usize]);
                }
            }
            for (number, (cell, shares)) in cells.iter().zip(shares).enumerate() {
                let Some(of_cell) = of_cell[number] else { continue };
                if shares.is_empty() {
                    continue;
                }
                let waiting = WaitingAmount {
                    from: Rc::clone(&of_cell.pool),
                    service: inputs.dictionary.text(cell.service),
                    part: cell.service,
                    amount: Sum::from_nanos(slice.cost(number, Basis::Effective)),
                };
                let lines = self.moves[at].entry(Some(of_cell.rule)).or_default();
                let mut sink = RuleLines { lines, recipients: &of_cell.sharing.recipients };
                of_cell.passage.pass_split(&waiting, &shares, &mut self.queues[at], &mut sink);
            }
        }
        let kept = sharings.into_iter();
        self.weights.extend(kept.map(|(outcome, (_, sharing))| Weights {
            outcome,
            sharing,
            step: CHARGES,
        }));
    }

    fn name(&self, rule: RuleIndex) -> String {
        self.inputs.facts(rule).map_or_else(String::new, |facts| facts.version.rule.clone())
    }

    /// Splits what waits, and keeps the weights for later explanation.
    fn pass(
        &mut self,
        rule: RuleIndex,
        outcome: OutcomeId,
        step: u32,
        waiting: SliceQueues<'a>,
        sharing: Sharing,
    ) {
        let passage = Passage::new(&sharing, step, &self.stations);
        for (slice, waiting) in waiting.into_iter().enumerate() {
            let lines = self.moves[slice].entry(Some(rule)).or_default();
            let mut sink = RuleLines { lines, recipients: &sharing.recipients };
            passage.pass(waiting, &mut self.queues[slice], &mut sink);
        }
        self.weights.push(Weights { outcome, sharing, step });
    }

    /// Gives every station its turn.
    pub fn pass_on(&mut self) -> Result<(), Diagnostic> {
        let feeds = self.feeds()?;
        let rules = &self.rules;
        let turns =
            self.stations.put_in_order(&feeds, |station| rules[station].mutual == Mutual::StepDown);
        for turn in turns {
            match turn {
                Turn::Alone(station) => self.pass_one(station, &BTreeSet::new())?,
                Turn::StepDown(group) => {
                    let mut done = BTreeSet::new();
                    for station in group {
                        done.insert(station);
                        self.pass_one(station, &done)?;
                    }
                }
                Turn::Together(group) => self.pass_together(&group)?,
            }
        }
        Ok(())
    }

    /// The stations that each station may give something to.
    ///
    /// The order is needed before the totals are known. A rule that needs its total may therefore
    /// feed all that could ever get a share of it; of every other rule today's shares are known.
    fn feeds(&self) -> Result<Vec<BTreeSet<usize>>, Diagnostic> {
        let feeds = |station: usize| {
            let (spread, pool) = (self.rules[station].spread, self.pool(station));
            let takers = match spread.needs_total() {
                true => recipients(spread, &pool, &self.facts)?,
                false => {
                    self.share(spread, &pool)?.map_or_else(Vec::new, |sharing| sharing.takers())
                }
            };
            // A station's share for itself stays, so it does not feed itself.
            let fed = takers.iter().filter_map(|recipient| self.stations.at(recipient));
            Ok(fed.filter(|fed| *fed != station).collect())
        };
        (0..self.stations.len()).map(feeds).collect()
    }

    fn pool(&self, station: usize) -> Pool {
        let total = self.queues.iter().map(|queues| queues.at(station).total()).sum();
        Pool {
            stands: self.stations.get(station).stands.clone(),
            rule: self.name(self.rules[station].rule),
            total: Sum::from_nanos(total),
        }
    }

    fn is_empty(&self, station: usize) -> bool {
        self.queues.iter().all(|queues| queues.at(station).is_empty())
    }

    /// How a station's cost is shared today. The shares of stations that are `done` go to the
    /// others in proportion.
    fn sharing(
        &self,
        station: usize,
        done: &BTreeSet<usize>,
    ) -> Result<Option<Sharing>, Diagnostic> {
        let sharing = self.share(self.rules[station].spread, &self.pool(station))?;
        let Some(sharing) = sharing else { return Ok(None) };
        if done.is_empty() {
            return Ok(Some(sharing));
        }
        // A station's share for itself stays: it is not passed back to anybody.
        let is_done = |recipient: &Recipient| {
            self.stations.at(recipient).is_some_and(|fed| fed != station && done.contains(&fed))
        };
        let weights: Vec<i128> = sharing
            .weighted()
            .map(|(recipient, weight)| if is_done(recipient) { 0 } else { i128::from(weight) })
            .collect();
        // If all shares are those of stations that are done, nobody is left and the cost stays.
        let shares = Shares::signed(&weights).ok();
        Ok(shares.map(|shares| Sharing { recipients: sharing.recipients, shares }))
    }

    fn pass_one(&mut self, station: usize, done: &BTreeSet<usize>) -> Result<(), Diagnostic> {
        if self.is_empty(station) {
            return Ok(());
        }
        if let Some(sharing) = self.sharing(station, done)? {
            self.pass_station(station, sharing);
        }
        Ok(())
    }

    fn pass_station(&mut self, station: usize, sharing: Sharing) {
        let LaterRule { rule, outcome, .. } = self.rules[station];
        let step = self.stations.get(station).step;
        let waiting = self.queues.iter_mut().map(|queues| queues.take(station)).collect();
        self.pass(rule, outcome, step, waiting, sharing);
    }

    /// Passes on for stations that feed each other, by the reciprocal method.
    fn pass_together(&mut self, group: &[usize]) -> Result<(), Diagnostic> {
        if group.iter().all(|station| self.is_empty(*station)) {
            return Ok(());
        }
        // The method solves for fixed weights. Weights that change with the amounts passed back
        // have no such solution.
        if let Some(station) = group.iter().find(|at| self.rules[**at].spread.needs_total()) {
            self.unresolved.push(needs_total_in_a_circle(
                &self.name(self.rules[*station].rule),
                &self.names(group),
            ));
            return Ok(());
        }
        // A station that keeps its cost today bears the others' costs: it is not a member.
        let (mut members, mut sharings) = (Vec::new(), Vec::new());
        for station in group {
            if let Some(sharing) = self.sharing(*station, &BTreeSet::new())? {
                members.push(*station);
                sharings.push(sharing);
            }
        }
        let member = |recipient: &Recipient| {
            let station = self.stations.at(recipient)?;
            members.iter().position(|member| *member == station)
        };
        let Some(solved) = reciprocal(&sharings, member) else {
            self.unresolved.push(circle_without_an_end(&self.names(group)));
            return Ok(());
        };
        // The solved shares are final: none comes to a member that still has to pass on.
        for (station, sharing) in members.into_iter().zip(solved) {
            self.pass_station(station, sharing);
        }
        Ok(())
    }

    fn names(&self, group: &[usize]) -> String {
        let names = group.iter().map(|station| self.name(self.rules[*station].rule));
        names.collect::<Vec<_>>().join(", ")
    }
}

fn total(queues: &[Queue<'_, Symbol>]) -> Sum {
    Sum::from_nanos(queues.iter().map(Queue::total).sum())
}

fn needs_total_in_a_circle(rule: &str, names: &str) -> Diagnostic {
    let message = format!(
        "{rule} shares by the total of its pool, and the total hangs on what the others pass back \
         to it: {names}"
    );
    Diagnostic::new(code::RULE_CIRCLE, message)
        .hint("give one of the rules the header key `mutual: \"step_down\"`")
}

fn circle_without_an_end(names: &str) -> Diagnostic {
    let message = format!(
        "these rules pass costs on to each other and to nobody else, so nobody would bear them: \
         {names}"
    );
    Diagnostic::new(code::RULE_CIRCLE, message)
        .hint("let one of the rules share with a team that keeps its cost")
}

/// Makes lines of the amounts that one rule moves.
struct RuleLines<'l> {
    lines: &'l mut Lines,
    recipients: &'l [Recipient],
}

impl FlowSink<Symbol> for RuleLines<'_> {
    /// Every share is booked with the place that it comes from.
    fn leave(&mut self, _: &WaitingAmount<'_, Symbol>) {}

    fn arrive(&mut self, waiting: &WaitingAmount<'_, Symbol>, taker: usize, share: Sum) {
        self.lines.pass(&waiting.from, &self.recipients[taker], waiting.part, share.nanos());
    }
}
