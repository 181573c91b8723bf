//! What a plugin can reach: one file a host power, and the state of one instance that all of them see.

pub mod aws_cost_explorer;
pub mod aws_organizations;
pub mod file;
pub mod http;
pub mod kubernetes;
pub mod log;
pub mod run_info;
pub mod table_decode;

use crate::convert::shown;
use crate::grant::Power;
use crate::limits::{LimitHit, Limits, Meter};
use crate::wit::since_v0_1_0::types;
use domain::catalogue as code;
use domain::diagnostic::{Diagnostic, Retry};
use domain::port::{GrantedTable, PluginCost};
use log::Log;
use reach::{Failure, Kind, Reach};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a plugin may know of the run that it works for.
#[derive(Clone, Debug, Default)]
pub struct RunInfo {
    pub source: String,
    /// RFC 3339.
    pub now: String,
}

/// Everything that the host keeps for one instance.
pub struct State {
    pub meter: Meter,
    pub log: Log,
    pub run: RunInfo,
    /// The granted tables; `None` where the power is not granted.
    pub tables: Option<Vec<GrantedTable>>,
    pub reach: Reach,
    /// Powers that are linked without being granted.
    pub optional: Vec<Power>,
    /// Why the last look outside failed: it knows more than the text that the guest got.
    pub failure: Option<Diagnostic>,
    /// Until when the call under way may work. Waiting for others is no fault of its own, and moves it.
    deadline: Instant,
    host_calls: u64,
    requests: u64,
    denials: u64,
    waited: Duration,
}

impl State {
    pub fn new(limits: &Limits) -> State {
        State {
            meter: Meter::new(limits),
            log: Log::new(limits),
            run: RunInfo::default(),
            tables: None,
            reach: Reach::default(),
            optional: Vec::new(),
            failure: None,
            deadline: Instant::now(),
            host_calls: 0,
            requests: 0,
            denials: 0,
            waited: Duration::ZERO,
        }
    }

    /// What the instance cost so far, as far as it shows from here.
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

    /// Waiting for others is no fault of the guest's, and moves its deadline.
    fn waiting<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = wait();
        let waited = began.elapsed();
        self.deadline += waited;
        self.waited += waited;
        answer
    }

    /// What was asked for as optional, and was not granted, can be done without: the call fails, and the plugin goes on.
    fn without<T>(&self, power: Power) -> wasmtime::Result<Result<T, types::Error>> {
        if !self.optional.contains(&power) {
            return Err(LimitHit::Denied { power: power.name() }.into());
        }
        let message = format!("the power '{}' is not granted", power.name());
        Ok(Err(types::Error::Config(types::Problem { message, hint: None, table: None, column: None })))
    }

    /// Uses a power on the guest's behalf; the guest is told in short what went wrong, and the host keeps the long form.
    fn reach_out<P, T>(
        &mut self,
        power: Power,
        granted: Option<Arc<P>>,
        ask: impl FnOnce(&P) -> Result<T, Failure>,
    ) -> wasmtime::Result<Result<T, types::Error>> {
        self.count_call()?;
        let Some(granted) = granted else { return self.without(power) };
        let answer = self.waiting(|| ask(&granted));
        self.requests += 1;
        self.failure = None;
        Ok(answer.map_err(|failure| {
            let error = told(&failure);
            self.denials += u64::from(failure.diagnostic.code == code::PLUGIN_DENIED);
            self.failure = Some(failure.diagnostic.retry(retry(failure.kind)));
            error
        }))
    }
}

/// Whether the same again may go well.
pub fn retry(kind: Kind) -> Retry {
    match kind {
        Kind::Config | Kind::Auth => Retry::No,
        Kind::RateLimited(seconds) => seconds.map_or(Retry::Soon, Retry::After),
        Kind::Transient | Kind::Unavailable => Retry::Soon,
    }
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn told(failure: &Failure) -> types::Error {
    let message = shown(&failure.diagnostic.message);
    match failure.kind {
        Kind::Config => types::Error::Config(types::Problem { message, hint: failure.diagnostic.hint.clone(), table: None, column: None }),
        Kind::Auth => types::Error::Auth(message),
        Kind::RateLimited(seconds) => types::Error::RateLimited(seconds),
        Kind::Transient => types::Error::Transient(message),
        Kind::Unavailable => types::Error::Unavailable(message),
    }
}

impl crate::wit::since_v0_1_0::types::Host for State {}
