//! `[limits]`: how much a run, a plugin or a rule may take.

use super::section::section;
use super::setting::Setting;
use super::value::{Count, Powers};

const SOURCES_AT_ONCE: u64 = 4;
/// A 32-bit guest can address no more.
const PLUGIN_MIB_MAX: u64 = 4_096;
/// A process needs some memory before it compiles anything.
const COMPILE_MIB_MIN: u64 = 2_048;

section! {
    /// How much a run, a plugin or a rule may take.
    pub struct Limits {
        /// Threads that read bills; all cores unless said otherwise.
        #[serde(skip_serializing_if = "is_of_machine")]
        pub threads: Setting<Count<1, 256>> = Setting::default_of(Count::new(cores())),
        /// Sources that are collected at one time; what they hand over is written one after the
        /// other.
        pub sources_at_once: Setting<Count<1, 64>> =
            Setting::default_of(Count::new(SOURCES_AT_ONCE)),
        /// The longest one call of a plugin may take.
        pub plugin_seconds: Setting<Count<1, 3_600>> =
            Setting::default_of(Count::new(plugin().call.as_secs())),
        /// The most memory a plugin may have.
        pub plugin_memory_mib: Setting<Count<1, PLUGIN_MIB_MAX>> =
            Setting::default_of(Count::new(plugin().memory_bytes >> 20)),
        /// The longest that compiling a plugin which is not bundled may take.
        pub compile_seconds: Setting<Count<1, 3_600>> =
            Setting::default_of(Count::new(plugin().compile.as_secs())),
        /// The most memory that compiling such a plugin may take.
        pub compile_memory_mib: Setting<Count<COMPILE_MIB_MIN, 65_536>> =
            Setting::default_of(Count::new(plugin().compile_bytes >> 20)),
        /// The most work one call of a rule may do.
        pub rule_operations: Setting<Count<1, 100_000_000>> =
            Setting::default_of(Count::new(rule_engine::options::RuleLimits::default().operations)),
        /// The powers that sources may grant; all unless said otherwise. The variable
        /// APPORTION_POWERS wins.
        pub powers: Setting<Powers> = Setting::default_of(Powers::all()),
    }
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, usize::from) as u64
}

fn plugin() -> plugin_host::PluginLimits {
    plugin_host::PluginLimits::default()
}

/// A default that differs from machine to machine does not stand in the schema.
fn is_of_machine<T>(_: &T) -> bool {
    true
}
