//! The days that must be allocated.
//!
//! A day is posted with the charges and the rules of its time. It must be allocated again in four
//! cases: its charges changed, usage that its shares hang on changed, a day changed that shares a
//! window with it, or the rules changed. A change of the rules reaches all days, since nobody can
//! tell which charges a changed rule decides without asking it.
//!
//! Rules can become valid on some day, and cease to be valid on another. Between two such turning
//! days the same rules are in force. Each such stretch is a generation of its own, with decisions
//! of its own. A window can reach over turning days: each of its days counts by its own rules.

use crate::cells;
use crate::drivers::{self, Drivers};
use crate::inputs::AllocationInputs;
use crate::progress::Progress;
use crate::rulings::{AllocationPorts, NumberedCells, Rulings, suspended};
use crate::settle::{AllocationReport, DayWork, DayWorks, Settlement};
use domain::decision::Outcome;
use domain::diagnostic::Diagnostic;
use domain::dictionary::Dictionary;
use domain::driver::facts::Window;
use domain::generation::TurningDays;
use domain::period::{Day, Period};
use domain::port::{Decider, Rules};
use domain::run::SourceDay;
use domain::spread::Spread;
use ledger::segment::{ChargeLines, PriceList};
use ledger::{GenerationId, StoredDay, Transaction};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

const SUSPENSE_SHOWN: usize = 20;

/// Inputs that changed since days were allocated last.
#[derive(Clone, Copy)]
pub struct ChangedDays<'a> {
    pub charges: &'a [SourceDay],
    /// Metrics and days.
    pub usage: &'a BTreeSet<(String, Day)>,
}

/// Allocates every day whose charges, usage or rules are not those of its postings.
pub fn allocate(
    transaction: &mut Transaction<'_>,
    dictionary: &Dictionary,
    ports: AllocationPorts<'_>,
    changed: ChangedDays<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<AllocationReport, Diagnostic> {
    let mut decider = ports.rules.decider();
    let stored = transaction.source_days(Period::all())?;
    let stretches = Stretches::save(transaction, ports.rules, &stored)?;
    let mut allocated = AllocationReport::new(stretches.current);
    let mut days = by_day(stored);
    let same_rules = last_generation(transaction)? == Some(stretches.current);
    let mut affected: BTreeSet<Day> = days.keys().copied().collect();
    if same_rules {
        let changed = changed_days(transaction, &stretches, changed)?;
        affected.retain(|day| changed.contains(day));
    }
    let lines = ChargeLines::new(dictionary, [ports.rules]);
    let mut decided = Decided { stretches: &stretches, lines, rulings: BTreeMap::new() };
    let window = decided.decide(
        transaction,
        dictionary,
        decider.as_mut(),
        progress,
        Work { days: &days, affected: &mut affected },
    )?;
    let rulings = decided.rulings;
    let filters = cells::filters(rulings.values().flat_map(|rulings| &rulings.outcomes))?;
    let mut groups: BTreeMap<Day, DayWorks> = BTreeMap::new();
    for day in affected {
        if let Some((generation, stored)) = stretches.generation_of(day).zip(days.remove(&day)) {
            let work = DayWork { day, generation, stored };
            groups.entry(window.days_for(day).0).or_default().push(work);
        }
    }
    let groups: Vec<DayWorks> = groups.into_values().collect();
    let total = groups.iter().map(|works| works.len() as u64).sum();
    let mut ready: BTreeMap<GenerationId, (NumberedCells, Drivers)> = BTreeMap::new();
    for (generation, rulings) in &rulings {
        if let Some((first, last)) = first_and_last(&groups, *generation) {
            let drivers = Drivers::load(transaction, &rulings.outcomes, first, last)?;
            ready.insert(*generation, (rulings.cells(dictionary, &filters), drivers));
        }
    }
    let prices = prices(&rulings, dictionary);
    let inputs: BTreeMap<GenerationId, AllocationInputs<'_>> = ready
        .iter()
        .filter_map(|(generation, (cells, drivers))| {
            let rulings = rulings.get(generation)?;
            let inputs = rulings.inputs(dictionary, ports, cells, drivers);
            Some((*generation, AllocationInputs { prices: prices.as_ref(), ..inputs }))
        })
        .collect();
    let mut settlement = Settlement {
        allocated: &mut allocated,
        inputs: &inputs,
        threads: ports.threads,
        total,
        progress,
    };
    settlement.run(transaction, groups)?;
    for (generation, rulings) in &rulings {
        transaction.save_decisions(*generation, &rulings.outcomes, &rulings.decisions)?;
        allocated.suspense.extend(suspended(rulings));
        allocated.suspense.truncate(SUSPENSE_SHOWN);
    }
    allocated.rule_calls = decider.calls();
    Ok(allocated)
}

/// For reading details, if any rule weighs by them: a window can reach over days with other rules.
fn prices(rulings: &BTreeMap<GenerationId, Rulings>, dictionary: &Dictionary) -> Option<PriceList> {
    let outcomes = rulings.values().flat_map(|rulings| &rulings.outcomes);
    let mut spreads = outcomes.filter_map(Outcome::spread);
    spreads.any(Spread::weighs_details).then(|| PriceList::of(dictionary))
}

/// A day is allocated with all its sources: the weights of each hang on the costs of all.
fn by_day(stored: Vec<StoredDay>) -> BTreeMap<Day, Vec<StoredDay>> {
    let mut days: BTreeMap<Day, Vec<StoredDay>> = BTreeMap::new();
    for stored in stored {
        days.entry(stored.source_day.day).or_default().push(stored);
    }
    days
}

/// The first and the last day that a generation decides.
fn first_and_last(groups: &[DayWorks], generation: GenerationId) -> Option<(Day, Day)> {
    let works = groups.iter().flatten().filter(|work| work.generation == generation);
    let mut days = works.map(|work| work.day);
    let first = days.next()?;
    Some((first, days.next_back().unwrap_or(first)))
}

/// The days whose charges changed, or usage that their shares hang on.
fn changed_days(
    transaction: &Transaction<'_>,
    stretches: &Stretches,
    changed: ChangedDays<'_>,
) -> Result<BTreeSet<Day>, Diagnostic> {
    let mut days: BTreeSet<Day> = changed.charges.iter().map(|source_day| source_day.day).collect();
    if !changed.usage.is_empty() {
        for generation in stretches.generations.values() {
            days.extend(drivers::reached(&transaction.outcomes(*generation)?, changed.usage));
        }
    }
    Ok(days)
}

/// All stored days, and those that must be allocated.
struct Work<'w> {
    days: &'w BTreeMap<Day, Vec<StoredDay>>,
    affected: &'w mut BTreeSet<Day>,
}

