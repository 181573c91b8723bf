//! The postings of stored charges, worked out once more, resource by resource.
//!
//! A posting says account, rule and service; which resource or tag a cost came from stands in the charges. This module
//! takes the charges of the standing source-days, the decisions of the generation that posted them and the weights of
//! the day, and splits every shared charge as it was split when it was posted. So what is derived adds up to what is
//! posted, to the nano. It goes by the day of the charge; a correction of a closed month was posted on a later day.
//!
//! It knows no report and no format. Decisions that hang on single charges are taken anew by the stored rules.

use crate::passing::{Moves, Passing, Queues, Stations, Waiting};
use domain::account::Account;
use domain::charge::ChargeLine;
use domain::decision::{Decision, Outcome, OutcomeId, Recipient, Target, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::entry::RuleVersion;
use domain::field::Field;
use domain::hint::Hint;
use domain::money::{Money, Sum};
use domain::period::Period;
use domain::port::{Decider, RuleFacts, Rules};
use domain::run::{RunId, SourceDay};
use ledger::{GenerationId, PostedRun, Reader, Weights, segment};
use std::collections::{BTreeMap, HashMap};

/// Makes rules of their stored sources and tables.
pub type RulesOf<'a> =
    dyn Fn(&[RuleFacts], &[(String, String)]) -> Result<Box<dyn Rules>, Diagnostic> + 'a;

/// Who bears a cost, as a posting says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bearer {
    pub account: Account,
    pub target: Option<Target>,
    pub rule: Option<RuleVersion>,
}

/// A bearer's number; equal bearers of one scan have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BearerId(pub u32);

/// What all charges of one resource and outcome came to in one source-day.
pub struct Portion<'a> {
    pub source_day: &'a SourceDay,
    pub generation: GenerationId,
    /// The run whose weights spread the day.
    pub run: RunId,
    pub resource: ResourceId,
    pub outcome: OutcomeId,
    pub charges: u64,
    /// The charge with the largest cost, for showing what a rule saw.
    pub largest: ChargeLine,
    pub effective: Sum,
    /// Where the collection put all of it: for shared costs, the pool.
    pub collected: BearerId,
    /// Where it stands in the end, with the amounts; they add up to `effective`. A team that passed on what it had got by
    /// one rule has both amounts, each with its rule.
    pub borne: &'a [(BearerId, Sum)],
}

/// Takes every portion, with all bearers met so far.
pub type Take<'a> = dyn FnMut(&Portion<'_>, &Bearers) -> Result<(), Diagnostic> + 'a;

/// Bearers by number.
#[derive(Default)]
pub struct Bearers {
    all: Vec<Bearer>,
    numbers: HashMap<Bearer, BearerId>,
}

impl Bearers {
    pub fn get(&self, id: BearerId) -> &Bearer {
        &self.all[id.0 as usize]
    }

    pub fn number(&mut self, bearer: Bearer) -> BearerId {
        let next = BearerId(self.all.len() as u32);
        *self.numbers.entry(bearer).or_insert_with_key(|bearer| {
            self.all.push(bearer.clone());
            next
        })
    }
}

/// Which of the standing source-days are scanned.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Of charge days.
    pub period: Period,
    /// Only this source-day.
    pub source_day: Option<&'a SourceDay>,
}

/// Goes through everything that was charged in the scope.
pub fn derive(
    ledger: &Reader,
    dictionary: &Dictionary,
    scope: Scope<'_>,
    rules_of: Option<&RulesOf<'_>>,
    take: &mut Take<'_>,
) -> Result<(), Diagnostic> {
    let mut bearers = Bearers::default();
    for (generation, days) in standing(ledger, scope)? {
        let stored = Stored::load(ledger, generation)?;
        let rules = stored.rules_if_needed(rules_of)?;
        let decider = rules.as_ref().map(|rules| rules.decider());
        let mut scan = Scan::new(&stored, dictionary, &mut bearers, decider);
        for (source_day, run) in days {
            scan.source_day(ledger, &source_day, run, take)?;
        }
    }
    Ok(())
}

