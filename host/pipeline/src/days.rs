//! The days that must be allocated.
//!
//! A day is posted with the charges and the rules of its time. It must be allocated again in three
//! cases: its charges changed, usage that its shares hang on changed, or the rules changed. A
//! change of the rules reaches all days, since nobody can tell which charges a changed rule decides
//! without asking it.
//!
//! Rules can become valid on some day, and cease to be valid on another. Between two such turning
//! days the same rules are in force. Each such stretch is a generation of its own, with decisions
//! of its own.

use crate::drivers;
use crate::progress::Progress;
use crate::rulings::{AllocationPorts, Rulings, suspended};
use crate::settle::{AllocationReport, DayWork, Settlement};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Dictionary;
use domain::generation::TurningDays;
use domain::period::{Day, Period};
use domain::port::Rules;
use domain::run::SourceDay;
use ledger::{GenerationId, StoredDay, Transaction};
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
    let same_rules = last_generation(transaction)? == Some(stretches.current);
    let mut days: BTreeSet<Day> = changed.charges.iter().map(|source_day| source_day.day).collect();
    // Under other rules all days are allocated again anyway.
    if same_rules && !changed.usage.is_empty() {
        for generation in stretches.generations.values() {
            days.extend(drivers::reached(&transaction.outcomes(*generation)?, changed.usage));
        }
    }
    let work = affected(stored, &days, same_rules, &stretches);
    let total = work.values().map(|works| works.len() as u64).sum();
    for (generation, works) in work {
        let Some(first) = works.first().map(|work| work.day) else { continue };
        progress(Progress::Rules { resources: dictionary.resource_count() as u64 });
        // The same rules are valid on all days of a stretch, so its first day stands for all.
        let mut rulings =
            Rulings::decide(transaction, dictionary, decider.as_mut(), generation, first)?;
        let mut settlement =
            Settlement { allocated: &mut allocated, generation, total, progress: &mut *progress };
        if rulings.per_charge {
            settlement.one_by_one(
                transaction,
                dictionary,
                ports,
                decider.as_mut(),
                &mut rulings,
                works,
            )?;
        } else {
            settlement.in_threads(transaction, dictionary, ports, &rulings, works)?;
        }
        // After the days, because rules that decide charge by charge make new outcomes on the way.
        transaction.save_decisions(generation, &rulings.outcomes, &rulings.decisions)?;
        allocated.suspense.extend(suspended(&rulings));
        allocated.suspense.truncate(SUSPENSE_SHOWN);
    }
    allocated.rule_calls = decider.calls();
    Ok(allocated)
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

/// Days to allocate, by the generation that is in force on them.
fn affected(
    stored: Vec<StoredDay>,
    changed: &BTreeSet<Day>,
    same_rules: bool,
    stretches: &Stretches,
) -> BTreeMap<GenerationId, Vec<DayWork>> {
    // A day is allocated with all its sources: the weights of each hang on the costs of all.
    let mut days: BTreeMap<Day, Vec<StoredDay>> = BTreeMap::new();
    for day in stored.into_iter().filter(|day| !same_rules || changed.contains(&day.source_day.day))
    {
        days.entry(day.source_day.day).or_default().push(day);
    }
    let mut work: BTreeMap<GenerationId, Vec<DayWork>> = BTreeMap::new();
    for (day, stored) in days {
        if let Some(generation) = stretches.generation_of(day) {
            work.entry(generation).or_default().push(DayWork { day, stored });
        }
    }
    work
}
