//! `[sources.NAME.store]`, and the paths of a source as files.

use super::bounds::timeout;
use super::http::KeptSection;
use crate::env_var;
use crate::file::in_root;
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::object_store::{ObjectCache, SourceFiles, SourcePath, StoreAccess, StoreKeys};
use reach::secret::SecretKeeper;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;

const STORE_SECONDS: u64 = 30;
const STORE_SECONDS_MAX: u64 = 600;

/// How paths that are URLs are reached.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    /// The region of S3 buckets; asked of S3 itself unless said.
    #[schemars(length(min = 1))]
    region: Option<String>,
    /// The address of a store that speaks the protocol of S3, Azure Blob or Google Cloud Storage
    /// and is not the vendor's own.
    #[schemars(length(min = 1))]
    endpoint: Option<String>,
    /// Whether stores and web servers may be asked without TLS.
    #[schemars(extend("default" = false))]
    allow_http: Option<bool>,
    /// A PEM file of certificates that are trusted beside the system's. Relative to the settings
    /// file.
    #[schemars(length(min = 1))]
    ca_file: Option<String>,
    /// Whether to ask without credentials, for what is public.
    #[schemars(extend("default" = false))]
    anonymous: Option<bool>,
    /// The profile of the AWS configuration whose credentials are used for S3.
    #[schemars(length(min = 1))]
    profile: Option<String>,
    /// The ARN of a role that is assumed for S3.
    #[schemars(length(min = 1))]
    role: Option<String>,
    /// What the role's trust policy wants to hear.
    #[schemars(length(min = 1))]
    external_id: Option<String>,
    /// The tenant of Azure's client secret.
    #[schemars(length(min = 1))]
    tenant_id: Option<String>,
    /// The application of Azure's client secret, or the managed identity.
    #[schemars(length(min = 1))]
    client_id: Option<String>,
    /// The folder of the copies of objects, instead of the user's cache. Relative to the settings
    /// file.
    #[schemars(length(min = 1))]
    cache: Option<String>,
    /// How long a store may be silent before it is asked again.
    #[schemars(range(min = 1, max = STORE_SECONDS_MAX), extend("default" = STORE_SECONDS))]
    timeout_seconds: Option<u64>,
    /// An access key of S3, instead of what the AWS configuration has.
    access_key: Option<KeptSection>,
    /// The secret of the access key.
    secret_key: Option<KeptSection>,
    /// The token of the access key's session.
    session_token: Option<KeptSection>,
    /// A key of Azure's storage account.
    account_key: Option<KeptSection>,
    /// A shared access signature of Azure.
    sas: Option<KeptSection>,
    /// The secret of Azure's `client_id`.
    client_secret: Option<KeptSection>,
    /// The key file of a Google service account.
    service_account: Option<KeptSection>,
    /// The token that a web server wants.
    bearer: Option<KeptSection>,
    /// What a web server wants as `user:password`.
    basic: Option<KeptSection>,
    /// What stands behind the question mark of a web server's URL where that is secret, as in
    /// signed URLs.
    query: Option<KeptSection>,
}

/// The files at the paths of a source. Objects of stores are listed here.
pub fn files(
    root: &Path,
    source: &str,
    section: Option<&StoreSection>,
    places: Vec<SourcePath>,
    is_table: fn(&str) -> bool,
) -> Result<SourceFiles, Diagnostic> {
    let store = section.cloned().unwrap_or_default();
    let silence = timeout(
        source,
        "store",
        store.timeout_seconds.unwrap_or(STORE_SECONDS),
        STORE_SECONDS_MAX,
    )?;
    let folder =
        store.cache.map(|folder| in_root(root, Path::new(&folder))).or_else(env_var::object_cache);
    let kept = |name: &str, section: &Option<KeptSection>| {
        section
            .as_ref()
            .map(|section| keeper(root, section).ok_or_else(|| not_kept(source, name)))
            .transpose()
    };
    let keys = StoreKeys {
        access_key: kept("access_key", &store.access_key)?,
        secret_key: kept("secret_key", &store.secret_key)?,
        session_token: kept("session_token", &store.session_token)?,
        account_key: kept("account_key", &store.account_key)?,
        sas: kept("sas", &store.sas)?,
        client_secret: kept("client_secret", &store.client_secret)?,
        service_account: kept("service_account", &store.service_account)?,
        bearer: kept("bearer", &store.bearer)?,
        basic: kept("basic", &store.basic)?,
        query: kept("query", &store.query)?,
    };
    let access = StoreAccess {
        region: store.region,
        endpoint: store.endpoint,
        allow_http: store.allow_http.unwrap_or(false),
        ca_file: store.ca_file.map(|path| in_root(root, Path::new(&path))),
        anonymous: store.anonymous.unwrap_or(false),
        profile: store.profile,
        role: store.role,
        external_id: store.external_id,
        tenant_id: store.tenant_id,
        client_id: store.client_id,
        silence,
        keys,
        is_table,
    };
    SourceFiles::open(source, places, &access, ObjectCache { folder })
        .map_err(|failure| failure.diagnostic)
}

fn keeper(root: &Path, section: &KeptSection) -> Option<SecretKeeper> {
    match section {
        KeptSection { env: Some(name), file: None, command: None } if !name.is_empty() => {
            Some(SecretKeeper::Env(name.clone()))
        }
        KeptSection { env: None, file: Some(path), command: None } if !path.is_empty() => {
            Some(SecretKeeper::File(in_root(root, Path::new(path))))
        }
        KeptSection { env: None, file: None, command: Some(words) } if !words.is_empty() => {
            Some(SecretKeeper::Command(words.clone()))
        }
        _ => None,
    }
}

fn not_kept(source: &str, name: &str) -> Diagnostic {
    Diagnostic::new(
        code::CONFIG_VALUE,
        format!(
            "it is not said where `{name}` of \
        [sources.{source}.store] is kept"
        ),
    )
    .hint(format!(
        "write one of `{name} = {{ env = \"NAME\" }}`, `{{ file = \"path\" }}`, `{{ \
            command = [\"program\", \"argument\"] }}`"
    ))
}