/// Source-days by the generation to read their decisions from, each with the run whose weights go with it.
pub(crate) type Standing = BTreeMap<GenerationId, Vec<(SourceDay, RunId)>>;

pub fn standing(ledger: &Reader, scope: Scope<'_>) -> Result<Standing, Diagnostic> {
    let mut latest: BTreeMap<SourceDay, (RunId, GenerationId)> = BTreeMap::new();
    for entry in ledger.standing(scope.period)? {
        if scope.source_day.is_none_or(|wanted| *wanted == entry.source_day) {
            let known = latest.entry(entry.source_day).or_insert((entry.run, entry.generation));
            *known = (*known).max((entry.run, entry.generation));
        }
    }
    let last = LastRun::find(ledger)?;
    let mut standing = Standing::new();
    for (source_day, posted) in latest {
        let (run, generation) = last.as_ref().map_or(posted, |last| last.basis(posted));
        standing.entry(generation).or_default().push((source_day, run));
    }
    Ok(standing)
}

/// The last run that posted. It went through every day whose rules or charges were not those of its entries, and where
/// the same postings came out, the older entry stayed; so its decisions and weights hold for all that stands.
struct LastRun {
    run: RunId,
    generation: GenerationId,
    /// Where rules begin or cease to be valid on some day, each span has a generation of its own.
    spans: Vec<GenerationId>,
}

impl LastRun {
    fn find(ledger: &Reader) -> Result<Option<LastRun>, Diagnostic> {
        let Some(PostedRun { id: run, generation }) = ledger.last_posted_run()? else {
            return Ok(None);
        };
        let mut spans = Vec::new();
        if let Some(rules) = ledger.generation(generation)? {
            for stretch in rules.stretches() {
                spans.extend(ledger.generation_id(&stretch)?);
            }
        }
        Ok(Some(LastRun { run, generation, spans }))
    }

    /// Generation and run to work with for an entry that was posted by these.
    fn basis(&self, posted: (RunId, GenerationId)) -> (RunId, GenerationId) {
        let (run, generation) = posted;
        match run > self.run {
            // Posted by a run that has not ended: it is being looked at from inside.
            true => posted,
            false if self.spans.is_empty() => (self.run, self.generation),
            false if self.spans.contains(&generation) => (self.run, generation),
            false => posted,
        }
    }
}

/// What the ledger keeps of one generation.
pub struct Stored {
    generation: GenerationId,
    decisions: Vec<OutcomeId>,
    pub outcomes: Vec<Outcome>,
    pub facts: Vec<RuleFacts>,
    tables: Vec<(String, String)>,
}

impl Stored {
    pub fn load(ledger: &Reader, generation: GenerationId) -> Result<Stored, Diagnostic> {
        Ok(Stored {
            generation,
            decisions: ledger.decisions(generation)?,
            outcomes: ledger.outcomes(generation)?,
            facts: ledger.rules(generation)?,
            tables: ledger.tables(generation)?,
        })
    }

    /// Rules run again only where a decision hangs on the single charge.
    pub fn rules_if_needed(
        &self,
        rules_of: Option<&RulesOf<'_>>,
    ) -> Result<Option<Box<dyn Rules>>, Diagnostic> {
        if !self.decisions.contains(&OutcomeId::PER_CHARGE) {
            return Ok(None);
        }
        let Some(rules_of) = rules_of else {
            return Err(Diagnostic::new(domain::code::QUERY_INVALID, "a rule reads amounts or dates, so its decisions are not stored by resource")
                .hint("group by team, service_name, rule, source or account, which are answered from postings"));
        };
        rules_of(&self.facts, &self.tables).map(Some)
    }

    pub fn decision(&self, resource: u32) -> Result<OutcomeId, Diagnostic> {
        self.decisions
            .get(resource as usize)
            .copied()
            .ok_or_else(|| corrupt(format!("resource {resource} has charges and no decision")))
    }

