//! Compiles, checks and runs allocation rules written in Rhai: the only crate that knows Rhai.
//!
//! A folder of rule files and lookup tables becomes an immutable [`set::RuleSet`], a *generation*.
//! A rule is a pure function of the values that it reads of a charge. So a rule runs once for each
//! distinct combination of those values, and every other charge with the same values gets the
//! remembered decision ([`decider`], [`memo`]).
//!
//! This crate knows no ledger, no plugin and no clock. A script can reach nothing but the charge
//! that it is given: no file, no network, no time, no randomness and no state. Every limit on its
//! work is set ([`options::RuleLimits`]).

#[macro_use]
mod host_function;

mod amount_switch;
mod answer;
mod arguments;
pub mod bench;
mod brackets;
pub mod branches;
mod case_costs;
mod case_facts;
mod case_file;
mod case_number;
mod case_tables;
mod case_value;
pub mod cases;
mod charge_view;
mod check;
pub mod code;
mod compile;
mod constants;
mod decider;
mod decision;
pub mod definitions;
pub mod digest;
mod drivers;
mod evaluate;
pub mod examples;
mod folder;
mod function_end;
pub mod function_page;
mod functions;
mod header;
pub mod intake;
mod kept;
mod key_width;
mod known_teams;
mod language;
pub mod layout;
pub mod lint;
mod memo;
mod odd_values;
pub mod options;
mod pattern;
pub mod properties;
mod property_file;
mod rate_card;
pub mod reload;
pub mod set;
pub mod shadow;
mod syntax;
mod table;
mod text_file;
mod tokens;
mod window;
