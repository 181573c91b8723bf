//! The words and sums of cost allocation, and nothing else.
//!
//! The flow is collect → normalize → allocate → post → report; the modules below stand in that
//! order. This crate knows no file, no clock, no database, no script engine and no float. Every
//! type checks what it promises when it is made.

pub mod account;
pub mod axis;
pub mod charge;
pub mod code;
pub mod csv;
pub mod decimal;
pub mod decimal_comma;
pub mod decision;
pub mod detail;
pub mod diagnostic;
pub mod dictionary;
pub mod driver;
pub mod entry;
pub mod field;
pub mod figure;
pub mod flow;
pub mod generation;
pub mod hint;
pub mod mapping;
pub mod money;
pub mod period;
pub mod port;
pub mod recipient;
pub mod run;
pub mod schedule;
pub mod sharing;
pub mod split;
pub mod spread;
pub mod tag;
pub mod terms;
pub mod text_form;
pub mod usage;
pub mod visible;