    /// The rule that took a decision, or failed to.
    fn rule_of(&self, outcome: OutcomeId) -> Option<&RuleFacts> {
        match self.outcomes.get(outcome.0 as usize)?.verdict {
            Verdict::Decided { rule, .. } | Verdict::Suspense { rule, .. } => {
                self.facts.get(rule.0 as usize)
            }
            Verdict::Unallocated => None,
        }
    }

    fn verdict(&self, outcome: OutcomeId) -> Result<&Verdict, Diagnostic> {
        let found = self.outcomes.get(outcome.0 as usize).map(|outcome| &outcome.verdict);
        found.ok_or_else(|| corrupt(format!("outcome {} is decided and not stored", outcome.0)))
    }
}

pub fn corrupt(message: String) -> Diagnostic {
    Diagnostic::new(ledger::code::LEDGER_CORRUPT, message).hint(Hint::command("ledger verify"))
}

/// What became of the charges of one outcome on one day.
struct Fate {
    collected: BearerId,
    /// Who has it, where it may be passed on from.
    stands: Option<Recipient>,
    /// Nothing where the collecting account keeps it.
    passing: Option<Passing>,
    /// Whether each charge is split by itself.
    by_charge: bool,
}

/// A portion while its charges are summed.
struct Open {
    resource: u32,
    outcome: OutcomeId,
    fate: usize,
    charges: u64,
    largest: ChargeLine,
    effective: i128,
    /// What each recipient got of charges that are split one by one.
    parts: Vec<i128>,
}

struct Scan<'a> {
    stored: &'a Stored,
    dictionary: &'a Dictionary,
    bearers: &'a mut Bearers,
    decider: Option<Box<dyn Decider + 'a>>,
    /// From the decider's outcomes to stored ones.
    known: HashMap<&'a Outcome, OutcomeId>,
    /// The open portion of each resource with a decision of its own, plus one; 0: none yet.
    open_of: Vec<u32>,
}

/// One source-day being summed.
struct Summing {
    run: RunId,
    weights: Vec<Weights>,
    stations: Stations,
    fates: Vec<Fate>,
    fate_of: HashMap<OutcomeId, usize>,
    open: Vec<Open>,
    /// Portions of resources that are decided charge by charge.
    per_charge: HashMap<(u32, OutcomeId), usize>,
}

