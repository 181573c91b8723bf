//! The limits of plugins. Every limit is always on. It has a default, and a maximum that no setting
//! exceeds.

use domain::code;
use domain::diagnostic::Diagnostic;
use std::fmt;
use std::time::Duration;
use wasmtime::ResourceLimiter;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginLimits {
    /// Of the component's file.
    pub component_bytes: u64,
    /// Wall clock and memory for compiling a component that is not bundled.
    pub compile: Duration,
    pub compile_bytes: u64,
    /// Wall clock of one call into the plugin.
    pub call: Duration,
    /// Wall clock of all calls of one collection.
    pub collection: Duration,
    /// Linear memory of one instance.
    pub memory_bytes: u64,
    pub table_elements: u64,
    /// Core instances, memories and tables, each, in one component.
    pub instances: u64,
    pub stack_bytes: u64,
    /// Of an allocator, while it is made and describes itself.
    pub fuel_start: u64,
    /// Of an allocator's call, whatever it gets.
    pub fuel_call: u64,
    /// On top of that, for each target and driver that it gets.
    pub fuel_per_row: u64,
    /// Calls out of one instance.
    pub host_calls: u64,
    /// Pages of one collection.
    pub batches: u64,
    /// Bytes that one call returns.
    pub batch_bytes: u64,
    /// Charges, usage and rejected rows of one collection. Rows of mapped tables are the host's
    /// own.
    pub output_rows: u64,
    pub output_bytes: u64,
    /// Log lines of an instance that are kept.
    pub log_lines: u64,
    pub log_bytes: u64,
}

const MIB: u64 = 1 << 20;

impl Default for PluginLimits {
    fn default() -> PluginLimits {
        PluginLimits {
            component_bytes: 64 * MIB,
            compile: Duration::from_secs(300),
            compile_bytes: 4096 * MIB,
            call: Duration::from_secs(30),
            collection: Duration::from_secs(3_600),
            memory_bytes: 256 * MIB,
            table_elements: 100_000,
            instances: 100,
            stack_bytes: MIB / 2,
            // A tight loop burns about 20 G a second.
            fuel_start: 200_000_000,
            fuel_call: 1_000_000_000,
            fuel_per_row: 1_000_000,
            host_calls: 100_000,
            batches: 100_000,
            batch_bytes: 64 * MIB,
            output_rows: 50_000_000,
            output_bytes: 16 << 30,
            log_lines: 1_000,
            log_bytes: MIB / 4,
        }
    }
}

impl PluginLimits {
    /// Checks that each limit is at least 1 and at most its maximum.
    pub fn checked(self) -> Result<PluginLimits, Diagnostic> {
        let milliseconds =
            |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        for (name, value, maximum) in [
            ("component_bytes", self.component_bytes, 1 << 30),
            ("compile", milliseconds(self.compile), 3_600_000),
            ("compile_bytes", self.compile_bytes, 64 << 30),
            ("call", milliseconds(self.call), 3_600_000),
            ("collection", milliseconds(self.collection), 86_400_000),
            ("memory_bytes", self.memory_bytes, 4 << 30),
            ("table_elements", self.table_elements, 10_000_000),
            ("instances", self.instances, 10_000),
            ("stack_bytes", self.stack_bytes, 64 * MIB),
            ("fuel_start", self.fuel_start, 1 << 40),
            ("fuel_call", self.fuel_call, 1 << 42),
            ("fuel_per_row", self.fuel_per_row, 1 << 30),
            ("host_calls", self.host_calls, 100_000_000),
            ("batches", self.batches, 10_000_000),
            ("batch_bytes", self.batch_bytes, 1 << 30),
            ("output_rows", self.output_rows, 10_000_000_000),
            ("output_bytes", self.output_bytes, 1 << 42),
            ("log_lines", self.log_lines, 1_000_000),
            ("log_bytes", self.log_bytes, 256 * MIB),
        ] {
            if value == 0 || value > maximum {
                return Err(Diagnostic::new(
                    code::CONFIG_VALUE,
                    format!("the limit {name} of plugins cannot be {value}"),
                )
                .hint(format!("choose a value from 1 to {maximum}")));
            }
        }
        Ok(self)
    }
}