/// The decisions of all stretches with days to allocate.
struct Decided<'s> {
    stretches: &'s Stretches,
    lines: ChargeLines<'s>,
    rulings: BTreeMap<GenerationId, Rulings>,
}

impl Decided<'_> {
    /// Decides for the affected days. Decisions can look at windows, and then all days of such a
    /// window are affected: new days can bring new decisions, until none comes any more. Returns
    /// the widest window.
    fn decide(
        &mut self,
        transaction: &Transaction<'_>,
        dictionary: &Dictionary,
        decider: &mut dyn Decider,
        progress: &mut dyn FnMut(Progress),
        work: Work<'_>,
    ) -> Result<Window, Diagnostic> {
        let mut before = BTreeSet::new();
        // Days of a window count by their own rules, also if nothing else of these changed.
        let mut window = Window::DAY;
        for generation in self.stretches.generations.values() {
            window = window.max(widest(&transaction.outcomes(*generation)?));
        }
        loop {
            for day in work.affected.difference(&before) {
                let stored = work.days.get(day).into_iter().flatten();
                let Some(generation) = self.stretches.generation_of(*day) else { continue };
                let rulings = match self.rulings.entry(generation) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => {
                        let resources = dictionary.resource_count() as u64;
                        progress(Progress::Rules { resources });
                        // The same rules are valid on all days of a stretch, so one day stands for
                        // all.
                        let fresh =
                            Rulings::decide(transaction, dictionary, decider, generation, *day)?;
                        window = window.max(widest(&fresh.outcomes));
                        place.insert(fresh)
                    }
                };
                if rulings.is_per_charge() {
                    for StoredDay { source_day, .. } in stored {
                        let lines = &mut self.lines;
                        rulings.decide_charges(
                            transaction,
                            dictionary,
                            decider,
                            lines,
                            source_day,
                        )?;
                    }
                    window = window.max(widest(&rulings.outcomes));
                }
            }
            before.clone_from(work.affected);
            let starts: BTreeSet<Day> = before.iter().map(|day| window.days_for(*day).0).collect();
            let within = work.days.keys().filter(|day| starts.contains(&window.days_for(**day).0));
            work.affected.extend(within);
            if *work.affected == before {
                return Ok(window);
            }
        }
    }
}

/// The widest window in which days share weights.
fn widest(outcomes: &[Outcome]) -> Window {
    let spreads = outcomes.iter().filter_map(Outcome::spread);
    let windows = spreads.flat_map(|spread| {
        let costs = spread.team_costs().into_iter().map(|costs| costs.window);
        let priced = spread.priced().into_iter().map(|usage| usage.query.window);
        costs.chain(priced).collect::<Vec<_>>()
    });
    windows.filter(|window| window.is_shared()).max().unwrap_or(Window::DAY)
}

/// The generations of a set of rules, one for each stretch between turning days.
struct Stretches {
    turning_days: TurningDays,
    /// By the number of the stretch. Stretches without charges have none.
    generations: BTreeMap<usize, GenerationId>,
    /// Of the last stretch, which is in force on all days to come.
    current: GenerationId,
}

impl Stretches {
    fn save(
        transaction: &mut Transaction<'_>,
        rules: &dyn Rules,
        stored: &[StoredDay],
    ) -> Result<Stretches, Diagnostic> {
        let turning_days = TurningDays::of(rules.facts(), &rules.tables());
        let last = turning_days.last_stretch();
        let days = stored.iter().map(|stored| stored.source_day.day);
        let numbers: BTreeSet<usize> = days.map(|day| turning_days.stretch(day)).collect();
        let mut save = |stretch| transaction.save_generation(rules, turning_days.numbered(stretch));
        // Saved even if no charge lies in it: the next run compares its rules with this generation.
        let current = save(last)?;
        let mut generations = BTreeMap::from([(last, current)]);
        for number in numbers {
            generations.insert(number, save(number)?);
        }
        Ok(Stretches { turning_days, generations, current })
    }

    fn generation_of(&self, day: Day) -> Option<GenerationId> {
        self.generations.get(&self.turning_days.stretch(day)).copied()
    }
}

/// The rules of the standing postings: every run that ends leaves all days allocated with its own
/// rules.
fn last_generation(transaction: &Transaction<'_>) -> Result<Option<GenerationId>, Diagnostic> {
    Ok(transaction.last_posted_run()?.map(|run| run.generation))
}
