//! One run: collect → normalize → allocate → post, in one transaction of the ledger.
//!
//! A crash at any point leaves the ledger as it was before the run, with a run marked as started; the next run does it
//! all again. A source that fails is left out whole, the others go on, and the run ends *incomplete*.

pub mod document;

use crate::accrual;
use crate::collect::{self, Collection};
use crate::days::{self, Changed, With};
use crate::feed::{self, Ended, Feed, Patience, Work};
use crate::gather::{exact_text, exact_totals};
use crate::interner::Secrets;
use crate::normalize::Registry;
use crate::usage::UsageReport;
use domain::account::Account;
use domain::charge::Rejected;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::port::{
    Allocators, CollectRequest, Collector, PluginCost, PluginIdentity, Rules, UnknownDays,
};
use domain::run::{DayTotals, RunId, RunState, SourceDay};
use domain::tag::TagSchema;
use foldhash::HashMap;
use ledger::{BalanceFilter, Ledger, Reader, RunEnd, RunStart, Transaction};
use reports::coverage::days::{Coverage, SourceWindow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

pub struct Source {
    pub name: String,
    pub collector: Box<dyn Collector>,
    pub request: CollectRequest,
    /// Its charges are estimates of what this source will charge, and count on days of which that one has no charges yet.
    pub accrues_for: Option<String>,
    /// What it is asked for where its request names no period; without it, all there is.
    pub window: Option<SourceWindow>,
}

pub struct RunOptions<'a> {
    pub sources: Vec<Source>,
    pub rules: &'a dyn Rules,
    pub allocators: &'a dyn Allocators,
    pub tag_schema: &'a TagSchema,
    /// The dimensions that are kept of each charge.
    pub dimensions: &'a [Field],
    /// Whether to collect, or only to allocate what is stored.
    pub collect: bool,
    pub threads: usize,
    /// Collectors that work at one time.
    pub sources_at_once: usize,
    pub patience: Patience<'a>,
    pub at_ms: i64,
    pub version: String,
}

#[derive(Clone, Debug)]
pub enum Progress {
    Source {
        name: String,
        bytes: u64,
        bytes_total: u64,
    },
    Collected {
        name: String,
        charges: u64,
        set_aside: u64,
    },
    /// Estimates of days that the bill has by now.
    TakenBack {
        name: String,
        bill: String,
        days: u64,
    },
    Rules {
        resources: u64,
    },
    Days {
        done: u64,
        total: u64,
    },
    Posted,
}

#[derive(Clone, Debug)]
pub struct RunReport {
    pub run: RunId,
    pub state: RunState,
    pub sources: Vec<SourceReport>,
    /// What allocator plugins cost.
    pub allocators: Vec<(PluginIdentity, PluginCost)>,
    /// Days that were allocated in this run.
    pub days: u64,
    pub entries_posted: u64,
    pub entries_reversed: u64,
    pub entries_unchanged: u64,
    pub rule_calls: u64,
    pub resources: u64,
    /// Why charges are in suspense; at most `SUSPENSE_SHOWN`.
    pub suspense: Vec<String>,
    /// Why costs were not passed on, and stay where they are.
    pub unresolved: Vec<String>,
    pub conservation: Vec<Conservation>,
}

#[derive(Clone, Debug)]
pub struct SourceReport {
    pub name: String,
    pub plugin: PluginIdentity,
    pub charges: u64,
    pub set_aside: u64,
    /// Estimates left out because the bill has their day.
    pub billed: u64,
    /// Days whose estimates were taken back in this run.
    pub days_taken_back: u64,
    /// Days that the source says it does not know.
    pub unknown: Vec<UnknownDays>,
    /// The first rows that were set aside.
    pub rejected: Vec<Rejected>,
    pub days_new: u64,
    pub days_changed: u64,
    pub days_unchanged: u64,
    /// Per currency the exact billed and effective totals of what was collected.
    pub totals: Vec<(Currency, String, String)>,
    pub usage: UsageReport,
    /// What it was asked for; without it all there is.
    pub period: Option<Period>,
    pub tries: u32,
    /// Whether it refused its state and was collected without.
    pub without_state: bool,
    pub cost: PluginCost,
    pub failure: Option<Diagnostic>,
}

/// What was charged against where it stands, over the whole ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conservation {
    pub currency: Currency,
    pub charges: u64,
    pub charged: Sum,
    pub teams: Sum,
    pub pools: Sum,
    pub excluded: Sum,
    pub unallocated: Sum,
    pub suspense: Sum,
    pub rounding: Sum,
    /// Zero, or nothing would have been posted.
    pub difference: Sum,
}

