//! AWS by the official SDK: credentials, time limits, repetitions, and refusals in words.
//!
//! The SDK finds credentials in the same places as AWS's own tools. Its words about credentials can
//! quote them, so they are never passed on. AWS is quoted only about permissions and requests.

pub mod credentials;

use crate::failure::{Failure, FailureKind};
use crate::http::masked;
use crate::secret::Blots;
use crate::tls;
use crate::toml_table;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_costexplorer::config::SharedHttpClient;
use aws_sdk_costexplorer::config::http::HttpResponse;
use aws_sdk_costexplorer::config::retry::RetryConfig;
use aws_sdk_costexplorer::config::timeout::TimeoutConfig;
use aws_sdk_costexplorer::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use credentials::with_blots;
use domain::hint::Hint;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// How often one call is tried in all.
pub const ATTEMPTS: u32 = 4;
/// Cost Explorer and Organizations answer here for all regions of the commercial partition.
const REGION: &str = "us-east-1";
const CONNECT: Duration = Duration::from_secs(10);
const QUOTED_CHARS: usize = 400;

/// The credentials and the address for the requests of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAccess {
    /// The name of the source, for the lines that hints print.
    pub source: String,
    /// A profile of `~/.aws/config`.
    pub profile: Option<String>,
    pub role: Option<AwsRole>,
    pub region: Option<String>,
    /// Replaces AWS's own address of the service.
    pub endpoint: Option<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl AwsAccess {
    /// The section of the settings.
    pub fn section(&self) -> String {
        toml_table::header(&["sources", &self.source, "aws"])
    }
}

/// A role that is taken on before the first request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsRole {
    pub arn: String,
    pub external_id: Option<String>,
}

/// A request to AWS in words, for failures.
#[derive(Clone, Copy, Debug)]
pub struct AwsAction {
    /// Such as `AWS Cost Explorer`.
    pub service: &'static str,
    /// The action that a policy has to allow, such as `ce:GetCostAndUsage`.
    pub action: &'static str,
}

/// The settings of a client. They are checked by the first request. Its credentials go into
/// `blots`.
pub async fn configuration(access: &AwsAccess, blots: &Arc<Blots>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(access.timeout)
        .build();
    let region = access.region.clone().map(Region::new);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts);
    if let Some(profile) = &access.profile {
        loader = of_profile(loader, profile, region.clone());
    }
    if let Some(region) = &region {
        loader = loader.region(region.clone());
    }
    let found = with_blots(loader.load().await, blots);
    let region = region.or_else(|| found.region().cloned()).unwrap_or(Region::from_static(REGION));
    let found = found.into_builder().region(region).build();
    match &access.role {
        None => found,
        Some(role) => {
            let mut provider =
                AssumeRoleProvider::builder(&role.arn).session_name("apportion").configure(&found);
            if let Some(external_id) = &role.external_id {
                provider = provider.external_id(external_id);
            }
            let provider = SharedCredentialsProvider::new(provider.build().await);
            with_blots(found.into_builder().credentials_provider(provider).build(), blots)
        }
    }
}

/// The credentials of a profile and no others: the chain would prefer keys of the environment,
/// which may be another account's.
pub fn of_profile(loader: ConfigLoader, profile: &str, region: Option<Region>) -> ConfigLoader {
    let configuration = ProviderConfig::default().with_http_client(client()).with_region(region);
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&configuration)
        .profile_name(profile)
        .build();
    loader.profile_name(profile).credentials_provider(provider)
}

/// TLS by rustls on ring, the certificates of the system, and the proxy of the environment.
pub fn client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .proxy_config(ProxyConfig::from_env());
        if let Some(settings) = settings {
            connector = connector.connector_settings(settings.clone());
        }
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

/// Words for a call that failed, without the secrets in `blots`.
pub fn failure<E>(
    access: &AwsAccess,
    action: AwsAction,
    blots: &Blots,
    error: &SdkError<E, HttpResponse>,
) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    told(access, action, blots, error).without(blots)
}

