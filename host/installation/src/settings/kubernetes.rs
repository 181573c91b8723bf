//! `[sources.NAME.kubernetes]`: the cluster of a source.

use super::section::section;
use super::setting::{Setting, SettingFault, SettingValue};
use super::value::{Count, NonEmpty, list};
use reach::kubernetes::RESOURCES;
use serde_json::{Value, json};
use toml::Spanned;

const TIMEOUT_SECONDS: u64 = 30;
const TIMEOUT_SECONDS_MAX: u64 = 600;

section! {
    /// The cluster, and the objects of it that the power `kubernetes` may list.
    pub struct KubernetesSection {
        /// The kubeconfig, relative to the settings file; without one, the cluster that Apportion
        /// runs in. A program that it names for credentials is run.
        pub kubeconfig: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The context of the kubeconfig; its current one unless said.
        pub context: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The kinds that may be listed: plurals, with their group where they have one. Secrets
        /// and config maps cannot be granted.
        pub resources: Setting<ResourceKinds> =
            Setting::default_of(ResourceKinds(RESOURCES.map(str::to_owned).to_vec())),
        /// The namespaces whose objects may be listed; all unless said. Kinds of the whole
        /// cluster, such as nodes, are listed whole.
        pub namespaces: Setting<Vec<String>> = Setting::default_of(Vec::new()),
        /// How long the cluster may take to answer.
        pub timeout_seconds: Setting<Count<1, TIMEOUT_SECONDS_MAX>> =
            Setting::default_of(Count::new(TIMEOUT_SECONDS)),
    }
}

/// Plurals of kinds, with their group where they have one: `pods`, `apps/deployments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceKinds(pub Vec<String>);

impl SettingValue for ResourceKinds {
    type Written = Vec<Spanned<String>>;

    fn read(written: Self::Written) -> (ResourceKinds, Vec<SettingFault>) {
        let (kinds, faults) = list(written, |text| {
            let is_name = |name: &str, more: &str| {
                let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                !name.is_empty() && name.chars().all(|c| known(c) || more.contains(c))
            };
            let is_kind = match text.split_once('/') {
                Some((group, kind)) => is_name(group, ".-") && is_name(kind, "-"),
                None => is_name(text, ".-"),
            };
            if is_kind {
                return Ok(text.to_owned());
            }
            Err(SettingFault::new(
                format!("'{}' is not the plural of a kind", text.escape_debug()),
                "write it as kubectl does, such as \"pods\" or \"apps/deployments\"",
            ))
        });
        (ResourceKinds(kinds), faults)
    }

    fn shown(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        let kind = json!({ "type": "string", "pattern": "^[a-z0-9.-]+(/[a-z0-9-]+)?$" });
        json!({ "type": "array", "items": kind })
    }
}
