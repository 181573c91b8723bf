//! Credentials that clients of stores fetch themselves. Each is blotted before a request carries
//! it.

use crate::secret::Blots;
use object_store::azure::AzureCredential;
use object_store::gcp::GcpCredential;
use object_store::{CredentialProvider, Error};
use std::fmt;
use std::sync::Arc;

type Provider<C> = Arc<dyn CredentialProvider<Credential = C>>;

/// Gives the credentials of another provider, which are blotted from then on.
pub struct StoreCredentials<C> {
    provider: Provider<C>,
    blots: Arc<Blots>,
}

impl<C> StoreCredentials<C> {
    pub fn new(provider: &Provider<C>, blots: &Arc<Blots>) -> Arc<StoreCredentials<C>> {
        Arc::new(StoreCredentials { provider: Arc::clone(provider), blots: Arc::clone(blots) })
    }
}

impl<C> fmt::Debug for StoreCredentials<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("credentials")
    }
}

#[async_trait::async_trait]
impl CredentialProvider for StoreCredentials<GcpCredential> {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> Result<Arc<GcpCredential>, Error> {
        let credential = self.provider.get_credential().await?;
        self.blots.add(&credential.bearer);
        Ok(credential)
    }
}

#[async_trait::async_trait]
impl CredentialProvider for StoreCredentials<AzureCredential> {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> Result<Arc<AzureCredential>, Error> {
        let credential = self.provider.get_credential().await?;
        match credential.as_ref() {
            AzureCredential::BearerToken(token) => self.blots.add(token),
            // Both come from the settings, and are blotted since then. A request carries no shared
            // key, but a signature.
            AzureCredential::AccessKey(_) | AzureCredential::SASToken(_) => {}
        }
        Ok(credential)
    }
}
