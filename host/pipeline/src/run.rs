//! One run: collect → normalize → allocate → post, in one transaction of the ledger.
//!
//! A crash at any point leaves the ledger as it was before the run, with a run marked as started.
//! The next run does it all again. A run that is given up leaves nothing but the reason. A source
//! that fails is left out whole, the others go on, and the run ends *incomplete*.

pub mod document;

use crate::accrual;
use crate::collect;
use crate::collection::Collection;
use crate::days::{self, ChangedDays};
use crate::feed::{self, Feed, Patience, SourceWork};
use crate::interner::Secrets;
use crate::known_usage::KnownUsage;
use crate::normalize::Registry;
use crate::progress::Progress;
use crate::report::{RunReport, SourceReport, StageTimes, conservation};
use crate::rulings::AllocationPorts;
use crate::source::Source;
use crate::standing::Standing;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::period::{Day, Period};
use domain::port::{Allocators, CollectRequest, Rules};
use domain::run::{RunState, SourceDay};
use domain::tag::TagSchema;
use ledger::{GenerationId, Ledger, Reader, RunEnd, RunStart, Transaction};
use reports::coverage::days::Coverage;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

pub struct RunOptions<'a> {
    pub sources: Vec<Source>,
    pub rules: &'a dyn Rules,
    pub allocators: &'a dyn Allocators,
    pub tag_schema: &'a TagSchema,
    /// The dimensions that are kept of each charge.
    pub dimensions: &'a [Field],
    /// Whether to collect, or only to allocate stored charges.
    pub collect: bool,
    pub threads: usize,
    /// Collectors that work at one time.
    pub sources_at_once: usize,
    pub patience: Patience<'a>,
    /// The time of the run, which is that of its start.
    pub at_ms: i64,
    /// The clock, which is asked once more at the end.
    pub now_ms: &'a dyn Fn() -> i64,
    pub version: String,
}

/// A run that posts nothing, into an empty ledger.
pub struct Rehearsal {
    /// Its sources are compared with the ledger that a run would go into.
    pub report: RunReport,
    /// Why that ledger could not be read. Nothing is compared with it then.
    pub fault: Option<Diagnostic>,
}

/// Conditions on a run beyond its options.
pub(crate) struct Terms<'a> {
    /// The statements that collections are compared with, beside those of the run's own ledger.
    pub standing: &'a Standing<'a>,
    /// Counts only stored charges of runs that began before this time.
    pub known_until_ms: Option<i64>,
    /// Is asked last, with the ledger as it would stand. If it refuses, nothing is posted.
    pub accept: &'a dyn Fn(&Reader) -> Result<(), Diagnostic>,
}

/// Runs from collect to post.
pub fn run(
    ledger: &mut Ledger,
    options: RunOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    let standing = Standing::default();
    let terms = Terms { standing: &standing, known_until_ms: None, accept: &|_| Ok(()) };
    run_on_terms(ledger, options, terms, progress)
}

/// Runs into an empty ledger, and says what a run into another one would say of its sources.
pub fn rehearse(
    empty: &mut Ledger,
    other: Option<&Reader>,
    options: RunOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rehearsal, Diagnostic> {
    let standing = Standing::of(other);
    let terms = Terms { standing: &standing, known_until_ms: None, accept: &|_| Ok(()) };
    let report = run_on_terms(empty, options, terms, progress)?;
    Ok(Rehearsal { report, fault: standing.fault() })
}

pub(crate) fn run_on_terms(
    ledger: &mut Ledger,
    options: RunOptions<'_>,
    terms: Terms<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    let (now_ms, at_ms) = (options.now_ms, options.at_ms);
    let transaction = ledger.begin(&RunStart { at_ms, version: options.version.clone() })?;
    let run = transaction.run();
    let report = run_through(transaction, options, terms, progress);
    if let Err(finding) = &report {
        // The run is rolled back by now. Its mark says why, if the ledger can still be written.
        let _noted = ledger.fail(run, now_ms().max(at_ms), &finding.reason());
    }
    report
}

fn run_through(
    mut transaction: Transaction<'_>,
    options: RunOptions<'_>,
    terms: Terms<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    let mut watch = StageWatch::start(options.now_ms);
    // Read under the write lock. Another process may have committed while this one waited for it,
    // and then the numbers of an earlier dictionary would stand for other resources.
    let dictionary = transaction.dictionary()?;
    let registry = Mutex::new(Registry::new(dictionary, options.tag_schema));
    let gaps_before = KnownUsage::of(&transaction)?.gaps();
    let CollectionResults { sources, mut changed, mut changed_usage } = if options.collect {
        collect_all(&mut transaction, terms.standing, &registry, &options, progress)?
    } else {
        CollectionResults::default()
    };
    if let Some(until_ms) = terms.known_until_ms {
        changed.extend(transaction.restate_as_known(until_ms)?);
        changed_usage.extend(transaction.restate_usage_as_known(until_ms)?);
    }
    changed_usage.extend(KnownUsage::of(&transaction)?.turned_since(&gaps_before));
    let dictionary = registry.into_inner().unwrap_or_else(PoisonError::into_inner).dictionary;
    transaction.save_dictionary(&dictionary)?;
    let collect_ms = watch.lap();
    let allocated = days::allocate(
        &mut transaction,
        &dictionary,
        AllocationPorts {
            rules: options.rules,
            allocators: options.allocators,
            threads: options.threads,
        },
        ChangedDays { charges: &changed, usage: &changed_usage },
        progress,
    )?;
    let allocators = options.allocators.take_costs();
    for (plugin, cost) in &allocators {
        transaction.note_cost(None, plugin, cost)?;
    }
    let allocate_ms = watch.lap();
    let conservation = conservation(&transaction)?;
    let whole = sources.iter().all(SourceReport::is_whole)
        && allocated.suspense.is_empty()
        && allocated.unresolved.is_empty();
    let mut report = RunReport {
        run: transaction.run(),
        state: if whole { RunState::Complete } else { RunState::Incomplete },
        days: allocated.days,
        entries_posted: allocated.posted,
        entries_reversed: allocated.reversed,
        entries_unchanged: allocated.unchanged,
        rule_calls: allocated.rule_calls,
        resources: dictionary.resource_count() as u64,
        suspense: allocated.suspense,
        unresolved: allocated.unresolved,
        conservation,
        sources,
        allocators,
        stages: StageTimes { collect_ms, allocate_ms, post_ms: 0 },
    };
    (terms.accept)(transaction.reader())?;
    progress(Progress::Posting);
    transaction.commit(&run_end(&options, &report, allocated.generation))?;
    report.stages.post_ms = watch.lap();
    progress(Progress::Posted);
    Ok(report)
}

fn run_end(options: &RunOptions<'_>, report: &RunReport, generation: GenerationId) -> RunEnd {
    RunEnd {
        // A clock that was set back meanwhile lets no run end before its start.
        at_ms: (options.now_ms)().max(options.at_ms),
        state: report.state,
        generation,
        charges: report.sources.iter().map(|source| source.charges).sum(),
        rejected: report.sources.iter().map(|source| source.set_aside).sum(),
        note: String::new(),
    }
}

/// Takes the time of stages. A clock that is set back gives a stage no time.
struct StageWatch<'a> {
    now_ms: &'a dyn Fn() -> i64,
    lap_ms: i64,
}

