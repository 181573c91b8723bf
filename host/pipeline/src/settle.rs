//! Days on their way through all processors into the ledger.

use crate::allocate::{DayResult, allocate_day};
use crate::cells::{Cells, PER_CHARGE};
use crate::drivers::Drivers;
use crate::inputs::AllocationInputs;
use crate::progress::Progress;
use crate::rulings::{AllocationPorts, OutcomeNumbers, Rulings};
use crate::slice::DaySlice;
use domain::decision::OutcomeId;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::money::Sum;
use domain::period::Day;
use domain::port::Decider;
use domain::run::SourceDay;
use ledger::segment::{self, ChargeLines, SegmentCharges};
use ledger::{GenerationId, StoredDay, StoredSegment, Transaction};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// The work of all generations of a run.
pub struct AllocationReport {
    pub generation: GenerationId,
    pub days: u64,
    pub posted: u64,
    pub reversed: u64,
    pub unchanged: u64,
    pub rule_calls: u64,
    pub suspense: Vec<String>,
    /// The findings of costs that could not be passed on.
    pub unresolved: Vec<String>,
}

impl AllocationReport {
    pub fn new(generation: GenerationId) -> AllocationReport {
        AllocationReport {
            generation,
            days: 0,
            posted: 0,
            reversed: 0,
            unchanged: 0,
            rule_calls: 0,
            suspense: Vec::new(),
            unresolved: Vec::new(),
        }
    }
}

/// A day with all its sources.
pub struct DayWork {
    pub day: Day,
    pub stored: Vec<StoredDay>,
}

/// Days of one generation on their way into the ledger.
pub struct Settlement<'a> {
    pub allocated: &'a mut AllocationReport,
    pub generation: GenerationId,
    /// Days of all generations.
    pub total: u64,
    pub progress: &'a mut dyn FnMut(Progress),
}

/// A day's segments on their way to a worker.
type DaySegments = Vec<(StoredDay, Vec<StoredSegment>)>;

