//! An allocator: a pure function, metered in fuel so that its limit is the same on every machine.

use crate::call::{Fuel, Sandbox, label};
use crate::capability::State;
use crate::convert;
use crate::limits::PluginLimits;
use crate::wit::bindings::{allocate, types};
use crate::wit::exports::AllocatorExports;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::{AllocatorCall, Allocators, PluginCost, PluginIdentity};
use domain::recipient::Target;
use domain::usage::Usage;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use wasmtime::component::InstancePre;

/// The shared cost to be distributed; amounts are decimal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocatorPool {
    pub rule: String,
    pub period_start: String,
    pub amount: String,
    pub currency: String,
}

/// A quantity by which to distribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocatorDriver {
    pub metric: String,
    pub keys: Vec<(String, String)>,
    pub value: String,
}

pub struct AllocatorPlugin {
    pre: InstancePre<State>,
    contract: &'static str,
    identity: PluginIdentity,
    limits: PluginLimits,
}

impl AllocatorPlugin {
    pub(crate) fn new(
        pre: InstancePre<State>,
        contract: &'static str,
        identity: &PluginIdentity,
        limits: &PluginLimits,
    ) -> AllocatorPlugin {
        AllocatorPlugin { pre, contract, identity: identity.clone(), limits: limits.clone() }
    }

    pub fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    /// One weight for each target, in their order.
    pub fn allocate(
        &self,
        config: &str,
        pool: &AllocatorPool,
        targets: &[Target],
        drivers: &[AllocatorDriver],
    ) -> Result<Vec<u64>, Diagnostic> {
        self.allocate_metered(config, pool, targets, drivers).0
    }

    /// The same, and what it cost.
    pub(crate) fn allocate_metered(
        &self,
        config: &str,
        pool: &AllocatorPool,
        targets: &[Target],
        drivers: &[AllocatorDriver],
    ) -> (Result<Vec<u64>, Diagnostic>, PluginCost) {
        let mut sandbox =
            Sandbox::new(self.pre.engine(), &self.limits, &self.identity, State::new(&self.limits));
        let weights = self.weights(&mut sandbox, config, pool, targets, drivers);
        let rows = weights.as_ref().map_or(0, |weights| weights.len() as u64);
        (weights, PluginCost { rows, ..sandbox.cost() })
    }

    fn weights(
        &self,
        sandbox: &mut Sandbox,
        config: &str,
        pool: &AllocatorPool,
        targets: &[Target],
        drivers: &[AllocatorDriver],
    ) -> Result<Vec<u64>, Diagnostic> {
        let exports = sandbox.start(Fuel::Units(self.limits.fuel_start), |store| {
            let instance = self.pre.instantiate(&mut *store)?;
            AllocatorExports::of(&instance, store, self.contract)
        })?;
        let rows = (targets.len() + drivers.len()) as u64;
        let fuel =
            self.limits.fuel_call.saturating_add(self.limits.fuel_per_row.saturating_mul(rows));
        let question =
            (config.to_owned(), wit_pool(pool), wit_targets(targets), wit_drivers(drivers));
        let weights = sandbox.call("allocate", Fuel::Units(fuel), |store| {
            Ok(exports.allocate.call(store, question)?.0)
        })?;
        // The settings of an allocator stand in the rule that calls it.
        let weights =
            weights.map_err(|error| convert::of_error(error, &label(&self.identity), &[]))?;
        in_order(&weights, targets.len()).map_err(|reason| {
            sandbox.diagnostic(
                domain::code::PLUGIN_JUNK,
                format!("returned junk from `allocate`: {reason}"),
            )
        })
    }
}

/// The allocators that rules can name.
#[derive(Default)]
pub struct AllocatorSet {
    plugins: BTreeMap<String, AllocatorPlugin>,
    /// By the name that rules use.
    costs: Mutex<BTreeMap<String, PluginCost>>,
}

impl AllocatorSet {
    pub fn insert(&mut self, name: &str, plugin: AllocatorPlugin) {
        self.plugins.insert(name.to_owned(), plugin);
    }
}

impl Allocators for AllocatorSet {
    fn weights(&self, call: &AllocatorCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        let Some(plugin) = self.plugins.get(call.plugin) else {
            let message = format!(
                "{} asks the allocator plugin '{}', which the settings do not name",
                call.rule, call.plugin
            );
            let section = format!(
                "in apportion.toml: [allocators] {} = \"plugins/{}.wasm\"",
                call.plugin, call.plugin
            );
            return Err(Diagnostic::new(domain::code::PLUGIN_NOT_FOUND, message)
                .hint(Hint::setting(section)));
        };
        let pool = AllocatorPool {
            rule: call.rule.to_owned(),
            period_start: call.day.to_string(),
            amount: call.total.to_string(),
            currency: call.currency.code().to_owned(),
        };
        let driver = |usage: &&Usage| AllocatorDriver {
            metric: usage.metric.clone(),
            keys: usage.keys.clone(),
            value: usage.value.plain(),
        };
        let drivers: Vec<AllocatorDriver> = call.usage.iter().map(driver).collect();
        let (weights, cost) = plugin.allocate_metered(call.config, &pool, call.targets, &drivers);
        self.costs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(call.plugin.to_owned())
            .or_default()
            .add(&cost);
        weights
    }

    fn take_costs(&self) -> Vec<(PluginIdentity, PluginCost)> {
        let costs = std::mem::take(&mut *self.costs.lock().unwrap_or_else(PoisonError::into_inner));
        costs
            .into_iter()
            .filter_map(|(name, cost)| Some((self.plugins.get(&name)?.identity.clone(), cost)))
            .collect()
    }
}

fn in_order(weights: &[allocate::Weight], targets: usize) -> Result<Vec<u64>, String> {
    let mut ordered: Vec<Option<u64>> = vec![None; targets];
    for weight in weights {
        let slot = ordered
            .get_mut(weight.target as usize)
            .ok_or_else(|| format!("there is no target {}, only {targets}", weight.target))?;
        if slot.replace(weight.weight).is_some() {
            return Err(format!("target {} has two weights", weight.target));
        }
    }
    Ok(ordered.into_iter().map(|weight| weight.unwrap_or(0)).collect())
}

fn wit_pool(pool: &AllocatorPool) -> allocate::Pool {
    allocate::Pool {
        rule: pool.rule.clone(),
        period_start: pool.period_start.clone(),
        amount: pool.amount.clone(),
        currency: pool.currency.clone(),
    }
}

fn wit_targets(targets: &[Target]) -> Vec<allocate::Target> {
    let convert = |target: &Target| allocate::Target {
        team: target.team.clone(),
        cost_center: target.cost_center.clone(),
        environment: target.environment.clone(),
        application: target.application.clone(),
    };
    targets.iter().map(convert).collect()
}

fn wit_drivers(drivers: &[AllocatorDriver]) -> Vec<allocate::Driver> {
    let tag =
        |(key, value): &(String, String)| types::Tag { key: key.clone(), value: value.clone() };
    let convert = |driver: &AllocatorDriver| allocate::Driver {
        metric: driver.metric.clone(),
        keys: driver.keys.iter().map(tag).collect(),
        value: driver.value.clone(),
    };
    drivers.iter().map(convert).collect()
}
