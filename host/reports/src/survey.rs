//! A survey of stored charges: the months, charge categories, days and tags of each source.
//!
//! It shows what a source's bills hold before anybody writes a rule for them.

pub mod document;
pub mod read;
