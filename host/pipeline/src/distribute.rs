//! The stages after attribution: shared charges go through the pools of their rules, pools of distribution rules are
//! spread, and teams that serve others pass their costs on. Who feeds each other is solved as a whole.
//!
//! Weights are of the day and over all sources; the amounts of each source-day are split by them. Charges are split one
//! by one, so that each is exact by itself and its share does not hang on its neighbors. What stands in pools and with
//! teams, or is shared by the day's total, is split as one amount, in the order of the services' names: so a price or a
//! limit is met to the nano, and no order of charges matters.

use crate::allocate::{ByRule, DaySlice, Generation};
use crate::code;
use crate::drivers::DayFacts;
use domain::cascade;
use domain::decision::{Basis, Decision, OutcomeId, Recipient, RuleIndex, Spread};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Symbol;
use domain::money::{Currency, Sum};
use domain::port::{Mutual, Stage};
use domain::split::Shares;
use domain::spread::{Pool, Sharing, recipients, share};
use ledger::Weights;
use std::collections::{BTreeMap, BTreeSet};

/// Amounts that wait to be split, in the order in which they are.
type Waiting<'a> = BTreeMap<(Recipient, &'a str), (Symbol, i128)>;

/// A pool or team whose cost is passed on by a rule of a later stage.
struct Node<'a> {
    outcome: OutcomeId,
    rule: RuleIndex,
    stands: Recipient,
    spread: &'a Spread,
    mutual: Mutual,
    /// By slice.
    waiting: Vec<Waiting<'a>>,
    step: u32,
}

pub struct Distribution<'a> {
    generation: &'a Generation<'a>,
    slices: &'a [DaySlice],
    facts: DayFacts<'a>,
    nodes: Vec<Node<'a>>,
    /// By slice.
    pub moves: Vec<ByRule>,
    pub weights: Vec<Weights>,
    pub unresolved: Vec<Diagnostic>,
}

