//! The settings of a rule set: which fields, limits, teams and allocators its rules have.

use domain::charge::KeptDetails;
use domain::field::Field;
use domain::tag::TagSchema;
use std::collections::BTreeMap;

/// The settings that rules are compiled with.
#[derive(Clone, Debug)]
pub struct RuleOptions {
    /// The dimensions that are collected. A rule that reads another one is refused.
    pub dimensions: Vec<Field>,
    /// The details that are kept of any source. A rule that reads another one is refused.
    pub details: KeptDetails,
    pub limits: RuleLimits,
    /// A rule without a doc comment is an error instead of a warning.
    pub require_doc: bool,
    /// Allocator plugins by name, with the digest of each. They count into the generation if a rule
    /// asks plugins.
    pub allocators: BTreeMap<String, Vec<u8>>,
    pub unknown_teams: UnknownTeams,
    pub failing_cases: FailingCases,
    /// The spellings of tags. Teams and cells of tables are spelled by them too.
    pub tags: TagSchema,
    /// The settings that decide money beside the rules, by section with their text. They count into
    /// the generation.
    pub settings: Vec<(String, String)>,
}

impl Default for RuleOptions {
    fn default() -> RuleOptions {
        RuleOptions {
            dimensions: Field::default_dimensions(),
            details: KeptDetails::default(),
            limits: RuleLimits::default(),
            require_doc: false,
            allocators: BTreeMap::new(),
            unknown_teams: UnknownTeams::Allow,
            failing_cases: FailingCases::Refuse,
            tags: TagSchema::default(),
            settings: Vec::new(),
        }
    }
}

/// The treatment of a cost whose rule names a team that `tables/teams.csv` does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownTeams {
    #[default]
    Allow,
    /// The team bears the cost, and the run prints a warning.
    Warn,
    /// The cost is in suspense. Usage of such a team belongs to nobody.
    Refuse,
}

impl UnknownTeams {
    pub const fn name(self) -> &'static str {
        match self {
            UnknownTeams::Allow => "allow",
            UnknownTeams::Warn => "warn",
            UnknownTeams::Refuse => "refuse",
        }
    }
}

/// The treatment of rules whose cases fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailingCases {
    /// None of the rules is used.
    #[default]
    Refuse,
    /// The rules are used, and the failures are told.
    Warn,
}

/// The bounds of one call of a rule. They are the same in debug and release builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLimits {
    pub operations: u64,
    pub call_levels: usize,
    pub expression_depth: usize,
    pub string_bytes: usize,
    pub array_size: usize,
    pub map_size: usize,
    pub variables: usize,
    pub functions: usize,
    pub strings_interned: usize,
}

impl Default for RuleLimits {
    /// Call levels times expression depth must fit on the stack. A test runs the deepest rule on a
    /// stack of 2 MiB.
    fn default() -> RuleLimits {
        RuleLimits {
            operations: 100_000,
            call_levels: 12,
            expression_depth: 64,
            string_bytes: 4096,
            array_size: 1024,
            map_size: 1024,
            variables: 64,
            functions: 64,
            strings_interned: 1024,
        }
    }
}
