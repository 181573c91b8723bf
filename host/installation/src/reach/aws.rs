//! `[sources.NAME.aws]`.

use domain::code;
use domain::diagnostic::Diagnostic;
use reach::aws::{AwsAccess, AwsRole};
use reach::aws_cost_explorer::CostExplorer;
use reach::aws_organizations::Organizations;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// Requests that one run may make of Cost Explorer: about half a dollar's worth.
const CALLS: u64 = 50;
const CALLS_MAX: u64 = 10_000;
const TIMEOUT_SECONDS: u64 = 60;
const TIMEOUT_SECONDS_MAX: u64 = 900;

/// By whose word AWS is asked, and how often.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsSection {
    /// A profile of ~/.aws/config. Without one, credentials are found where AWS's own tools find
    /// them.
    #[schemars(length(min = 1))]
    pub profile: Option<String>,
    /// The ARN of a role to be taken on.
    #[schemars(regex(pattern = "^arn:"))]
    pub role: Option<String>,
    /// What the role's trust policy may ask for.
    #[schemars(length(min = 1))]
    pub external_id: Option<String>,
    /// The region that is asked; us-east-1 where nothing else says one.
    #[schemars(length(min = 1))]
    pub region: Option<String>,
    /// Instead of AWS's own address of the service; AWS_ENDPOINT_URL is honored too.
    #[schemars(regex(pattern = "^https?://"))]
    pub endpoint: Option<String>,
    /// Requests that one run may make of Cost Explorer, repetitions included. AWS charges about
    /// 0.01 USD for each.
    #[schemars(range(min = 1, max = CALLS_MAX), extend("default" = CALLS))]
    pub calls: Option<u64>,
    /// The longest that one attempt may take.
    #[schemars(range(min = 1, max = TIMEOUT_SECONDS_MAX), extend("default" = TIMEOUT_SECONDS))]
    pub timeout_seconds: Option<u64>,
}

pub fn cost_explorer(
    source: &str,
    section: Option<&AwsSection>,
) -> Result<CostExplorer, Diagnostic> {
    let calls = section.and_then(|section| section.calls);
    let calls = bounded(source, "calls", calls, CALLS, CALLS_MAX)?;
    Ok(CostExplorer::new(access(source, section)?, u32::try_from(calls).unwrap_or(u32::MAX)))
}

pub fn organizations(
    source: &str,
    section: Option<&AwsSection>,
) -> Result<Organizations, Diagnostic> {
    Ok(Organizations::new(access(source, section)?))
}

fn access(source: &str, section: Option<&AwsSection>) -> Result<AwsAccess, Diagnostic> {
    let section = section.cloned().unwrap_or_default();
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
    Ok(AwsAccess {
        source: source.to_owned(),
        profile: section.profile,
        role: section.role.map(|arn| AwsRole { arn, external_id: section.external_id }),
        region: section.region,
        endpoint: section.endpoint,
        timeout: Duration::from_secs(seconds),
    })
}

fn bounded(
    source: &str,
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

fn refused(source: &str, message: String, hint: &str) -> Diagnostic {
    Diagnostic::new(code::CONFIG_VALUE, format!("[sources.{source}.aws]: {message}")).hint(hint)
}
