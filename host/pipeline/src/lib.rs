//! One run from collect to post, and plans of runs. The only crate that knows the order of things.
//!
//! collect → normalize → allocate → post: `run` has the order, and each stage is a module. Plugins
//! and rules are reached through the ports of `domain`, so that tests run everything here with
//! fakes.

pub mod apply;
pub mod code;
pub mod feed;
pub mod history;
pub mod plan;
pub mod plugin_cost;
pub mod progress;
pub mod report;
pub mod run;
pub mod source;
pub mod usage;

mod accrual;
mod alike;
mod allocate;
mod billed_days;
mod billing_period;
mod by_service;
mod cell;
mod cells;
mod collect;
mod collection;
mod columns;
mod computed;
mod day_facts;
mod days;
mod decimal_comma;
mod details;
mod distribute;
mod drivers;
mod evidence;
mod flattened;
mod gather;
mod inputs;
mod interner;
mod known_usage;
mod lines;
mod normalize;
mod one_sided;
mod other_sources;
mod pages;
mod pieces;
mod pool_parts;
mod renamed;
mod repeats;
mod replaced_text;
mod reread;
mod rounded_id;
mod rulings;
mod same_sums;
mod set_aside;
mod settle;
mod slice;
mod standing;
mod terms;
mod turns;
mod typed;
mod unmatched;
pub mod withdraw;
