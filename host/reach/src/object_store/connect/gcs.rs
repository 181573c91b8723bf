//! Google Cloud Storage, with the account of the settings or of the machine.

use super::credentials::StoreCredentials;
use super::{StoreAccess, retry, slot_name};
use crate::failure::{Failure, FailureKind};
use crate::object_store::address::Address;
use crate::object_store::trouble;
use crate::secret::{self, SecretKeeper};
use object_store::gcp::{GcpCredential, GcpCredentialProvider, GoogleCloudStorageBuilder};
use object_store::{Error, ObjectStore, StaticCredentialProvider};
use std::path::Path;
use std::sync::Arc;

impl StoreAccess {
    pub(super) fn gcs(
        &self,
        address: &Address,
    ) -> Result<Result<Box<dyn ObjectStore>, Error>, Failure> {
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(&address.bucket)
            .with_client_options(self.client()?)
            .with_retry(retry());
        if let Some(endpoint) = self.endpoint()? {
            builder = builder.with_base_url(endpoint);
        }
        match &self.keys.service_account {
            Some(SecretKeeper::File(path)) => {
                let key = secret::file(path).map_err(|reason| no_account(path, &reason))?;
                builder = builder.with_service_account_key(key.as_str());
            }
            Some(keeper) => {
                let key = keeper.read(&slot_name("service_account"))?;
                self.blots.add(key.expose());
                builder = builder.with_service_account_key(key.expose());
            }
            // An emulator knows no accounts.
            None if self.anonymous || self.endpoint.is_some() => {
                builder = builder.with_skip_signature(true).with_credentials(nobody())
            }
            None => {}
        }
        let store = builder.clone().build().and_then(|store| {
            builder
                .with_credentials(StoreCredentials::new(store.credentials(), &self.blots))
                .build()
        });
        Ok(store.map(|store| Box::new(store) as Box<dyn ObjectStore>))
    }
}

fn no_account(path: &Path, reason: &str) -> Failure {
    let message = format!("the secret 'service_account' has no value: {} {reason}", path.display());
    trouble::of(FailureKind::Config, domain::code::CONFIG_VALUE, message)
        .hint("name the key file of an account with `service_account` of [sources.NAME.store]")
}

/// Google's client needs credentials even if no request is signed.
fn nobody() -> GcpCredentialProvider {
    Arc::new(StaticCredentialProvider::new(GcpCredential { bearer: String::new() }))
}
