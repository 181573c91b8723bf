//! How the rows of a table become charges or usage: which column or constant feeds what, and how its cells are written.
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
    /// The first choice that fits and gives something.
    FirstOf(Vec<Choice>),
}

/// One way to get a value out of the other cells of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// All of them have to hold; without any it always fits.
    pub when: Vec<Condition>,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub column: String,
    /// The cell is one of these, or with `negated` none of them; an empty text stands for a cell that says nothing.
    pub values: Vec<String>,
    pub negated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Column(String),
    Constant(String),
    /// Amounts added up exactly; cells that say nothing are left out, and of nothing but such comes nothing.
    Sum(Vec<Term>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub column: String,
    pub subtract: bool,
    /// Of a cell that is a list of objects: what their members of this name add up to.
    pub member: Option<String>,
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
    /// Taken off the front of the keys in a column of tags.
    pub tag_prefixes: Vec<String>,
    /// Whether rows may end early, with nothing in the cells that are missing.
    pub short_rows: bool,
}

impl Mapping {
    pub fn origin(&self, feed: Feed) -> Option<&Origin> {
        self.feeds.iter().find(|from| from.feed == feed).map(|from| &from.origin)
    }
}

/// A quantity of each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricFrom {
    pub metric: Origin,
    /// The column that holds the quantity, by its exact header. An empty cell says nothing and is no fault.
    pub value: String,
    pub unit: Origin,
}

/// To whom a row's quantities belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFrom {
    pub key: String,
    pub origin: Origin,
}

/// All a host needs to read usage from one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMapping {
    /// The table as the host named it to the collector.
    pub table: String,
    pub period_start: Origin,
    /// One in a long table; one for each of its columns of quantities in a wide one.
    pub metrics: Vec<MetricFrom>,
    pub keys: Vec<KeyFrom>,
    /// A column with many keys in it, in any of the spellings of `tag::parse`; a key of `keys` takes precedence.
    pub tags: Option<String>,
    pub skips: Vec<Skip>,
    /// Cells that mean "nothing", beside the empty one.
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
}
