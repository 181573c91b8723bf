//! Runs collector and allocator components; the only crate that knows wasmtime.
//!
//! A plugin is a stranger. It gets a fresh instance for each piece of work, limits on everything,
//! and those powers of the host that it asked for *and* was granted. WASI is not linked at all.
//! Each of its faults ends as a diagnostic that names it. This crate knows nothing of rules,
//! ledgers or the order of a run.
//!
//! Calls are synchronous, and an epoch deadline bounds every call. Host functions that look outside
//! are bounded by `reach`; the time that they wait is not the plugin's, and moves its deadline.

mod allocator;
mod call;
mod capability;
pub mod code;
mod collector;
pub mod compat;
mod compiler;
mod component;
pub mod conformance;
mod convert;
mod engine;
mod grant;
mod limits;
mod manifest;
mod plugin;
mod power;
mod printable;
pub mod schema;
mod shelf;
pub mod trust;
pub mod whole_file;
mod wit;

pub use allocator::{AllocatorDriver, AllocatorPlugin, AllocatorPool, AllocatorSet};
pub use capability::log::{LogLevel, LogLine};
pub use collector::{CollectorPlugin, LogSink};
pub use compiler::{Compiler, bound_memory};
pub use component::componentize;
pub use grant::{Ceiling, CeilingPlace, Grants};
pub use limits::PluginLimits;
pub use manifest::{Manifest, ManifestStream, PluginKind, PowerRequest};
pub use plugin::{HostOptions, Plugin, PluginHost, digest};
pub use power::Power;
pub use shelf::{Shelf, ShelfEntry};
