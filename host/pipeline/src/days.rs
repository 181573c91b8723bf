//! Which days must be allocated, and their way through all processors into the ledger.

use crate::allocate::{Cells, DayResult, DaySlice, Generation, PER_CHARGE, allocate_day};
use crate::drivers::{self, Drivers};
use crate::run::Progress;
use domain::charge::ChargeLine;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::money::Money;
use domain::period::{Day, Period};
use domain::port::{Allocators, Decider, Rules};
use domain::run::SourceDay;
use foldhash::HashMap;
use ledger::{GenerationId, StoredDay, StoredSegment, Transaction, segment};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

const SUSPENSE_SHOWN: usize = 20;

pub struct Allocated {
    pub generation: GenerationId,
    pub days: u64,
    pub posted: u64,
    pub reversed: u64,
    pub unchanged: u64,
    pub rule_calls: u64,
    pub suspense: Vec<String>,
    /// Costs that could not be passed on, and why.
    pub unresolved: Vec<String>,
}

/// With what days are allocated.
#[derive(Clone, Copy)]
pub struct With<'a> {
    pub rules: &'a dyn Rules,
    pub allocators: &'a dyn Allocators,
    pub threads: usize,
}

/// What is not as it was when days were allocated last.
#[derive(Clone, Copy)]
pub struct Changed<'a> {
    pub charges: &'a [SourceDay],
    /// Metrics and days.
    pub usage: &'a BTreeSet<(String, Day)>,
}

/// A day with all its sources.
struct Work {
    day: Day,
    stored: Vec<StoredDay>,
}

/// Allocates every day whose charges or rules are not those it was posted with.
pub fn allocate(
    transaction: &mut Transaction<'_>,
    dictionary: &Dictionary,
    with: With<'_>,
    changed: Changed<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Allocated, Diagnostic> {
    let rules = with.rules;
    let mut decider = rules.decider();
    let turning = decider.turning_days();
    let epoch = |day: Day| turning.partition_point(|turn| *turn <= day);
    // Rules as they are valid between two of their turning days are a generation of their own.
    let stretch = |epoch: usize| (!turning.is_empty()).then_some(epoch as u32);
    let stored = transaction.source_days(Period::all())?;
    let current = transaction.save_generation(rules, stretch(turning.len()))?;
    let mut generations = BTreeMap::from([(turning.len(), current)]);
    for number in stored.iter().map(|day| epoch(day.source_day.day)).collect::<BTreeSet<_>>() {
        generations.insert(number, transaction.save_generation(rules, stretch(number))?);
    }
    let mut allocated = Allocated {
        generation: current,
        days: 0,
        posted: 0,
        reversed: 0,
        unchanged: 0,
        rule_calls: 0,
        suspense: Vec::new(),
        unresolved: Vec::new(),
    };
    let same_rules = last_generation(transaction)? == Some(current);
    let mut days: BTreeSet<Day> = changed.charges.iter().map(|source_day| source_day.day).collect();
    if same_rules && !changed.usage.is_empty() {
        for generation in generations.values() {
            days.extend(drivers::reached(&transaction.outcomes(*generation)?, changed.usage));
        }
    }
    let work = affected(stored, &days, same_rules, &|day| generations.get(&epoch(day)).copied());
    let total = work.values().map(|works| works.len() as u64).sum();
    for (generation, works) in work {
        let Some(first) = works.first().map(|work| work.day) else { continue };
        progress(Progress::Rules { resources: dictionary.resource_count() as u64 });
        let mut rulings =
            Rulings::decide(transaction, dictionary, decider.as_mut(), generation, first)?;
        let mut settle =
            Settling { allocated: &mut allocated, generation, total, progress: &mut *progress };
        if rulings.per_charge {
            settle.one_by_one(
                transaction,
                dictionary,
                with,
                decider.as_mut(),
                &mut rulings,
                works,
            )?;
        } else {
            settle.in_threads(transaction, dictionary, with, &rulings, works)?;
        }
        transaction.save_decisions(generation, &rulings.outcomes, &rulings.decisions)?;
        allocated.suspense.extend(suspended(&rulings));
        allocated.suspense.truncate(SUSPENSE_SHOWN);
    }
    allocated.rule_calls = decider.calls();
    Ok(allocated)
}

/// The rules that the ledger stands by: every run that ends leaves all days allocated with its own.
fn last_generation(transaction: &Transaction<'_>) -> Result<Option<GenerationId>, Diagnostic> {
    Ok(transaction.last_posted_run()?.map(|run| run.generation))
}

/// Days to allocate by the generation that is valid on them: all of them, unless the rules are the same as last time.
fn affected(
    stored: Vec<StoredDay>,
    changed: &BTreeSet<Day>,
    same_rules: bool,
    generation_of: &dyn Fn(Day) -> Option<GenerationId>,
) -> BTreeMap<GenerationId, Vec<Work>> {
    let mut days: BTreeMap<Day, Vec<StoredDay>> = BTreeMap::new();
    for day in stored.into_iter().filter(|day| !same_rules || changed.contains(&day.source_day.day))
    {
        days.entry(day.source_day.day).or_default().push(day);
    }
    let mut work: BTreeMap<GenerationId, Vec<Work>> = BTreeMap::new();
    for (day, stored) in days {
        if let Some(generation) = generation_of(day) {
            work.entry(generation).or_default().push(Work { day, stored });
        }
    }
    work
}

/// What the rules say of every resource, in the numbering that the ledger has for the generation.
struct Rulings {
    decisions: Vec<OutcomeId>,
    outcomes: Vec<Outcome>,
    /// What the rules of the later stages say, by priority.
    later: Vec<OutcomeId>,
    cells: Cells,
    per_charge: bool,
}

impl Rulings {
    fn decide(
        transaction: &Transaction<'_>,
        dictionary: &Dictionary,
        decider: &mut dyn Decider,
        generation: GenerationId,
        day: Day,
    ) -> Result<Rulings, Diagnostic> {
        let mut decisions = transaction.decisions(generation)?;
        let mut outcomes = transaction.outcomes(generation)?;
        let mut numbers = Numbers::new(&outcomes);
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

    fn generation<'a>(
        &'a self,
        dictionary: &'a Dictionary,
        with: With<'a>,
        drivers: &'a Drivers,
    ) -> Generation<'a> {
        Generation {
            dictionary,
            cells: &self.cells,
            outcomes: &self.outcomes,
            rules: with.rules,
            later: &self.later,
            drivers,
            allocators: with.allocators,
        }
    }
}

