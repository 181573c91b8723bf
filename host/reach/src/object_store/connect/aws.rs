//! S3 and what speaks like it, with the credentials that the AWS command would use.

use super::{StoreAccess, retry};
use crate::aws;
use crate::code;
use crate::failure::{Failure, FailureKind};
use crate::object_store::address::Address;
use crate::object_store::trouble;
use crate::secret::Blots;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use domain::hint::Hint;
use object_store::aws::{AmazonS3Builder, AwsCredential, resolve_bucket_region};
use object_store::{CredentialProvider, Error, ObjectStore};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// Credentials are renewed so long before they end.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);

impl StoreAccess {
    pub(super) async fn s3(
        &self,
        address: &Address,
    ) -> Result<Result<Box<dyn ObjectStore>, Error>, Failure> {
        let options = self.client()?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&address.bucket)
            .with_client_options(options.clone())
            .with_retry(retry());
        let chain = self.chain().await;
        let own_endpoint =
            self.endpoint()?.map(str::to_owned).or_else(|| chain.endpoint_url().map(str::to_owned));
        if let Some(endpoint) = &own_endpoint {
            self.check_tls(endpoint)?;
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        let region = match (&self.region, &own_endpoint) {
            (Some(region), _) => region.clone(),
            (None, Some(_)) => {
                chain.region().map_or_else(|| "us-east-1".to_owned(), Region::to_string)
            }
            // Anybody may ask a bucket for its region.
            (None, None) => match resolve_bucket_region(&address.bucket, &options).await {
                Ok(region) => region,
                Err(error) => return Err(no_region(address, &trouble::words(&error, &self.blots))),
            },
        };
        builder = builder.with_region(region);
        builder = if self.anonymous {
            builder.with_skip_signature(true)
        } else {
            builder.with_credentials(Arc::new(self.credentials(&chain).await?))
        };
        Ok(builder.build().map(|store| Box::new(store) as Box<dyn ObjectStore>))
    }

    async fn chain(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(aws::client());
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            loader = aws::of_profile(loader, profile, self.region.clone().map(Region::new));
        }
        loader.load().await
    }

    async fn credentials(&self, chain: &SdkConfig) -> Result<AwsCredentials, Failure> {
        let own = match (
            self.value("access_key", &self.keys.access_key)?,
            self.value("secret_key", &self.keys.secret_key)?,
        ) {
            (Some(access), Some(secret)) => {
                let token = self
                    .value("session_token", &self.keys.session_token)?
                    .map(|token| token.expose().to_owned());
                let keys = aws_credential_types::Credentials::new(
                    access.expose(),
                    secret.expose(),
                    token,
                    None,
                    "settings",
                );
                Some(SharedCredentialsProvider::new(keys))
            }
            (None, None) => None,
            _ => {
                return Err(trouble::of(
                    FailureKind::Config,
                    domain::code::CONFIG_VALUE,
                    "an access key is of no use without its secret key, nor the other way round",
                )
                .hint("write both `access_key` and `secret_key` in [sources.NAME.store]"));
            }
        };
        let provider = match (&self.role, own) {
            (None, own) => own.or_else(|| chain.credentials_provider()),
            (Some(role), own) => {
                let builder =
                    AssumeRoleProvider::builder(role).session_name("apportion").configure(chain);
                let builder =
                    self.external_id.iter().fold(builder, |builder, id| builder.external_id(id));
                let provider = match own {
                    Some(own) => builder.build_from_provider(own).await,
                    None => builder.build().await,
                };
                Some(SharedCredentialsProvider::new(provider))
            }
        };
        let none = || {
            trouble::of(FailureKind::Auth, code::STORE_REFUSED, "there are no credentials for S3")
                .hint(hint())
        };
        Ok(AwsCredentials {
            provider: provider.ok_or_else(none)?,
            profile: self.profile.clone(),
            blots: self.blots.clone(),
            last: Mutex::new(None),
        })
    }
}

fn hint() -> Hint {
    Hint::text("log in as for the aws command, name a `profile` in [sources.NAME.store], or write ")
        .then(Hint::setting("anonymous = true"))
        .then(" there if the bucket is public")
}

fn no_region(address: &Address, why: &str) -> Failure {
    trouble::of(
        FailureKind::Config,
        code::STORE_NOT_FOUND,
        format!("the region of {} is not known: {why}", address.root),
    )
    .hint("correct the bucket's name in `paths`, or write `region` in [sources.NAME.store]")
}

/// AWS's chain of credentials in the form that the store's client asks for.
struct AwsCredentials {
    provider: SharedCredentialsProvider,
    profile: Option<String>,
    blots: Arc<Blots>,
    last: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

impl std::fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("credentials")
    }
}

#[async_trait::async_trait]
impl CredentialProvider for AwsCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>, Error> {
        let mut last = self.last.lock().await;
        let lasts = |until: &Option<SystemTime>| {
            until.is_none_or(|until| until > SystemTime::now() + RENEWED_BEFORE)
        };
        if let Some((credential, _)) = last.as_ref().filter(|(_, until)| lasts(until)) {
            return Ok(credential.clone());
        }
        let found = self.provider.provide_credentials().await;
        // The SDK's words are left out: they can quote credentials.
        let found = found.map_err(|_| {
            let why =
                self.profile.as_ref().map_or("there are none that can be used".into(), |profile| {
                    format!("the profile '{profile}' gives none")
                });
            Error::Unauthenticated { path: String::new(), source: why.into() }
        })?;
        aws::credentials::add_blots(&self.blots, &found);
        let credential = Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        });
        *last = Some((credential.clone(), found.expiry()));
        Ok(credential)
    }
}
