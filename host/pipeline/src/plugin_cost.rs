//! What plugins have cost over all runs, by source.

use domain::port::{PluginCost, PluginIdentity};
use ledger::StoredCost;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All that a plugin cost for a source, or as an allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalCost {
    /// Nothing for an allocator.
    pub source: Option<String>,
    /// As it was in the last run.
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
        total.plugin = plugin.clone();
        total.runs += 1;
        total.cost.add(cost);
    }
    totals.into_values().collect()
}

impl TotalCost {
    pub fn document(&self) -> Value {
        json!({
            "plugin": self.plugin.name,
            "version": self.plugin.version,
            "source": self.source,
            "runs": self.runs,
            "cost": document(&self.cost),
        })
    }
}

/// Its figures by name, as the command line and the API give them.
pub fn document(cost: &PluginCost) -> Value {
    Value::Object(
        cost.figures().into_iter().map(|(name, figure)| (name.to_owned(), figure.into())).collect(),
    )
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