/// A text is blotted before it is cut: a part of a secret would not be found any more.
fn told<E>(
    access: &AwsAccess,
    action: AwsAction,
    blots: &Blots,
    error: &SdkError<E, HttpResponse>,
) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(credentials) = innermost_credentials_error(error) {
        return no_credentials(access, action, credentials);
    }
    let service = action.service;
    let ours = "add it to the certificates that this machine trusts, such as with \
         `update-ca-certificates`";
    if let Some((why, hint)) = tls::untrusted("HOST", error, Hint::text(ours)) {
        return Failure::new(
            FailureKind::Config,
            format!("{service} cannot be trusted{}: {why}", at(access)),
        )
        .hint(hint);
    }
    match error {
        SdkError::ServiceError(context) => {
            let said = context.err().meta();
            let status = context.raw().status().as_u16();
            match said.code() {
                Some(code) => {
                    let message = blots.text(said.message().unwrap_or_default());
                    refusal(access, action, code, &message, status)
                }
                None => not_aws(access, action, status),
            }
        }
        SdkError::ResponseError(context) => {
            not_aws(access, action, context.raw().status().as_u16())
        }
        SdkError::TimeoutError(_) => slow(access, service),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => slow(access, service),
        SdkError::DispatchFailure(_) => Failure::new(
            FailureKind::Unavailable,
            format!("{service} cannot be reached{}: {}", at(access), innermost(blots, error)),
        )
        .hint(
            "check the network and HTTPS_PROXY, and that nothing but AWS is named by \
                 `endpoint` or AWS_ENDPOINT_URL",
        ),
        _ => Failure::new(
            FailureKind::Config,
            format!("the request to {service} could not be made: {}", innermost(blots, error)),
        )
        .hint(format!("look at `region`, `endpoint` and `profile` of {}", access.section())),
    }
}

fn slow(access: &AwsAccess, service: &str) -> Failure {
    let seconds = access.timeout.as_secs();
    Failure::new(
        FailureKind::Unavailable,
        format!("{service} did not answer within {seconds} s, {ATTEMPTS} times"),
    )
    .hint(Hint::setting(format!("{}\ntimeout_seconds = {}", access.section(), seconds * 2)))
}

fn at(access: &AwsAccess) -> String {
    access.endpoint.as_ref().map(|endpoint| format!(" at {endpoint}")).unwrap_or_default()
}

/// The words of the innermost cause, without the SDK's own around it.
fn innermost(blots: &Blots, error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    quoted(&masked(&blots.text(&cause.to_string())))
}

fn quoted(text: &str) -> String {
    let mut quoted: String = text.trim().chars().take(QUOTED_CHARS).collect();
    if text.trim().chars().nth(QUOTED_CHARS).is_some() {
        quoted.push('…');
    }
    quoted
}

/// A refusal by AWS, by its code.
fn refusal(
    access: &AwsAccess,
    action: AwsAction,
    code: &str,
    message: &str,
    status: u16,
) -> Failure {
    let AwsAction { service, action } = action;
    let said = format!("{service} answered {code}: {}", quoted(message));
    if let Some(failure) = refused_credentials(access, service, code) {
        return failure;
    }
    match code {
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" => {
            Failure::new(FailureKind::Auth, said).hint(format!(
                "allow the action {action} to whoever the credentials belong to: \
                 {{ \"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"*\" }}"
            ))
        }
        "AWSOrganizationsNotInUseException" => Failure::new(FailureKind::Config, said).hint(
            "ask with credentials of the organization's management account, \
             or of a delegated administrator",
        ),
        "LimitExceededException"
        | "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded" => Failure::new(
            FailureKind::RateLimited(None),
            format!("{service} is asked too often ({code}), also after {ATTEMPTS} attempts"),
        )
        .hint("run again later; AWS counts the requests of the whole account"),
        "DataUnavailableException" => Failure::new(FailureKind::Unavailable, said).hint(
            "AWS prepares the data within 24 hours of Cost Explorer being enabled; \
             enable it in the console under Billing and Cost Management",
        ),
        "BillExpirationException" => Failure::new(FailureKind::Config, said).hint(
            "ask for a later period: daily data reaches back 14 months, \
             monthly data 38 where that is enabled",
        ),
        "ValidationException"
        | "InvalidNextTokenException"
        | "RequestChangedException"
        | "InvalidInputException"
        | "ResourceNotFoundException" => Failure::new(FailureKind::Config, said).hint(format!(
            "look at `config` of {}: AWS does not accept what it makes of it",
            toml_table::header(&["sources", &access.source])
        )),
        _ if status >= 500 => Failure::new(FailureKind::Unavailable, said).hint("run again later"),
        _ => Failure::new(FailureKind::Config, said),
    }
}

