//! What a rule answers, and the table of the answers that a run met.

use crate::money::Money;
use crate::usage::Quantity;
use std::collections::BTreeMap;

/// A team that bears a cost, as a rule says it. Cost center, environment and application are dimensions, not accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub team: String,
    pub cost_center: Option<String>,
    pub environment: Option<String>,
    pub application: Option<String>,
}

impl Target {
    pub fn team(team: impl Into<String>) -> Target {
        Target { team: team.into(), ..Target::default() }
    }
}

/// Who gets an amount, or a share of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipient {
    Team(Target),
    /// The pool of the distribution rule with this id.
    Pool(String),
    /// Nobody known: visible, and not lost.
    Unallocated,
}

impl Recipient {
    pub fn team(team: impl Into<String>) -> Recipient {
        Recipient::Team(Target::team(team))
    }

    pub fn target(&self) -> Option<&Target> {
        match self {
            Recipient::Team(target) => Some(target),
            Recipient::Pool(_) | Recipient::Unallocated => None,
        }
    }
}

impl From<Target> for Recipient {
    fn from(target: Target) -> Recipient {
        Recipient::Team(target)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// One recipient gets all.
    Assign(Recipient),
    /// Several share it: it passes through the rule's pool.
    Spread(Box<Spread>),
    /// Set aside from the teams.
    Exclude { reason: String },
}

/// How a pool is shared on a day.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    pub by: Driver,
    pub when_zero: WhenZero,
    pub when_negative: WhenNegative,
    /// What single recipients bear at least and at most.
    pub bounds: Vec<Bound>,
}

impl Spread {
    pub fn new(by: Driver) -> Spread {
        Spread {
            by,
            when_zero: WhenZero::default(),
            when_negative: WhenNegative::default(),
            bounds: Vec::new(),
        }
    }

    /// The teams that it names, whatever the day is like.
    pub fn teams(&self) -> Vec<&str> {
        let mut teams = Vec::new();
        let recipients: Vec<&Recipient> = match &self.by {
            Driver::Fixed(weights) => weights.iter().map(|(recipient, _)| recipient).collect(),
            Driver::Usage(usage) => usage.recipients(),
            Driver::RateCard { usage, remainder, .. } => {
                usage.recipients().into_iter().chain([remainder]).collect()
            }
            Driver::Tiers(tiers) => {
                teams.extend(tiers.iter().flat_map(|tier| tier.spread.teams()));
                Vec::new()
            }
            Driver::Cost { .. } | Driver::Plugin { .. } => Vec::new(),
        };
        let among = match &self.by {
            Driver::Cost { among, .. } | Driver::Plugin { among, .. } => Some(among),
            Driver::Usage(usage) | Driver::RateCard { usage, .. } => Some(&usage.among),
            Driver::Fixed(_) | Driver::Tiers(_) => None,
        };
        if let Some(Candidates::Listed(targets)) = among {
            teams.extend(targets.iter().map(|target| target.team.as_str()));
        }
        if let WhenZero::Spread(fallback) = &self.when_zero {
            teams.extend(fallback.teams());
        }
        let bounded = self.bounds.iter().map(|bound| &bound.recipient);
        teams.extend(
            recipients
                .into_iter()
                .chain(bounded)
                .filter_map(Recipient::target)
                .map(|target| target.team.as_str()),
        );
        teams
    }

    /// Whether the day's total of the pool decides over the shares, and not only over the amounts.
    pub fn hangs_on_total(&self) -> bool {
        let fallback =
            matches!(&self.when_zero, WhenZero::Spread(spread) if spread.hangs_on_total());
        fallback
            || !self.bounds.is_empty()
            || matches!(self.by, Driver::Tiers(_) | Driver::RateCard { .. } | Driver::Plugin { .. })
    }
}

/// What the shares are in proportion to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Driver {
    /// Fixed weights, in order; at least one is positive.
    Fixed(Vec<(Recipient, u64)>),
    /// Direct cost of the day.
    Cost { among: Candidates, filter: DriverFilter, basis: Basis },
    /// Usage of the day, or of a window that ends with it.
    Usage(UsageDriver),
    /// Slices of the pool's total of the day, from the first unit on, each with a spread of its own.
    Tiers(Vec<Tier>),
    /// Usage at a price; what the prices leave of the pool, or take from it, goes to `remainder`.
    RateCard { usage: UsageDriver, prices: Vec<Price>, remainder: Recipient },
    /// Weights from an allocator plugin.
    Plugin { plugin: String, config: String, among: Candidates, metrics: Vec<String> },
}