/// From a decider's own outcome numbers to those that the ledger keeps.
struct Numbers {
    known: HashMap<Outcome, OutcomeId>,
    of_decider: Vec<Option<OutcomeId>>,
}

impl Numbers {
    fn new(outcomes: &[Outcome]) -> Numbers {
        let known = outcomes
            .iter()
            .enumerate()
            .map(|(number, outcome)| (outcome.clone(), OutcomeId(number as u32)))
            .collect();
        Numbers { known, of_decider: Vec::new() }
    }

    fn number(
        &mut self,
        decided: OutcomeId,
        decider: &[Outcome],
        outcomes: &mut Vec<Outcome>,
    ) -> OutcomeId {
        if decided == OutcomeId::PER_CHARGE {
            return decided;
        }
        let at = decided.0 as usize;
        if let Some(Some(known)) = self.of_decider.get(at) {
            return *known;
        }
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

fn suspended(rulings: &Rulings) -> Vec<String> {
    let diagnostic = |outcome: &Outcome| match &outcome.verdict {
        Verdict::Suspense { diagnostic, .. } => Some(diagnostic.clone()),
        _ => None,
    };
    rulings.outcomes.iter().filter_map(diagnostic).collect()
}

struct Settling<'a> {
    allocated: &'a mut Allocated,
    generation: GenerationId,
    total: u64,
    progress: &'a mut dyn FnMut(Progress),
}

/// A day's segments on their way to a worker.
type Loaded = Vec<(StoredDay, Vec<StoredSegment>)>;

impl Settling<'_> {
    /// Workers decode, sum and split whole days; this thread reads segments for them and settles what they return.
    fn in_threads(
        &mut self,
        transaction: &mut Transaction<'_>,
        dictionary: &Dictionary,
        with: With<'_>,
        rulings: &Rulings,
        works: Vec<Work>,
    ) -> Result<(), Diagnostic> {
        let drivers = drivers(transaction, rulings, &works)?;
        let generation = rulings.generation(dictionary, with, &drivers);
        let threads = with.threads.clamp(1, works.len().max(1));
        std::thread::scope(|scope| {
            let (give, jobs) = mpsc::sync_channel::<(Day, Loaded)>(1);
            let (done, results) = mpsc::channel::<(Day, Result<DayResult, Diagnostic>)>();
            let jobs = Arc::new(Mutex::new(jobs));
            for _ in 0..threads {
                let (done, jobs, generation) = (done.clone(), Arc::clone(&jobs), &generation);
                scope.spawn(move || {
                    loop {
                        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok((day, loaded)) = job else { break };
                        let result = slices(loaded, generation)
                            .and_then(|slices| allocate_day(generation, slices));
                        if done.send((day, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop((done, jobs));
            let count = works.len();
            let mut waiting = BTreeMap::new();
            let mut order =
                works.iter().map(|work| work.day).collect::<Vec<_>>().into_iter().peekable();
            let mut settled = 0;
            let mut given = works.into_iter();
            let mut in_flight = 0;
            while settled < count {
                while in_flight <= threads
                    && let Some(work) = given.next()
                {
                    let loaded = load(transaction, work.stored)?;
                    if give.send((work.day, loaded)).is_err() {
                        break;
                    }
                    in_flight += 1;
                }
                let Ok((day, result)) = results.recv() else { break };
                in_flight -= 1;
                waiting.insert(day, result?);
                // Entries are numbered and chained in the order of days, whichever worker is first.
                while let Some(result) = order.peek().and_then(|day| waiting.remove(day)) {
                    let day = order.next().unwrap_or_else(|| Day::from_epoch(0));
                    self.settle(transaction, day, result)?;
                    settled += 1;
                }
            }
            drop(give);
            Ok(())
        })
    }

    /// The slow way for rules that read amounts or dates: every charge of such a resource is decided by itself.
    fn one_by_one(
        &mut self,
        transaction: &mut Transaction<'_>,
        dictionary: &Dictionary,
        with: With<'_>,
        decider: &mut dyn Decider,
        rulings: &mut Rulings,
        works: Vec<Work>,
    ) -> Result<(), Diagnostic> {
        let mut numbers = Numbers::new(&rulings.outcomes);
        let mut known = rulings.outcomes.len();
        let mut drivers = self::drivers(transaction, rulings, &works)?;
        let (first, last) = span(&works);
        for work in works {
            let mut slices = Vec::new();
            // A filter of a decision met only now must be known before cells are numbered, so all are decided first.
            let loaded = decode_all(load(transaction, work.stored)?)?;
            let mut cells_of = Vec::new();
            for (_, _, columns) in &loaded {
                cells_of.push(decide_charges(
                    dictionary,
                    decider,
                    rulings,
                    &mut numbers,
                    work.day,
                    columns,
                ));
            }
            let fresh = Cells::new(dictionary, &rulings.decisions, &rulings.outcomes)?;
            rulings.cells = fresh;
            for ((day, totals, columns), outcomes) in loaded.into_iter().zip(cells_of) {
                let mut slice = DaySlice::new(day.source_day, day.totals);
                totals.into_iter().for_each(|(charges, billed, effective)| {
                    slice.add_segment_totals(charges, billed, effective)
                });
                for (row, resource) in columns.resources.iter().enumerate() {
                    let cell =
                        rulings.cells.number(dictionary, ResourceId(*resource), outcomes[row]);
                    slice.add(&rulings.cells, cell, columns.billed[row], columns.effective[row]);
                }
                slices.push(slice);
            }
            if rulings.outcomes.len() > known {
                known = rulings.outcomes.len();
                drivers = Drivers::load(transaction, &rulings.outcomes, first, last)?;
            }
            let result = allocate_day(&rulings.generation(dictionary, with, &drivers), slices)?;
            self.settle(transaction, work.day, result)?;
        }
        Ok(())
    }

    fn settle(
        &mut self,
        transaction: &mut Transaction<'_>,
        day: Day,
        result: DayResult,
    ) -> Result<(), Diagnostic> {
        for (source_day, entries) in result.entries {
            let settled = transaction.settle(&source_day, self.generation, entries)?;
            self.allocated.posted += settled.posted;
            self.allocated.reversed += settled.reversed;
            self.allocated.unchanged += settled.unchanged;
        }
        for (currency, weights) in result.weights {
            transaction.save_weights(day, currency, &weights)?;
        }
        for finding in result.unresolved.into_iter().map(|finding| finding.to_string()) {
            if !self.allocated.unresolved.contains(&finding) {
                self.allocated.unresolved.push(finding);
            }
        }
        self.allocated.days += 1;
        (self.progress)(Progress::Days { done: self.allocated.days, total: self.total });
        Ok(())
    }
}

fn drivers(
    transaction: &Transaction<'_>,
    rulings: &Rulings,
    works: &[Work],
) -> Result<Drivers, Diagnostic> {
    let (first, last) = span(works);
    Drivers::load(transaction, &rulings.outcomes, first, last)
}

/// The first and the last day.
fn span(works: &[Work]) -> (Day, Day) {
    let days = works.iter().map(|work| work.day);
    let first = days.clone().min().unwrap_or(Day::from_epoch(0));
    (first, days.max().unwrap_or(first))
}

fn load(transaction: &Transaction<'_>, stored: Vec<StoredDay>) -> Result<Loaded, Diagnostic> {
    stored
        .into_iter()
        .map(|day| {
            let segments = transaction.segments(&day.source_day)?;
            Ok((day, segments))
        })
        .collect()
}

fn slices(loaded: Loaded, generation: &Generation<'_>) -> Result<Vec<DaySlice>, Diagnostic> {
    let cells = generation.cells;
    let mut columns = segment::SegmentCharges::default();
    let mut slices = Vec::new();
    for (day, segments) in loaded {
        let mut slice = DaySlice::new(day.source_day, day.totals);
        for stored in segments {
            segment::decode(&stored.data, &mut columns)?;
            slice.add_segment_totals(u64::from(stored.rows), stored.billed, stored.effective);
            for ((resource, billed), effective) in
                columns.resources.iter().zip(&columns.billed).zip(&columns.effective)
            {
                let cell = cells.of_resource.get(*resource as usize).copied().unwrap_or(PER_CHARGE);
                assert!(
                    cell != PER_CHARGE,
                    "resource {resource} was decided before its charges are summed"
                );
                slice.add(cells, cell, *billed, *effective);
            }
        }
        slices.push(slice);
    }
    Ok(slices)
}

/// Charges, billed and effective sums of a segment.
type SegmentTotals = (u64, domain::money::Sum, domain::money::Sum);

fn decode_all(
    loaded: Loaded,
) -> Result<Vec<(StoredDay, Vec<SegmentTotals>, segment::SegmentCharges)>, Diagnostic> {
    let mut all = Vec::new();
    for (day, segments) in loaded {
        let (mut whole, mut part, mut totals) =
            (segment::SegmentCharges::default(), segment::SegmentCharges::default(), Vec::new());
        for stored in segments {
            segment::decode(&stored.data, &mut part)?;
            totals.push((u64::from(stored.rows), stored.billed, stored.effective));
            whole.resources.extend_from_slice(&part.resources);
            whole.billed.extend_from_slice(&part.billed);
            whole.effective.extend_from_slice(&part.effective);
        }
        all.push((day, totals, whole));
    }
    Ok(all)
}

fn decide_charges(
    dictionary: &Dictionary,
    decider: &mut dyn Decider,
    rulings: &mut Rulings,
    numbers: &mut Numbers,
    day: Day,
    columns: &segment::SegmentCharges,
) -> Vec<OutcomeId> {
    let mut outcomes = Vec::with_capacity(columns.resources.len());
    for (row, resource) in columns.resources.iter().enumerate() {
        let mut outcome = rulings.decisions[*resource as usize];
        if outcome == OutcomeId::PER_CHARGE {
            let line = ChargeLine {
                day,
                billed_cost: Money::from_nanos(columns.billed[row]),
                effective_cost: Money::from_nanos(columns.effective[row]),
            };
            let decided = decider.decide(dictionary, ResourceId(*resource), day, Some(&line));
            outcome = numbers.number(decided, decider.outcomes(), &mut rulings.outcomes);
        }
        outcomes.push(outcome);
    }
    outcomes
}
