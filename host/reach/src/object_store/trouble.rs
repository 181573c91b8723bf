//! Errors of stores in words, each with the line that mends it. No URL of a request and no header
//! is quoted, because both can carry a signature.

use super::address::StoreKind;
use crate::code;
use crate::failure::{Failure, FailureKind};
use crate::http::masked;
use crate::secret::Blots;
use crate::tls;
use crate::toml_table;
use domain::code::Code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use object_store::Error;
use std::sync::Arc;
use url::Url;

pub fn of(kind: FailureKind, code: Code, message: impl Into<String>) -> Failure {
    Failure { kind, diagnostic: Diagnostic::new(code, message) }
}

pub fn no_address(written: &str) -> Failure {
    of(
        FailureKind::Config,
        domain::code::CONFIG_VALUE,
        format!("'{}' is no address of a store", without_query(&masked(written))),
    )
    .hint(
        "write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX or \
             https://HOST/FILE",
    )
}

pub fn secret_in_url(mut url: Url) -> Failure {
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let message = format!("the address {url} has a password in it, where everybody sees it");
    of(FailureKind::Config, domain::code::CONFIG_VALUE, message).hint(
        Hint::text("take it out, and write ")
            .then(Hint::setting("basic = { env = \"VARIABLE\" }"))
            .then(" in [sources.NAME.store]; the variable holds `user:password`"),
    )
}

fn without_query(written: &str) -> &str {
    written.split('?').next().unwrap_or_default()
}

/// Puts the source's name into a hint. Hints are written for a source NAME.
pub fn named(failure: Failure, source: &str) -> Failure {
    let section = format!("[sources.{}.", toml_table::key(source));
    let mut diagnostic = failure.diagnostic;
    diagnostic.hint =
        diagnostic.hint.map(|hint| hint.map(|words| words.replace("[sources.NAME.", &section)));
    Failure { diagnostic, ..failure }
}

/// The work that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    List,
    Fetch,
}

impl Deed {
    fn failed(self) -> &'static str {
        match self {
            Deed::List => "cannot be listed",
            Deed::Fetch => "cannot be fetched",
        }
    }
}

/// Finds words for what goes wrong with one store.
#[derive(Clone)]
pub struct StoreErrors {
    pub kind: StoreKind,
    /// The secrets of the requests, which a store may repeat.
    pub blots: Arc<Blots>,
}

impl StoreErrors {
    /// Words for an error of the store's client.
    pub fn failure(&self, deed: Deed, name: &str, error: &Error) -> Failure {
        let told = StoreAnswer::of(error, &self.blots);
        let failed = deed.failed();
        if let Some(failure) = untrusted(&format!("{name} {failed}"), error) {
            return failure;
        }
        // A refused listing has no variant of its own, so its status and its code are read.
        let is_refused = matches!(told.status, Some(401 | 403))
            || matches!(error, Error::Unauthenticated { .. } | Error::PermissionDenied { .. });
        match error {
            _ if is_refused => of(
                FailureKind::Auth,
                code::STORE_REFUSED,
                format!("{name} {failed}: the store refuses it: {}", told.words()),
            )
            .hint(hint_to_refusal(self.kind, &told)),
            _ if told.is_about_bucket()
                || (deed == Deed::List && matches!(error, Error::NotFound { .. })) =>
            {
                of(
                    FailureKind::Config,
                    code::STORE_NOT_FOUND,
                    format!(
                        "{name} {failed}: {}",
                        told.words_or("there is no such bucket or container")
                    ),
                )
                .hint(format!("correct the name in `paths`{}", where_else(self.kind)))
            }
            Error::NotFound { .. } => of(
                FailureKind::Transient,
                code::STORE_NOT_FOUND,
                format!("{name} {failed}: it was listed and is not there any more"),
            )
            .hint("run again: what is there then is listed anew"),
            Error::InvalidPath { source } => of(
                FailureKind::Config,
                code::STORE_FAILED,
                format!("{name} {failed}: a key in it cannot be read: {source}"),
            )
            .hint(
                "keys with an empty part (`//`) are not supported; narrow the path so that \
                 it does not lead to them",
            ),
            _ if matches!(told.status, Some(408 | 429)) => of(
                FailureKind::RateLimited(None),
                code::STORE_FAILED,
                format!("{name} {failed}: the store has too much to do: {}", told.words()),
            )
            .hint("it was tried several times; run again later"),
            _ if told.status.is_some_and(|status| status < 500) => of(
                FailureKind::Config,
                code::STORE_FAILED,
                format!("{name} {failed}: the store answers {}", told.words()),
            )
            .hint(hint_to_answer(self.kind, &told)),
            _ => of(
                FailureKind::Transient,
                code::STORE_FAILED,
                format!("{name} {failed}: {}", told.words()),
            )
            .hint(
                "it was tried several times; run again, and if it stays so, check `endpoint` \
                 of [sources.NAME.store] and the network",
            ),
        }
    }
}

