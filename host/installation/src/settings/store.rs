//! `[sources.NAME.store]`: how the paths of a source that are URLs are reached.

use super::secret::KeptSection;
use super::section::section;
use super::setting::Setting;
use super::value::{Count, NonEmpty};
use toml::Spanned;

const TIMEOUT_SECONDS: u64 = 30;
const TIMEOUT_SECONDS_MAX: u64 = 600;

section! {
    /// How paths that are URLs are reached.
    pub struct StoreSection {
        /// The region of S3 buckets; asked of S3 itself unless said.
        pub region: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The address of a store that speaks the protocol of S3, Azure Blob or Google Cloud
        /// Storage and is not the vendor's own.
        pub endpoint: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// Whether stores and web servers may be asked without TLS.
        pub allow_http: Setting<bool> = Setting::default_of(false),
        /// A PEM file of certificates that are trusted beside the system's. Relative to the
        /// settings file.
        pub ca_file: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// Whether to ask without credentials, for public objects.
        pub anonymous: Setting<bool> = Setting::default_of(false),
        /// The profile of the AWS configuration whose credentials are used for S3.
        pub profile: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The ARN of a role that is assumed for S3.
        pub role: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The external id that the role's trust policy asks for.
        pub external_id: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The tenant of Azure's client secret.
        pub tenant_id: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The application of Azure's client secret, or the managed identity.
        pub client_id: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// The folder of the copies of objects, instead of the user's cache. Relative to the
        /// settings file.
        pub cache: Setting<Option<NonEmpty>> = Setting::default_of(None),
        /// How long a store may be silent before it is asked again.
        pub timeout_seconds: Setting<Count<1, TIMEOUT_SECONDS_MAX>> =
            Setting::default_of(Count::new(TIMEOUT_SECONDS)),
    }
    unlisted {
        /// An access key of S3, instead of that of the AWS configuration.
        #[schemars(with = "Option<KeptSection>")]
        pub access_key: Option<Spanned<KeptSection>>,
        /// The secret of the access key.
        #[schemars(with = "Option<KeptSection>")]
        pub secret_key: Option<Spanned<KeptSection>>,
        /// The token of the access key's session.
        #[schemars(with = "Option<KeptSection>")]
        pub session_token: Option<Spanned<KeptSection>>,
        /// A key of Azure's storage account.
        #[schemars(with = "Option<KeptSection>")]
        pub account_key: Option<Spanned<KeptSection>>,
        /// A shared access signature of Azure.
        #[schemars(with = "Option<KeptSection>")]
        pub sas: Option<Spanned<KeptSection>>,
        /// The secret of Azure's `client_id`.
        #[schemars(with = "Option<KeptSection>")]
        pub client_secret: Option<Spanned<KeptSection>>,
        /// The key file of a Google service account.
        #[schemars(with = "Option<KeptSection>")]
        pub service_account: Option<Spanned<KeptSection>>,
        /// The token for a web server.
        #[schemars(with = "Option<KeptSection>")]
        pub bearer: Option<Spanned<KeptSection>>,
        /// The credentials for a web server, as `user:password`.
        #[schemars(with = "Option<KeptSection>")]
        pub basic: Option<Spanned<KeptSection>>,
        /// The part of a web server's URL after the question mark, if it is secret as in signed
        /// URLs.
        #[schemars(with = "Option<KeptSection>")]
        pub query: Option<Spanned<KeptSection>>,
    }
}
