//! The powers of the host, one file each, and the state of an instance, which all of them share.

pub mod aws_cost_explorer;
pub mod aws_organizations;
pub mod coverage;
pub mod deliveries;
pub mod file;
pub mod http;
pub mod kubernetes;
pub mod log;
pub mod run_info;
pub mod table_decode;

use crate::limits::{LimitHit, Meter, PluginLimits};
use crate::power::Power;
use crate::printable::printable;
use crate::wit::bindings::types;
use coverage::CoverageReport;
use deliveries::DeliveryReport;
use domain::code;
use domain::diagnostic::{Diagnostic, Retry};
use domain::port::{Batch, GrantedTable, PluginCost};
use log::PluginLog;
use reach::Clients;
use reach::failure::{Failure, FailureKind};
use reach::toml_table;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The facts of a run that its plugins may know.
#[derive(Clone, Debug, Default)]
pub struct RunInfo {
    pub source: String,
    /// RFC 3339.
    pub now: String,
}

/// Everything that the host keeps for one instance.
pub struct State {
    pub meter: Meter,
    pub log: PluginLog,
    pub run: RunInfo,
    said: CoverageReport,
    deliveries: DeliveryReport,
    /// The granted tables; `None` where the power is not granted.
    pub tables: Option<Vec<GrantedTable>>,
    pub clients: Clients,
    /// Powers that are linked without being granted.
    pub optional: Vec<Power>,
    /// The last failure of a power: the text that the guest got, and the diagnostic, which says
    /// more.
    pub failure: Option<(String, Diagnostic)>,
    /// The deadline of the call under way. The time that it waits for others moves the deadline.
    deadline: Instant,
    host_calls: u64,
    requests: u64,
    denials: u64,
    waited: Duration,
}

impl State {
    pub fn new(limits: &PluginLimits) -> State {
        State {
            meter: Meter::new(limits),
            log: PluginLog::new(limits),
            run: RunInfo::default(),
            said: CoverageReport::default(),
            deliveries: DeliveryReport::default(),
            tables: None,
            clients: Clients::default(),
            optional: Vec::new(),
            failure: None,
            deadline: Instant::now(),
            host_calls: 0,
            requests: 0,
            denials: 0,
            waited: Duration::ZERO,
        }
    }

    /// The cost of the instance so far, as far as it shows from here.
    pub fn cost(&self) -> PluginCost {
        PluginCost {
            memory_bytes: self.meter.memory_bytes(),
            host_calls: self.host_calls,
            requests: self.requests,
            denials: self.denials,
            waited_us: micros(self.waited),
            ..PluginCost::default()
        }
    }

    /// The page with what was said, since the last one, of days and deliveries.
    pub fn with_reports(&mut self, page: Batch) -> Batch {
        let (complete, unknown) = self.said.take();
        Batch { complete, unknown, deliveries: self.deliveries.take(), ..page }
    }

    pub fn begin_call(&mut self, limit: Duration) {
        self.deadline = Instant::now() + limit;
    }

    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Counts a call out of the guest.
    fn count_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        let limit = self.meter.limits().host_calls;
        if self.host_calls > limit { Err(LimitHit::HostCalls { limit }.into()) } else { Ok(()) }
    }

    /// Moves the deadline by the time that the guest waited for others.
    fn waiting<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = wait();
        let waited = began.elapsed();
        // Clients have limits of their own, so a slow server does not use up the guest's time.
        self.deadline += waited;
        self.waited += waited;
        answer
    }

    /// Uses a power on the guest's behalf. After a failure the guest gets a short text, and the
    /// host keeps the diagnostic.
    fn reach_out<P: ?Sized, T>(
        &mut self,
        power: Power,
        granted: Option<Arc<P>>,
        ask: impl FnOnce(&P) -> Result<T, Failure>,
    ) -> wasmtime::Result<Result<T, types::Error>> {
        self.count_call()?;
        // The plugin went on after an earlier failure, so that failure is over.
        self.failure = None;
        let answer = match granted {
            Some(granted) => {
                self.requests += 1;
                let answer = self.waiting(|| ask(&granted));
                let denied = |failure: &Failure| failure.diagnostic.code == code::PLUGIN_DENIED;
                self.denials += u64::from(answer.as_ref().err().is_some_and(denied));
                answer
            }
            // No denial: a plugin learns whether it has an optional power by its first call.
            None if self.optional.contains(&power) => Err(self.denied(power)),
            None => return Err(LimitHit::Denied { power: power.name() }.into()),
        };
        Ok(answer.map_err(|failure| self.tell(&failure)))
    }

    /// A power that the plugin asked for as optional, and that the source does not grant.
    fn denied(&self, power: Power) -> Failure {
        let message = format!(
            "it used the power '{}', which source '{}' does not grant",
            power.name(),
            self.run.source
        );
        let section = toml_table::header(&["sources", &self.run.source]);
        Failure::denied(message, format!("add \"{}\" to the grants of {section}", power.name()))
    }

    /// The guest's short form of a failure.
    fn tell(&mut self, failure: &Failure) -> types::Error {
        let message = printable(&failure.diagnostic.message);
        self.failure =
            Some((message.clone(), failure.diagnostic.clone().retry(retry(failure.kind))));
        match failure.kind {
            FailureKind::Config => types::Error::Config(types::Problem {
                message,
                hint: failure.diagnostic.hint_text(),
                table: None,
                column: None,
            }),
            FailureKind::Auth => types::Error::Auth(message),
            FailureKind::RateLimited(seconds) => types::Error::RateLimited(seconds),
            FailureKind::Transient => types::Error::Transient(message),
            FailureKind::Unavailable => types::Error::Unavailable(message),
        }
    }
}

/// Whether the same request may succeed later.
pub fn retry(kind: FailureKind) -> Retry {
    match kind {
        FailureKind::Config | FailureKind::Auth => Retry::No,
        FailureKind::RateLimited(seconds) => seconds.map_or(Retry::Soon, Retry::After),
        FailureKind::Transient | FailureKind::Unavailable => Retry::Soon,
    }
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl crate::wit::bindings::types::Host for State {}
