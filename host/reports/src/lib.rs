//! What can be read out of the ledger: costs, explanations, usage, coverage. It writes nothing.
//!
//! It knows the ledger and the words of `domain`. It does not know who asks, how an answer is shown,
//! or how a run goes.

pub mod code;
pub mod costs;
pub mod coverage;
pub mod derive;
pub mod document;
pub mod explain;
pub mod usage;

mod passing;
