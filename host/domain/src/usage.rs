//! Quantities that costs can be shared by: hours, bytes, requests, of a day and with the keys that say whose.

use crate::money::Sum;
use crate::period::Day;
use std::fmt;

/// An exact quantity in billionths of its unit: a day's bytes of a large estate fit many times over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quantity(pub i128);

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sum::from_nanos(self.0).fmt(f)
    }
}

/// What was used on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub source: String,
    pub day: Day,
    pub metric: String,
    pub unit: String,
    /// Whose it is: canonical tags such as `team` and `namespace`, and dimensions such as `resource_id`; sorted by key, none empty.
    pub keys: Vec<(String, String)>,
    pub value: Quantity,
}

impl Usage {
    /// The key's value, or nothing.
    pub fn key(&self, name: &str) -> Option<&str> {
        self.keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A resource's id as bills and clusters both know it.
pub fn resource_key(id: &str) -> std::borrow::Cow<'_, str> {
    id.into()
}
