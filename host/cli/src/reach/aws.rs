//! `[sources.NAME.aws]`.

use crate::settings::{Settings, SourceSettings};
use domain::diagnostic::Diagnostic;
use reach::aws_cost_explorer::CostExplorer;
use reach::aws_organizations::Organizations;
use serde::Deserialize;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct AwsSection {}

pub fn cost_explorer(_settings: &Settings, _source: &SourceSettings) -> Result<CostExplorer, Diagnostic> {
    Ok(CostExplorer {})
}

pub fn organizations(_settings: &Settings, _source: &SourceSettings) -> Result<Organizations, Diagnostic> {
    Ok(Organizations {})
}
