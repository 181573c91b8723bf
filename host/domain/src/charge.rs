//! A charge on its way in: texts as the source gave them, before normalizing.

use crate::field::Field;

/// One cost line as a collector hands it over row by row. Amounts are decimal text, dates are text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawCharge {
    pub charge_period_start: String,
    pub billed_cost: String,
    pub effective_cost: String,
    pub billing_currency: String,
    pub dimensions: Vec<(Field, String)>,
    pub tags: Vec<(String, String)>,
}

/// A row that could not be understood: set aside, counted, shown; never dropped, never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// `file:line:column`, or what the source has instead.
    pub location: String,
    pub reason: String,
    /// The start of the row, for the reader's eyes.
    pub excerpt: String,
}

/// A quantity that rules can use as a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawUsage {
    pub metric: String,
    pub period_start: String,
    pub keys: Vec<(String, String)>,
    pub value: String,
    pub unit: String,
}

/// What is known of one stored charge when a rule asks for more than its dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargeLine {
    pub day: crate::period::Day,
    pub billed_cost: crate::money::Money,
    pub effective_cost: crate::money::Money,
}
