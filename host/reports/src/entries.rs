//! Lists of entries: what was posted, when, by which run and rule, and what of it was taken back.

pub mod document;
pub mod query;
pub mod read;
