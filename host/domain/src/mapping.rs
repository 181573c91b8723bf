//! How the rows of a table become charges or usage: the column or constant behind each field, and
//! how cells are written.
//!
//! A collector only describes the table. The host reads it, so no row enters the guest.

use crate::field::Field;
use crate::period::{DateOrder, Day};

/// A part of a charge that a column can feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feed {
    Dimension(Field),
    BilledCost,
    EffectiveCost,
    BillingCurrency,
    ChargePeriodStart,
    BillingPeriodStart,
    PricingQuantity,
    ConsumedQuantity,
    ListUnitPrice,
    ContractedUnitPrice,
    ListCost,
    ContractedCost,
    /// A column with all tags in it, in any of the spellings of `tag::parse`.
    Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A column by its exact header.
    Column(String),
    Constant(String),
    /// The value of the first choice that fits and has one.
    FirstOf(Vec<Choice>),
}

/// One way to work a value out of the other cells of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// All of them have to hold. An empty list always fits.
    pub when: Vec<Condition>,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub column: String,
    /// The cell is one of these, or with `negated` none of them. An empty text stands for a cell
    /// without a value.
    pub values: Vec<String>,
    pub negated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Column(String),
    Constant(String),
    /// Amounts added up exactly. Cells without a value do not count; a row of only such cells has
    /// no sum.
    Sum(Vec<Term>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub column: String,
    pub subtract: bool,
    /// The sum of the members with this name, in a cell that is a list of objects.
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

/// A column with many tags in it, such as the labels of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagMap {
    pub column: String,
    /// The start that a key must have, and that it loses. An empty one takes all keys.
    pub from: String,
    /// Put before what is left of the key.
    pub to: String,
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
    /// Of equal keys a later map wins. The column of `Feed::Tags` wins over all of them, and
    /// columns of single tags over that.
    pub tag_maps: Vec<TagMap>,
    pub skips: Vec<Skip>,
    /// Texts that mean "no value", beside the empty one.
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
    /// Taken off the front of the keys in a column of tags.
    pub tag_prefixes: Vec<String>,
    /// Whether rows may end early, with nothing in the cells that are missing.
    pub short_rows: bool,
    /// The first day of the billing period that the table's delivery states as a whole. It decides
    /// over the rows' own billing periods.
    pub billing_period: Option<Day>,
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
    /// The column that holds the quantity, by its exact header. An empty cell is no fault.
    pub value: String,
    pub unit: Origin,
}

/// The owner of a row's quantities.
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
    /// A long table has one. A wide table has one for each of its columns of quantities.
    pub metrics: Vec<MetricFrom>,
    pub keys: Vec<KeyFrom>,
    /// A column with many keys in it, in any of the spellings of `tag::parse`; a key of `keys`
    /// takes precedence.
    pub tags: Option<String>,
    pub skips: Vec<Skip>,
    /// Texts that mean "no value", beside the empty one.
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
}