impl SourceReport {
    pub(crate) fn new(name: &str, plugin: &PluginIdentity) -> SourceReport {
        SourceReport {
            name: name.into(),
            plugin: plugin.clone(),
            charges: 0,
            set_aside: 0,
            billed: 0,
            days_taken_back: 0,
            unknown: Vec::new(),
            rejected: Vec::new(),
            days_new: 0,
            days_changed: 0,
            days_unchanged: 0,
            totals: Vec::new(),
            usage: UsageReport::default(),
            period: None,
            tries: 1,
            without_state: false,
            cost: PluginCost::default(),
            failure: None,
        }
    }

    pub(crate) fn failed(name: &str, plugin: &PluginIdentity, failure: Diagnostic) -> SourceReport {
        SourceReport { failure: Some(failure), ..SourceReport::new(name, plugin) }
    }

    pub(crate) fn set_effort(&mut self, period: Option<Period>, ended: &Ended) {
        (self.period, self.tries, self.cost) = (period, ended.tries, ended.cost);
        self.without_state = ended.without_state && ended.outcome.is_ok();
    }

    pub(crate) fn set_totals(&mut self, totals: &HashMap<(Day, Currency), DayTotals>) {
        let by_currency = exact_totals(totals.iter());
        self.totals = by_currency
            .iter()
            .map(|(currency, totals)| {
                (
                    *currency,
                    exact_text(totals.billed, &totals.billed_rest),
                    exact_text(totals.effective, &totals.effective_rest),
                )
            })
            .collect();
        self.totals.sort();
    }

    fn is_whole(&self) -> bool {
        self.failure.is_none() && self.set_aside == 0
    }
}

/// What a run is bound to beyond its options.
pub(crate) struct Terms<'a> {
    /// Of what is stored, only what runs collected that began before this time.
    pub known_until_ms: Option<i64>,
    /// Asked last, with the ledger as it would stand; if it refuses, nothing is posted.
    pub accept: &'a dyn Fn(&Reader) -> Result<(), Diagnostic>,
}

/// Runs from collect to post.
pub fn run(
    ledger: &mut Ledger,
    options: RunOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    run_on_terms(ledger, options, Terms { known_until_ms: None, accept: &|_| Ok(()) }, progress)
}

pub(crate) fn run_on_terms(
    ledger: &mut Ledger,
    options: RunOptions<'_>,
    terms: Terms<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let mut transaction =
        ledger.begin(&RunStart { at_ms: options.at_ms, version: options.version.clone() })?;
    let registry = Mutex::new(Registry::new(dictionary, options.tag_schema));
    let Collected { sources, mut changed, mut changed_usage } = if options.collect {
        collect_all(&mut transaction, &registry, &options, progress)?
    } else {
        Collected::default()
    };
    if let Some(until_ms) = terms.known_until_ms {
        changed.extend(transaction.restate_as_known(until_ms)?);
        changed_usage.extend(transaction.restate_usage_as_known(until_ms)?);
    }
    let dictionary = registry.into_inner().unwrap_or_else(PoisonError::into_inner).dictionary;
    transaction.save_dictionary(&dictionary)?;
    let allocated = {
        let with =
            With { rules: options.rules, allocators: options.allocators, threads: options.threads };
        days::allocate(
            &mut transaction,
            &dictionary,
            with,
            Changed { charges: &changed, usage: &changed_usage },
            progress,
        )?
    };
    let allocators = options.allocators.take_costs();
    for (plugin, cost) in &allocators {
        transaction.note_cost(None, plugin, cost)?;
    }
    let conservation = conservation(&transaction)?;
    let whole = sources.iter().all(SourceReport::is_whole)
        && allocated.suspense.is_empty()
        && allocated.unresolved.is_empty();
    let report = RunReport {
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
    };
    (terms.accept)(transaction.reader())?;
    transaction.commit(&RunEnd {
        at_ms: options.at_ms,
        state: report.state,
        generation: allocated.generation,
        charges: report.sources.iter().map(|source| source.charges).sum(),
        rejected: report.sources.iter().map(|source| source.set_aside).sum(),
        note: String::new(),
    })?;
    progress(Progress::Posted);
    Ok(report)
}

#[derive(Default)]
struct Collected {
    sources: Vec<SourceReport>,
    changed: Vec<SourceDay>,
    changed_usage: BTreeSet<(String, Day)>,
}

