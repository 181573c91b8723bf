//! The first-party plugins as components, built from `plugins/` and embedded, each with its name.
//!
//! This crate knows neither what a plugin does nor how it is run.

include!(concat!(env!("OUT_DIR"), "/plugins.rs"));
