//! The journal: one SQLite file of charges, decisions and postings. The only crate that knows SQL.
//!
//! It knows no clock (times are passed in), no rule language, no plugin and no file format of
//! bills. It promises that the file only grows, that every entry in it balances, that a run is in
//! it as a whole or not at all, and that [`Ledger::verify`] finds what was changed behind its back.
//!
//! Many small things are kept as *blocks*: see the `block` module for why.

mod approval;
mod attempt;
pub mod backup;
mod block;
mod check;
pub mod code;
mod collect;
mod dictionary;
mod digest;
mod error;
mod estimate;
mod generation;
mod intern;
mod known;
pub mod listing;
mod names;
mod open;
mod outcome;
mod period;
mod post;
mod query;
mod resource_days;
mod row;
pub mod rule_work;
mod run;
mod seal;
pub mod segment;
mod standing;
mod turnover;
mod usage;
mod weights;

use domain::account::Account;
use domain::axis::Axis;
use domain::decision::OutcomeId;
use domain::diagnostic::Diagnostic;
use domain::entry::{Entry, EntryKind, RuleVersion};
use domain::generation::Generation;
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use domain::port::{PluginCost, PluginIdentity, UnknownDays};
use domain::recipient::Target;
use domain::run::{DayTotals, RunId, RunState, SourceDay};
use domain::sharing::Sharing;
use domain::usage::{Keys, Quantity};
use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, Diagnostic>;

/// A journal that is only read.
pub struct Reader {
    connection: rusqlite::Connection,
    /// Nothing for a journal in memory.
    path: Option<PathBuf>,
}

/// A journal that is also written. It answers all that a [`Reader`] answers.
pub struct Ledger {
    reader: Reader,
}

/// One run while it is written. [`Transaction::commit`] puts all of it into the journal; if it is
/// dropped before, nothing of it stays.
pub struct Transaction<'a> {
    ledger: &'a mut Ledger,
    run: RunId,
    interner: intern::Interner,
    source_open: bool,
    finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub i64);

/// One collection of one source by one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionId(pub i64);

/// A set of rules and tables as it was used. Equal sets have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GenerationId(pub i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStart {
    pub at_ms: i64,
    /// Of the program.
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    pub at_ms: i64,
    pub state: RunState,
    pub generation: GenerationId,
    pub charges: u64,
    pub rejected: u64,
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    pub id: RunId,
    pub started_at_ms: i64,
    pub version: String,
    /// Nothing while it runs, and forever if it was interrupted.
    pub end: Option<RunRowEnd>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRowEnd {
    pub at_ms: i64,
    pub state: RunState,
    /// Nothing for a run that failed.
    pub generation: Option<GenerationId>,
    pub charges: u64,
    pub rejected: u64,
    pub note: String,
}

/// A run that ended and posted by a generation of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedRun {
    pub id: RunId,
    pub generation: GenerationId,
}

/// How many runs ended in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunCount {
    /// Nothing for runs that have not ended.
    pub state: Option<RunState>,
    pub runs: u64,
    pub last_ended_at_ms: Option<i64>,
}

/// How a source went in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The days that were asked for; without it all there is.
    pub period: Option<Period>,
    /// How often it was tried.
    pub tries: u32,
    /// Whether it refused its state and was collected without.
    pub without_state: bool,
    /// Why nothing of it was kept.
    pub failure: Option<AttemptFailure>,
    /// Days that the source says it does not know.
    pub unknown: Vec<UnknownDays>,
}

/// A failure as the ledger keeps it. Its code may be of a later version, so it is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptFailure {
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

