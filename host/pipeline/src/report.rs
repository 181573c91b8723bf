//! The results of a run: by source, for the rules, and for the ledger as a whole.

use crate::feed::FeedEnd;
use crate::gather::{ChargeDay, exact_text, exact_totals};
use crate::usage::UsageReport;
use crate::withdraw::{Restatement, Withdrawal};
use domain::account::Account;
use domain::axis::Axis;
use domain::charge::RejectedRow;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::money::{Currency, Sum};
use domain::period::Period;
use domain::port::{Delivery, PluginCost, PluginIdentity, UnknownDays};
use domain::run::{DayTotals, RunId, RunState};
use foldhash::HashMap;
use ledger::{BalanceFilter, Reader};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct RunReport {
    pub run: RunId,
    pub state: RunState,
    pub sources: Vec<SourceReport>,
    /// The cost of allocator plugins.
    pub allocators: Vec<(PluginIdentity, PluginCost)>,
    /// Days that were allocated in this run.
    pub days: u64,
    pub entries_posted: u64,
    pub entries_reversed: u64,
    pub entries_unchanged: u64,
    pub rule_calls: u64,
    pub resources: u64,
    /// The reasons of charges in suspense; at most `SUSPENSE_SHOWN`.
    pub suspense: Vec<String>,
    /// The reasons of costs that were not passed on. They stay where they are.
    pub unresolved: Vec<String>,
    pub conservation: Vec<Conservation>,
    pub stages: StageTimes,
}

/// The time of a run by stage, by the clock of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    pub collect_ms: i64,
    pub allocate_ms: i64,
    pub post_ms: i64,
}

impl StageTimes {
    /// Each stage by its name, in the order of a run.
    pub fn named(self) -> [(&'static str, i64); 3] {
        [("collect", self.collect_ms), ("allocate", self.allocate_ms), ("post", self.post_ms)]
    }
}

#[derive(Clone, Debug)]
pub struct SourceReport {
    pub name: String,
    pub plugin: PluginIdentity,
    pub charges: u64,
    pub set_aside: u64,
    /// Estimates left out because the bill has their day.
    pub billed: u64,
    /// Days of which estimates were taken back in this run.
    pub days_taken_back: u64,
    /// Days that the source says it does not know.
    pub unknown: Vec<UnknownDays>,
    /// The first rows that were set aside.
    pub rejected: Vec<RejectedRow>,
    /// Rows of days that were not asked for, which were left out.
    pub outside_period: u64,
    pub deliveries: Vec<Delivery>,
    /// What earlier deliveries said, and this collection does not say any more.
    pub withdrawn: Vec<Withdrawal>,
    /// Days of which the charges are others than before.
    pub restated: Vec<Restatement>,
    /// Days that would have been taken back, if all rows could be read.
    pub days_kept: u64,
    /// Days with charges, and days with usage of a metric, that stood under a former name.
    pub days_taken_over: u64,
    /// Findings that leave the charges as they are.
    pub warnings: Vec<Diagnostic>,
    pub days_new: u64,
    pub days_changed: u64,
    pub days_unchanged: u64,
    /// By currency, the exact billed and effective totals of the collected charges.
    pub totals: Vec<(Currency, String, String)>,
    pub usage: UsageReport,
    /// The days that it was asked for. Without a period, it was asked for everything.
    pub period: Option<Period>,
    pub tries: u32,
    /// Whether it refused its state and was collected without it.
    pub without_state: bool,
    pub cost: PluginCost,
    pub failure: Option<Diagnostic>,
}

/// The charges of the whole ledger, or of a plan's period, held against the accounts in which they
/// stand.
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
            outside_period: 0,
            deliveries: Vec::new(),
            withdrawn: Vec::new(),
            restated: Vec::new(),
            days_kept: 0,
            days_taken_over: 0,
            warnings: Vec::new(),
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

    pub(crate) fn set_effort(&mut self, period: Option<Period>, end: &FeedEnd) {
        (self.period, self.tries, self.cost) = (period, end.tries, end.cost);
        self.without_state = end.without_state && end.outcome.is_ok();
    }

    pub(crate) fn set_totals(&mut self, totals: &HashMap<ChargeDay, DayTotals>) {
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

    /// Rows that were read of the source, whether its plugin handed them over or the host read them
    /// from a table that the plugin mapped.
    pub(crate) fn rows_read(&self) -> u64 {
        self.charges + self.set_aside + self.billed + self.outside_period + self.usage.rows
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.failure.is_none() && self.set_aside == 0
    }
}

/// Reads everything back from the postings, and holds it against the statements of the sources.
pub(crate) fn conservation(
    ledger: &Reader,
    axis: Axis,
    period: Period,
) -> Result<Vec<Conservation>, Diagnostic> {
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
    for day in ledger.source_days(period)? {
        let currency = day.source_day.currency;
        let (line, billed) =
            by_currency.entry(currency).or_insert_with(|| (zero(currency), Sum::ZERO));
        line.charges += day.totals.charges;
        line.charged +=
            day.totals.effective + Sum::from_nanos(day.totals.effective_rest.rounded_nanos());
        *billed += day.totals.billed + Sum::from_nanos(day.totals.billed_rest.rounded_nanos());
    }
    for balance in ledger.balances(&BalanceFilter::of(period).on(axis))? {
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
    /// The line, if the same amounts went in and came out, billed and effective.
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
                "{}: {} was charged and {placed} stands in the accounts; billed amounts differ by \
                 {billed_difference}; nothing was posted",
                self.currency, self.charged
            ),
        )
        .hint(our_fault()))
    }
}

/// The hint of a finding that is a fault of the product.
pub(crate) fn our_fault() -> Hint {
    Hint::text("this is a fault of Apportion: keep the ledger file, run ")
        .then(Hint::command("ledger verify"))
        .then(", and report both outputs")
}
