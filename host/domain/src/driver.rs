//! The ways to share a pool: in fixed parts, by cost, by usage, by tiers, by price, by a plugin's
//! weights.
//!
//! Each way stands in a file of its own and answers there all that the house asks of it
//! (`method::DriverMethod`): its shares, its words, and the usage and costs that it looks at. A new
//! way is a file beside these and a variant below. The ledger's stored form
//! (`ledger::outcome::driver`) does not compile without it. The function that scripts call is to be
//! added in `rule_engine::drivers`.

pub mod bounds;
pub mod candidates;
pub mod cost;
pub mod even;
pub mod facts;
pub mod fixed;
pub mod method;
mod naming;
pub mod plugin;
pub mod rate_card;
pub mod tiers;
pub mod usage;

use cost::CostDriver;
use fixed::FixedDriver;
use method::DriverMethod;
use plugin::PluginDriver;
use rate_card::RateCard;
use tiers::TieredDriver;
use usage::UsageDriver;

/// The thing that shares are in proportion to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Driver {
    Fixed(FixedDriver),
    Cost(CostDriver),
    Usage(UsageDriver),
    Tiers(TieredDriver),
    RateCard(RateCard),
    Plugin(PluginDriver),
}

impl Driver {
    /// Whether it gives each recipient an amount. Amounts add up to the pool, so no bound can move
    /// them.
    pub fn gives_amounts(&self) -> bool {
        matches!(self, Driver::Tiers(_) | Driver::RateCard(_))
    }

    pub(crate) fn method(&self) -> &dyn DriverMethod {
        match self {
            Driver::Fixed(fixed) => fixed,
            Driver::Cost(cost) => cost,
            Driver::Usage(usage) => usage,
            Driver::Tiers(tiers) => tiers,
            Driver::RateCard(card) => card,
            Driver::Plugin(plugin) => plugin,
        }
    }
}