impl<'a> Scan<'a> {
    fn new(
        stored: &'a Stored,
        dictionary: &'a Dictionary,
        bearers: &'a mut Bearers,
        decider: Option<Box<dyn Decider + 'a>>,
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
            decider,
            known,
            open_of: vec![0; stored.decisions.len()],
        }
    }

    fn source_day(
        &mut self,
        ledger: &Reader,
        source_day: &SourceDay,
        run: RunId,
        take: &mut Take<'_>,
    ) -> Result<(), Diagnostic> {
        let weights = ledger.weights(run, source_day.day, source_day.currency)?;
        let stored = self.stored;
        let stations = Stations::new(&weights, |weights| stored.rule_of(weights.outcome).cloned());
        let mut summing = Summing {
            run,
            weights,
            stations,
            fates: Vec::new(),
            fate_of: HashMap::new(),
            open: Vec::new(),
            per_charge: HashMap::new(),
        };
        let mut columns = segment::SegmentCharges::default();
        for stored in ledger.segments(source_day)? {
            segment::decode(&stored.data, &mut columns)?;
            for ((resource, billed), effective) in
                columns.resources.iter().zip(&columns.billed).zip(&columns.effective)
            {
                let line = ChargeLine {
                    day: source_day.day,
                    billed_cost: Money::from_nanos(*billed),
                    effective_cost: Money::from_nanos(*effective),
                };
                let at = self.open(&mut summing, *resource, &line)?;
                summing.add(at, &line);
            }
        }
        self.hand_out(source_day, summing, take)
    }

    /// The portion that a charge belongs to.
    fn open(
        &mut self,
        summing: &mut Summing,
        resource: u32,
        line: &ChargeLine,
    ) -> Result<usize, Diagnostic> {
        let outcome = self.stored.decision(resource)?;
        if outcome != OutcomeId::PER_CHARGE {
            let slot = self.open_of.get(resource as usize).copied().unwrap_or(0);
            if slot > 0 {
                return Ok(slot as usize - 1);
            }
            let at = self.start(summing, resource, outcome, line)?;
            self.open_of[resource as usize] = at as u32 + 1;
            return Ok(at);
        }
        let outcome = self.decide(resource, line)?;
        if let Some(at) = summing.per_charge.get(&(resource, outcome)) {
            return Ok(*at);
        }
        let at = self.start(summing, resource, outcome, line)?;
        summing.per_charge.insert((resource, outcome), at);
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
        summing: &mut Summing,
        resource: u32,
        outcome: OutcomeId,
        line: &ChargeLine,
    ) -> Result<usize, Diagnostic> {
        let fate = match summing.fate_of.get(&outcome) {
            Some(fate) => *fate,
            None => {
                let fate = self.fate(&summing.weights, &summing.stations, outcome)?;
                summing.fates.push(fate);
                summing.fate_of.insert(outcome, summing.fates.len() - 1);
                summing.fates.len() - 1
            }
        };
        summing.open.push(Open {
            resource,
            outcome,
            fate,
            charges: 0,
            largest: *line,
            effective: 0,
            parts: Vec::new(),
        });
        Ok(summing.open.len() - 1)
    }

    fn fate(
        &mut self,
        weights: &[Weights],
        stations: &Stations,
        outcome: OutcomeId,
    ) -> Result<Fate, Diagnostic> {
        let stored = self.stored;
        let rule = stored.rule_of(outcome).map(|facts| facts.version.clone());
        let name = || rule.as_ref().map_or_else(String::new, |rule| rule.rule.clone());
        let mut at = |account: Account| {
            self.bearers.number(Bearer { account, target: None, rule: rule.clone() })
        };
        Ok(match stored.verdict(outcome)? {
            Verdict::Unallocated => Fate {
                collected: at(Account::Unallocated),
                stands: None,
                passing: None,
                by_charge: false,
            },
            Verdict::Suspense { .. } => Fate {
                collected: at(Account::Suspense),
                stands: None,
                passing: None,
                by_charge: false,
            },
            Verdict::Decided { decision: Decision::Exclude { .. }, .. } => Fate {
                collected: at(Account::Excluded(name())),
                stands: None,
                passing: None,
                by_charge: false,
            },
            Verdict::Decided { decision: Decision::Assign(recipient), .. } => {
                let bearer = Bearer {
                    account: Account::of(recipient),
                    target: recipient.target().cloned(),
                    rule,
                };
                Fate {
                    collected: self.bearers.number(bearer),
                    stands: Some(recipient.clone()),
                    passing: None,
                    by_charge: false,
                }
            }
            Verdict::Decided { decision: decision @ Decision::Spread(_), .. } => {
                let pool = Recipient::Pool(name());
                let collected = at(Account::of(&pool));
                let passing =
                    weights.iter().find(|weights| weights.outcome == outcome).map(|weights| {
                        Passing::new(
                            rule.clone(),
                            weights.shares.clone(),
                            weights.recipients.clone(),
                            0,
                            stations,
                            self.bearers,
                        )
                    });
                Fate {
                    collected,
                    stands: Some(pool),
                    passing,
                    by_charge: decision.is_split_by_charge(),
                }
            }
        })
    }

    fn hand_out(
        &mut self,
        source_day: &SourceDay,
        summing: Summing,
        take: &mut Take<'_>,
    ) -> Result<(), Diagnostic> {
        let mut moves = self.moves(&summing);
        // What moves of one portion add up to does not hang on their order.
        moves.sort_unstable_by_key(|(portion, ..)| *portion);
        let mut moves = moves.into_iter().peekable();
        let mut sums = vec![Sum::ZERO; self.bearers.all.len()];
        let mut borne: Vec<(BearerId, Sum)> = Vec::new();
        for (number, open) in summing.open.into_iter().enumerate() {
            if let Some(slot) = self.open_of.get_mut(open.resource as usize) {
                *slot = 0;
            }
            let (collected, effective) =
                (summing.fates[open.fate].collected, Sum::from_nanos(open.effective));
            borne.clear();
            let mut add = |bearer: BearerId, amount: Sum| {
                let sum = &mut sums[bearer.0 as usize];
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
            for (bearer, amount) in &mut borne {
                *amount = std::mem::take(&mut sums[bearer.0 as usize]);
            }
            borne.retain(|(bearer, amount)| {
                !amount.is_zero() || (*bearer == collected && effective.is_zero())
            });
            let portion = Portion {
                source_day,
                generation: self.stored.generation,
                run: summing.run,
                resource: ResourceId(open.resource),
                outcome: open.outcome,
                charges: open.charges,
                largest: open.largest,
                effective,
                collected,
                borne: &borne,
            };
            take(&portion, self.bearers)?;
        }
        Ok(())
    }

    /// Everything that was passed on, by the number of its portion.
    fn moves(&mut self, summing: &Summing) -> Moves {
        let (mut moves, mut queues) = (Moves::new(), Queues::default());
        let mut pooled: BTreeMap<OutcomeId, (usize, Vec<Waiting<'_>>)> = BTreeMap::new();
        let next: Vec<Option<usize>> = summing
            .fates
            .iter()
            .map(|fate| fate.stands.as_ref().and_then(|stands| summing.stations.next(stands, 0)))
            .collect();
        let is_passed_on =
            |fate: usize| summing.fates[fate].passing.is_some() || next[fate].is_some();
        let mut order: Vec<usize> = (0..summing.open.len())
            .filter(|number| is_passed_on(summing.open[*number].fate))
            .collect();
        order.sort_by_key(|number| (summing.open[*number].resource, summing.open[*number].outcome));
        for number in order {
            let open = &summing.open[number];
            let fate = &summing.fates[open.fate];
            let Some(from) = fate.stands.clone() else { continue };
            let service =
                self.dictionary.dimension_text(ResourceId(open.resource), Field::SERVICE_NAME);
            let waiting =
                Waiting { from, service, portion: number, amount: Sum::from_nanos(open.effective) };
            match (&fate.passing, next[open.fate]) {
                (Some(passing), _) if fate.by_charge => {
                    passing.pass_parts(waiting, &open.parts, &mut moves, &mut queues, self.bearers)
                }
                (Some(_), _) => pooled
                    .entry(open.outcome)
                    .or_insert_with(|| (open.fate, Vec::new()))
                    .1
                    .push(waiting),
                (None, Some(station)) => queues.push(station, waiting),
                (None, None) => {}
            }
        }
        for (fate, waiting) in pooled.into_values() {
            if let Some(passing) = &summing.fates[fate].passing {
                passing.pass(waiting, &mut moves, &mut queues, self.bearers);
            }
        }
        summing.stations.pass_on(queues, &mut moves, self.bearers);
        moves
    }
}

impl Summing {
    fn add(&mut self, at: usize, line: &ChargeLine) {
        let open = &mut self.open[at];
        open.charges += 1;
        open.effective += i128::from(line.effective_cost.nanos());
        if line.effective_cost.nanos().unsigned_abs()
            > open.largest.effective_cost.nanos().unsigned_abs()
        {
            open.largest = *line;
        }
        let fate = &self.fates[open.fate];
        if let (true, Some(passing)) = (fate.by_charge, &fate.passing) {
            passing.add(line.effective_cost, &mut open.parts);
        }
    }
}
