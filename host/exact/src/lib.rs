//! Exact numbers and calendar days, shared by the host and the wasm guests.
//!
//! Both sides read the same texts and must come to the same results, so there is one reader of
//! decimals, one calendar and one rule of splitting. Large numbers are those of `num-bigint`, dates
//! are those of `chrono`. This crate has no clock, no IO and no float.

pub mod day;
pub mod days;
pub mod decimal;
pub mod moment;
pub mod period;
pub mod ratio;
pub mod split;