impl<'a> StageWatch<'a> {
    fn start(now_ms: &'a dyn Fn() -> i64) -> StageWatch<'a> {
        StageWatch { now_ms, lap_ms: now_ms() }
    }

    /// Since the start or the lap before.
    fn lap(&mut self) -> i64 {
        let before_ms = std::mem::replace(&mut self.lap_ms, (self.now_ms)());
        (self.lap_ms - before_ms).max(0)
    }
}

#[derive(Default)]
struct CollectionResults {
    sources: Vec<SourceReport>,
    changed: Vec<SourceDay>,
    changed_usage: BTreeSet<(String, Day)>,
}

/// Collectors work beside each other. Their pages are written source by source.
fn collect_all(
    transaction: &mut Transaction<'_>,
    standing: &Standing<'_>,
    registry: &Mutex<Registry<'_>>,
    options: &RunOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<CollectionResults, Diagnostic> {
    let sources: Vec<&Source> = accrual::in_order(&options.sources).collect();
    let works = sources
        .iter()
        .map(|source| work(transaction, standing, source, options.at_ms))
        .collect::<Result<Vec<_>, _>>()?;
    let periods: Vec<Option<Period>> = works.iter().map(|work| work.request.period).collect();
    feed::feed(works, options.sources_at_once, options.patience, |feeds: Vec<Feed<'_>>| {
        let mut all = CollectionResults::default();
        let estimates: BTreeSet<&str> = accrual::estimates(&sources).collect();
        for ((source, period), feed) in sources.iter().zip(periods).zip(feeds) {
            let billed = accrual::take_back(transaction, standing, source, progress)?;
            all.changed.extend(billed.taken_back.iter().cloned());
            let collection = Collection {
                source,
                period,
                at_ms: options.at_ms,
                billed,
                standing,
                estimates: &estimates,
                transaction,
                registry,
                dimensions: options.dimensions,
                threads: options.threads,
                // Drawn anew for each source, so that nobody can write a file whose rows collide.
                secrets: Secrets::draw(),
                progress,
            };
            let collected = collect::collect(collection, &feed)?;
            all.changed.extend(collected.changed);
            all.changed_usage.extend(collected.changed_usage);
            all.sources.push(collected.report);
        }
        Ok(all)
    })
}

/// Completes a source's request: its state, and the days that are missing or may have been
/// restated.
fn work<'s>(
    ledger: &Reader,
    standing: &Standing<'_>,
    source: &'s Source,
    at_ms: i64,
) -> Result<SourceWork<'s>, Diagnostic> {
    let state = standing.state(ledger, &source.name)?;
    let mut request = CollectRequest { state, ..source.request.clone() };
    if let Some(window) = source.window {
        let coverage = Coverage::of(&ledger.attempts(&source.name)?);
        let today = Day::of_instant(at_ms);
        request.period = Some(match request.period {
            None => window.period(&coverage, today),
            Some(asked) => window.closed(asked, &coverage, today),
        });
    }
    Ok(SourceWork { collector: &*source.collector, request })
}
