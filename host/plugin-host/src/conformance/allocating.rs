//! The cases of allocators.

use super::script::Script;
use super::{CaseList, schema_faults};
use crate::allocator::{AllocatorDriver, AllocatorPlugin, AllocatorPool};
use crate::plugin::Plugin;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::port::PluginCost;
use domain::recipient::Target;
use serde_json::Value;

pub const NAMES: [&str; 8] = [
    "manifest",
    "good-config",
    "bad-config",
    "determinism",
    "no-targets",
    "no-drivers",
    "many-targets",
    "resources",
];
const MANY: usize = 1_000;

struct Kit<'a> {
    plugin: &'a Plugin,
    allocator: AllocatorPlugin,
    pool: AllocatorPool,
    targets: Vec<Target>,
    drivers: Vec<AllocatorDriver>,
}

pub fn try_out(
    plugin: &Plugin,
    script: &Script,
    cases: &mut CaseList<'_>,
) -> Result<(), Diagnostic> {
    let kit = Kit {
        plugin,
        allocator: plugin.allocator()?,
        pool: script.pool()?,
        targets: script.targets(),
        drivers: script.drivers(),
    };
    for (number, good) in (1..).zip(&script.good) {
        cases.add(&format!("good-config {number}"), || kit.good(good));
    }
    if script.bad.is_empty() {
        cases.add("bad-config", || {
            Err("conformance.toml has no settings that have to be refused: add a section \
             `[[bad]]`"
                .into())
        });
    }
    for (number, bad) in (1..).zip(&script.bad) {
        cases.add(&format!("bad-config {number}"), || kit.bad(bad));
    }
    let config = &script.first_good()["config"];
    cases.add("determinism", || {
        let weights =
            || kit.weigh(config, &kit.targets, &kit.drivers).0.map_err(|failure| failure.message);
        if weights()? == weights()? {
            Ok(String::new())
        } else {
            Err("the same arguments gave other weights".into())
        }
    });
    cases.add("no-targets", || kit.ends_well(config, &[], &kit.drivers));
    cases.add("no-drivers", || kit.ends_well(config, &kit.targets, &[]));
    cases.add("many-targets", || {
        let targets: Vec<Target> =
            (0..MANY).map(|number| Target::team(format!("team-{number}"))).collect();
        kit.ends_well(config, &targets, &kit.drivers)
    });
    cases.add("resources", || kit.ends_well(config, &kit.targets, &kit.drivers));
    Ok(())
}

impl Kit<'_> {
    fn weigh(
        &self,
        config: &Value,
        targets: &[Target],
        drivers: &[AllocatorDriver],
    ) -> (Result<Vec<u64>, Diagnostic>, PluginCost) {
        self.allocator.allocate_metered(&config.to_string(), &self.pool, targets, drivers)
    }

    /// `{ config, weights }`: the settings, and the weights as worked out by hand.
    fn good(&self, good: &Value) -> Result<String, String> {
        let config = good
            .get("config")
            .ok_or("write `config = { … }`, and the weights that come out: `weights = [2, 1]`")?;
        if let Some(faults) = schema_faults(self.plugin, config) {
            return Err(format!("its schema refuses them: {faults}"));
        }
        let weights = self
            .weigh(config, &self.targets, &self.drivers)
            .0
            .map_err(|failure| failure.message)?;
        let expected: Option<Vec<u64>> = good
            .get("weights")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_u64).collect());
        match expected {
            Some(expected) if expected != weights => {
                Err(format!("the weights are {weights:?}, and expected are {expected:?}"))
            }
            Some(_) => Ok(format!("weights {weights:?}")),
            None => Err(format!("say which weights come out: weights = {weights:?}")),
        }
    }

    fn bad(&self, config: &Value) -> Result<String, String> {
        if let Some(faults) = schema_faults(self.plugin, config) {
            return Ok(format!("by its schema: {faults}"));
        }
        match self.weigh(config, &self.targets, &self.drivers).0 {
            Err(failure) if failure.code == code::PLUGIN_CONFIG => Ok("by the plugin".into()),
            Err(failure) => Err(format!(
                "they are refused, and not as settings (`config`): {}",
                failure.message
            )),
            Ok(_) => Err("they are taken: the schema or `allocate` has to refuse them".into()),
        }
    }

    fn ends_well(
        &self,
        config: &Value,
        targets: &[Target],
        drivers: &[AllocatorDriver],
    ) -> Result<String, String> {
        let (weights, cost) = self.weigh(config, targets, drivers);
        weights.map_err(|failure| failure.message)?;
        Ok(format!("{} KiB of memory, {} units of fuel", cost.memory_bytes >> 10, cost.fuel))
    }
}
