//! Credentials of the SDK. Each is blotted before a request is signed with it.

use crate::secret::Blots;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::fmt;
use std::sync::Arc;

/// The same settings, with each of their credentials blotted.
pub fn with_blots(found: SdkConfig, blots: &Arc<Blots>) -> SdkConfig {
    let Some(provider) = found.credentials_provider() else { return found };
    let provider = SdkCredentials { provider, blots: Arc::clone(blots) };
    let provider = SharedCredentialsProvider::new(provider);
    found.into_builder().credentials_provider(provider).build()
}

/// A server is sent the token of a session, and can repeat it. The secret key is not sent, but
/// nothing may show it either.
pub fn add_blots(blots: &Blots, credentials: &Credentials) {
    blots.add(credentials.secret_access_key());
    blots.add(credentials.session_token().unwrap_or_default());
}

/// Gives the credentials of another provider, which are blotted from then on.
struct SdkCredentials {
    provider: SharedCredentialsProvider,
    blots: Arc<Blots>,
}

impl fmt::Debug for SdkCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("credentials")
    }
}

impl ProvideCredentials for SdkCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = self.provider.provide_credentials().await?;
            add_blots(&self.blots, &found);
            Ok(found)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}
