//! The days that a source was asked for and the outcome: what to ask for next, and where gaps are.
//!
//! A day that was asked for and had no charges is empty. A day that failed or was never asked for
//! is a gap: its cost is unknown, which is not zero. A day that the source says it does not know is
//! a gap too, but asking again does not help.

pub mod days;
pub mod document;
pub mod query;
pub mod read;
