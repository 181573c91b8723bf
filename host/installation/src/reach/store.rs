//! `[sources.NAME.store]`, and the paths of a source as files.

use super::http::KeptSection;
use crate::env_var;
use crate::settings::{Settings, SourceSettings};
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::object_store::{Access, Cache, Files, Keys, Place};
use reach::secret::Keeper;
use serde::Deserialize;

pub const STORE_SECONDS: u64 = 30;
pub const STORE_SECONDS_MAX: u64 = 600;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    region: Option<String>,
    endpoint: Option<String>,
    allow_http: Option<bool>,
    ca_file: Option<String>,
    anonymous: Option<bool>,
    profile: Option<String>,
    role: Option<String>,
    external_id: Option<String>,
    tenant_id: Option<String>,
    client_id: Option<String>,
    cache: Option<String>,
    timeout_seconds: Option<u64>,
    access_key: Option<KeptSection>,
    secret_key: Option<KeptSection>,
    session_token: Option<KeptSection>,
    account_key: Option<KeptSection>,
    sas: Option<KeptSection>,
    client_secret: Option<KeptSection>,
    service_account: Option<KeptSection>,
    bearer: Option<KeptSection>,
    basic: Option<KeptSection>,
    query: Option<KeptSection>,
}

/// What the paths of a source lead to; what lies in stores is listed here.
pub fn files(
    settings: &Settings,
    source: &SourceSettings,
    places: Vec<Place>,
    is_table: fn(&str) -> bool,
) -> Result<Files, Diagnostic> {
    let store = source.reach.store.clone().unwrap_or_default();
    let silence = super::timeout(
        source,
        "store",
        store.timeout_seconds.unwrap_or(STORE_SECONDS),
        STORE_SECONDS_MAX,
    )?;
    let folder = store.cache.map(|folder| settings.path(&folder)).or_else(env_var::object_cache);
    let kept = |name: &str, section: &Option<KeptSection>| {
        section
            .as_ref()
            .map(|section| keeper(settings, section).ok_or_else(|| not_kept(&source.name, name)))
            .transpose()
    };
    let keys = Keys {
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
    let access = Access {
        region: store.region,
        endpoint: store.endpoint,
        allow_http: store.allow_http.unwrap_or(false),
        ca_file: store.ca_file.map(|path| settings.path(&path)),
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
    Files::open(&source.name, places, &access, Cache { folder })
        .map_err(|failure| failure.diagnostic)
}

fn keeper(settings: &Settings, section: &KeptSection) -> Option<Keeper> {
    match section {
        KeptSection { env: Some(name), file: None, command: None } if !name.is_empty() => {
            Some(Keeper::Env(name.clone()))
        }
        KeptSection { env: None, file: Some(path), command: None } if !path.is_empty() => {
            Some(Keeper::File(settings.path(path)))
        }
        KeptSection { env: None, file: None, command: Some(words) } if !words.is_empty() => {
            Some(Keeper::Command(words.clone()))
        }
        _ => None,
    }
}

fn not_kept(source: &str, name: &str) -> Diagnostic {
    Diagnostic::new(code::CONFIG_VALUE, format!("it is not said where `{name}` of [sources.{source}.store] is kept"))
        .hint(format!("write one of `{name} = {{ env = \"NAME\" }}`, `{{ file = \"path\" }}`, `{{ command = [\"program\", \"argument\"] }}`"))
}
