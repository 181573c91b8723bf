//! `[sources.NAME.aws]`.

use crate::settings::{Settings, SourceSettings};
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::aws::{Access, Role};
use reach::aws_cost_explorer::CostExplorer;
use reach::aws_organizations::Organizations;
use serde::Deserialize;
use std::time::Duration;

/// Requests that one run may make of Cost Explorer: about half a dollar's worth.
pub const CALLS: u64 = 50;
pub const CALLS_MAX: u64 = 10_000;
pub const TIMEOUT_SECONDS: u64 = 60;
pub const TIMEOUT_SECONDS_MAX: u64 = 900;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct AwsSection {
    pub profile: Option<String>,
    pub role: Option<String>,
    pub external_id: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub calls: Option<u64>,
    pub timeout_seconds: Option<u64>,
}

pub fn cost_explorer(_: &Settings, source: &SourceSettings) -> Result<CostExplorer, Diagnostic> {
    let calls = source.reach.aws.as_ref().and_then(|section| section.calls);
    let calls = bounded(source, "calls", calls, CALLS, CALLS_MAX)?;
    Ok(CostExplorer::new(access(source)?, u32::try_from(calls).unwrap_or(u32::MAX)))
}

pub fn organizations(_: &Settings, source: &SourceSettings) -> Result<Organizations, Diagnostic> {
    Ok(Organizations::new(access(source)?))
}

fn access(source: &SourceSettings) -> Result<Access, Diagnostic> {
    let section = source.reach.aws.clone().unwrap_or_default();
    let seconds = bounded(
        source,
        "timeout_seconds",
        section.timeout_seconds,
        TIMEOUT_SECONDS,
        TIMEOUT_SECONDS_MAX,
    )?;
    for (key, value) in [
        ("profile", &section.profile),
        ("role", &section.role),
        ("external_id", &section.external_id),
        ("region", &section.region),
    ] {
        if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
            return Err(refused(
                source,
                format!("{key} is empty"),
                "leave the line out, and AWS's own settings count",
            ));
        }
    }
    if let Some(role) = section.role.as_ref().filter(|role| !role.starts_with("arn:")) {
        let hint = "role = \"arn:aws:iam::111122223333:role/apportion\"";
        return Err(refused(source, format!("the role '{role}' is not the ARN of a role"), hint));
    }
    if section.role.is_none() && section.external_id.is_some() {
        return Err(refused(
            source,
            "there is an external_id and no role".into(),
            "an external id belongs to a role: add `role = \"arn:aws:iam::…\"`",
        ));
    }
    if let Some(endpoint) = section.endpoint.as_ref().filter(|endpoint| {
        !["http://", "https://"].iter().any(|scheme| endpoint.starts_with(scheme))
    }) {
        return Err(refused(
            source,
            format!("the endpoint '{endpoint}' is not a URL"),
            "endpoint = \"https://ce.us-east-1.amazonaws.com\"",
        ));
    }
    Ok(Access {
        source: source.name.clone(),
        profile: section.profile,
        role: section.role.map(|arn| Role { arn, external_id: section.external_id }),
        region: section.region,
        endpoint: section.endpoint,
        timeout: Duration::from_secs(seconds),
    })
}

fn bounded(
    source: &SourceSettings,
    key: &str,
    written: Option<u64>,
    default: u64,
    maximum: u64,
) -> Result<u64, Diagnostic> {
    match written {
        None => Ok(default),
        Some(value) if value == 0 || value > maximum => Err(refused(
            source,
            format!("{key} = {value} is out of bounds"),
            &format!("use 1 to {maximum}"),
        )),
        Some(value) => Ok(value),
    }
}

fn refused(source: &SourceSettings, message: String, hint: &str) -> Diagnostic {
    Diagnostic::new(code::CONFIG_VALUE, format!("[sources.{}.aws]: {message}", source.name))
        .hint(hint)
}
