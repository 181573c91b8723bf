//! Compiles, checks and runs allocation rules written in Rhai: the only crate that knows Rhai.
//!
//! A folder of rule files and lookup tables becomes an immutable [`set::RuleSet`], a *generation*. A rule is a pure
//! function of what it reads of a charge, so each rule is run once per distinct combination of the values that it read
//! and its decision is reused for every other charge ([`decider`], [`memo`]).
//!
//! This crate knows no ledger, no plugin and no clock. A script can reach nothing but the charge that it is given: no
//! file, no network, no time, no randomness, no state; and every limit on its work is set ([`set::Limits`]).

pub mod bench;
mod case_file;
pub mod cases;
mod charge_view;
mod check;
pub mod code;
mod compile;
pub mod coverage;
mod decider;
mod decision;
pub mod definitions;
mod drivers;
mod evaluate;
pub mod examples;
mod folder;
pub mod functions;
mod header;
mod language;
pub mod layout;
pub mod lint;
mod memo;
pub mod properties;
mod property_file;
pub mod reload;
pub mod set;
mod table;
mod tokens;