impl Settlement<'_> {
    /// Workers decode, sum and split whole days. This thread reads segments for them and settles
    /// their results.
    ///
    /// Only this thread may touch the ledger's connection. A worker has a day as a whole, since the
    /// weights of a day hang on all of its charges. One more day than there are workers is read
    /// ahead, so that nobody waits for the file.
    pub fn in_threads(
        &mut self,
        transaction: &mut Transaction<'_>,
        dictionary: &Dictionary,
        ports: AllocationPorts<'_>,
        rulings: &Rulings,
        works: Vec<DayWork>,
    ) -> Result<(), Diagnostic> {
        let drivers = drivers(transaction, rulings, &works)?;
        let inputs = rulings.inputs(dictionary, ports, &drivers);
        let threads = ports.threads.clamp(1, works.len().max(1));
        std::thread::scope(|scope| {
            let (give, jobs) = mpsc::sync_channel::<(Day, DaySegments)>(1);
            let (done, results) = mpsc::channel::<(Day, Result<DayResult, Diagnostic>)>();
            let jobs = Arc::new(Mutex::new(jobs));
            for _ in 0..threads {
                let (done, jobs, inputs) = (done.clone(), Arc::clone(&jobs), &inputs);
                scope.spawn(move || {
                    loop {
                        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok((day, loaded)) = job else { break };
                        let result =
                            slices(loaded, inputs).and_then(|slices| allocate_day(inputs, slices));
                        if done.send((day, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            // With these ends gone, waiting below ends too if all workers have ended.
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
                // Entries are numbered and chained in the order of days, so a day that is ready
                // early waits.
                while let Some(result) = order.peek().and_then(|day| waiting.remove(day)) {
                    let day = order.next().unwrap_or_else(|| Day::from_epoch(0));
                    self.settle(transaction, day, result)?;
                    settled += 1;
                }
            }
            // Workers wait for more days until this end is gone.
            drop(give);
            Ok(())
        })
    }

    /// The slow way, for rules that read amounts or dates: every charge of such a resource is
    /// decided by itself.
    ///
    /// Decisions then come up day by day, so this goes in one thread.
    pub fn one_by_one(
        &mut self,
        transaction: &mut Transaction<'_>,
        dictionary: &Dictionary,
        ports: AllocationPorts<'_>,
        decider: &mut dyn Decider,
        rulings: &mut Rulings,
        works: Vec<DayWork>,
    ) -> Result<(), Diagnostic> {
        let mut decisions = ChargeDecisions {
            dictionary,
            decider,
            numbers: OutcomeNumbers::new(&rulings.outcomes),
            lines: ChargeLines::new(dictionary, [ports.rules]),
        };
        let mut known = rulings.outcomes.len();
        let mut drivers = self::drivers(transaction, rulings, &works)?;
        let (first, last) = span(&works);
        for work in works {
            let mut slices = Vec::new();
            // Cells are kept apart by driver filters, and a new decision can bring a new filter. So
            // all charges of the day are decided before a cell is numbered.
            let mut decided = Vec::new();
            for (day, segments) in load(transaction, work.stored)? {
                let charges = decisions.decide(rulings, &day.source_day, segments)?;
                decided.push((day, charges));
            }
            rulings.cells = Cells::new(dictionary, &rulings.decisions, &rulings.outcomes)?;
            for (day, charges) in decided {
                slices.push(charges.slice(day, dictionary, &mut rulings.cells));
            }
            // A new decision can look at usage that is not loaded yet.
            if rulings.outcomes.len() > known {
                known = rulings.outcomes.len();
                drivers = Drivers::load(transaction, &rulings.outcomes, first, last)?;
            }
            let result = allocate_day(&rulings.inputs(dictionary, ports, &drivers), slices)?;
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
        // The same circle is found on every day, and told once.
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
    works: &[DayWork],
) -> Result<Drivers, Diagnostic> {
    let (first, last) = span(works);
    Drivers::load(transaction, &rulings.outcomes, first, last)
}

/// The first and the last day.
fn span(works: &[DayWork]) -> (Day, Day) {
    let days = works.iter().map(|work| work.day);
    let first = days.clone().min().unwrap_or(Day::from_epoch(0));
    (first, days.max().unwrap_or(first))
}

fn load(transaction: &Transaction<'_>, stored: Vec<StoredDay>) -> Result<DaySegments, Diagnostic> {
    stored
        .into_iter()
        .map(|day| {
            let segments = transaction.segments(&day.source_day)?;
            Ok((day, segments))
        })
        .collect()
}

fn slices(loaded: DaySegments, inputs: &AllocationInputs<'_>) -> Result<Vec<DaySlice>, Diagnostic> {
    let cells = inputs.cells;
    let mut columns = SegmentCharges::default();
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

/// The charges of one source-day, each with its decision.
#[derive(Default)]
struct DecidedCharges {
    /// Charges, billed and effective sums of each segment.
    totals: Vec<(u64, Sum, Sum)>,
    resources: Vec<u32>,
    outcomes: Vec<OutcomeId>,
    billed: Vec<i64>,
    effective: Vec<i64>,
}

impl DecidedCharges {
    fn add(&mut self, stored: &StoredSegment, columns: &SegmentCharges) {
        self.totals.push((u64::from(stored.rows), stored.billed, stored.effective));
        self.resources.extend_from_slice(&columns.resources);
        self.billed.extend_from_slice(&columns.billed);
        self.effective.extend_from_slice(&columns.effective);
    }

    fn slice(&self, day: StoredDay, dictionary: &Dictionary, cells: &mut Cells) -> DaySlice {
        let mut slice = DaySlice::new(day.source_day, day.totals);
        for (charges, billed, effective) in &self.totals {
            slice.add_segment_totals(*charges, *billed, *effective);
        }
        for (row, resource) in self.resources.iter().enumerate() {
            let cell = cells.number(dictionary, ResourceId(*resource), self.outcomes[row]);
            slice.add(cells, cell, self.billed[row], self.effective[row]);
        }
        slice
    }
}

/// Decisions on single charges, in the ledger's numbers.
struct ChargeDecisions<'a, 'd> {
    dictionary: &'a Dictionary,
    decider: &'a mut (dyn Decider + 'd),
    numbers: OutcomeNumbers,
    lines: ChargeLines<'a>,
}

impl ChargeDecisions<'_, '_> {
    fn decide(
        &mut self,
        rulings: &mut Rulings,
        source_day: &SourceDay,
        segments: Vec<StoredSegment>,
    ) -> Result<DecidedCharges, Diagnostic> {
        let (mut charges, mut columns) = (DecidedCharges::default(), SegmentCharges::default());
        for stored in segments {
            self.lines.decode(&stored.data, &mut columns)?;
            charges.add(&stored, &columns);
            for (row, resource) in columns.resources.iter().enumerate() {
                let mut outcome = rulings.decisions[*resource as usize];
                if outcome == OutcomeId::PER_CHARGE {
                    let line = self.lines.line(source_day, &columns, row);
                    let (resource, day) = (ResourceId(*resource), source_day.day);
                    let decided = self.decider.decide(self.dictionary, resource, day, Some(&line));
                    let known = self.decider.outcomes();
                    outcome = self.numbers.number(decided, known, &mut rulings.outcomes);
                }
                charges.outcomes.push(outcome);
            }
        }
        Ok(charges)
    }
}