/// A limit that was reached inside the sandbox, on its way out as an error of wasmtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitHit {
    Memory {
        wanted: u64,
        limit: u64,
    },
    Table {
        wanted: u64,
        limit: u64,
    },
    HostCalls {
        limit: u64,
    },
    /// The plugin used a power that was not granted.
    Denied {
        power: &'static str,
    },
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitHit::Memory { wanted, limit } => {
                write!(f, "it wanted {wanted} bytes of memory, and its limit is {limit}")
            }
            LimitHit::Table { wanted, limit } => {
                write!(f, "it wanted {wanted} table elements, and its limit is {limit}")
            }
            LimitHit::HostCalls { limit } => {
                write!(f, "it called the host more often than its limit of {limit} times")
            }
            LimitHit::Denied { power } => {
                write!(f, "it used the power '{power}', which it does not have")
            }
        }
    }
}

impl std::error::Error for LimitHit {}

/// Bounds memory and tables of one store, of all its instances together.
#[derive(Debug)]
pub struct Meter {
    limits: PluginLimits,
    memory_bytes: u64,
    table_elements: u64,
}

impl Meter {
    pub fn new(limits: &PluginLimits) -> Meter {
        Meter { limits: limits.clone(), memory_bytes: 0, table_elements: 0 }
    }

    pub fn limits(&self) -> &PluginLimits {
        &self.limits
    }

    /// The peak, which is the last value, because a guest's memory never shrinks.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

/// A denial is an error, which ends the plugin. A plugin that went on without the memory would make
/// results depend on the limit.
impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self.memory_bytes.saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.limits.memory_bytes {
            return Err(LimitHit::Memory { wanted, limit: self.limits.memory_bytes }.into());
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self.table_elements.saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.limits.table_elements {
            return Err(LimitHit::Table { wanted, limit: self.limits.table_elements }.into());
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        usize::try_from(self.limits.instances).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        self.instances()
    }

    fn memories(&self) -> usize {
        self.instances()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_the_maxima() {
        assert_eq!(PluginLimits::default().checked(), Ok(PluginLimits::default()));
    }

    #[test]
    fn no_limit_can_be_switched_off() {
        for limits in [
            PluginLimits { memory_bytes: 0, ..PluginLimits::default() },
            PluginLimits { memory_bytes: u64::MAX, ..PluginLimits::default() },
            PluginLimits { call: Duration::ZERO, ..PluginLimits::default() },
            PluginLimits { collection: Duration::MAX, ..PluginLimits::default() },
        ] {
            let refusal = limits.checked().map_err(|diagnostic| diagnostic.code);
            assert_eq!(refusal, Err(code::CONFIG_VALUE));
        }
        let refusal = PluginLimits { log_lines: 2_000_000, ..PluginLimits::default() }.checked();
        assert_eq!(
            refusal.map_err(|diagnostic| diagnostic.message),
            Err("the limit log_lines of plugins cannot be 2000000".into())
        );
    }

    #[test]
    fn all_memories_of_a_store_count_together() {
        let mut meter = Meter::new(&PluginLimits {
            memory_bytes: 100,
            table_elements: 10,
            ..PluginLimits::default()
        });
        assert!(meter.memory_growing(0, 60, None).is_ok_and(|granted| granted));
        let hit = meter
            .memory_growing(0, 60, None)
            .map_err(|error| error.downcast_ref::<LimitHit>().cloned());
        assert_eq!(hit.err().flatten(), Some(LimitHit::Memory { wanted: 120, limit: 100 }));
        assert!(meter.table_growing(0, 10, None).is_ok_and(|granted| granted));
        let hit = meter
            .table_growing(10, 11, None)
            .map_err(|error| error.downcast_ref::<LimitHit>().cloned());
        assert_eq!(hit.err().flatten(), Some(LimitHit::Table { wanted: 11, limit: 10 }));
    }
}
