//! One run from collect to post, and what is read out of it afterwards; the only crate that knows the order of things.
//!
//! collect → normalize → allocate → post: `run` says the order, each stage is a module. Plugins and rules are reached
//! through the ports of `domain`, so that everything here runs with fakes.

pub mod apply;
pub mod code;
pub mod feed;
pub mod history;
pub mod plan;
pub mod plugin_cost;
pub mod run;
pub mod usage;

mod accrual;
mod allocate;
mod cell;
mod collect;
mod columns;
mod days;
mod distribute;
mod drivers;
mod gather;
mod interner;
mod normalize;
mod typed;
mod worked;
