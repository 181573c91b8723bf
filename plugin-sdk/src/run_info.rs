//! The source and the time of the run. Every plugin may ask for them.

/// The source that is collected.
pub fn source() -> String {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::run_info::source();
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::source()
}

/// The run's logical time, such as `2026-03-31T08:00:00Z`: it stands still while the plugin works.
pub fn now() -> String {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::run_info::now();
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::now()
}
