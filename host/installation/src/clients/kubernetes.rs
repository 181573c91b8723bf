//! The client of a cluster, out of `[sources.NAME.kubernetes]`.

use crate::file::in_root;
use crate::settings::kubernetes::KubernetesSection;
use domain::diagnostic::Diagnostic;
use reach::kubernetes::{ClusterAccess, Kubernetes};
use std::path::Path;
use std::time::Duration;

pub fn kubernetes(
    root: &Path,
    source: &str,
    section: &KubernetesSection,
) -> Result<Kubernetes, Diagnostic> {
    let kubeconfig = section.kubeconfig.value.as_ref();
    Kubernetes::new(ClusterAccess {
        source: source.to_owned(),
        kubeconfig: kubeconfig.map(|path| in_root(root, Path::new(&path.0))),
        context: section.context.value.as_ref().map(|context| context.0.clone()),
        resources: section.resources.value.0.clone(),
        namespaces: section.namespaces.value.clone(),
        timeout: Duration::from_secs(section.timeout_seconds.value.get()),
    })
}
