//! The paths of a source as files, reached as `[sources.NAME.store]` says.

use super::secret::SecretCheck;
use crate::env_var;
use crate::file::in_root;
use crate::settings::secret::KeptSection;
use crate::settings::setting::Setting;
use crate::settings::store::StoreSection;
use crate::settings::value::NonEmpty;
use domain::diagnostic::Diagnostic;
use reach::object_store::{ObjectCache, SourceFiles, SourcePath, StoreAccess, StoreKeys};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// The files at the paths of a source. Objects of stores are listed here.
pub fn files(
    root: &Path,
    source: &str,
    store: &StoreSection,
    places: Vec<SourcePath>,
    is_table: fn(&str) -> bool,
) -> Result<SourceFiles, Diagnostic> {
    let folder = match &store.cache.value {
        Some(folder) => Some(in_root(root, Path::new(&folder.0))),
        None => env_var::object_cache(),
    };
    let text =
        |setting: &Setting<Option<NonEmpty>>| setting.value.as_ref().map(|text| text.0.clone());
    let access = StoreAccess {
        region: text(&store.region),
        endpoint: text(&store.endpoint),
        allow_http: store.allow_http.value,
        ca_file: text(&store.ca_file).map(|path| in_root(root, Path::new(&path))),
        anonymous: store.anonymous.value,
        profile: text(&store.profile),
        role: text(&store.role),
        external_id: text(&store.external_id),
        tenant_id: text(&store.tenant_id),
        client_id: text(&store.client_id),
        silence: Duration::from_secs(store.timeout_seconds.value.get()),
        keys: keys(&mut SecretCheck::new(root), store),
        blots: Arc::default(),
        is_table,
    };
    SourceFiles::open(source, places, &access, ObjectCache { folder })
        .map_err(|failure| failure.diagnostic)
}

/// The keys of a store. A key without a place is a flaw, which was refused when the settings were
/// read.
pub fn keys(check: &mut SecretCheck<'_>, store: &StoreSection) -> StoreKeys {
    let mut kept =
        |section: &Option<Spanned<KeptSection>>| section.as_ref().and_then(|kept| check.kept(kept));
    StoreKeys {
        access_key: kept(&store.access_key),
        secret_key: kept(&store.secret_key),
        session_token: kept(&store.session_token),
        account_key: kept(&store.account_key),
        sas: kept(&store.sas),
        client_secret: kept(&store.client_secret),
        service_account: kept(&store.service_account),
        bearer: kept(&store.bearer),
        basic: kept(&store.basic),
        query: kept(&store.query),
    }
}
