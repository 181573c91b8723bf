//! One source-day's charges, summed into portions and followed to their bearers.

mod day_sums;

use crate::bearer::{Bearer, BearerId, Bearers};
use crate::measure::{MeasuredSums, Meter};
use crate::passing::{PortionMoves, Replay, RulePassage, StoredStations};
use crate::portion::{Portion, PortionSink};
use crate::stored::{StoredGeneration, corrupt};
use day_sums::{DaySums, Fate, OpenPortion};
use domain::account::Account;
use domain::charge::ChargeLine;
use domain::decision::{Decision, Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::flow::queue::{Queue, WaitingAmount};
use domain::flow::station::CHARGES;
use domain::money::Sum;
use domain::port::{Decider, Rules};
use domain::recipient::Recipient;
use domain::run::{RunId, SourceDay};
use ledger::segment::{self, ChargeLines, SegmentCharges};
use ledger::{Reader, StoredSegment, Weights};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Goes through the source-days of one generation.
pub struct Scan<'a> {
    stored: &'a StoredGeneration,
    dictionary: &'a Dictionary,
    bearers: &'a mut Bearers,
    decider: Option<Box<dyn Decider + 'a>>,
    lines: ChargeLines<'a>,
    /// The numbers of the stored outcomes, for decisions that the decider takes anew.
    known: HashMap<&'a Outcome, OutcomeId>,
    /// The open portion of each resource with a decision of its own, plus one; 0: none yet.
    open_of: Vec<u32>,
    pub meter: Option<Meter<'a>>,
    /// Whether charges are read as the run knew them, and not as they are stated now.
    pub as_of_run: bool,
    /// The resources that are asked for, in order; all where nothing is said.
    pub resources: Option<&'a [ResourceId]>,
}

