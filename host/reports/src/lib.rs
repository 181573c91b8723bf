//! Answers out of the ledger: costs, explanations, usage, coverage, runs. It writes
//! nothing.
//!
//! A folder holds one kind of answer: `query.rs` the question, `read.rs` the way from the ledger to
//! the answer, `document.rs` the answer as it is shown. `derive.rs` works postings out from
//! charges. The crate knows the ledger and the words of `domain`. It does not know who asks, in
//! which form a question arrives, or how a run goes.

pub mod bearer;
pub mod closing;
pub mod code;
pub mod costs;
pub mod coverage;
pub mod derive;
pub mod document;
pub mod entries;
pub mod explain;
pub mod measure;
pub mod portion;
pub mod runs;
pub mod stored;
pub mod survey;
pub mod teams;
pub mod usage;

mod passing;
mod posted;
mod scan;
