//! The postings of stored charges, worked out once more, resource by resource.
//!
//! A posting says account, rule and service. The resource and the tags of a cost are with its
//! charges. So this module takes the charges of source-days, the decisions of the generation that
//! posted them, and the weights of the day, and lets the charges flow as they did in the run
//! (`domain::flow`). The parts add up to the postings, to the nano.
//!
//! By the day of the charge it takes what stands now. By the day of posting it takes what was
//! posted, as it was then: see `posted`. A rule that reads an amount or a date decided charge by
//! charge, and the ledger has no decisions for that: the stored rules then decide once more.
//!
//! It knows no report and no format.

use crate::bearer::Bearers;
use crate::measure::{Measure, Meter};
use crate::portion::PortionSink;
use crate::posted::derive_works;
use crate::scan::Scan;
use crate::stored::{RulesOf, StoredGeneration, corrupt};
use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::generation::{Generation, TurningDays};
use domain::period::Period;
use domain::run::{RunId, SourceDay};
use ledger::{EntryId, GenerationId, PostedRun, Reader};
use std::collections::{BTreeMap, BTreeSet};

/// The charges that are scanned.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub axis: Axis,
    /// Of days by the axis.
    pub period: Period,
    /// What is summed of charges beside their cost.
    pub measure: Option<Measure>,
    /// In order. The portions of others are left out, unless the cost of these flows together with
    /// theirs.
    pub resources: Option<&'a [ResourceId]>,
}

/// Goes through everything that was posted or charged in the scope.
pub fn derive(
    ledger: &Reader,
    dictionary: &Dictionary,
    scope: Scope<'_>,
    rules_of: Option<&RulesOf<'_>>,
    sink: &mut PortionSink<'_>,
) -> Result<(), Diagnostic> {
    let charge_period = match scope.axis {
        // A correction is posted in a later month than that of its charges.
        Axis::Posting => Period::all(),
        Axis::Charge => scope.period,
    };
    let days_of = |resources| ledger.resource_days(resources, charge_period);
    let days = scope.resources.map(days_of).transpose()?;
    match scope.axis {
        Axis::Posting => {
            let works = ledger.rule_works(scope.period, days.as_ref())?;
            derive_works(ledger, dictionary, works, scope, rules_of, sink)
        }
        Axis::Charge => charged(ledger, dictionary, scope, days.as_ref(), rules_of, sink),
    }
}

/// Goes through the charges of one entry, whether it stands or not.
pub fn derive_entry(
    ledger: &Reader,
    dictionary: &Dictionary,
    entry: EntryId,
    measure: Option<Measure>,
    rules_of: Option<&RulesOf<'_>>,
    sink: &mut PortionSink<'_>,
) -> Result<(), Diagnostic> {
    let works = ledger.rule_work(entry)?.into_iter().collect();
    let scope = Scope { axis: Axis::Posting, period: Period::all(), measure, resources: None };
    derive_works(ledger, dictionary, works, scope, rules_of, sink)
}

fn charged(
    ledger: &Reader,
    dictionary: &Dictionary,
    scope: Scope<'_>,
    only: Option<&BTreeSet<SourceDay>>,
    rules_of: Option<&RulesOf<'_>>,
    sink: &mut PortionSink<'_>,
) -> Result<(), Diagnostic> {
    // Shared by all generations, so that a caller can keep a bearer's number from day to day.
    let mut bearers = Bearers::default();
    for (generation, days) in standing(ledger, scope.period, scope.measure)? {
        let stored = StoredGeneration::load(ledger, generation)?;
        let rules = stored.rules_if_needed(rules_of)?;
        let mut scan = Scan::new(&stored, dictionary, &mut bearers, rules.as_deref());
        scan.meter = scope.measure.map(|measure| Meter::new(measure, dictionary));
        scan.resources = scope.resources;
        let is_asked = |day: &SourceDay| only.is_none_or(|only| only.contains(day));
        for (source_day, run) in days.into_iter().filter(|(day, _)| is_asked(day)) {
            scan.source_day(ledger, &source_day, run, sink)?;
        }
    }
    Ok(())
}

/// Source-days by the generation to read their decisions from, each with the run whose weights go
/// with it.
pub(crate) type StandingDays = BTreeMap<GenerationId, Vec<(SourceDay, RunId)>>;

/// The source-days of a period of charges as they stand now.
pub fn standing(
    ledger: &Reader,
    period: Period,
    measure: Option<Measure>,
) -> Result<StandingDays, Diagnostic> {
    let mut latest: BTreeMap<SourceDay, (RunId, GenerationId)> = BTreeMap::new();
    for entry in ledger.standing(period)? {
        // Entries that did not change stay, so those of one source-day can be of several runs.
        // The latest run knew all of them.
        let known = latest.entry(entry.source_day).or_insert((entry.run, entry.generation));
        *known = (*known).max((entry.run, entry.generation));
    }
    let last = ledger.last_posted_run()?.map(|last| RunRules::of(ledger, last)).transpose()?;
    let mut standing = StandingDays::new();
    // Charges of nothing have no entry, and can have a quantity and a list cost.
    if let (Some(last), Some(_)) = (&last, measure) {
        for day in ledger.source_days(period)? {
            if day.totals.charges > 0 && !latest.contains_key(&day.source_day) {
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

/// The rules of a run that posted. It left every day allocated by them. Where the same postings
/// came out as before, the older entry stayed; so the rules and weights of this run hold for all
/// that stood after it, and not those of the entry.
pub(crate) struct RunRules {
    pub run: RunId,
    turning_days: TurningDays,
    /// By stretch. Stretches without charges have none.
    generations: BTreeMap<usize, GenerationId>,
}

impl RunRules {
    pub fn of(ledger: &Reader, posted: PostedRun) -> Result<RunRules, Diagnostic> {
        let PostedRun { id: run, generation: current } = posted;
        let turning_days = TurningDays::of(&ledger.rules(current)?, &ledger.tables(current)?);
        let digest = ledger.generation(current)?.map(|found| found.digest().to_owned());
        let mut generations = BTreeMap::from([(turning_days.last_stretch(), current)]);
        for stretch in 0..turning_days.last_stretch() {
            let number = turning_days.numbered(stretch);
            let generation = Generation::new(digest.clone().unwrap_or_default(), number);
            generations.extend(ledger.generation_id(&generation)?.map(|id| (stretch, id)));
        }
        Ok(RunRules { run, turning_days, generations })
    }

    /// The generation that the run allocated a day by.
    pub fn generation(&self, day: &SourceDay) -> Result<GenerationId, Diagnostic> {
        let generation = self.generations.get(&self.turning_days.stretch(day.day)).copied();
        generation.ok_or_else(|| {
            corrupt(format!(
                "run {} left charges of {} on {}, and its rules of that day are not stored",
                self.run.0, day.source, day.day
            ))
        })
    }
}