/// A refusal of the credentials themselves.
fn refused_credentials(access: &AwsAccess, service: &str, code: &str) -> Option<Failure> {
    let refused = |message: String| Failure::new(FailureKind::Auth, message);
    Some(match code {
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => {
            refused(format!("the credentials for {service} have expired ({code})"))
                .hint(sign_in(access))
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "MissingAuthenticationTokenException" => {
            refused(format!("{service} does not know the credentials ({code})"))
                .hint(who_am_i(access))
        }
        // AWS's words are left out: they quote the request that was signed.
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" => {
            refused(format!(
                "{service} does not accept the signature ({code}): \
                 the secret key is not that of the access key, or this machine's clock is wrong"
            ))
            .hint(format!("compare `date -u` with the real time; {}", who_am_i(access)))
        }
        _ => return None,
    })
}

/// An answer that is not one of AWS, such as the page of a proxy.
fn not_aws(access: &AwsAccess, action: AwsAction, status: u16) -> Failure {
    let kind = if status >= 500 { FailureKind::Unavailable } else { FailureKind::Config };
    Failure::new(
        kind,
        format!(
            "{}{} answered {status} with something that is not an answer of AWS",
            action.service,
            at(access)
        ),
    )
    .hint("look at what `endpoint`, AWS_ENDPOINT_URL and HTTPS_PROXY lead to")
}

fn innermost_credentials_error<'a>(
    error: &'a (dyn Error + 'static),
) -> Option<&'a CredentialsError> {
    let mut found = None;
    let mut cause = Some(error);
    while let Some(error) = cause {
        found = error.downcast_ref::<CredentialsError>().or(found);
        cause = error.source();
    }
    found
}

/// There are no credentials. The SDK's own words can quote some, so none of them are passed on.
fn no_credentials(access: &AwsAccess, action: AwsAction, error: &CredentialsError) -> Failure {
    let service = action.service;
    match (error, &access.role, &access.profile) {
        (CredentialsError::CredentialsNotLoaded(_), _, Some(profile)) => Failure::new(
            FailureKind::Auth,
            format!("there are no credentials for {service} in the profile '{profile}'"),
        )
        .hint(sign_in(access)),
        (CredentialsError::CredentialsNotLoaded(_), _, None) => {
            let lines = format!("{}\nprofile = \"billing\"", access.section());
            Failure::new(FailureKind::Auth, format!("there are no credentials for {service}")).hint(
                Hint::text(
                    "sign in with `aws sso login` or set AWS_ACCESS_KEY_ID and \
                     AWS_SECRET_ACCESS_KEY, or name a profile:\n",
                )
                .then(Hint::setting(lines)),
            )
        }
        (CredentialsError::ProviderTimedOut(_), _, _) => Failure::new(
            FailureKind::Unavailable,
            format!("the credentials for {service} did not come in time"),
        )
        .hint(who_am_i(access)),
        (CredentialsError::InvalidConfiguration(_), _, _) => {
            let profile = access.profile.as_deref().unwrap_or("default");
            Failure::new(
                FailureKind::Config,
                format!("the profile '{profile}' cannot be used for {service}"),
            )
            .hint(format!(
                "check it in ~/.aws/config with `aws configure list --profile {profile}`"
            ))
        }
        (_, Some(role), _) => {
            Failure::new(FailureKind::Auth, format!("the role {} could not be taken on", role.arn))
                .hint(format!(
                    "its trust policy has to name who asks{}: try `aws sts assume-role \
                 --role-arn {} --role-session-name try`",
                    if role.external_id.is_some() { ", with the external id" } else { "" },
                    role.arn
                ))
        }
        _ => Failure::new(
            FailureKind::Auth,
            format!("the credentials for {service} could not be had"),
        )
        .hint(who_am_i(access)),
    }
}

fn sign_in(access: &AwsAccess) -> String {
    match &access.profile {
        Some(profile) => format!("`aws sso login --profile {profile}`"),
        None => "`aws sso login`, or put new ones into the environment".to_owned(),
    }
}

fn who_am_i(access: &AwsAccess) -> String {
    match &access.profile {
        Some(profile) => format!("check with `aws sts get-caller-identity --profile {profile}`"),
        None => "check with `aws sts get-caller-identity`".to_owned(),
    }
}
