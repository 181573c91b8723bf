//! Clients of AWS, out of `[sources.NAME.aws]`.

use crate::settings::aws::AwsSection;
use reach::aws::{AwsAccess, AwsRole};
use reach::aws_cost_explorer::CostExplorer;
use reach::aws_organizations::Organizations;
use std::time::Duration;

pub fn cost_explorer(source: &str, section: &AwsSection) -> CostExplorer {
    let calls = u32::try_from(section.calls.value.get()).unwrap_or(u32::MAX);
    CostExplorer::new(access(source, section), calls)
}

pub fn organizations(source: &str, section: &AwsSection) -> Organizations {
    Organizations::new(access(source, section))
}

fn access(source: &str, section: &AwsSection) -> AwsAccess {
    let external_id = section.external_id.value.as_ref().map(|id| id.0.clone());
    let role = section.role.value.as_ref();
    AwsAccess {
        source: source.to_owned(),
        profile: section.profile.value.as_ref().map(|profile| profile.0.clone()),
        role: role.map(|arn| AwsRole { arn: arn.0.clone(), external_id }),
        region: section.region.value.as_ref().map(|region| region.0.clone()),
        endpoint: section.endpoint.value.as_ref().map(|endpoint| endpoint.0.clone()),
        timeout: Duration::from_secs(section.timeout_seconds.value.get()),
    }
}