/// The fault of a server's certificate, or of TLS otherwise.
pub fn untrusted(what: &str, error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
    let ca_file = Hint::setting("[sources.NAME.store]\nca_file = \"ca.pem\"");
    let (why, hint) = tls::untrusted("HOST", error, ca_file)?;
    Some(
        of(
            FailureKind::Config,
            code::STORE_FAILED,
            format!("{what}: the server cannot be trusted: {why}"),
        )
        .hint(hint),
    )
}

fn where_else(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::S3 => ", or `endpoint` of [sources.NAME.store]",
        _ => "",
    }
}

fn hint_to_refusal(kind: StoreKind, told: &StoreAnswer) -> Hint {
    let in_store = |line: &str| Hint::setting(line).then(" in [sources.NAME.store]");
    match (kind, told.code.as_deref()) {
        (StoreKind::S3, Some("SignatureDoesNotMatch")) => {
            "the secret key is not that of the access key: \
             check AWS_SECRET_ACCESS_KEY, or the profile"
                .into()
        }
        (StoreKind::S3, Some("InvalidAccessKeyId")) => "the access key does not exist there: \
             check AWS_ACCESS_KEY_ID, or `profile` of [sources.NAME.store]"
            .into(),
        (StoreKind::S3, Some("ExpiredToken")) => {
            "the session is over: log in again, such as with `aws sso login`".into()
        }
        (StoreKind::S3, Some("AccessDenied")) => {
            "give the identity s3:ListBucket on the bucket and s3:GetObject on the objects".into()
        }
        (StoreKind::S3, _) => "credentials come as for the aws command: variables, \
             `profile` of [sources.NAME.store], or the machine's role; \
             the identity needs s3:ListBucket and s3:GetObject"
            .into(),
        (StoreKind::Azure, _) => Hint::text(
            "write `account_key`, `sas` or `client_secret` in [sources.NAME.store], such as ",
        )
        .then(Hint::setting("account_key = { env = \"VARIABLE\" }"))
        .then("; the identity needs the role Storage Blob Data Reader"),
        (StoreKind::Gcs, _) => Hint::text("write ")
            .then(in_store("service_account = { file = \"key.json\" }"))
            .then("; the account needs the role Storage Object Viewer"),
        (StoreKind::Web, _) => {
            Hint::text("write `bearer` or `basic` in [sources.NAME.store], such as ")
                .then(Hint::setting("bearer = { env = \"VARIABLE\" }"))
        }
    }
}

fn hint_to_answer(kind: StoreKind, told: &StoreAnswer) -> String {
    match (kind, told.code.as_deref()) {
        (StoreKind::S3, Some("AuthorizationHeaderMalformed" | "PermanentRedirect"))
        | (StoreKind::S3, None) => {
            "check `region` of [sources.NAME.store]: it is the bucket's".into()
        }
        (StoreKind::Web, _) => "check the address with `curl -I ADDRESS`".into(),
        _ => "check the path and [sources.NAME.store]".into(),
    }
}

/// The words of an error, for messages of other modules.
pub fn words(error: &Error, blots: &Blots) -> String {
    StoreAnswer::of(error, blots).words()
}

/// The status, code and message in the answer of a store.
struct StoreAnswer {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    cause: String,
}

const WORDS_MAX: usize = 300;

impl StoreAnswer {
    /// Its texts are blotted before they are cut: a part of a secret would not be found any more.
    fn of(error: &Error, blots: &Blots) -> StoreAnswer {
        let text = error.to_string();
        let element = |name: &str| element(&text, name).map(|words| blots.text(&words));
        StoreAnswer {
            status: status(&text),
            code: element("Code"),
            message: element("Message"),
            cause: blots.text(&cause(error)),
        }
    }

    fn is_about_bucket(&self) -> bool {
        self.code.as_deref().is_some_and(|code| {
            ["NoSuchBucket", "ContainerNotFound", "ResourceNotFound"].contains(&code)
        })
    }

    fn words(&self) -> String {
        self.words_or(&self.cause)
    }

    fn words_or(&self, otherwise: &str) -> String {
        let words = match (&self.code, &self.message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.clone(),
            _ => otherwise.to_owned(),
        };
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = words.trim_end_matches('.');
        if words.chars().count() > WORDS_MAX {
            format!("{}…", words.chars().take(WORDS_MAX).collect::<String>())
        } else {
            words.to_owned()
        }
    }
}

fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The text of an element of an answer in XML.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(
        inner
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    )
}

/// The innermost reason. The reasons around it quote URLs, which can carry signatures.
fn cause(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    match status(&text) {
        Some(status) => format!("status {status}"),
        None if text.contains("://") => "the request failed".into(),
        None => text,
    }
}
