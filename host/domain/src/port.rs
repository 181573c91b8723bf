//! The few ports through which the pipeline reaches plugins and rules, so that it runs with fakes.

use crate::charge::{ChargeLine, ChargeTable, RawCharge, RawUsage, Rejected};
use crate::code::PLUGIN_NOT_FOUND;
use crate::decision::{Outcome, OutcomeId, Target};
use crate::diagnostic::Diagnostic;
use crate::dictionary::{Dictionary, ResourceId};
use crate::entry::RuleVersion;
use crate::field::Field;
use crate::mapping::{Mapping, UsageMapping};
use crate::money::{Currency, Sum};
use crate::period::{Day, Period};
use crate::usage::Usage;
use std::path::PathBuf;

/// Which plugin did something: enough to reproduce it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginIdentity {
    pub name: String,
    pub version: String,
    /// SHA-256 of the component, hex.
    pub digest: String,
}

/// What a source may be asked for.
#[derive(Clone, Debug)]
pub struct CollectRequest {
    pub source: String,
    /// The source's own settings as JSON.
    pub config: String,
    /// `None`: all there is.
    pub period: Option<Period>,
    pub state: Option<String>,
    /// The run's logical time, RFC 3339.
    pub now: String,
    /// Files that the operator granted, in a fixed order, each with the name that the plugin sees.
    pub tables: Vec<GrantedTable>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedTable {
    pub name: String,
    pub path: PathBuf,
    /// What separates the cells of a CSV file.
    pub delimiter: u8,
}

/// One page from a collector.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub rows: Rows,
    pub usage: Vec<RawUsage>,
    pub rejected: Vec<Rejected>,
    /// To be given to the next collection, committed together with the rows.
    pub state: Option<String>,
    /// Days of which the source has no more than what this collection has.
    pub complete: Vec<Period>,
    pub unknown: Vec<UnknownDays>,
}

/// Days that a source does not know: without rows they are gaps, and not days without costs.
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

/// What a plugin's work cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginCost {
    /// Fresh instances: collections with their repetitions, or calls of an allocator.
    pub starts: u64,
    /// From the first instruction to the last, in millionths of a second.
    pub wall_us: u64,
    /// Of that, what the host spent outside on its behalf.
    pub waited_us: u64,
    /// The most that an instance had.
    pub memory_bytes: u64,
    /// What it handed over.
    pub rows: u64,
    pub bytes: u64,
    /// Calls out of the guest.
    pub host_calls: u64,
    /// Those of them that went outside.
    pub requests: u64,
    /// Those that were refused.
    pub denials: u64,
    /// What allocators burned; collectors are bounded by time.
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

/// Yields what a source charged. Every batch goes to `sink`; its refusal ends the collection.
pub trait Collector: Send + Sync {
    fn identity(&self) -> &PluginIdentity;
    fn check(&self, request: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic>;
    fn collect(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic>;
    /// The same, and what it cost.
    fn collect_metered(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> (Result<(), Diagnostic>, PluginCost) {
        (self.collect(request, sink), PluginCost { starts: 1, ..PluginCost::default() })
    }
}

/// When a rule has its say, and over what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Over what was charged.
    #[default]
    Attribution,
    /// Over the pool that is named like the rule.
    Distribution,
    /// Over the cost of a team that serves others.
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

/// How costs are passed on among those that feed each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutual {
    /// Solved as a whole: everybody pays for what the others pass on to it.
    #[default]
    Reciprocal,
    /// In the order of priority; who has passed its cost on gets nothing back.
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

/// A rule as it stands in a generation.
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
    /// Digest over all rules and tables, hex.
    fn generation(&self) -> &str;
    /// In the order in which they are tried.
    fn facts(&self) -> &[RuleFacts];
    /// Lookup tables by name with their text, stored with the generation.
    fn tables(&self) -> Vec<(String, String)>;
    /// Whether usage of this team can be charged to it.
    fn knows_team(&self, _team: &str) -> bool {
        true
    }
    /// The first cell behind a key of a lookup table.
    fn cell(&self, table: &str, key: &str) -> Option<String>;
    /// A decider with empty memos, for one run.
    fn decider(&self) -> Box<dyn Decider + '_>;
}

/// Allocator plugins: they weigh, and never see or move an amount of a single charge.
pub trait Allocators: Sync {
    /// One weight for each target, in their order.
    fn weights(&self, call: &AllocatorCall<'_>) -> Result<Vec<u64>, Diagnostic>;
    /// What they cost since they were asked last.
    fn take_costs(&self) -> Vec<(PluginIdentity, PluginCost)> {
        Vec::new()
    }
}

/// Where there are no plugins: every question fails.
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

/// A pool of a day with all that may decide over its shares.
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

/// Takes decisions for one run; remembers what it decided.
pub trait Decider {
    /// Decides for a resource on a day. Without `line`, a rule that reads an amount or a date answers `OutcomeId::PER_CHARGE`.
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> OutcomeId;
    /// What the rules of the later stages that are valid on a day say, in the order of their priority: who passes on what.
    fn later_stages(&mut self, day: Day) -> Vec<OutcomeId>;
    /// Days on which another set of rules becomes valid, ascending. Between two of them decisions do not depend on the day.
    fn turning_days(&self) -> Vec<Day>;
    /// All outcomes so far; `OutcomeId` is the index.
    fn outcomes(&self) -> &[Outcome];
    /// Script calls made so far: the cost of the rules phase.
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
    /// Every rule tried, in order, with what it read and whether it matched.
    pub tried: Vec<TriedRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedRule {
    pub rule: RuleVersion,
    pub matched: bool,
    pub read: Vec<(String, String)>,
    /// Where in the source the deciding call stands; 0 if unknown.
    pub line: u32,
}

/// The name by which rules read a field that is not a dimension.
pub const LINE_FIELDS: [&str; 3] = ["charge_period_start", "billed_cost", "effective_cost"];

/// Whether rules can read it at all.
pub fn is_readable(name: &str) -> bool {
    Field::by_name(name).is_some() || LINE_FIELDS.contains(&name) || name == "billing_currency"
}
