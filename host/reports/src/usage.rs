//! The usage by which rules share costs: its metrics, days and owners, and the days that are
//! missing.

pub mod document;
pub mod query;
pub mod read;
