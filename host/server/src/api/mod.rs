//! The paths, each with its wire types beside its handler.

pub mod answer;
pub mod change;
pub mod costs;
pub mod entries;
pub mod explain;
pub mod health;
pub mod home;
pub mod metrics;
pub mod openapi;
pub mod plan;
pub mod rules;
pub mod runs;
pub mod sources;
pub mod team;
pub mod usage;
