//! Two traits, two registration macros, and the words of the contract.
//!
//! A plugin is a WebAssembly component of one of two worlds. A *collector* collects the charges of
//! a source. An *allocator* is a pure function that gives the weights by which a shared cost is
//! split. The contract itself is in `wit/`. This crate is its face in Rust, and adds nothing that
//! another language could not have.

mod allocator;
pub mod aws;
mod collector;
pub mod coverage;
pub mod deliveries;
pub mod file;
pub mod fixture;
pub mod http;
pub mod kubernetes;
pub mod log;
mod manifest;
pub mod run_info;
pub mod table_decode;

#[doc(hidden)]
pub mod bindings {
    pub mod collector {
        wit_bindgen::generate!({
            world: "collector",
            path: "wit/since-v0.2.0",
            pub_export_macro: true,
            export_macro_name: "export_collector",
            default_bindings_module: "apportion_plugin_sdk::bindings::collector",
            additional_derives: [PartialEq],
        });
    }

    pub mod allocator {
        wit_bindgen::generate!({
            world: "allocator",
            path: "wit/since-v0.2.0",
            pub_export_macro: true,
            export_macro_name: "export_allocator",
            default_bindings_module: "apportion_plugin_sdk::bindings::allocator",
            with: {
                "apportion:plugin/types@0.2.0": crate::bindings::collector::apportion::plugin::types,
                "apportion:plugin/log@0.2.0": crate::bindings::collector::apportion::plugin::log,
            },
            additional_derives: [PartialEq],
        });
    }
}

pub use allocator::{Allocator, ExportedAllocator};
pub use bindings::allocator::exports::apportion::plugin::allocate::{Driver, Pool, Target, Weight};
pub use bindings::collector::apportion::plugin::types::{
    Batch, Charge, Choice, Condition, DateOrder, Dimension, Error, Feed, FeedFrom, Field, KeyFrom,
    Kind, Manifest, Mapping, MetricFrom, Origin, Period, PowerRequest, Problem, Rejected, Rows,
    Skip, Stream, Tag, TagColumn, TagMap, Term, Usage, UsageMapping, Value,
};
pub use collector::{Collector, ExportedCollector, Request};

/// The examples of the README are compiled as they stand.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Logs the message of a panic, because wasm has no stderr. The host shows it in its diagnostic.
fn tell_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| log::error(&panic.to_string()))));
}
