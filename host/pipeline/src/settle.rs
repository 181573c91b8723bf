//! Days on their way through all processors into the ledger.

use crate::allocate::{DayCharges, DayResult, allocate_days};
use crate::cells::PER_CHARGE;
use crate::inputs::AllocationInputs;
use crate::progress::Progress;
use crate::slice::DaySlice;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use ledger::segment::{self, Details, SegmentCharges};
use ledger::{GenerationId, StoredDay, StoredSegment, Transaction};
use std::collections::{BTreeMap, VecDeque};
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

/// A day with all its sources, and the rules in force on it.
pub struct DayWork {
    pub day: Day,
    pub generation: GenerationId,
    pub stored: Vec<StoredDay>,
}

/// Days whose weights hang on each other, in their order.
pub type DayWorks = Vec<DayWork>;

/// Days on their way into the ledger.
pub struct Settlement<'a> {
    pub allocated: &'a mut AllocationReport,
    pub inputs: &'a BTreeMap<GenerationId, AllocationInputs<'a>>,
    pub threads: usize,
    /// Days of all groups.
    pub total: u64,
    pub progress: &'a mut dyn FnMut(Progress),
}

/// A day's segments on their way to a worker.
struct Job {
    place: Place,
    loaded: Vec<(StoredDay, Vec<StoredSegment>)>,
}

/// A day among the groups.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    group: usize,
    day: Day,
    generation: GenerationId,
    /// Whether its weights hang on no other day.
    is_alone: bool,
}

/// What a worker makes of a day.
enum Worked {
    Allocated(DayResult),
    /// The day waits for the others of its group.
    Summed(Vec<DaySlice>),
}

/// The days of a group that are summed so far.
#[derive(Default)]
struct OpenGroup(BTreeMap<Day, (GenerationId, Vec<DaySlice>)>);

/// Groups by number, until all of their days are summed.
type OpenGroups = BTreeMap<usize, OpenGroup>;

