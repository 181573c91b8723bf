//! `[sources.NAME.http]` and `[sources.NAME.secrets.SLOT]`.

use crate::settings::{Settings, SourceSettings};
use domain::diagnostic::Diagnostic;
use reach::http::Http;
use serde::Deserialize;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct HttpSection {}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct SecretSection {}

pub fn http(_settings: &Settings, _source: &SourceSettings) -> Result<Http, Diagnostic> {
    Ok(Http {})
}
