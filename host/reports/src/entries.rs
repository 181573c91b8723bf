//! Lists of entries, with their days, runs and rules, and with the entries that take them back.

pub mod document;
pub mod query;
pub mod read;
