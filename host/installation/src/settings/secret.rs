//! `[sources.NAME.secrets.SLOT]`: where the value of a secret is kept, and where it may go.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A secret: one of the five ways in which its value is kept, and where it may go.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`"
)]
#[schemars(extend("required" = ["for"]))]
pub struct SecretSection {
    /// The environment variable that holds the value.
    pub env: Option<String>,
    /// The file that holds the value.
    pub file: Option<String>,
    /// A program and its arguments that print the value, such as a vault's client.
    pub command: Option<Vec<String>>,
    /// The value is a token for client credentials; it is fetched and renewed.
    #[schemars(with = "Option<OAuth2Section>")]
    pub oauth2: Option<Spanned<OAuth2Section>>,
    /// The value is a token for a service account of Google; its token_uri must be allowed.
    pub google_service_account: Option<GoogleSection>,
    /// Where the secret may go: starts of URLs, at servers that `allow` names.
    #[serde(rename = "for")]
    #[schemars(with = "Option<Vec<String>>")]
    pub areas: Option<Vec<Spanned<String>>>,
}

/// A client of a token endpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`"
)]
pub struct OAuth2Section {
    /// The endpoint that gives tokens.
    #[schemars(with = "String")]
    pub token_url: Spanned<String>,
    pub client_id: String,
    /// Where the client's secret is kept.
    #[schemars(with = "KeptSection")]
    pub client_secret: Spanned<KeptSection>,
    pub scope: Option<String>,
}

/// Where a value is kept, in one of three ways.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`"
)]
pub struct KeptSection {
    /// The environment variable that holds the value.
    pub env: Option<String>,
    /// The file that holds the value.
    pub file: Option<String>,
    /// A program and its arguments that print the value, such as a vault's client.
    pub command: Option<Vec<String>>,
}

/// A service account of Google.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`"
)]
pub struct GoogleSection {
    /// The key of the service account, as JSON.
    pub file: String,
    /// The scope of the token; without it the token may read everything.
    pub scope: Option<String>,
}
