//! `[sources.NAME.kubernetes]`.

use crate::settings::{Settings, SourceSettings};
use domain::diagnostic::Diagnostic;
use reach::kubernetes::Kubernetes;
use serde::Deserialize;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct KubernetesSection {}

pub fn kubernetes(_settings: &Settings, _source: &SourceSettings) -> Result<Kubernetes, Diagnostic> {
    Ok(Kubernetes {})
}