impl<'a> Distribution<'a> {
    /// Of one day and currency.
    pub fn new(
        generation: &'a Generation<'a>,
        slices: &'a [DaySlice],
        currency: Currency,
    ) -> Distribution<'a> {
        let day =
            slices.first().map_or(domain::period::Day::from_epoch(0), |slice| slice.source_day.day);
        let facts = DayFacts { generation, slices, day, currency };
        let node = |outcome: &OutcomeId| {
            let (rule, Decision::Spread(spread)) = generation.decision(*outcome)? else {
                return None;
            };
            let rule_facts = generation.facts(rule)?;
            let stands = match &rule_facts.stage {
                Stage::Attribution => return None,
                Stage::Distribution => generation.pool_of(rule),
                Stage::Cascade(team) => Recipient::team(team.as_str()),
            };
            let waiting = vec![Waiting::new(); slices.len()];
            Some(Node {
                outcome: *outcome,
                rule,
                stands,
                spread,
                mutual: rule_facts.mutual,
                waiting,
                step: 0,
            })
        };
        let nodes = generation.later.iter().filter_map(node).collect();
        let moves = slices.iter().map(|_| ByRule::new()).collect();
        Distribution {
            generation,
            slices,
            facts,
            nodes,
            moves,
            weights: Vec::new(),
            unresolved: Vec::new(),
        }
    }

    /// What was charged: straight to its recipients, or through the pool of the rule that shares it.
    pub fn spread_charges(&mut self) -> Result<(), Diagnostic> {
        let generation = self.generation;
        let mut shared: BTreeMap<OutcomeId, Vec<Waiting<'a>>> = BTreeMap::new();
        for (number, cell) in generation.cells.cells.iter().enumerate() {
            let Some((rule, decision)) = generation.decision(cell.outcome) else { continue };
            for (at, slice) in self.slices.iter().enumerate() {
                let amount = slice.cost(number, Basis::Effective);
                match decision {
                    Decision::Assign(recipient) if amount != 0 => {
                        self.arrive(at, recipient, 0, cell.service, amount)
                    }
                    Decision::Spread(_) if slice.has_charges(number) => {
                        let waiting = shared
                            .entry(cell.outcome)
                            .or_insert_with(|| vec![Waiting::new(); self.slices.len()]);
                        let key =
                            (generation.pool_of(rule), generation.dictionary.text(cell.service));
                        waiting[at].entry(key).or_insert((cell.service, 0)).1 += amount;
                    }
                    _ => {}
                }
            }
        }
        let mut by_charge = BTreeMap::new();
        for (outcome, waiting) in shared {
            let Some((rule, decision @ Decision::Spread(spread))) = generation.decision(outcome)
            else {
                continue;
            };
            let pool = Pool {
                stands: generation.pool_of(rule),
                rule: self.name(rule),
                total: total(&waiting),
            };
            match share(spread, &pool, &self.facts)? {
                Some(sharing) if decision.is_split_by_charge() => {
                    drop(by_charge.insert(outcome, (rule, sharing)))
                }
                Some(sharing) => self.pass(rule, outcome, 0, waiting, sharing),
                None => {}
            }
        }
        self.pass_charges(by_charge);
        Ok(())
    }

    /// Splits charges one by one, and keeps the weights.
    fn pass_charges(&mut self, sharings: BTreeMap<OutcomeId, (RuleIndex, Sharing)>) {
        let (cells, slices) = (&self.generation.cells.cells, self.slices);
        let of_cell: Vec<Option<&(RuleIndex, Sharing)>> =
            cells.iter().map(|cell| sharings.get(&cell.outcome)).collect();
        for (at, slice) in slices.iter().enumerate() {
            let mut sums: Vec<Vec<i128>> = vec![Vec::new(); cells.len()];
            for (cell, amount) in &slice.by_charge {
                let cell = *cell as usize;
                if let Some((_, sharing)) = of_cell[cell] {
                    sums[cell].resize(sharing.recipients.len(), 0);
                    sharing.shares.add(*amount, &mut sums[cell]);
                }
            }
            for ((cell, sharing), sums) in cells.iter().zip(&of_cell).zip(sums) {
                let Some((rule, sharing)) = sharing else { continue };
                let pool = self.generation.pool_of(*rule);
                for (to, nanos) in
                    sharing.recipients.iter().zip(sums).filter(|(_, nanos)| *nanos != 0)
                {
                    self.moves[at].entry(Some(*rule)).or_default().pass(
                        &pool,
                        to,
                        cell.service,
                        nanos,
                    );
                    self.arrive(at, to, 0, cell.service, nanos);
                }
            }
        }
        let weights = |(outcome, (_, sharing)): (OutcomeId, (RuleIndex, Sharing))| Weights {
            outcome,
            recipients: sharing.recipients,
            shares: sharing.shares,
            step: 0,
        };
        self.weights.extend(sharings.into_iter().map(weights));
    }

    /// An amount comes to a recipient; if that passes its cost on at a later step, it will.
    fn arrive(
        &mut self,
        slice: usize,
        recipient: &Recipient,
        step: u32,
        service: Symbol,
        amount: i128,
    ) {
        let text = self.generation.dictionary.text(service);
        if let Some(at) = self.node_of(recipient)
            && (step == 0 || self.nodes[at].step > step)
        {
            self.nodes[at].waiting[slice]
                .entry((recipient.clone(), text))
                .or_insert((service, 0))
                .1 += amount;
        }
    }

    fn node_of(&self, recipient: &Recipient) -> Option<usize> {
        self.nodes.iter().position(|node| match (&node.stands, recipient) {
            (Recipient::Team(node), Recipient::Team(target)) => node.team == target.team,
            (Recipient::Pool(node), Recipient::Pool(pool)) => node == pool,
            _ => false,
        })
    }

    fn name(&self, rule: RuleIndex) -> String {
        self.generation.facts(rule).map_or_else(String::new, |facts| facts.version.rule.clone())
    }

    /// Splits what waits, and keeps the weights for later explanation.
    fn pass(
        &mut self,
        rule: RuleIndex,
        outcome: OutcomeId,
        step: u32,
        waiting: Vec<Waiting<'a>>,
        sharing: Sharing,
    ) {
        for (slice, waiting) in waiting.into_iter().enumerate() {
            let mut running = sharing.shares.running();
            for ((from, _), (service, amount)) in waiting {
                let mut given = Vec::new();
                running.split(Sum::from_nanos(amount), |target, share| {
                    given.push((target, share.nanos()))
                });
                for (target, nanos) in given.into_iter().filter(|(_, nanos)| *nanos != 0) {
                    let to = &sharing.recipients[target];
                    self.moves[slice]
                        .entry(Some(rule))
                        .or_default()
                        .pass(&from, to, service, nanos);
                    self.arrive(slice, to, step, service, nanos);
                }
            }
        }
        self.weights.push(Weights {
            outcome,
            recipients: sharing.recipients,
            shares: sharing.shares,
            step,
        });
    }

    /// Pools and teams one after another, each once all that feed it have passed on what they had.
    pub fn pass_on(&mut self) -> Result<(), Diagnostic> {
        let groups = self.in_order()?;
        for group in groups {
            match group.as_slice() {
                [at] => self.pass_one(*at, &BTreeSet::new())?,
                _ if self.is_step_down(&group) => {
                    let mut done = BTreeSet::new();
                    for at in group {
                        done.insert(at);
                        self.pass_one(at, &done)?;
                    }
                }
                _ => self.pass_together(&group)?,
            }
        }
        Ok(())
    }

    /// Those that feed each other, in the order in which their turn comes; numbers the steps.
    fn in_order(&mut self) -> Result<Vec<Vec<usize>>, Diagnostic> {
        let mut feeds = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            let fed = match node.spread.hangs_on_total() {
                true => recipients(node.spread, &self.pool(node), &self.facts)?,
                false => share(node.spread, &self.pool(node), &self.facts)?
                    .map_or_else(Vec::new, |sharing| sharing.takers()),
            };
            feeds.push(
                fed.iter()
                    .filter_map(|recipient| self.node_of(recipient))
                    .filter(|fed| *fed != at)
                    .collect(),
            );
        }
        let groups = cascade::groups(&feeds);
        let mut step = 0;
        for group in &groups {
            // Who has its turn after another member may get something of it, and not the other way round.
            let in_turn = self.is_step_down(group);
            step += 1;
            for (turn, at) in (0..).zip(group) {
                self.nodes[*at].step = step + if in_turn { turn } else { 0 };
            }
            step += if in_turn { group.len() as u32 } else { 0 };
        }
        Ok(groups)
    }

    fn is_step_down(&self, group: &[usize]) -> bool {
        group.iter().any(|at| self.nodes[*at].mutual == Mutual::StepDown)
    }

    fn pool(&self, node: &Node<'_>) -> Pool {
        Pool {
            stands: node.stands.clone(),
            rule: self.name(node.rule),
            total: total(&node.waiting),
        }
    }

    /// How a node's cost is shared today; what would go to those that are `done` is shared among the others.
    fn sharing(&self, at: usize, done: &BTreeSet<usize>) -> Result<Option<Sharing>, Diagnostic> {
        let node = &self.nodes[at];
        let sharing = share(node.spread, &self.pool(node), &self.facts)?;
        let Some(sharing) = sharing else { return Ok(None) };
        if done.is_empty() {
            return Ok(Some(sharing));
        }
        let is_done = |recipient: &Recipient| {
            self.node_of(recipient).is_some_and(|fed| fed != at && done.contains(&fed))
        };
        let weights: Vec<i128> = sharing
            .recipients
            .iter()
            .zip(sharing.shares.weights())
            .map(|(to, weight)| if is_done(to) { 0 } else { i128::from(weight) })
            .collect();
        Ok(Shares::signed(&weights)
            .ok()
            .map(|shares| Sharing { recipients: sharing.recipients, shares }))
    }

    fn pass_one(&mut self, at: usize, done: &BTreeSet<usize>) -> Result<(), Diagnostic> {
        if self.nodes[at].waiting.iter().all(Waiting::is_empty) {
            return Ok(());
        }
        if let Some(sharing) = self.sharing(at, done)? {
            let node = &mut self.nodes[at];
            let (rule, outcome, step, waiting) =
                (node.rule, node.outcome, node.step, std::mem::take(&mut node.waiting));
            self.pass(rule, outcome, step, waiting, sharing);
        }
        Ok(())
    }

    /// Those that feed each other, by the reciprocal method.
    fn pass_together(&mut self, group: &[usize]) -> Result<(), Diagnostic> {
        if group.iter().all(|at| self.nodes[*at].waiting.iter().all(Waiting::is_empty)) {
            return Ok(());
        }
        let names = || {
            group.iter().map(|at| self.name(self.nodes[*at].rule)).collect::<Vec<_>>().join(", ")
        };
        if let Some(at) = group.iter().find(|at| self.nodes[**at].spread.hangs_on_total()) {
            let rule = self.name(self.nodes[*at].rule);
            let message = format!(
                "{rule} shares by the total of its pool, and the total hangs on what the others pass back to it: {}",
                names()
            );
            let finding = Diagnostic::new(code::RULE_CIRCLE, message)
                .hint("give one of the rules the header key `mutual: \"step_down\"`");
            self.unresolved.push(finding);
            return Ok(());
        }
        // Who keeps its cost is an end of the others' costs.
        let mut members = Vec::new();
        let mut sharings = Vec::new();
        for at in group {
            if let Some(sharing) = self.sharing(*at, &BTreeSet::new())? {
                members.push(*at);
                sharings.push(sharing);
            }
        }
        let member = |recipient: &Recipient| {
            self.node_of(recipient).and_then(|at| members.iter().position(|member| *member == at))
        };
        let Some(solved) = cascade::reciprocal(&sharings, member) else {
            let message = format!(
                "these rules pass costs on to each other and to nobody else, so nobody would bear them: {}",
                names()
            );
            let finding = Diagnostic::new(code::RULE_CIRCLE, message)
                .hint("let one of the rules share with a team that keeps its cost");
            self.unresolved.push(finding);
            return Ok(());
        };
        for (at, sharing) in members.into_iter().zip(solved) {
            let node = &mut self.nodes[at];
            let (rule, outcome, step, waiting) =
                (node.rule, node.outcome, node.step, std::mem::take(&mut node.waiting));
            self.pass(rule, outcome, step, waiting, sharing);
        }
        Ok(())
    }
}

fn total(waiting: &[Waiting<'_>]) -> Sum {
    Sum::from_nanos(waiting.iter().flat_map(BTreeMap::values).map(|(_, amount)| amount).sum())
}
