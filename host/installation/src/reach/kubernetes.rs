//! `[sources.NAME.kubernetes]`.

use crate::settings::{Settings, SourceSettings};
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::kubernetes::{Access, Kubernetes, RESOURCES};
use serde::Deserialize;

pub const KUBERNETES_SECONDS: u64 = 30;
pub const KUBERNETES_SECONDS_MAX: u64 = 600;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct KubernetesSection {
    /// Relative to the settings file.
    pub kubeconfig: Option<String>,
    pub context: Option<String>,
    pub resources: Option<Vec<String>>,
    pub namespaces: Option<Vec<String>>,
    pub timeout_seconds: Option<u64>,
}

pub fn kubernetes(settings: &Settings, source: &SourceSettings) -> Result<Kubernetes, Diagnostic> {
    let section = source.reach.kubernetes.clone().unwrap_or_default();
    let refused = |message: String, hint: String| {
        Err(Diagnostic::new(code::CONFIG_VALUE, message).hint(hint))
    };
    let timeout = super::timeout(
        source,
        "kubernetes",
        section.timeout_seconds.unwrap_or(KUBERNETES_SECONDS),
        KUBERNETES_SECONDS_MAX,
    )?;
    if section.kubeconfig.is_none() && section.context.is_some() {
        let message = format!(
            "[sources.{}.kubernetes] has a context, and no kubeconfig that it could be of",
            source.name
        );
        return refused(message, "write `kubeconfig = \"/etc/apportion/kubeconfig\"` too".into());
    }
    Kubernetes::new(Access {
        source: source.name.clone(),
        kubeconfig: section.kubeconfig.map(|path| settings.path(&path)),
        context: section.context,
        resources: section.resources.unwrap_or_else(|| RESOURCES.map(str::to_owned).to_vec()),
        namespaces: section.namespaces.unwrap_or_default(),
        timeout,
    })
}