/// Which usage counts, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageDriver {
    pub metric: String,
    pub filter: DriverFilter,
    /// The key whose value says who used it.
    pub key: String,
    /// Only these teams, where given.
    pub among: Candidates,
    /// Recipients by the key's value, asked before the table.
    pub recipients: BTreeMap<String, Recipient>,
    /// A lookup table that has the team for the key's value. Without one, the value is the team.
    pub table: Option<String>,
    pub unknown: Unknown,
    pub window: Window,
}

impl UsageDriver {
    fn recipients(&self) -> Vec<&Recipient> {
        let unknown = match &self.unknown {
            Unknown::To(recipient) => Some(recipient),
            Unknown::Ignore => None,
        };
        self.recipients.values().chain(unknown).collect()
    }
}

/// Who bears the share of usage that cannot be told to be anybody's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    To(Recipient),
    /// It does not count, so that the others bear it.
    Ignore,
}

/// The days whose usage counts, the day of the charges being the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    Days(u16),
    /// The calendar month that the day is in, also the days after it.
    Month,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tier {
    /// Up to this total of the day; the last tier has no end.
    pub upto: Option<Money>,
    pub spread: Spread,
}

/// A unit price, for usage up to a quantity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Price {
    pub upto: Option<Quantity>,
    pub price: UnitPrice,
}

/// In 10⁻¹⁸ of the currency's unit for each whole unit of usage: a byte costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitPrice(pub i128);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    pub recipient: Recipient,
    pub at_least: Option<Limit>,
    pub at_most: Option<Limit>,
}

/// A part of a pool's total of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    Amount(Money),
    /// In millionths of the total.
    Part(u32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    #[default]
    Effective,
    Billed,
}

/// What happens to a pool whose weights add up to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum WhenZero {
    /// It stays in the pool, visible.
    #[default]
    Stay,
    Even,
    /// Another spread takes its place.
    Spread(Box<Spread>),
}

/// What a negative weight means, such as a team whose credits are larger than its costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum WhenNegative {
    /// It counts as zero.
    #[default]
    Zero,
    /// It takes a share of the other sign: of 100 by 100 : −20, the shares are 125 and −25.
    Keep,
    /// The pool stays where it is.
    Stay,
}

/// Which direct costs or usage count: every pair must hold. The key is a dimension's name or `tag:<key>`.
pub type DriverFilter = BTreeMap<String, String>;

/// Among whom a pool is shared: those listed, in that order, or every team that the driver knows, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Candidates {
    Listed(Vec<Target>),
    AllTeams,
}

impl From<Spread> for Decision {
    fn from(spread: Spread) -> Decision {
        Decision::Spread(Box::new(spread))
    }
}

impl Decision {
    pub fn fixed(weights: Vec<(Recipient, u64)>) -> Decision {
        Spread::new(Driver::Fixed(weights)).into()
    }

    /// The teams that it names.
    pub fn teams(&self) -> Vec<&str> {
        match self {
            Decision::Assign(recipient) => {
                recipient.target().into_iter().map(|target| target.team.as_str()).collect()
            }
            Decision::Spread(spread) => spread.teams(),
            Decision::Exclude { .. } => Vec::new(),
        }
    }

    /// Whether each charge is split by itself, and not the day's total of the pool.
    pub fn is_split_by_charge(&self) -> bool {
        matches!(self, Decision::Spread(spread) if !spread.hangs_on_total())
    }
}

/// A decision with the rule that took it. `RuleIndex` points into the generation's rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Decided {
        rule: RuleIndex,
        decision: Decision,
    },
    /// No rule claimed it.
    Unallocated,
    /// A rule failed on it; the text is the diagnostic.
    Suspense {
        rule: RuleIndex,
        diagnostic: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub u32);

/// An outcome in the table of its generation. Number 0 is always `Unallocated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutcomeId(pub u32);

impl OutcomeId {
    pub const UNALLOCATED: OutcomeId = OutcomeId(0);
    /// Not an outcome: the decision hangs on the single charge, because a rule read an amount or a date.
    pub const PER_CHARGE: OutcomeId = OutcomeId(u32::MAX);
}
