//! The postings of stored charges, worked out once more, resource by resource.
//!
//! A posting says account, rule and service. The resource and the tags of a cost are with its
//! charges. So this module takes the charges of the standing source-days, the decisions of the
//! generation that posted them, and the weights of the day, and lets the charges flow as they did
//! in the run (`domain::flow`). The parts add up to the postings, to the nano.
//!
//! It goes by the day of the charge. A correction of a closed month was posted on a later day. A
//! rule that reads an amount or a date decided charge by charge, and the ledger has no decisions
//! for that: the stored rules then decide once more.
//!
//! It knows no report and no format.

use crate::bearer::Bearers;
use crate::measure::{Measure, Meter};
use crate::portion::PortionSink;
use crate::scan::Scan;
use crate::stored::{RulesOf, StoredGeneration, corrupt};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Dictionary;
use domain::generation::{Generation, TurningDays};
use domain::period::Period;
use domain::run::{RunId, SourceDay};
use ledger::{GenerationId, PostedRun, Reader};
use std::collections::BTreeMap;

/// The standing source-days that are scanned.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Of charge days.
    pub period: Period,
    /// Only this source-day.
    pub source_day: Option<&'a SourceDay>,
    /// What is summed of charges beside their cost.
    pub measure: Option<Measure>,
}

/// Goes through everything that was charged in the scope.
pub fn derive(
    ledger: &Reader,
    dictionary: &Dictionary,
    scope: Scope<'_>,
    rules_of: Option<&RulesOf<'_>>,
    sink: &mut PortionSink<'_>,
) -> Result<(), Diagnostic> {
    // Shared by all generations, so that a caller can keep a bearer's number from day to day.
    let mut bearers = Bearers::default();
    for (generation, days) in standing(ledger, scope)? {
        let stored = StoredGeneration::load(ledger, generation)?;
        let rules = stored.rules_if_needed(rules_of)?;
        let mut scan = Scan::new(&stored, dictionary, &mut bearers, rules.as_deref());
        scan.meter = scope.measure.map(|measure| Meter::new(measure, dictionary));
        for (source_day, run) in days {
            scan.source_day(ledger, &source_day, run, sink)?;
        }
    }
    Ok(())
}

/// Source-days by the generation to read their decisions from, each with the run whose weights go
/// with it.
pub(crate) type StandingDays = BTreeMap<GenerationId, Vec<(SourceDay, RunId)>>;

pub fn standing(ledger: &Reader, scope: Scope<'_>) -> Result<StandingDays, Diagnostic> {
    let mut latest: BTreeMap<SourceDay, (RunId, GenerationId)> = BTreeMap::new();
    for entry in ledger.standing(scope.period)? {
        if scope.source_day.is_none_or(|wanted| *wanted == entry.source_day) {
            // Entries that did not change stay, so those of one source-day can be of several runs.
            // The latest run knew all of them.
            let known = latest.entry(entry.source_day).or_insert((entry.run, entry.generation));
            *known = (*known).max((entry.run, entry.generation));
        }
    }
    let last = LastRun::find(ledger)?;
    let mut standing = StandingDays::new();
    // Charges of nothing have no entry, and can have a quantity and a list cost.
    if let (Some(last), Some(_)) = (&last, scope.measure) {
        for day in ledger.source_days(scope.period)? {
            let is_wanted = scope.source_day.is_none_or(|wanted| *wanted == day.source_day);
            if is_wanted && day.totals.charges > 0 && !latest.contains_key(&day.source_day) {
                let generation = last.generation(&day.source_day)?;
                standing.entry(generation).or_default().push((day.source_day, last.run));
            }
        }
    }
    for (source_day, posted) in latest {
        let (run, generation) = match &last {
            // A run that has not ended is looked at from inside.
            Some(last) if posted.0 <= last.run => (last.run, last.generation(&source_day)?),
            _ => posted,
        };
        standing.entry(generation).or_default().push((source_day, run));
    }
    Ok(standing)
}

/// The last run that posted. It left every day allocated by its own rules. Where the same postings
/// came out, the older entry stayed; so the rules and weights of this run hold for all that stands,
/// and not those of the entry.
struct LastRun {
    run: RunId,
    turning_days: TurningDays,
    /// By stretch. Stretches without charges have none.
    generations: BTreeMap<usize, GenerationId>,
}

impl LastRun {
    fn find(ledger: &Reader) -> Result<Option<LastRun>, Diagnostic> {
        let Some(PostedRun { id: run, generation: current }) = ledger.last_posted_run()? else {
            return Ok(None);
        };
        let turning_days = TurningDays::of(&ledger.rules(current)?, &ledger.tables(current)?);
        let digest = ledger.generation(current)?.map(|found| found.digest().to_owned());
        let mut generations = BTreeMap::from([(turning_days.last_stretch(), current)]);
        for stretch in 0..turning_days.last_stretch() {
            let number = turning_days.numbered(stretch);
            let generation = Generation::new(digest.clone().unwrap_or_default(), number);
            generations.extend(ledger.generation_id(&generation)?.map(|id| (stretch, id)));
        }
        Ok(Some(LastRun { run, turning_days, generations }))
    }

    /// The generation that the run allocated a day by.
    fn generation(&self, day: &SourceDay) -> Result<GenerationId, Diagnostic> {
        let generation = self.generations.get(&self.turning_days.stretch(day.day)).copied();
        generation.ok_or_else(|| {
            corrupt(format!(
                "run {} left charges of {} on {}, and its rules of that day are not stored",
                self.run.0, day.source, day.day
            ))
        })
    }
}
