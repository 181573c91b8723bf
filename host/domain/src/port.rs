//! The few ports through which the pipeline reaches plugins and rules. Tests put fakes behind them.

use crate::charge::{ChargeLine, ChargeTable, RawCharge, RawUsage, RejectedRow};
use crate::code::PLUGIN_NOT_FOUND;
use crate::decision::{Outcome, OutcomeId};
use crate::diagnostic::Diagnostic;
use crate::dictionary::{Dictionary, ResourceId};
use crate::entry::RuleVersion;
use crate::mapping::{Mapping, UsageMapping};
use crate::money::{Currency, Sum};
use crate::period::{Day, Period};
use crate::recipient::Target;
use crate::text_form::TextForm;
use crate::usage::Usage;
use std::path::PathBuf;

/// One build of a plugin: enough to reproduce its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginIdentity {
    pub name: String,
    pub version: String,
    /// SHA-256 of the component, hex.
    pub digest: String,
}

/// A question to a source.
#[derive(Clone, Debug)]
pub struct CollectRequest {
    pub source: String,
    /// The source's own settings as JSON.
    pub config: String,
    /// Without a period, the source gives all that it has.
    pub period: Option<Period>,
    pub state: Option<String>,
    /// The run's logical time, RFC 3339.
    pub now: String,
    /// The files that the operator granted, in a fixed order, with their names for the plugin.
    pub tables: Vec<GrantedTable>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedTable {
    pub name: String,
    pub path: PathBuf,
    /// How it is written, if it is text.
    pub form: TextForm,
}

/// One page from a collector.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub rows: Rows,
    pub usage: Vec<RawUsage>,
    pub rejected: Vec<RejectedRow>,
    /// For the next collection. It is committed together with the rows.
    pub state: Option<String>,
    /// Days that this collection has completely.
    pub complete: Vec<Period>,
    pub unknown: Vec<UnknownDays>,
    /// The deliveries that the source has found, those that it leaves out too.
    pub deliveries: Vec<Delivery>,
}

/// Files that belong together: a run of an export, or a report of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Such as the folder of an export's run.
    pub name: String,
    /// The first day of the billing period that it states as a whole. What an earlier delivery said
    /// of that period, and this one does not, is taken back.
    pub billing_period: Option<Day>,
    /// Why it does not count. `None` where it counts.
    pub left_out: Option<String>,
}

/// Days that a source does not know. Without rows they are gaps, and not days without costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDays {
    pub period: Period,
    pub reason: String,
}

#[derive(Clone, Debug)]
pub enum Rows {
    Charges(Vec<RawCharge>),
    Table(ChargeTable),
    Mapped(Mapping),
    MappedUsage(UsageMapping),
}

impl Default for Rows {
    fn default() -> Rows {
        Rows::Charges(Vec::new())
    }
}

/// The cost of a plugin's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginCost {
    /// Fresh instances: collections with their repetitions, or calls of an allocator.
    pub starts: u64,
    /// From the first instruction to the last, in millionths of a second.
    pub wall_us: u64,
    /// The part of it that the host spent outside on its behalf.
    pub waited_us: u64,
    /// The largest memory of an instance.
    pub memory_bytes: u64,
    /// The rows of its source: those that it handed over, and those of tables that it mapped.
    pub rows: u64,
    pub bytes: u64,
    /// Calls out of the guest.
    pub host_calls: u64,
    /// The calls that went outside.
    pub requests: u64,
    /// The calls that were refused, except those by which a plugin learns that an optional power is
    /// not granted.
    pub denials: u64,
    /// Of allocators. Collectors are bounded by time.
    pub fuel: u64,
}

impl PluginCost {
    /// Every figure by its name.
    pub fn figures(&self) -> [(&'static str, u64); 10] {
        [
            ("starts", self.starts),
            ("wall_us", self.wall_us),
            ("waited_us", self.waited_us),
            ("memory_bytes", self.memory_bytes),
            ("rows", self.rows),
            ("bytes", self.bytes),
            ("host_calls", self.host_calls),
            ("requests", self.requests),
            ("denials", self.denials),
            ("fuel", self.fuel),
        ]
    }

    pub fn add(&mut self, other: &PluginCost) {
        self.starts += other.starts;
        self.wall_us += other.wall_us;
        self.waited_us += other.waited_us;
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.host_calls += other.host_calls;
        self.requests += other.requests;
        self.denials += other.denials;
        self.fuel += other.fuel;
    }
}

/// Yields the charges of a source. Every batch goes to `sink`, whose refusal ends the collection.
pub trait Collector: Send + Sync {
    fn identity(&self) -> &PluginIdentity;
    fn check(&self, request: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic>;
    fn collect(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic>;
    /// Collects, and measures the cost.
    fn collect_metered(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> (Result<(), Diagnostic>, PluginCost) {
        (self.collect(request, sink), PluginCost { starts: 1, ..PluginCost::default() })
    }
}

/// The costs that a rule decides over, and its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Charges.
    #[default]
    Attribution,
    /// The pool that is named like the rule.
    Distribution,
    /// The cost of a team that serves others.
    Cascade(String),
}

impl Stage {
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Attribution => "attribution",
            Stage::Distribution => "distribution",
            Stage::Cascade(_) => "cascade",
        }
    }
}

/// How pools and teams that feed each other pass costs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutual {
    /// Solved as a whole: each bears its part of the costs that the others pass on to it.
    #[default]
    Reciprocal,
    /// One after another, by priority. A pool or team that has had its turn gets nothing back.
    StepDown,
}

