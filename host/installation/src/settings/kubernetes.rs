//! `[sources.NAME.kubernetes]`: the cluster of a source.

use super::section::section;
use super::setting::Setting;
use super::value::{Count, NonEmpty};
use reach::kubernetes::RESOURCES;

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
        pub resources: Setting<Vec<String>> =
            Setting::default_of(RESOURCES.map(str::to_owned).to_vec()),
        /// The namespaces of which anything may be listed; all unless said. Kinds of the whole
        /// cluster, such as nodes, are listed whole.
        pub namespaces: Setting<Vec<String>> = Setting::default_of(Vec::new()),
        /// How long the cluster may take to answer.
        pub timeout_seconds: Setting<Count<1, TIMEOUT_SECONDS_MAX>> =
            Setting::default_of(Count::new(TIMEOUT_SECONDS)),
    }
}
