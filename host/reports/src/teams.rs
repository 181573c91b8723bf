//! One team's cost: in all, by span, and by service, environment and application.

pub mod document;
pub mod query;
pub mod read;