impl<'a> Scan<'a> {
    pub fn new(
        stored: &'a StoredGeneration,
        dictionary: &'a Dictionary,
        bearers: &'a mut Bearers,
        rules: Option<&'a dyn Rules>,
    ) -> Scan<'a> {
        let known = stored
            .outcomes
            .iter()
            .enumerate()
            .map(|(number, outcome)| (outcome, OutcomeId(number as u32)))
            .collect();
        Scan {
            stored,
            dictionary,
            bearers,
            decider: rules.map(Rules::decider),
            lines: ChargeLines::new(dictionary, rules),
            known,
            open_of: vec![0; stored.resource_count()],
            meter: None,
            as_of_run: false,
            resources: None,
        }
    }

    pub fn source_day(
        &mut self,
        ledger: &Reader,
        source_day: &SourceDay,
        run: RunId,
        sink: &mut PortionSink<'_>,
    ) -> Result<(), Diagnostic> {
        let weights = ledger.weights(run, source_day.day, source_day.currency)?;
        let stored = self.stored;
        let stations = StoredStations::new(&weights, |weights| stored.rule_of(weights.outcome));
        let segments = match self.as_of_run {
            true => ledger.segments_as_of(source_day, run)?,
            false => ledger.segments(source_day)?,
        };
        if let Some(resources) = self.resources {
            let is_asked = |resource: u32| resources.binary_search(&ResourceId(resource)).is_ok();
            let mut sums = DaySums::new(run, &weights, &stations);
            self.sum(source_day, &segments, &is_asked, &mut sums)?;
            // Amounts that are split together are rounded together: then all of them are needed.
            if sums.fates.iter().all(|fate| fate.is_alone(&stations)) {
                return self.hand_out(source_day, sums, sink);
            }
            self.close(&sums);
        }
        let mut sums = DaySums::new(run, &weights, &stations);
        self.sum(source_day, &segments, &|_| true, &mut sums)?;
        self.hand_out(source_day, sums, sink)
    }

    /// Sums the charges of some resources into portions.
    fn sum(
        &mut self,
        source_day: &SourceDay,
        segments: &[StoredSegment],
        is_asked: &dyn Fn(u32) -> bool,
        sums: &mut DaySums<'_>,
    ) -> Result<(), Diagnostic> {
        let mut columns = SegmentCharges::default();
        for stored in segments {
            if self.meter.is_none() || self.lines.reads_details() {
                self.lines.decode(&stored.data, &mut columns)?;
            }
            if let Some(meter) = &mut self.meter {
                meter.decode(stored, &mut columns)?;
            }
            for (row, resource) in columns.resources.iter().enumerate() {
                if !is_asked(*resource) {
                    continue;
                }
                let outcome = self.stored.decision(*resource)?;
                // A rule that decided about the resource has read no details.
                let line = match outcome {
                    OutcomeId::PER_CHARGE => self.lines.line(source_day, &columns, row),
                    _ => segment::amounts(source_day, &columns, row),
                };
                let at = self.open(sums, *resource, outcome, &line)?;
                sums.add(at, &line);
                if let Some(meter) = &self.meter {
                    let measured = &mut sums.open[at].measured;
                    meter.measure(source_day.day, &columns, row, measured);
                }
            }
        }
        Ok(())
    }

    /// Forgets the open portions. Only slots in use are cleared: a new list for each source-day
    /// would cost as much as there are resources.
    fn close(&mut self, sums: &DaySums<'_>) {
        for open in &sums.open {
            if let Some(slot) = self.open_of.get_mut(open.resource as usize) {
                *slot = 0;
            }
        }
    }

    /// The portion that a charge belongs to.
    fn open(
        &mut self,
        sums: &mut DaySums<'_>,
        resource: u32,
        outcome: OutcomeId,
        line: &ChargeLine,
    ) -> Result<usize, Diagnostic> {
        if outcome != OutcomeId::PER_CHARGE {
            // A list and no map, because this is looked up for each charge.
            let slot = self.open_of.get(resource as usize).copied().unwrap_or(0);
            if slot > 0 {
                return Ok(slot as usize - 1);
            }
            let at = self.start(sums, resource, outcome, line)?;
            self.open_of[resource as usize] = at as u32 + 1;
            return Ok(at);
        }
        let outcome = self.decide(resource, line)?;
        if let Some(at) = sums.per_charge.get(&(resource, outcome)) {
            return Ok(*at);
        }
        let at = self.start(sums, resource, outcome, line)?;
        sums.per_charge.insert((resource, outcome), at);
        Ok(at)
    }

    fn decide(&mut self, resource: u32, line: &ChargeLine) -> Result<OutcomeId, Diagnostic> {
        let decider = self.decider.as_mut().ok_or_else(|| {
            corrupt(format!("resource {resource} needs rules that are not stored"))
        })?;
        let decided = decider.decide(self.dictionary, ResourceId(resource), line.day, Some(line));
        let known =
            decider.outcomes().get(decided.0 as usize).and_then(|outcome| self.known.get(outcome));
        known.copied().ok_or_else(|| {
            corrupt(format!(
                "the stored rules decide resource {resource} in a way that was never posted"
            ))
        })
    }

    fn start(
        &mut self,
        sums: &mut DaySums<'_>,
        resource: u32,
        outcome: OutcomeId,
        line: &ChargeLine,
    ) -> Result<usize, Diagnostic> {
        // Once for each outcome of the day, and not for each resource.
        let fate = match sums.fate_of.get(&outcome) {
            Some(fate) => *fate,
            None => {
                let fate = self.fate(sums.weights, sums.stations, outcome)?;
                sums.fates.push(fate);
                sums.fate_of.insert(outcome, sums.fates.len() - 1);
                sums.fates.len() - 1
            }
        };
        sums.open.push(OpenPortion {
            resource,
            outcome,
            fate,
            charges: 0,
            largest: line.clone(),
            effective: 0,
            shares: Vec::new(),
            measured: MeasuredSums::default(),
        });
        Ok(sums.open.len() - 1)
    }

    fn fate<'w>(
        &mut self,
        weights: &'w [Weights],
        stations: &StoredStations<'w>,
        outcome: OutcomeId,
    ) -> Result<Fate<'w>, Diagnostic> {
        let rule = self.stored.rule_of(outcome).map(|facts| &facts.version);
        let name = || rule.map_or_else(String::new, |rule| rule.rule.clone());
        let mut at = |account: Account| {
            self.bearers.number(Bearer { account, target: None, rule: rule.cloned() })
        };
        let decision = match self.stored.verdict(outcome)? {
            Verdict::Unallocated => return Ok(Fate::stays(at(Account::Unallocated))),
            Verdict::Suspense { .. } => return Ok(Fate::stays(at(Account::Suspense))),
            Verdict::Decided { decision, .. } => decision,
        };
        Ok(match decision {
            Decision::Exclude { .. } => Fate::stays(at(Account::Excluded(name()))),
            Decision::Assign(recipient) => Fate {
                stands: Some(Rc::new(recipient.clone())),
                ..Fate::stays(self.bearers.number(Bearer::of(recipient, rule)))
            },
            Decision::Spread(_) => {
                let pool = Recipient::Pool(name());
                let collected = at(Account::of(&pool));
                let weights = weights.iter().find(|weights| weights.outcome == outcome);
                let passage = weights.map(|weights| {
                    RulePassage::new(rule.cloned(), weights, stations, self.bearers)
                });
                Fate {
                    collected,
                    stands: Some(Rc::new(pool)),
                    passage,
                    by_charge: decision.is_split_by_charge(),
                }
            }
        })
    }

    fn hand_out(
        &mut self,
        source_day: &SourceDay,
        sums: DaySums<'_>,
        sink: &mut PortionSink<'_>,
    ) -> Result<(), Diagnostic> {
        self.close(&sums);
        let mut moves = self.moves(&sums);
        // The moves of one portion are only added up, so their order does not matter.
        moves.sort_unstable_by_key(|(portion, ..)| *portion);
        let mut moves = moves.into_iter().peekable();
        let mut by_bearer = vec![Sum::ZERO; self.bearers.len()];
        let mut borne: Vec<(BearerId, Sum)> = Vec::new();
        for (number, open) in sums.open.into_iter().enumerate() {
            let (collected, effective) =
                (sums.fates[open.fate].collected, Sum::from_nanos(open.effective));
            borne.clear();
            let mut add = |bearer: BearerId, amount: Sum| {
                let sum = &mut by_bearer[bearer.0 as usize];
                if sum.is_zero() {
                    borne.push((bearer, Sum::ZERO));
                }
                *sum += amount;
            };
            add(collected, effective);
            while let Some((_, bearer, amount)) = moves.next_if(|(portion, ..)| *portion == number)
            {
                add(bearer, amount);
            }
            // A bearer whose sum was zero in between stands here twice. The first takes all and
            // leaves zero.
            for (bearer, amount) in &mut borne {
                *amount = std::mem::take(&mut by_bearer[bearer.0 as usize]);
            }
            // A portion of nothing keeps its collecting account, so that its charges count.
            borne.retain(|(bearer, amount)| {
                !amount.is_zero() || (*bearer == collected && effective.is_zero())
            });
            let portion = Portion {
                source_day,
                day: source_day.day,
                is_taken_back: false,
                generation: self.stored.generation,
                run: sums.run,
                resource: ResourceId(open.resource),
                outcome: open.outcome,
                charges: open.charges,
                largest: &open.largest,
                effective,
                measured: &open.measured,
                collected,
                borne: &borne,
            };
            sink(&portion, self.bearers)?;
        }
        Ok(())
    }

    /// Everything that was passed on, by the number of its portion.
    fn moves(&mut self, sums: &DaySums<'_>) -> PortionMoves {
        let dictionary = self.dictionary;
        let next: Vec<Option<usize>> = sums
            .fates
            .iter()
            .map(|fate| sums.stations.next(fate.stands.as_ref()?, CHARGES))
            .collect();
        let is_passed_on = |fate: usize| sums.fates[fate].passage.is_some() || next[fate].is_some();
        let mut order: Vec<usize> =
            (0..sums.open.len()).filter(|number| is_passed_on(sums.open[*number].fate)).collect();
        order.sort_by_key(|number| (sums.open[*number].resource, sums.open[*number].outcome));
        let mut replay = Replay::new(sums.stations, self.bearers);
        let mut pooled: BTreeMap<OutcomeId, (&RulePassage<'_>, Queue<'_, usize>)> = BTreeMap::new();
        for number in order {
            let open = &sums.open[number];
            let fate = &sums.fates[open.fate];
            let Some(stands) = &fate.stands else { continue };
            let resource = ResourceId(open.resource);
            let waiting = WaitingAmount {
                from: Rc::clone(stands),
                service: dictionary.dimension_text(resource, Field::SERVICE_NAME),
                part: number,
                amount: Sum::from_nanos(open.effective),
            };
            match (&fate.passage, next[open.fate]) {
                (Some(passage), _) if fate.by_charge => {
                    passage.pass_split(&waiting, &open.shares, &mut replay)
                }
                (Some(passage), _) => {
                    // Split as one amount, so all portions of the outcome come together first.
                    let pool = pooled.entry(open.outcome);
                    pool.or_insert_with(|| (passage, Queue::default())).1.push(waiting)
                }
                (None, Some(station)) => replay.queues.push(station, waiting),
                (None, None) => {}
            }
        }
        for (passage, queue) in pooled.into_values() {
            passage.pass(queue, &mut replay);
        }
        sums.stations.pass_on(&mut replay);
        replay.moves
    }
}