impl Settlement<'_> {
    /// Workers decode, sum and split whole days. This thread reads segments for them and settles
    /// their results.
    ///
    /// Only this thread may touch the ledger's connection. A worker has a day as a whole, since the
    /// weights of a day hang on all of its charges. One more day than there are workers is read
    /// ahead, so that nobody waits for the file. Where weights hang on other days too, workers only
    /// sum, and this thread splits all days of the group.
    pub fn run(
        &mut self,
        transaction: &mut Transaction<'_>,
        groups: Vec<DayWorks>,
    ) -> Result<(), Diagnostic> {
        let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        let mut works: VecDeque<(usize, DayWork)> = groups
            .into_iter()
            .enumerate()
            .flat_map(|(group, works)| works.into_iter().map(move |work| (group, work)))
            .collect();
        let inputs = self.inputs;
        let threads = self.threads.clamp(1, works.len().max(1));
        std::thread::scope(|scope| {
            let (give, jobs) = mpsc::sync_channel::<Job>(1);
            let (done, results) = mpsc::channel::<(Place, Result<Worked, Diagnostic>)>();
            let jobs = Arc::new(Mutex::new(jobs));
            for _ in 0..threads {
                let (done, jobs) = (done.clone(), Arc::clone(&jobs));
                scope.spawn(move || {
                    loop {
                        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(Job { place, loaded }) = job else { break };
                        if done.send((place, worked(inputs, place, loaded))).is_err() {
                            break;
                        }
                    }
                });
            }
            // With these ends gone, waiting below ends too if all workers have ended.
            drop((done, jobs));
            let mut order: VecDeque<(Day, GenerationId)> =
                works.iter().map(|(_, work)| (work.day, work.generation)).collect();
            let mut ready = BTreeMap::new();
            let mut open = OpenGroups::new();
            let mut in_flight = 0;
            while !order.is_empty() {
                while in_flight <= threads
                    && let Some((group, work)) = works.pop_front()
                {
                    let DayWork { day, generation, stored } = work;
                    let place = Place { group, day, generation, is_alone: sizes[group] == 1 };
                    if give.send(Job { place, loaded: load(transaction, stored)? }).is_err() {
                        break;
                    }
                    in_flight += 1;
                }
                let Ok((place, result)) = results.recv() else { break };
                in_flight -= 1;
                match result? {
                    Worked::Allocated(result) => drop(ready.insert(place.day, result)),
                    Worked::Summed(slices) => {
                        let group = summed(&mut open, place, slices, sizes[place.group]);
                        ready.extend(group.map_or(Ok(Vec::new()), |it| it.allocated(inputs))?);
                    }
                }
                // Entries are numbered and chained in the order of days, so a day that is ready
                // early waits.
                while let Some((day, generation)) = order.front().copied()
                    && let Some(result) = ready.remove(&day)
                {
                    order.pop_front();
                    self.settle(transaction, (day, generation), result)?;
                }
            }
            // Workers wait for more days until this end is gone.
            drop(give);
            Ok(())
        })
    }

    fn settle(
        &mut self,
        transaction: &mut Transaction<'_>,
        (day, generation): (Day, GenerationId),
        result: DayResult,
    ) -> Result<(), Diagnostic> {
        for (source_day, entries) in result.entries {
            let settled = transaction.settle(&source_day, generation, entries)?;
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

/// The group of a day that was summed, once it is the last of its group.
fn summed(
    open: &mut OpenGroups,
    place: Place,
    slices: Vec<DaySlice>,
    size: usize,
) -> Option<OpenGroup> {
    let group = open.entry(place.group).or_default();
    group.0.insert(place.day, (place.generation, slices));
    let is_whole = group.0.len() == size;
    is_whole.then(|| open.remove(&place.group)).flatten()
}

impl OpenGroup {
    fn allocated(
        self,
        inputs: &BTreeMap<GenerationId, AllocationInputs<'_>>,
    ) -> Result<Vec<(Day, DayResult)>, Diagnostic> {
        let days: Vec<Day> = self.0.keys().copied().collect();
        let charges = self.0.into_iter().map(|(day, (generation, slices))| {
            Ok(DayCharges { day, inputs: inputs_of(inputs, generation)?, slices })
        });
        let charges = charges.collect::<Result<Vec<_>, Diagnostic>>()?;
        Ok(days.into_iter().zip(allocate_days(charges)?).collect())
    }
}

fn inputs_of<'i, 'a>(
    inputs: &'i BTreeMap<GenerationId, AllocationInputs<'a>>,
    generation: GenerationId,
) -> Result<&'i AllocationInputs<'a>, Diagnostic> {
    inputs.get(&generation).ok_or_else(|| {
        Diagnostic::new(code::INTERNAL, "the rules of a day were not decided before its charges")
    })
}

fn worked(
    inputs: &BTreeMap<GenerationId, AllocationInputs<'_>>,
    Place { day, generation, is_alone, .. }: Place,
    loaded: Vec<(StoredDay, Vec<StoredSegment>)>,
) -> Result<Worked, Diagnostic> {
    let inputs = inputs_of(inputs, generation)?;
    let slices = slices(loaded, inputs)?;
    if !is_alone {
        return Ok(Worked::Summed(slices));
    }
    let mut results = allocate_days(vec![DayCharges { day, inputs, slices }])?;
    assert!(results.len() == 1, "one day has one result");
    Ok(Worked::Allocated(results.remove(0)))
}

fn load(
    transaction: &Transaction<'_>,
    stored: Vec<StoredDay>,
) -> Result<Vec<(StoredDay, Vec<StoredSegment>)>, Diagnostic> {
    stored
        .into_iter()
        .map(|day| {
            let segments = transaction.segments(&day.source_day)?;
            Ok((day, segments))
        })
        .collect()
}

fn slices(
    loaded: Vec<(StoredDay, Vec<StoredSegment>)>,
    inputs: &AllocationInputs<'_>,
) -> Result<Vec<DaySlice>, Diagnostic> {
    let cells = inputs.cells;
    let (mut columns, mut details) = (SegmentCharges::default(), Details::default());
    let mut slices = Vec::new();
    for (day, segments) in loaded {
        // Cells of the charges that were decided by themselves, in the order of charges.
        let mut per_charge = inputs.per_charge.get(&day.source_day).into_iter().flatten();
        let mut slice = DaySlice::new(day.source_day, day.totals);
        for stored in segments {
            match inputs.prices {
                None => segment::decode(&stored.data, &mut columns)?,
                Some(prices) => {
                    segment::decode_with(&stored.data, prices, &mut columns, &mut details)?;
                }
            }
            slice.add_segment_totals(u64::from(stored.rows), stored.billed, stored.effective);
            let rows = columns.resources.iter().zip(&columns.billed).zip(&columns.effective);
            for (row, ((resource, billed), effective)) in rows.enumerate() {
                let mut cell =
                    cells.of_resource.get(*resource as usize).copied().unwrap_or(PER_CHARGE);
                if cell == PER_CHARGE {
                    cell = per_charge.next().copied().unwrap_or(PER_CHARGE);
                }
                assert!(
                    cell != PER_CHARGE,
                    "resource {resource} was decided before its charges are summed"
                );
                slice.add(cells, cell, *billed, *effective);
                if inputs.prices.is_some() {
                    let (contracted, list) = (&details.contracted_cost, &details.list_cost);
                    slice.add_details(cell, contracted.get(row), list.get(row));
                }
            }
        }
        slices.push(slice);
    }
    Ok(slices)
}