/// Collectors work beside each other; what they hand over is written source by source.
fn collect_all(
    transaction: &mut Transaction<'_>,
    registry: &Mutex<Registry<'_>>,
    options: &RunOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Collected, Diagnostic> {
    let sources: Vec<&Source> = accrual::in_order(&options.sources).collect();
    let works = sources
        .iter()
        .map(|source| work(transaction, source, options.at_ms))
        .collect::<Result<Vec<_>, _>>()?;
    let periods: Vec<Option<Period>> = works.iter().map(|work| work.request.period).collect();
    feed::feed(works, options.sources_at_once, options.patience, |feeds: Vec<Feed<'_>>| {
        let mut all = Collected::default();
        for ((source, period), feed) in sources.iter().zip(periods).zip(feeds) {
            let billed = accrual::take_back(transaction, source, progress)?;
            all.changed.extend(billed.taken_back.iter().cloned());
            let collection = Collection {
                source,
                period,
                at_ms: options.at_ms,
                billed,
                transaction,
                registry,
                dimensions: options.dimensions,
                threads: options.threads,
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

/// What a source is given: its state, and the days that are missing or may have been restated.
fn work<'s>(ledger: &Reader, source: &'s Source, at_ms: i64) -> Result<Work<'s>, Diagnostic> {
    let mut request =
        CollectRequest { state: ledger.state(&source.name)?, ..source.request.clone() };
    if let (None, Some(window)) = (request.period, source.window) {
        let coverage = Coverage::of(&ledger.attempts(&source.name)?);
        request.period = Some(window.period(&coverage, Day::of_instant(at_ms)));
    }
    Ok(Work { collector: &*source.collector, request })
}

/// Reads everything back from the postings and holds it against what the sources stated.
fn conservation(transaction: &Transaction<'_>) -> Result<Vec<Conservation>, Diagnostic> {
    let mut by_currency: BTreeMap<Currency, (Conservation, Sum)> = BTreeMap::new();
    let zero = |currency| Conservation {
        currency,
        charges: 0,
        charged: Sum::ZERO,
        teams: Sum::ZERO,
        pools: Sum::ZERO,
        excluded: Sum::ZERO,
        unallocated: Sum::ZERO,
        suspense: Sum::ZERO,
        rounding: Sum::ZERO,
        difference: Sum::ZERO,
    };
    for day in transaction.source_days(Period::all())? {
        let currency = day.source_day.currency;
        let (line, billed) =
            by_currency.entry(currency).or_insert_with(|| (zero(currency), Sum::ZERO));
        line.charges += day.totals.charges;
        line.charged +=
            day.totals.effective + Sum::from_nanos(day.totals.effective_rest.rounded_nanos());
        *billed += day.totals.billed + Sum::from_nanos(day.totals.billed_rest.rounded_nanos());
    }
    for balance in transaction.balances(&BalanceFilter::of(Period::all()))? {
        let (line, billed) = by_currency
            .entry(balance.currency)
            .or_insert_with(|| (zero(balance.currency), Sum::ZERO));
        let amount = balance.amount;
        match balance.account {
            Account::Provider(_) => *billed += amount,
            Account::Prepaid(_) => {}
            Account::Team(_) => line.teams += amount,
            Account::Pool(_) => line.pools += amount,
            Account::Excluded(_) => line.excluded += amount,
            Account::Unallocated => line.unallocated += amount,
            Account::Suspense => line.suspense += amount,
            Account::Rounding(_) => line.rounding += amount,
        }
    }
    by_currency.into_values().map(|(line, billed)| line.proved(billed)).collect()
}

impl Conservation {
    /// The line, if what went in came out in both bases.
    fn proved(mut self, billed_difference: Sum) -> Result<Conservation, Diagnostic> {
        let placed = self.teams
            + self.pools
            + self.excluded
            + self.unallocated
            + self.suspense
            + self.rounding;
        self.difference = self.charged - placed;
        if self.difference.is_zero() && billed_difference.is_zero() {
            return Ok(self);
        }
        Err(Diagnostic::new(
            code::CONSERVATION,
            format!(
                "{}: {} was charged and {placed} stands in the accounts; billed amounts differ by {billed_difference}; nothing was posted",
                self.currency, self.charged
            ),
        )
        .hint("this is a fault of Apportion: keep the ledger file, run `apportion ledger verify`, and report both outputs"))
    }
}
