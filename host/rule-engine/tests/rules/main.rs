//! The rule language as its authors meet it.

mod bad_input;
mod case_costs;
mod cases;
mod compiling;
mod deciding;
mod details;
mod limits;
mod lints;
mod memo;
mod naming;
mod properties;
mod reload;
mod shipped;
mod stages;
mod support;
