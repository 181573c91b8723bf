//! From settings to a store that can be listed and read, and nothing else.

mod aws;
mod credentials;
mod gcs;
mod web;

use super::address::{Address, StoreKind};
use super::cache::ObjectVersion;
use super::trouble::{self, Deed, StoreErrors};
use crate::code;
use crate::failure::{Failure, FailureKind};
use crate::http::masked;
use crate::secret::{Blots, SecretKeeper, SecretValue, SlotName};
use crate::tls::cause;
use credentials::StoreCredentials;
use domain::hint::Hint;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error, GetOptions, ObjectMeta, ObjectStore,
    ObjectStoreExt, RetryConfig,
};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The settings of a source for its stores.
pub struct StoreAccess {
    pub region: Option<String>,
    /// The address of a store that speaks the protocol of a vendor and is not the vendor's own.
    pub endpoint: Option<String>,
    /// Whether the endpoint may be without TLS.
    pub allow_http: bool,
    /// Certificates that are trusted beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Ask without credentials, for what is public.
    pub anonymous: bool,
    pub profile: Option<String>,
    pub role: Option<String>,
    pub external_id: Option<String>,
    pub tenant_id: Option<String>,
    pub client_id: Option<String>,
    /// A fetch that gets no byte for so long is taken up again where it stopped.
    pub silence: Duration,
    pub keys: StoreKeys,
    /// The secrets that stores were asked with until now.
    pub blots: Arc<Blots>,
    /// Whether an object below a prefix is a table, by its key.
    pub is_table: fn(&str) -> bool,
}

/// The secrets that stores ask for, by the places where they are kept.
#[derive(Default)]
pub struct StoreKeys {
    /// Of S3: an access key, its secret, and the token of a session.
    pub access_key: Option<SecretKeeper>,
    pub secret_key: Option<SecretKeeper>,
    pub session_token: Option<SecretKeeper>,
    /// Of Azure.
    pub account_key: Option<SecretKeeper>,
    pub sas: Option<SecretKeeper>,
    pub client_secret: Option<SecretKeeper>,
    /// Google's, in JSON.
    pub service_account: Option<SecretKeeper>,
    /// Of web servers: a token, `user:password`, what stands behind the question mark of a signed
    /// URL.
    pub bearer: Option<SecretKeeper>,
    pub basic: Option<SecretKeeper>,
    pub query: Option<SecretKeeper>,
}

/// The name of a secret of a store. The source's name is put in later.
fn slot_name(slot: &str) -> SlotName<'_> {
    SlotName { slot, section: "[sources.NAME.store]".into() }
}

/// One bucket, container or web server.
pub enum StoreClient {
    Objects { errors: StoreErrors, store: Box<dyn ObjectStore> },
    Web(web::WebFile),
}

/// The facts of an object that are known before it is fetched.
pub struct ObjectHead {
    pub key: String,
    pub size: u64,
    pub etag: Option<String>,
    /// RFC 3339.
    pub modified: Option<String>,
}

const CONNECT: Duration = Duration::from_secs(10);
/// A signature is not shorter. The other values of a signed query are names, versions and days.
const SIGNATURE_BYTES_MIN: usize = 20;

impl StoreAccess {
    pub async fn connect(&self, address: &Address) -> Result<StoreClient, Failure> {
        let kind = address.kind;
        let store: Result<Box<dyn ObjectStore>, Error> = match kind {
            StoreKind::Web => return web::WebFile::new(self, address).map(StoreClient::Web),
            StoreKind::S3 => self.s3(address).await?,
            StoreKind::Gcs => self.gcs(address)?,
            StoreKind::Azure => self.azure(address)?,
        };
        match store {
            Ok(store) => {
                let errors = StoreErrors { kind, blots: self.blots.clone() };
                Ok(StoreClient::Objects { errors, store })
            }
            Err(error) => {
                // The words of the parser are left out: they can quote the key of an account.
                let why = match cause::<serde_json::Error>(&error) {
                    Some(_) => "the file of its account is not one of Google".to_owned(),
                    None => masked(&error.to_string()),
                };
                let message =
                    format!("{} cannot be reached with these settings: {why}", address.root);
                let code = domain::code::CONFIG_VALUE;
                Err(trouble::of(FailureKind::Config, code, message)
                    .hint("check [sources.NAME.store]"))
            }
        }
    }

