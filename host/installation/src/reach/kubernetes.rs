//! `[sources.NAME.kubernetes]`.

use super::bounds::timeout;
use crate::file::in_root;
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::kubernetes::{ClusterAccess, Kubernetes, RESOURCES};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;

const KUBERNETES_SECONDS: u64 = 30;
const KUBERNETES_SECONDS_MAX: u64 = 600;

/// Which cluster, and what of it the power `kubernetes` may list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubernetesSection {
    /// The kubeconfig, relative to the settings file; without one, the cluster that Apportion runs
    /// in. A program that it names for credentials is run.
    #[schemars(length(min = 1))]
    pub kubeconfig: Option<String>,
    /// The context of the kubeconfig; its current one unless said.
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// The kinds that may be listed: plurals, with their group where they have one. Secrets and
    /// config maps cannot be granted.
    #[schemars(inner(regex(pattern = "^[a-z0-9.-]+(/[a-z0-9-]+)?$")), extend("default" = RESOURCES))]
    pub resources: Option<Vec<String>>,
    /// The namespaces of which anything may be listed; all unless said. Kinds of the whole cluster,
    /// such as nodes, are listed whole.
    pub namespaces: Option<Vec<String>>,
    /// How long the cluster may take to answer.
    #[schemars(range(min = 1, max = KUBERNETES_SECONDS_MAX), extend("default" = KUBERNETES_SECONDS))]
    pub timeout_seconds: Option<u64>,
}

pub fn kubernetes(
    root: &Path,
    source: &str,
    section: Option<&KubernetesSection>,
) -> Result<Kubernetes, Diagnostic> {
    let section = section.cloned().unwrap_or_default();
    let refused = |message: String, hint: String| {
        Err(Diagnostic::new(code::CONFIG_VALUE, message).hint(hint))
    };
    let timeout = timeout(
        source,
        "kubernetes",
        section.timeout_seconds.unwrap_or(KUBERNETES_SECONDS),
        KUBERNETES_SECONDS_MAX,
    )?;
    if section.kubeconfig.is_none() && section.context.is_some() {
        let message = format!(
            "[sources.{source}.kubernetes] has a context, and no kubeconfig that it could be of"
        );
        return refused(message, "write `kubeconfig = \"/etc/apportion/kubeconfig\"` too".into());
    }
    Kubernetes::new(ClusterAccess {
        source: source.to_owned(),
        kubeconfig: section.kubeconfig.map(|path| in_root(root, Path::new(&path))),
        context: section.context,
        resources: section.resources.unwrap_or_else(|| RESOURCES.map(str::to_owned).to_vec()),
        namespaces: section.namespaces.unwrap_or_default(),
        timeout,
    })
}
