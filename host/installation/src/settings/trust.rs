//! `[trust]`: whose plugins may be installed.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Whose plugins may be installed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Public keys of minisign, by the name of who has them: plugins that they signed can be
    /// installed.
    pub keys: BTreeMap<String, String>,
    /// Whether plugins without a signature are refused.
    pub require_signature: bool,
}