impl Mutual {
    pub fn name(self) -> &'static str {
        match self {
            Mutual::Reciprocal => "reciprocal",
            Mutual::StepDown => "step_down",
        }
    }

    pub fn by_name(name: &str) -> Option<Mutual> {
        [Mutual::Reciprocal, Mutual::StepDown].into_iter().find(|known| known.name() == name)
    }
}

/// A rule of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFacts {
    pub version: RuleVersion,
    pub name: String,
    pub priority: i64,
    pub owner: String,
    pub review_by: Option<Day>,
    pub description: String,
    pub enabled: bool,
    pub from: Option<Day>,
    pub until: Option<Day>,
    pub stage: Stage,
    pub mutual: Mutual,
    pub source: String,
}

/// A compiled, immutable set of rules.
pub trait Rules: Send + Sync {
    /// Digest over all that decides money: rules, tables and settings. Hex.
    fn generation(&self) -> &str;
    /// In the order in which rules are tried.
    fn facts(&self) -> &[RuleFacts];
    /// Lookup tables by name with their text, stored with the generation.
    fn tables(&self) -> Vec<(String, String)>;
    /// The team that a name means on a day, with its cost center. `None` if it cannot be charged.
    fn team(&self, name: &str, _day: Day) -> Option<Target> {
        Some(Target::team(name))
    }
    /// The first cell behind a key of a lookup table, on a day.
    fn cell(&self, table: &str, key: &[String], day: Day) -> Option<String>;
    /// The settings that decide money, by section with their text, stored with the generation.
    fn settings(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// Whether a rule reads details of charges. They are read from the ledger only then.
    fn reads_details(&self) -> bool {
        false
    }
    /// A decider with empty memos, for one run.
    fn decider(&self) -> Box<dyn Decider + '_>;
}

/// Allocator plugins. They weigh, and never see or move the amount of a single charge.
pub trait Allocators: Sync {
    /// One weight for each target, in their order.
    fn weights(&self, call: &AllocatorCall<'_>) -> Result<Vec<u64>, Diagnostic>;
    /// The costs since the last call of this.
    fn take_costs(&self) -> Vec<(PluginIdentity, PluginCost)> {
        Vec::new()
    }
}

/// No plugins: every question fails.
#[derive(Clone, Copy, Debug)]
pub struct NoAllocators;

impl Allocators for NoAllocators {
    fn weights(&self, call: &AllocatorCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        Err(Diagnostic::new(
            PLUGIN_NOT_FOUND,
            format!(
                "{} asks the allocator plugin '{}', and there are no plugins here",
                call.rule, call.plugin
            ),
        ))
    }
}

/// One question to an allocator: a pool of a day, with everything that may decide over its shares.
#[derive(Debug)]
pub struct AllocatorCall<'a> {
    pub plugin: &'a str,
    /// The rule's own settings for the plugin, as JSON.
    pub config: &'a str,
    pub rule: &'a str,
    pub day: Day,
    pub currency: Currency,
    pub total: Sum,
    pub targets: &'a [Target],
    pub usage: Vec<&'a Usage>,
}

/// Takes decisions for one run, and remembers them.
pub trait Decider {
    /// Decides for a resource on a day. Without `line`, a rule that reads an amount or a date
    /// answers `OutcomeId::PER_CHARGE`.
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> OutcomeId;
    /// The spreads of pools and serving teams: answers of the later stages' rules that are valid on
    /// a day, by priority.
    fn later_stages(&mut self, day: Day) -> Vec<OutcomeId>;
    /// All outcomes so far; `OutcomeId` is the index.
    fn outcomes(&self) -> &[Outcome];
    /// Script calls so far: the cost of the rules phase.
    fn calls(&self) -> u64;
    /// The fields and tags that the deciding rule read for this resource, with their values.
    fn explain(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> Explanation;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Every rule tried, in order.
    pub tried: Vec<TriedRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedRule {
    pub rule: RuleVersion,
    pub matched: bool,
    pub read: Vec<(String, String)>,
    /// The line of the deciding call in the source; 0 if unknown.
    pub line: u32,
}

/// The names by which rules read what each charge has of its own, beside details.
pub const LINE_FIELDS: [&str; 3] = ["charge_period_start", "billed_cost", "effective_cost"];