    /// Reads a secret where it is kept. From now on it is blotted out of messages.
    fn value(
        &self,
        slot: &str,
        keeper: &Option<SecretKeeper>,
    ) -> Result<Option<SecretValue>, Failure> {
        let Some(keeper) = keeper else { return Ok(None) };
        let value = keeper.read(&slot_name(slot))?;
        self.blots.add(value.expose());
        Ok(Some(value))
    }

    /// Pairs of a query that signs a request. A server can repeat one of them alone.
    fn add_query(&self, query: &SecretValue) -> Vec<(String, String)> {
        let text = query.expose().trim_start_matches('?');
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        self.blots.add(text);
        for (_, value) in pairs.iter().filter(|(_, value)| value.len() >= SIGNATURE_BYTES_MIN) {
            self.blots.add(value);
        }
        pairs
    }

    fn azure(&self, address: &Address) -> Result<Result<Box<dyn ObjectStore>, Error>, Failure> {
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(&address.account)
            .with_container_name(&address.bucket)
            .with_client_options(self.client()?)
            .with_retry(retry());
        if let Some(endpoint) = self.endpoint()? {
            builder = builder.with_endpoint(endpoint.to_owned());
        }
        if let Some(tenant) = &self.tenant_id {
            builder = builder.with_tenant_id(tenant);
        }
        if let Some(client) = &self.client_id {
            builder = builder.with_client_id(client);
        }
        if self.anonymous {
            builder = builder.with_skip_signature(true);
        } else if let Some(key) = self.value("account_key", &self.keys.account_key)? {
            builder = builder.with_access_key(key.expose());
        } else if let Some(sas) = self.value("sas", &self.keys.sas)? {
            builder = builder.with_sas_authorization(self.add_query(&sas));
        } else if let Some(secret) = self.value("client_secret", &self.keys.client_secret)? {
            builder = builder.with_client_secret(secret.expose());
        }
        let store = builder.clone().build().and_then(|store| {
            builder
                .with_credentials(StoreCredentials::new(store.credentials(), &self.blots))
                .build()
        });
        Ok(store.map(|store| Box::new(store) as Box<dyn ObjectStore>))
    }

    fn endpoint(&self) -> Result<Option<&str>, Failure> {
        let Some(endpoint) = self.endpoint.as_deref() else { return Ok(None) };
        self.check_tls(endpoint)?;
        Ok(Some(endpoint.trim_end_matches('/')))
    }

    fn check_tls(&self, url: &str) -> Result<(), Failure> {
        if url.starts_with("https://") || (self.allow_http && url.starts_with("http://")) {
            return Ok(());
        }
        let shown = masked(url);
        let (address, _) = shown.split_once('?').unwrap_or((&shown, ""));
        let message = format!(
            "{address} is asked without TLS, so that everybody on the way can read and \
                 change the bill"
        );
        Err(trouble::of(FailureKind::Config, domain::code::CONFIG_VALUE, message).hint(
            Hint::text("write https://, or ")
                .then(Hint::setting("allow_http = true"))
                .then(" in [sources.NAME.store] if the way is your own"),
        ))
    }

    fn certificates(&self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(path) = &self.ca_file else { return Ok(None) };
        let bytes = std::fs::read(path).map_err(|error| {
            trouble::of(
                FailureKind::Config,
                domain::code::CONFIG_VALUE,
                format!("the certificates {} cannot be read: {error}", path.display()),
            )
            .hint("name a PEM file with `ca_file` of [sources.NAME.store]")
        })?;
        Ok(Some(bytes))
    }

    fn client(&self) -> Result<ClientOptions, Failure> {
        let mut options = ClientOptions::new()
            .with_allow_http(self.allow_http)
            .with_connect_timeout(CONNECT)
            .with_read_timeout(self.silence)
            .with_timeout_disabled();
        if let Some(bytes) = self.certificates()? {
            let certificates = Certificate::from_pem_bundle(&bytes)
                .map_err(|_| no_certificate(self.ca_file.as_ref()))?;
            options = certificates.into_iter().fold(options, ClientOptions::with_root_certificate);
        }
        Ok(options)
    }
}

fn no_certificate(path: Option<&PathBuf>) -> Failure {
    let path = path.map(|path| path.display().to_string()).unwrap_or_default();
    trouble::of(
        FailureKind::Config,
        domain::code::CONFIG_VALUE,
        format!("{path} holds no certificates"),
    )
    .hint("name a PEM file with `ca_file` of [sources.NAME.store]")
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(60) }
}

