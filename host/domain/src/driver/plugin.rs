//! `plugin`: weights from an allocator plugin, which never sees or moves the amount of a single
//! charge.

use super::candidates::Candidates;
use super::facts::{CostQuestion, Facts, MetricWindow, PluginCall, Pool, PricedUsage, Window};
use super::method::{DriverAnswer, DriverMethod};
use crate::diagnostic::Diagnostic;
use crate::recipient::Recipient;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginDriver {
    pub plugin: String,
    /// The rule's own settings for the plugin, as JSON.
    pub config: String,
    pub among: Candidates,
    pub metrics: Vec<String>,
}

impl DriverMethod for PluginDriver {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let targets = self.among.targets_with_cost(pool, facts);
        let weights = facts.plugin(&PluginCall {
            plugin: &self.plugin,
            config: &self.config,
            pool,
            targets: &targets,
            metrics: &self.metrics,
        })?;
        let recipients = targets.into_iter().map(Recipient::Team);
        let weights = weights.into_iter().map(i128::from);
        Ok(DriverAnswer::Weights(recipients.zip(weights).collect()))
    }

    fn recipients(&self, pool: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        Ok(self.among.recipients_with_cost(pool, facts))
    }

    fn teams(&self) -> Vec<&str> {
        self.among.teams()
    }

    /// The plugin gets the total, and its weights may depend on it.
    fn needs_total(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        let PluginDriver { plugin, config, among, metrics } = self;
        let metrics = match metrics.is_empty() {
            true => String::new(),
            false => format!(" with {}", metrics.join(", ")),
        };
        format!("plugin {plugin} {config} {}{metrics}", among.describe())
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        let metrics = self.metrics.iter();
        metrics.map(|metric| MetricWindow { metric, window: Window::DAY }).collect()
    }

    fn team_costs(&self) -> Vec<&CostQuestion> {
        Vec::new()
    }

    fn priced(&self) -> Vec<PricedUsage<'_>> {
        Vec::new()
    }
}