impl From<&Diagnostic> for AttemptFailure {
    fn from(finding: &Diagnostic) -> AttemptFailure {
        AttemptFailure {
            code: finding.code.to_string(),
            message: finding.message.clone(),
            hint: finding.hint_text(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAttempt {
    pub run: RunId,
    /// When the run began.
    pub at_ms: i64,
    pub plugin: PluginIdentity,
    pub attempt: Attempt,
}

/// The cost of a plugin in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCost {
    pub run: RunId,
    /// Nothing for an allocator.
    pub source: Option<String>,
    pub plugin: PluginIdentity,
    pub cost: PluginCost,
}

/// A source-day as it is stated now: the sum of its billing periods. One without charges says that
/// the source took them back. Collection, run and plugin are those of the last statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDay {
    pub source_day: SourceDay,
    pub totals: DayTotals,
    pub collection: CollectionId,
    pub run: RunId,
    pub plugin: PluginIdentity,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSegment {
    /// Of all its charges. Nothing where the source names none.
    pub billing_period: Option<Day>,
    pub rows: u32,
    pub billed: Sum,
    pub effective: Sum,
    /// For [`segment::decode`].
    pub data: Vec<u8>,
}

/// One source's usage of one metric on one day: the unit of restatement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDay<'a> {
    pub source: &'a str,
    pub day: Day,
    pub metric: &'a str,
    pub unit: &'a str,
}

/// Quantities by keys: sorted by them, each once.
pub type UsageRows = Vec<(Keys, Quantity)>;

/// The current statement of a source, day and metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUsageDay {
    pub metric: String,
    pub source: String,
    pub day: Day,
    pub unit: String,
    pub rows: u64,
    pub total: Quantity,
}

/// A statement, compared with the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restated {
    New,
    Changed,
    /// Nothing was stored.
    Unchanged,
}

/// Counts of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    pub posted: u64,
    pub reversed: u64,
    pub unchanged: u64,
}

/// How a shared outcome was spread on a day. Its rule alone does not say, since the weights follow
/// from the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    pub outcome: OutcomeId,
    pub sharing: Sharing,
    /// The station's place in the order: amounts move to later steps only. 0 for charges.
    pub step: u32,
}

/// An entry that counts: neither a reversal nor reversed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingEntry {
    pub id: EntryId,
    pub kind: EntryKind,
    pub source_day: SourceDay,
    pub posting_day: Day,
    pub run: RunId,
    pub generation: GenerationId,
    /// Of the content: equal for equal postings of the same source-day.
    pub digest: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    pub id: EntryId,
    pub run: RunId,
    pub generation: GenerationId,
    pub reverses: Option<EntryId>,
    pub reversed_by: Option<EntryId>,
    pub digest: [u8; 32],
    /// Its link of the chain.
    pub hash: [u8; 32],
    pub entry: Entry,
}

/// Length of the spans that balances are summed over. They are cut at the period's ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    Day,
    /// From Monday on.
    Week,
    Month,
    Whole,
}

/// The amount of one account, source, rule and service in one bucket of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// With [`Bucket::Whole`] the first day on which anything was posted in the period.
    pub bucket_start: Day,
    /// The month of the charges, where they were posted in a later one.
    pub corrects: Option<Month>,
    pub source: String,
    pub account: Account,
    pub target: Option<Target>,
    pub rule: Option<RuleVersion>,
    pub service_name: Option<String>,
    pub currency: Currency,
    pub amount: Sum,
}

/// A filter of balances. Lists hold alternatives; `None` leaves nothing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceFilter {
    period: Period,
    axis: Axis,
    bucket: Bucket,
    accounts: Option<Vec<Account>>,
    sources: Option<Vec<String>>,
}

/// A person's word that rules may post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub at_ms: i64,
    pub approver: String,
    pub note: String,
    /// Digest of the rules and tables, hex.
    pub generation: String,
    /// The text of the plan that was looked at.
    pub plan: Option<String>,
}

/// A set of rules and tables, and the run that used it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationRow {
    pub id: GenerationId,
    pub generation: Generation,
    pub run: RunId,
    /// When that run began.
    pub first_used_at_ms: i64,
    /// Runs that ended with it.
    pub runs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodState {
    Closed,
    Reopened,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodEvent {
    pub month: Month,
    pub state: PeriodState,
    pub at_ms: i64,
    /// A note on closing, the reason of reopening.
    pub note: String,
}

/// The counts of `verify`, and the faults that it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    pub entries: u64,
    pub postings: u64,
    pub source_days: u64,
    pub charges: u64,
    pub findings: Vec<Diagnostic>,
    /// The last link of the chain: worth noting down elsewhere.
    pub head: [u8; 32],
}
