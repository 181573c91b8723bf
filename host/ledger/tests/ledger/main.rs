//! The journal through its public face, on real SQLite files: what it posts, what it refuses, and
//! what it notices.

mod approvals;
mod balances;
mod files;
mod fixture;
mod generations;
mod schema;
mod script;
mod settle;
mod tamper;
mod transactions;
mod usage;
