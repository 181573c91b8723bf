//! The journal through its public functions, on real SQLite files: its postings, its refusals, and
//! the damage that it notices.

mod approvals;
mod balances;
mod files;
mod fixture;
mod generations;
mod resource_days;
mod schema;
mod script;
mod settle;
mod tamper;
mod transactions;
mod usage;
