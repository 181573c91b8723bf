//! The postings of any month, worked out once more from the charges, rules and weights of then.
//!
//! An entry says what one rule did on a source-day: it took charges in, or passed cost on. Its
//! parts are those that the source-day has for this rule, as the day stood when the month of the
//! entry was closed; in an open month, as it stands now. An entry that is taken back has the same
//! parts, with the other sign, in the month of the reversal. So the parts of a closed month never
//! change, and all parts add up to the postings, to the nano.
//!
//! Costs that cancel out within one rule, source and day have an entry too. Ledgers from before
//! lack it until the day is allocated again, and then these costs have no parts here.

use crate::bearer::{BearerId, Bearers};
use crate::derive::{RunRules, Scope};
use crate::measure::Meter;
use crate::portion::{Portion, PortionSink};
use crate::scan::Scan;
use crate::stored::{RulesOf, StoredGeneration};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Dictionary;
use domain::entry::{EntryKind, RuleVersion};
use domain::money::Sum;
use domain::period::{Day, Month};
use domain::run::{RunId, SourceDay};
use ledger::rule_work::RuleWork;
use ledger::{GenerationId, Reader};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Goes through the parts of all works.
pub fn derive_works(
    ledger: &Reader,
    dictionary: &Dictionary,
    works: Vec<RuleWork>,
    scope: Scope<'_>,
    rules_of: Option<&RulesOf<'_>>,
    sink: &mut PortionSink<'_>,
) -> Result<(), Diagnostic> {
    let mut bearers = Bearers::default();
    for (generation, days) in by_state(ledger, works)? {
        let stored = StoredGeneration::load(ledger, generation)?;
        let rules = stored.rules_if_needed(rules_of)?;
        let mut scan = Scan::new(&stored, dictionary, &mut bearers, rules.as_deref());
        scan.meter = scope.measure.map(|measure| Meter::new(measure, dictionary));
        scan.resources = scope.resources;
        scan.as_of_run = true;
        for ((source_day, run), mut slices) in days {
            let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
                for ((posting_day, is_taken_back), slice) in &mut slices {
                    slice.take(portion, *posting_day, *is_taken_back, bearers, sink)?;
                }
                Ok(())
            };
            scan.source_day(ledger, &source_day, run, &mut take)?;
        }
    }
    Ok(())
}

/// The works of a source-day by the day of posting, and whether they are taken back.
type Slices = BTreeMap<(Day, bool), Slice>;

/// Source-days by the generation of their decisions, each as it stood after a run.
type StateDays = BTreeMap<GenerationId, BTreeMap<(SourceDay, RunId), Slices>>;

fn by_state(ledger: &Reader, works: Vec<RuleWork>) -> Result<StateDays, Diagnostic> {
    let mut states = RunStates { ledger, last_runs: HashMap::new(), rules: HashMap::new() };
    let mut days = StateDays::new();
    for work in works {
        let (run, generation) = states.of(&work)?;
        let slices = days.entry(generation).or_default().entry((work.source_day, run));
        let key = (work.posting_day, work.is_taken_back);
        let slice = slices.or_default().entry(key).or_default();
        match work.kind {
            EntryKind::Collection => slice.collected.insert(work.rule),
            EntryKind::Distribution => slice.passed_on.insert(work.rule),
            EntryKind::Reversal => false,
        };
    }
    Ok(days)
}

/// The runs after which works are looked at.
struct RunStates<'a> {
    ledger: &'a Reader,
    /// By the month and the run of posting.
    last_runs: HashMap<(Month, RunId), Option<RunId>>,
    rules: HashMap<RunId, RunRules>,
}

impl RunStates<'_> {
    fn of(&mut self, work: &RuleWork) -> Result<(RunId, GenerationId), Diagnostic> {
        let key = (work.first_posted.month(), work.run);
        if !self.last_runs.contains_key(&key) {
            let last = self.ledger.last_run_of(key.0, key.1)?.filter(|last| last.id >= work.run);
            if let Some(last) = last.filter(|last| !self.rules.contains_key(&last.id)) {
                self.rules.insert(last.id, RunRules::of(self.ledger, last)?);
            }
            self.last_runs.insert(key, last.map(|last| last.id));
        }
        let last = self.last_runs.get(&key).copied().flatten();
        match last.and_then(|run| self.rules.get(&run)) {
            Some(rules) => Ok((rules.run, rules.generation(&work.source_day)?)),
            // A run that has not ended is looked at from inside.
            None => Ok((work.run, work.generation)),
        }
    }
}

/// The rules whose work counts, by what they did.
#[derive(Default)]
struct Slice {
    collected: HashSet<Option<RuleVersion>>,
    passed_on: HashSet<Option<RuleVersion>>,
    /// By the bearer's number: whether its rule collected and passed on. Asked once, since there
    /// are many portions.
    of_bearer: Vec<Option<(bool, bool)>>,
}

impl Slice {
    /// Hands the part of a portion on that the rules collected or passed on.
    fn take(
        &mut self,
        portion: &Portion<'_>,
        posting_day: Day,
        is_taken_back: bool,
        bearers: &Bearers,
        sink: &mut PortionSink<'_>,
    ) -> Result<(), Diagnostic> {
        let sign = |amount: Sum| if is_taken_back { -amount } else { amount };
        let collected = portion.collected;
        let stands_here = portion.borne.iter().any(|(bearer, _)| *bearer == collected);
        let emptied = (!stands_here).then_some((collected, Sum::ZERO));
        let mut borne = Vec::with_capacity(portion.borne.len() + 1);
        for (bearer, amount) in portion.borne.iter().copied().chain(emptied) {
            let (collects, passes_on) = self.counts(bearer, bearers);
            let taken_in = if bearer == collected { portion.effective } else { Sum::ZERO };
            let mut part = Sum::ZERO;
            if collects {
                part += taken_in;
            }
            if passes_on {
                part += amount - taken_in;
            }
            let is_of_nothing = collects && bearer == collected && portion.effective.is_zero();
            if !part.is_zero() || is_of_nothing {
                borne.push((bearer, sign(part)));
            }
        }
        if borne.is_empty() {
            return Ok(());
        }
        let effective = sign(portion.effective);
        let part =
            Portion { day: posting_day, is_taken_back, effective, borne: &borne, ..*portion };
        sink(&part, bearers)
    }

    fn counts(&mut self, bearer: BearerId, bearers: &Bearers) -> (bool, bool) {
        let at = bearer.0 as usize;
        if let Some(Some(known)) = self.of_bearer.get(at) {
            return *known;
        }
        let rule = &bearers.get(bearer).rule;
        let counts = (self.collected.contains(rule), self.passed_on.contains(rule));
        self.of_bearer.resize(self.of_bearer.len().max(at + 1), None);
        self.of_bearer[at] = Some(counts);
        counts
    }
}
