//! The words and sums of cost allocation, and nothing else.
//!
//! The flow is collect → normalize → allocate → post → report; the modules below stand in that order.
//! This crate knows no file, no clock, no database, no script engine and no float. Every type checks what it
//! promises when it is made.

pub mod money;
pub mod decimal;
pub mod split;
pub mod period;
pub mod field;
pub mod mapping;
pub mod charge;
pub mod tag;
pub mod dictionary;
pub mod decision;
pub mod account;
pub mod entry;
pub mod run;
pub mod diagnostic;
pub mod catalogue;
pub mod port;
