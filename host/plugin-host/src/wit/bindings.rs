//! The bindings of the newest contract, `plugin-sdk/wit/since-v0.2.0`. The allocator's world shares
//! the types of the collector's.

pub mod collector {
    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit/since-v0.2.0",
        world: "collector",
        imports: { default: trappable },
    });
}

pub mod allocator {
    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit/since-v0.2.0",
        world: "allocator",
        imports: { default: trappable },
        with: {
            "apportion:plugin/types@0.2.0": super::collector::apportion::plugin::types,
            "apportion:plugin/log@0.2.0": super::collector::apportion::plugin::log,
        },
    });
}

pub use allocator::exports::apportion::plugin::allocate;
pub use collector::apportion::plugin::{
    aws_cost_explorer, aws_organizations, coverage, deliveries, file, http, kubernetes, log,
    run_info, table_decode, types,
};