impl StoreClient {
    /// The object under exactly this key, if there is one.
    pub async fn head(&self, url: &str, key: &str) -> Result<Option<ObjectHead>, Failure> {
        match self {
            StoreClient::Web(web) => web.head().await.map(Some),
            StoreClient::Objects { errors, store } => match store.head(&path(url, key)?).await {
                Ok(meta) => Ok(Some(head(&meta))),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(errors.failure(Deed::List, url, &error)),
            },
        }
    }

    /// All objects below a folder.
    pub async fn list(
        &self,
        url: &str,
        folder: &str,
        most: usize,
    ) -> Result<Vec<ObjectHead>, Failure> {
        let StoreClient::Objects { errors, store } = self else { return Ok(Vec::new()) };
        let prefix = path(url, folder)?;
        let mut stream = store.list(Some(&prefix));
        let mut heads = Vec::new();
        while let Some(meta) = stream.next().await {
            let meta = meta.map_err(|error| errors.failure(Deed::List, url, &error))?;
            heads.push(head(&meta));
            if heads.len() > most {
                return Err(trouble::of(
                    FailureKind::Config,
                    code::STORE_FAILED,
                    format!("there are more than {most} objects at {url}"),
                )
                .hint("narrow the path to the bill's own prefix"));
            }
        }
        Ok(heads)
    }

    /// The object from its beginning, if it has not changed since it was listed.
    pub async fn fetch(
        &self,
        url: &str,
        key: &str,
        size: u64,
        version: &ObjectVersion,
    ) -> Result<ObjectFetch, Failure> {
        match self {
            StoreClient::Web(web) => web.fetch(size).await,
            StoreClient::Objects { errors, store } => {
                let failed = |error: &Error| errors.failure(Deed::Fetch, url, error);
                let got = store
                    .get_opts(&path(url, key)?, GetOptions::default())
                    .await
                    .map_err(|error| failed(&error))?;
                let now = head(&got.meta);
                let is_other =
                    now.etag.is_some() && version.etag.is_some() && now.etag != version.etag;
                if now.size != size || is_other {
                    return Err(changed(url));
                }
                Ok(ObjectFetch::Objects {
                    url: url.to_owned(),
                    errors: errors.clone(),
                    stream: got.into_stream(),
                })
            }
        }
    }

    /// A part of an object.
    pub async fn read(&self, url: &str, key: &str, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        match self {
            StoreClient::Web(web) => web.read(range).await,
            StoreClient::Objects { errors, store } => {
                let read = store.get_range(&path(url, key)?, range).await;
                read.map(|bytes| bytes.to_vec())
                    .map_err(|error| errors.failure(Deed::Fetch, url, &error))
            }
        }
    }
}

/// An object on its way.
pub enum ObjectFetch {
    Objects {
        url: String,
        errors: StoreErrors,
        stream: BoxStream<'static, object_store::Result<bytes::Bytes>>,
    },
    Web(Box<web::WebFetch>),
}

impl ObjectFetch {
    pub async fn piece(&mut self) -> Result<Option<bytes::Bytes>, Failure> {
        match self {
            ObjectFetch::Web(fetch) => fetch.piece().await,
            ObjectFetch::Objects { url, errors, stream } => stream
                .next()
                .await
                .transpose()
                .map_err(|error| errors.failure(Deed::Fetch, url, &error)),
        }
    }
}

pub fn changed(url: &str) -> Failure {
    trouble::of(
        FailureKind::Transient,
        code::STORE_FAILED,
        format!("{url} cannot be fetched: it was changed after it was listed"),
    )
    .hint("run again: what is there then is listed anew")
}

fn path(url: &str, key: &str) -> Result<Key, Failure> {
    Key::parse(key.trim_end_matches('/')).map_err(|error| {
        trouble::of(
            FailureKind::Config,
            domain::code::CONFIG_VALUE,
            format!("{url} leads to no key that can be read: {error}"),
        )
        .hint("write the key as the store shows it, without empty parts")
    })
}

fn head(meta: &ObjectMeta) -> ObjectHead {
    // Listings and answers quote it differently.
    let etag = meta
        .e_tag
        .as_deref()
        .map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_owned());
    ObjectHead {
        key: meta.location.to_string(),
        size: meta.size,
        etag,
        modified: Some(domain::period::instant(meta.last_modified.timestamp_millis())),
    }
}
