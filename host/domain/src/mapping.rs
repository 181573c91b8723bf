//! How the rows of a table become charges: which column or constant feeds what, and how its cells are written.
//!
//! A collector says it, the host does it. No row enters the guest.

use crate::field::Field;
use crate::period::DateOrder;

/// What a column can feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feed {
    Dimension(Field),
    BilledCost,
    EffectiveCost,
    BillingCurrency,
    ChargePeriodStart,
    /// A column with all tags in it, in any of the spellings of `tag::parse`.
    Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A column by its exact header.
    Column(String),
    Constant(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedFrom {
    pub feed: Feed,
    pub origin: Origin,
}

/// A column that holds the value of one tag, such as `resourceTags/user:team`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagColumn {
    pub key: String,
    pub column: String,
}

/// Rows whose column has one of the values are not charges (totals among parts).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    pub column: String,
    pub values: Vec<String>,
}

/// All a host needs to read one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The table as the host named it to the collector.
    pub table: String,
    pub feeds: Vec<FeedFrom>,
    pub tag_columns: Vec<TagColumn>,
    pub skips: Vec<Skip>,
    /// Cells that mean "nothing", beside the empty one.
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
}

impl Mapping {
    pub fn origin(&self, feed: Feed) -> Option<&Origin> {
        self.feeds.iter().find(|from| from.feed == feed).map(|from| &from.origin)
    }
}
