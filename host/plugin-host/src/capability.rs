//! What a plugin can reach: one file a host power, and the state of one instance that all of them see.

pub mod log;
pub mod table_decode;

use crate::limits::{LimitHit, Limits, Meter};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use log::Log;

/// Everything that the host keeps for one instance.
pub struct State {
    pub meter: Meter,
    pub log: Log,
    /// The granted tables; `None` where the power is not granted.
    pub tables: Option<Vec<GrantedTable>>,
    /// Why the last look into a table failed: it knows more than the text that the guest got.
    pub table_failure: Option<Diagnostic>,
    host_calls: u64,
}

impl State {
    pub fn new(limits: &Limits, tables: Option<Vec<GrantedTable>>) -> State {
        State { meter: Meter::new(limits), log: Log::new(limits), tables, table_failure: None, host_calls: 0 }
    }

    /// Counts a call out of the guest.
    fn count_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        let limit = self.meter.limits().host_calls;
        if self.host_calls > limit { Err(LimitHit::HostCalls { limit }.into()) } else { Ok(()) }
    }
}

impl crate::wit::since_v0_1_0::types::Host for State {}
