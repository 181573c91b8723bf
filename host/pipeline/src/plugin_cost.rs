//! The cost of plugins over all runs, by source.

use domain::port::{PluginCost, PluginIdentity};
use ledger::StoredCost;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The cost of a plugin for a source, or as an allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalCost {
    /// An allocator has none.
    pub source: Option<String>,
    /// The version in the last run.
    pub plugin: PluginIdentity,
    pub runs: u64,
    pub cost: PluginCost,
}

/// By plugin and source; versions of a plugin count together.
pub fn totals(costs: &[StoredCost]) -> Vec<TotalCost> {
    let mut totals: BTreeMap<(&str, Option<&str>), TotalCost> = BTreeMap::new();
    for StoredCost { source, plugin, cost, .. } in costs {
        let empty = || TotalCost {
            source: source.clone(),
            plugin: plugin.clone(),
            runs: 0,
            cost: PluginCost::default(),
        };
        let total = totals.entry((&plugin.name, source.as_deref())).or_insert_with(empty);
        // One that could not be opened did not tell its version.
        if !plugin.version.is_empty() {
            total.plugin = plugin.clone();
        }
        total.runs += 1;
        total.cost.add(cost);
    }
    totals.into_values().collect()
}

/// The cost of a plugin over all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PluginCosts")]
pub struct TotalCostDocument {
    plugin: String,
    /// Of the last run.
    version: String,
    /// Null for an allocator.
    source: Option<String>,
    runs: u64,
    cost: PluginCostDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PluginCost")]
pub struct PluginCostDocument {
    /// Fresh instances.
    starts: u64,
    /// Millionths of a second that it ran.
    wall_us: u64,
    /// Of them, those in which the host was outside on its behalf.
    waited_us: u64,
    /// The most that an instance had.
    memory_bytes: u64,
    /// Rows that it handed over, and those of tables that it mapped.
    rows: u64,
    /// Bytes that it handed over.
    bytes: u64,
    host_calls: u64,
    /// Calls that went outside.
    requests: u64,
    /// Calls that were refused.
    denials: u64,
    /// The fuel of an allocator.
    fuel: u64,
}

impl From<&TotalCost> for TotalCostDocument {
    fn from(total: &TotalCost) -> TotalCostDocument {
        TotalCostDocument {
            plugin: total.plugin.name.clone(),
            version: total.plugin.version.clone(),
            source: total.source.clone(),
            runs: total.runs,
            cost: PluginCostDocument::from(&total.cost),
        }
    }
}

impl From<&PluginCost> for PluginCostDocument {
    fn from(cost: &PluginCost) -> PluginCostDocument {
        PluginCostDocument {
            starts: cost.starts,
            wall_us: cost.wall_us,
            waited_us: cost.waited_us,
            memory_bytes: cost.memory_bytes,
            rows: cost.rows,
            bytes: cost.bytes,
            host_calls: cost.host_calls,
            requests: cost.requests,
            denials: cost.denials,
            fuel: cost.fuel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::run::RunId;

    #[test]
    fn versions_of_a_plugin_count_together_and_sources_apart() {
        let cost = |run, source: Option<&str>, version: &str, rows, memory_bytes| StoredCost {
            run: RunId(run),
            source: source.map(str::to_owned),
            plugin: PluginIdentity {
                name: "focus-file".into(),
                version: version.into(),
                digest: String::new(),
            },
            cost: PluginCost { starts: 1, rows, memory_bytes, ..PluginCost::default() },
        };
        let costs = [
            cost(1, Some("aws"), "1", 10, 7),
            cost(1, Some("gcp"), "1", 1, 1),
            cost(2, Some("aws"), "2", 5, 3),
            cost(2, None, "2", 0, 0),
        ];
        let shown: Vec<String> = totals(&costs)
            .iter()
            .map(|total| {
                format!(
                    "{:?} {} {} {} {}",
                    total.source,
                    total.plugin.version,
                    total.runs,
                    total.cost.rows,
                    total.cost.memory_bytes
                )
            })
            .collect();
        assert_eq!(shown, ["None 2 1 0 0", "Some(\"aws\") 2 2 15 7", "Some(\"gcp\") 1 1 1 1"]);
    }
}
