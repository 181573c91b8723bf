//! One installation: its settings, and everything that is opened from them.
//!
//! It reads `apportion.toml` and the environment, opens ledger, rules, plugins and sources, and
//! does with them what a command or a request asks for: run, plan, apply, approve, collect on
//! schedule. It knows no terminal and no HTTP server: what it has to say is a return value or a log
//! event.

pub mod amount_text;
pub mod apply;
pub mod approval;
mod background;
pub mod clients;
pub mod clock;
pub mod code;
mod compiler;
mod config_place;
pub mod env_var;
pub mod file;
mod installation;
pub mod ledger_file;
mod locate;
mod money_settings;
pub mod notice;
pub mod plan;
pub mod plan_summary;
pub mod planner;
pub mod plugins;
mod reading;
pub mod recording;
mod reloads;
pub mod rules;
pub mod run;
mod scheduler;
pub mod schema;
pub mod settings;
pub mod sources;
mod stop;
pub mod survey;
mod unread;
mod unusable;
mod watched_collector;

pub use background::Background;
pub use installation::{Installation, RulesView};
