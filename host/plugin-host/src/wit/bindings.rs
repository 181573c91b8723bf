//! The bindings of the newest contract, `plugin-sdk/wit/since-v0.1.1`; it serves what was made for
//! the ones before it. The allocator's world shares the types of the collector's.

pub mod collector {
    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit/since-v0.1.1",
        world: "collector",
        imports: { default: trappable },
    });
}

pub mod allocator {
    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit/since-v0.1.1",
        world: "allocator",
        imports: { default: trappable },
        with: {
            "apportion:plugin/types@0.1.1": super::collector::apportion::plugin::types,
            "apportion:plugin/log@0.1.1": super::collector::apportion::plugin::log,
        },
    });
}

pub use allocator::AllocatorPre;
pub use allocator::exports::apportion::plugin::allocate;
pub use collector::CollectorPre;
pub use collector::apportion::plugin::{
    aws_cost_explorer, aws_organizations, coverage, file, http, kubernetes, log, run_info,
    table_decode, types,
};
