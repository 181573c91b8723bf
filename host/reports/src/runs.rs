//! Runs: how they ended, and the rows that they set aside.

pub mod document;
pub mod query;
pub mod read;
