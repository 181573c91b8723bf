//! The stations of portions of charges: pools, and teams that pass their cost on.
//!
//! `domain::flow` moves the amounts, as it did in the run. The run's weights are in the ledger, so
//! no day has to be weighed again. The parts are portions here, where the run had sums of cells.

use crate::bearer::{Bearer, BearerId, Bearers};
use domain::entry::RuleVersion;
use domain::flow::passage::{FlowSink, Passage};
use domain::flow::queue::{Queue, Queues, WaitingAmount};
use domain::flow::station::{Station, Stations};
use domain::money::{Money, Sum};
use domain::port::RuleFacts;
use domain::recipient::Recipient;
use domain::sharing::Sharing;
use ledger::Weights;
use std::rc::Rc;

/// An amount of one portion, by the portion's number.
pub type WaitingPortion<'a> = WaitingAmount<'a, usize>;

/// Amounts that moved, by portion.
pub type PortionMoves = Vec<(usize, BearerId, Sum)>;

/// The movements of one source-day so far.
pub struct Replay<'a, 'b> {
    pub moves: PortionMoves,
    pub queues: Queues<'a, usize>,
    bearers: &'b mut Bearers,
}

/// How one rule passes on what stands in its pool, or with the team that it is for.
pub struct RulePassage<'w> {
    rule: Option<RuleVersion>,
    passage: Passage<'w>,
    /// By the number of the recipient.
    takers: Vec<BearerId>,
}

/// The stations of a day with the weights that the run kept of them, in the order of their steps.
pub struct StoredStations<'w> {
    stations: Stations,
    kept: Vec<(&'w Weights, RuleVersion)>,
}

impl<'a, 'b> Replay<'a, 'b> {
    pub fn new(stations: &StoredStations<'_>, bearers: &'b mut Bearers) -> Replay<'a, 'b> {
        let queues = Queues::new(stations.kept.len());
        Replay { moves: PortionMoves::new(), queues, bearers }
    }
}

impl<'w> RulePassage<'w> {
    pub fn new(
        rule: Option<RuleVersion>,
        weights: &'w Weights,
        stations: &StoredStations<'_>,
        bearers: &mut Bearers,
    ) -> RulePassage<'w> {
        let Weights { sharing, step, .. } = weights;
        let Sharing { recipients, .. } = sharing;
        let takers = recipients.iter().map(|to| bearers.number(Bearer::of(to, rule.as_ref())));
        RulePassage {
            takers: takers.collect(),
            passage: Passage::new(sharing, *step, &stations.stations),
            rule,
        }
    }

    /// Whether nobody passes on what they get.
    pub fn is_final(&self) -> bool {
        self.passage.is_final()
    }

    /// Adds a charge's shares to those of its portion.
    #[inline]
    pub fn split_charge(&self, amount: Money, shares: &mut Vec<i128>) {
        self.passage.split_charge(amount.nanos(), shares);
    }

    /// Passes on a portion whose charges were split one by one.
    pub fn pass_split<'a>(
        &self,
        waiting: &WaitingPortion<'a>,
        shares: &[i128],
        replay: &mut Replay<'a, '_>,
    ) {
        let Replay { moves, queues, bearers } = replay;
        self.passage.pass_split(waiting, shares, queues, &mut self.sink(moves, bearers));
    }

    /// Splits all that waits as one amount.
    pub fn pass<'a>(&self, queue: Queue<'a, usize>, replay: &mut Replay<'a, '_>) {
        let Replay { moves, queues, bearers } = replay;
        self.passage.pass(queue, queues, &mut self.sink(moves, bearers));
    }

    fn sink<'s>(&'s self, moves: &'s mut PortionMoves, bearers: &'s mut Bearers) -> MoveSink<'s> {
        MoveSink { rule: self.rule.as_ref(), takers: &self.takers, moves, bearers, giver: None }
    }
}

/// Notes the amounts that one rule moves.
struct MoveSink<'s> {
    rule: Option<&'s RuleVersion>,
    takers: &'s [BearerId],
    moves: &'s mut PortionMoves,
    bearers: &'s mut Bearers,
    /// Where the last amount stood. Amounts come place by place, so its number need not be looked
    /// up for each of them.
    giver: Option<(Rc<Recipient>, BearerId)>,
}

impl FlowSink<usize> for MoveSink<'_> {
    fn leave(&mut self, waiting: &WaitingPortion<'_>) {
        let known = self.giver.as_ref().filter(|(place, _)| Rc::ptr_eq(place, &waiting.from));
        let giver = match known {
            Some((_, giver)) => *giver,
            None => {
                let giver = self.bearers.number(Bearer::of(&waiting.from, self.rule));
                self.giver = Some((Rc::clone(&waiting.from), giver));
                giver
            }
        };
        self.moves.push((waiting.part, giver, -waiting.amount));
    }

    fn arrive(&mut self, waiting: &WaitingPortion<'_>, taker: usize, share: Sum) {
        self.moves.push((waiting.part, self.takers[taker], share));
    }
}

impl<'w> StoredStations<'w> {
    /// Weights of the day with the rules of later stages that they belong to.
    pub fn new<'r>(
        weights: &'w [Weights],
        rule_of: impl Fn(&Weights) -> Option<&'r RuleFacts>,
    ) -> StoredStations<'w> {
        let station = |weights: &'w Weights| {
            let rule = rule_of(weights)?;
            let station = Station { step: weights.step, ..Station::of(rule)? };
            Some((station, (weights, rule.version.clone())))
        };
        let mut stations: Vec<(Station, (&Weights, RuleVersion))> =
            weights.iter().filter_map(station).collect();
        // By the steps that the run kept: their order follows from facts that are not kept.
        stations.sort_by_key(|(station, _)| station.step);
        let (stations, kept) = stations.into_iter().unzip();
        StoredStations { stations: Stations::new(stations), kept }
    }

    /// The station that passes on what a recipient gets at a step.
    pub fn next(&self, recipient: &Recipient, step: u32) -> Option<usize> {
        self.stations.next(recipient, step)
    }

    /// Passes everything on, station by station.
    pub fn pass_on(&self, replay: &mut Replay<'_, '_>) {
        for (station, (weights, rule)) in self.kept.iter().enumerate() {
            let here = replay.queues.take(station);
            if !here.is_empty() {
                let rule = Some(rule.clone());
                RulePassage::new(rule, weights, self, replay.bearers).pass(here, replay);
            }
        }
    }
}
