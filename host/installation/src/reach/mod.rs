//! What the settings let a source reach: sections of `apportion.toml` → clients with bounds.

mod aws;
mod http;
mod kubernetes;
mod store;

pub use aws::{
    AwsSection, CALLS as AWS_CALLS, CALLS_MAX as AWS_CALLS_MAX,
    TIMEOUT_SECONDS as AWS_TIMEOUT_SECONDS, TIMEOUT_SECONDS_MAX as AWS_TIMEOUT_SECONDS_MAX,
};
pub use http::{
    HttpSection, REQUESTS_MAX, REQUESTS_PER_MINUTE_MAX, RESPONSE_MIB_MAX, RETRIES_MAX,
    RETRY_SECONDS_MAX, SecretSection, TIMEOUT_SECONDS_MAX,
};
pub use kubernetes::{KUBERNETES_SECONDS, KUBERNETES_SECONDS_MAX, KubernetesSection};
pub use store::{STORE_SECONDS, STORE_SECONDS_MAX, StoreSection, files};

use crate::reading::SourceSection;
use crate::settings::{Settings, SourceSettings};
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::Reach;
use reach::object_store::Files;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Something in a section that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub span: Range<usize>,
    pub message: String,
    pub hint: String,
}

/// What cannot be used in the sections of one source.
pub fn flaws(section: &SourceSection) -> Vec<Flaw> {
    http::flaws(section)
}

/// The sections of one source that say what it may reach.
#[derive(Clone, Debug, Default)]
pub struct ReachSettings {
    pub http: Option<HttpSection>,
    pub secrets: BTreeMap<String, SecretSection>,
    pub store: Option<StoreSection>,
    pub kubernetes: Option<KubernetesSection>,
    pub aws: Option<AwsSection>,
}

impl ReachSettings {
    pub fn of(section: &SourceSection) -> ReachSettings {
        ReachSettings {
            http: section.http.as_ref().map(|http| http.get_ref().clone()),
            secrets: section
                .secrets
                .iter()
                .map(|(slot, secret)| (slot.clone(), secret.get_ref().clone()))
                .collect(),
            store: section.store.as_ref().map(|store| store.get_ref().clone()),
            kubernetes: section.kubernetes.as_ref().map(|kubernetes| kubernetes.get_ref().clone()),
            aws: section.aws.as_ref().map(|aws| aws.get_ref().clone()),
        }
    }
}

/// `timeout_seconds` of a section, within its bounds.
fn timeout(
    source: &SourceSettings,
    section: &str,
    seconds: u64,
    maximum: u64,
) -> Result<Duration, Diagnostic> {
    if seconds == 0 || seconds > maximum {
        let message = format!(
            "timeout_seconds = {seconds} of [sources.{}.{section}] is out of bounds",
            source.name
        );
        return Err(
            Diagnostic::new(code::CONFIG_VALUE, message).hint(format!("use 1 to {maximum}"))
        );
    }
    Ok(Duration::from_secs(seconds))
}

/// The clients of one source, for the powers that it grants; `files` is what its paths lead to.
pub fn reach(
    settings: &Settings,
    source: &SourceSettings,
    files: Option<Arc<Files>>,
) -> Result<Reach, Diagnostic> {
    let granted = |power: &str| source.grants.value.iter().any(|grant| grant == power);
    Ok(Reach {
        files: files.clone().filter(|_| granted("file")),
        tables: files,
        http: if granted("http") { Some(Arc::new(http::http(settings, source)?)) } else { None },
        kubernetes: if granted("kubernetes") {
            Some(Arc::new(kubernetes::kubernetes(settings, source)?))
        } else {
            None
        },
        cost_explorer: if granted("aws-cost-explorer") {
            Some(Arc::new(aws::cost_explorer(settings, source)?))
        } else {
            None
        },
        organizations: if granted("aws-organizations") {
            Some(Arc::new(aws::organizations(settings, source)?))
        } else {
            None
        },
    })
}
