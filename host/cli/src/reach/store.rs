//! `[sources.NAME.store]`, and the paths of a source as files.

use crate::settings::{Settings, SourceSettings};
use domain::diagnostic::Diagnostic;
use reach::object_store::Files;
use serde::Deserialize;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {}

pub fn files(_settings: &Settings, _source: &SourceSettings) -> Result<Files, Diagnostic> {
    Ok(Files {})
}
