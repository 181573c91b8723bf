//! One fresh instance and the calls into it: deadlines, fuel, and diagnostics of failures, which
//! name the plugin.

use crate::capability::{State, micros};
use crate::code;
use crate::engine::ticks;
use crate::limits::{LimitHit, PluginLimits};
use crate::printable::printable;
use domain::diagnostic::Diagnostic;
use domain::port::{PluginCost, PluginIdentity};
use std::fmt::Display;
use std::time::{Duration, Instant};
use wasmtime::{Engine, Store, Trap, UpdateDeadline};

/// `plugin focus-file 0.1.0 (0123456789ab)`.
pub fn label(identity: &PluginIdentity) -> String {
    let digest: String = identity.digest.chars().take(12).collect();
    if identity.version.is_empty() {
        return format!("plugin {} ({digest})", identity.name);
    }
    format!("plugin {} {} ({digest})", identity.name, identity.version)
}

/// The fuel of one call, in units of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuel {
    NotCounted,
    Units(u64),
}

/// A store with at most one instance.
pub struct Sandbox {
    pub store: Store<State>,
    limits: PluginLimits,
    label: String,
    spent: Duration,
    fuel: u64,
    /// Calls of powers that the plugin does not have. Each ends the instance.
    denials: u64,
}

impl Sandbox {
    pub fn new(
        engine: &Engine,
        limits: &PluginLimits,
        identity: &PluginIdentity,
        state: State,
    ) -> Sandbox {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.meter);
        // wasmtime copies returned values out of the guest before this crate can count them.
        store.set_hostcall_fuel(usize::try_from(limits.batch_bytes).unwrap_or(usize::MAX));
        store.epoch_deadline_callback(|mut context| {
            // The deadline may have moved meanwhile, because the guest waited for others.
            let left = context.data_mut().time_left();
            if left.is_zero() {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Continue(ticks(left)))
            }
        });
        Sandbox {
            store,
            limits: limits.clone(),
            label: label(identity),
            spent: Duration::ZERO,
            fuel: 0,
            denials: 0,
        }
    }

    /// Makes the instance.
    pub fn start<T>(
        &mut self,
        fuel: Fuel,
        make: impl FnOnce(&mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Diagnostic> {
        // A component can run code while it is made, so its limits hold here too.
        self.run("start", fuel, make, |sandbox, error| sandbox.other_at_start(error))
    }

    /// Calls into the instance. `what` is the name of the function.
    pub fn call<T>(
        &mut self,
        what: &str,
        fuel: Fuel,
        call: impl FnOnce(&mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Diagnostic> {
        self.run(what, fuel, call, |sandbox, error| sandbox.other_in_call(what, error))
    }

    fn run<T>(
        &mut self,
        what: &str,
        fuel: Fuel,
        act: impl FnOnce(&mut Store<State>) -> wasmtime::Result<T>,
        other: impl FnOnce(&Sandbox, &wasmtime::Error) -> Diagnostic,
    ) -> Result<T, Diagnostic> {
        let left = self.limits.collection.saturating_sub(self.spent);
        let deadline = self.limits.call.min(left);
        self.store.data_mut().begin_call(deadline);
        self.store.set_epoch_deadline(ticks(deadline));
        if let Fuel::Units(units) = fuel {
            self.store.set_fuel(units).map_err(|error| {
                Diagnostic::new(domain::code::INTERNAL, format!("{}: {error:#}", self.label))
            })?;
        }
        let began = Instant::now();
        let result = act(&mut self.store);
        self.spent += began.elapsed();
        if let Fuel::Units(units) = fuel {
            self.fuel += units.saturating_sub(self.store.get_fuel().unwrap_or(units));
        }
        let (plugin, ok, us) = (&self.label, result.is_ok(), micros(began.elapsed()));
        tracing::debug!(plugin, function = what, ok, us, "plugin was called");
        let denied = |error: &wasmtime::Error| {
            matches!(error.downcast_ref::<LimitHit>(), Some(LimitHit::Denied { .. }))
        };
        self.denials += u64::from(result.as_ref().err().is_some_and(denied));
        result.map_err(|error| {
            match (error.downcast_ref::<LimitHit>(), error.downcast_ref::<Trap>()) {
                (Some(hit), _) => self.limit(what, hit),
                (None, Some(Trap::Interrupt)) => self.late(what, deadline),
                (None, Some(Trap::OutOfFuel)) => self.out_of_fuel(what, fuel),
                (None, Some(trap)) => self.trapped(what, trap),
                (None, None) => other(self, &error),
            }
        })
    }

    /// The cost of the instance so far, without its output, which is counted elsewhere.
    pub fn cost(&self) -> PluginCost {
        let seen = self.store.data().cost();
        PluginCost {
            starts: 1,
            wall_us: micros(self.spent),
            fuel: self.fuel,
            denials: self.denials + seen.denials,
            ..seen
        }
    }

    pub fn diagnostic(&self, code: domain::code::Code, message: impl Display) -> Diagnostic {
        Diagnostic::new(code, format!("{} {message}", self.label))
    }

    fn limit(&self, what: &str, hit: &LimitHit) -> Diagnostic {
        let code = match hit {
            LimitHit::Memory { .. } | LimitHit::Table { .. } => code::PLUGIN_MEMORY,
            LimitHit::HostCalls { .. } => code::PLUGIN_CALLS,
            LimitHit::Denied { .. } => domain::code::PLUGIN_DENIED,
        };
        self.diagnostic(code, format!("was stopped in `{what}`: {hit}"))
    }

    fn late(&self, what: &str, deadline: Duration) -> Diagnostic {
        let (name, limit) = if deadline < self.limits.call {
            ("all calls", self.limits.collection)
        } else {
            ("one call", self.limits.call)
        };
        self.diagnostic(
            code::PLUGIN_TIMEOUT,
            format!("was stopped in `{what}`: the limit for {name} is {} ms", limit.as_millis()),
        )
        .hint(
            "try again when the machine is less busy; a plugin that is always late has \
                 to be mended",
        )
    }

    fn out_of_fuel(&self, what: &str, fuel: Fuel) -> Diagnostic {
        let units = match fuel {
            Fuel::Units(units) => units,
            Fuel::NotCounted => 0,
        };
        self.diagnostic(
            code::PLUGIN_FUEL,
            format!("was stopped in `{what}`: it used up its fuel of {units} units"),
        )
    }

    fn trapped(&self, what: &str, trap: &Trap) -> Diagnostic {
        let reason = match trap {
            Trap::StackOverflow => {
                format!("its stack is full; the limit is {} bytes", self.limits.stack_bytes)
            }
            trap => trap.to_string(),
        };
        let last_words = self
            .store
            .data()
            .log
            .last_error()
            .map_or_else(String::new, |words| format!("; it said: {words}"));
        self.diagnostic(
            domain::code::PLUGIN_TRAPPED,
            format!("crashed in `{what}`: {reason}{last_words}"),
        )
    }

    /// Linking is checked before. An instance that does not start has therefore exceeded a count.
    fn other_at_start(&self, error: &wasmtime::Error) -> Diagnostic {
        let limit = self.limits.instances;
        let message = format!(
            "cannot start: {} (the limit is {limit})",
            printable(&error.root_cause().to_string())
        );
        self.diagnostic(code::PLUGIN_MEMORY, message)
    }

    /// Neither a trap nor one of our limits: the returned values do not have the promised types, or
    /// are too long.
    fn other_in_call(&self, what: &str, error: &wasmtime::Error) -> Diagnostic {
        let reason = error.root_cause().to_string();
        // wasmtime keeps the type of this error to itself.
        if reason.contains("fuel allocated for hostcalls") {
            let limit = self.limits.batch_bytes;
            return self.diagnostic(
                code::PLUGIN_OUTPUT,
                format!(
                    "was stopped in `{what}`: it handed over more than its limit of {limit} \
                     bytes at once"
                ),
            );
        }
        self.diagnostic(
            domain::code::PLUGIN_JUNK,
            format!("returned junk from `{what}`: {}", printable(&reason)),
        )
    }
}
