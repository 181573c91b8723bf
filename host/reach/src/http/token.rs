//! Tokens that a server gives in exchange for another secret. They are fetched here and kept until
//! they expire; no plugin sees them.

use super::outgoing::OutgoingRequest;
use super::{Http, HttpMethod, HttpRequest, normal, shown};
use crate::failure::{Failure, FailureKind};
use crate::secret::{self, OAuth2, SecretKeeper, SecretValue, SlotName};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use url::form_urlencoded::Serializer;

/// A token is renewed so long before its end.
const MARGIN: Duration = Duration::from_secs(60);
/// The longest life of an assertion that Google accepts.
const ASSERTION_SECONDS: u64 = 3_600;
const QUOTED_CHARS: usize = 200;

/// Values by slot.
#[derive(Default)]
pub struct Tokens(Mutex<BTreeMap<String, KnownValue>>);

#[derive(Clone)]
struct KnownValue {
    value: SecretValue,
    /// The time for which a token is good; `None` for other secrets.
    life: Option<Range<Instant>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    /// A number, or a text with one.
    expires_in: Option<serde_json::Value>,
}

/// The file of a service account, as Google hands it out.
#[derive(Deserialize)]
struct ServiceAccount {
    client_email: String,
    private_key: SecretString,
    private_key_id: Option<String>,
    token_uri: String,
}

impl Http {
    /// The value of a slot, read once, and again when it has expired.
    pub(super) fn read(&self, slot: &str, keeper: &SecretKeeper) -> Result<SecretValue, Failure> {
        // Locked until the token is there, so that no second thread fetches it as well.
        let mut tokens = self.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tokens.get(slot)
            && known.life.as_ref().is_none_or(|life| Instant::now() < life.end)
        {
            return Ok(known.value.clone());
        }
        let known = match keeper {
            SecretKeeper::OAuth2(client) => self.by_client(slot, client)?,
            SecretKeeper::GoogleServiceAccount { file, scope } => {
                self.by_signature(slot, file, scope)?
            }
            SecretKeeper::Env(_) | SecretKeeper::File(_) | SecretKeeper::Command(_) => {
                KnownValue { value: keeper.read(&self.slot_name(slot))?, life: None }
            }
        };
        self.blots.add(known.value.expose());
        tokens.insert(slot.to_owned(), known.clone());
        Ok(known.value)
    }

    fn slot_name<'a>(&self, slot: &'a str) -> SlotName<'a> {
        SlotName { slot, section: self.section(slot) }
    }

    /// Forgets the tokens that the request was sent with, if they are older than the request: they
    /// may be stale. Says whether there were any.
    pub(super) fn forget_tokens(&self, request: &HttpRequest, began: Instant) -> bool {
        let mut tokens = self.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tokens.len();
        let is_stale =
            |known: &KnownValue| known.life.as_ref().is_some_and(|life| life.start < began);
        tokens.retain(|slot, known| {
            !(is_stale(known) && request.secrets.iter().any(|(asked, _)| asked == slot))
        });
        tokens.len() < before
    }

    /// The grant of client credentials. The operator named the server, so it needs no line in
    /// `allow`.
    fn by_client(&self, slot: &str, client: &OAuth2) -> Result<KnownValue, Failure> {
        let secret = client.client_secret.read(&self.slot_name(slot))?;
        self.blots.add(secret.expose());
        let mut form = form(secret.expose());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &client.client_id);
        form.append_pair("client_secret", secret.expose());
        if let Some(scope) = &client.scope {
            form.append_pair("scope", scope);
        }
        self.token(
            slot,
            &client.token_url,
            Zeroizing::new(form.finish()),
            "check the client's id, secret and scope; secrets of clients expire",
        )
    }

    /// An assertion, signed with the key of a service account. Its server stands in the file of the
    /// account and not in the settings, so `allow` has to name it.
    fn by_signature(&self, slot: &str, file: &Path, scope: &str) -> Result<KnownValue, Failure> {
        let refuse = |reason: &str| {
            let message =
                format!("the secret '{slot}' cannot be used: {} {reason}", file.display());
            Failure::new(FailureKind::Config, message)
                .hint("download the key of the service account again, as JSON")
        };
        let text = secret::file(file).map_err(|reason| refuse(&reason))?;
        // The parser's own words are left out: they may quote the file.
        let account: ServiceAccount = serde_json::from_str(&text)
            .map_err(|_| refuse("is not the key file of a service account"))?;
        let url = normal(&account.token_uri)
            .map_err(|reason| refuse(&format!("has no good token_uri: {reason}")))?;
        self.options.check(HttpMethod::Post, &url)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let assertion = assertion(&account, scope, now)
            .ok_or_else(|| refuse("has no private key that can sign"))?;
        self.blots.add(&assertion);
        let mut form = form(&assertion);
        form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion);
        let hint = "check that the service account and its key still exist and are not disabled, \
                    and the clock of this machine: `date -u`";
        self.token(slot, &account.token_uri, Zeroizing::new(form.finish()), hint)
    }

    fn token(
        &self,
        slot: &str,
        url: &str,
        mut form: Zeroizing<String>,
        hint: &str,
    ) -> Result<KnownValue, Failure> {
        let headers = vec![
            ("content-type".into(), "application/x-www-form-urlencoded".into()),
            ("accept".into(), "application/json".into()),
        ];
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: url.into(),
            headers,
            secrets: Vec::new(),
            body: None,
            repeatable: true,
        };
        let mut outgoing = OutgoingRequest::new(&self.options, &request)?;
        // Moved and not copied, so that the secret is in memory once.
        outgoing.body = Some(Zeroizing::new(std::mem::take(&mut *form).into_bytes()));
        // This request does not go through `follow`, which checks all others.
        self.options
            .networks
            .check(&outgoing.url)
            .map_err(|refused| self.options.refused(&refused))?;
        // The life of a token begins before its answer arrives here.
        let asked = Instant::now();
        let response = self.persist(&outgoing)?;
        let place = shown(&outgoing.url);
        if response.status != 200 {
            // Blotted before it is cut: a part of a secret would not be found any more.
            let body = self.blots.bytes(response.body);
            return Err(refused(slot, &place, response.status, &body).hint(hint));
        }
        let unusable = |reason: &str| {
            Failure::new(
                FailureKind::Auth,
                format!("no token for the secret '{slot}': the answer of {place} {reason}"),
            )
        };
        let body = Zeroizing::new(response.body);
        let granted: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| unusable("has no access_token in it"))?;
        let value = SecretValue::new(granted.access_token).map_err(&unusable)?;
        let seconds = granted
            .expires_in
            .as_ref()
            .and_then(|seconds| seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok()));
        let seconds = seconds.unwrap_or(ASSERTION_SECONDS);
        tracing::debug!(source = self.options.source, slot, seconds, "token was fetched");
        let life = Duration::from_secs(seconds);
        Ok(KnownValue { value, life: Some(asked..asked + life.saturating_sub(MARGIN)) })
    }
}

fn refused(slot: &str, place: &str, status: u16, body: &[u8]) -> Failure {
    let said: String = String::from_utf8_lossy(body)
        .chars()
        .filter(|c| !c.is_control())
        .take(QUOTED_CHARS)
        .collect();
    let message =
        format!("no token for the secret '{slot}': {place} answered {status}: {}", said.trim());
    let kind = if status >= 500 { FailureKind::Unavailable } else { FailureKind::Auth };
    Failure::new(kind, message)
}

/// An empty form with room for a secret. A buffer that grows leaves its old copy in memory,
/// uncleared.
fn form(secret: &str) -> Serializer<'static, String> {
    const OTHER_FIELDS: usize = 4 << 10;
    // A byte becomes three where it is percent-encoded.
    Serializer::new(String::with_capacity(3 * secret.len() + OTHER_FIELDS))
}

/// A signed token by RFC 7519: the account asks for the scope. `None` if the key cannot sign.
fn assertion(account: &ServiceAccount, scope: &str, now: u64) -> Option<Zeroizing<String>> {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(key) = &account.private_key_id {
        header["kid"] = json!(key);
    }
    let claims = json!({
        "iss": account.client_email,
        "scope": scope,
        "aud": account.token_uri,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    });
    let signed = format!("{}.{}", part(header), part(claims));
    let key =
        PrivatePkcs8KeyDer::from_pem_slice(account.private_key.expose_secret().as_bytes()).ok()?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(Zeroizing::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    /// Made by `openssl`, as Google makes them.
    fn key() -> String {
        let words = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        let output = std::process::Command::new("openssl").args(words).output().expect("openssl");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    fn account(private_key: String) -> ServiceAccount {
        let [client_email, token_uri] =
            ["costs@p.iam.gserviceaccount.com", "https://oauth2.googleapis.com/token"]
                .map(str::to_owned);
        let private_key = private_key.into();
        ServiceAccount { client_email, private_key, private_key_id: Some("k1".into()), token_uri }
    }

    #[test]
    fn an_assertion_says_who_asks_and_is_signed() {
        let account = account(key());
        let assertion = assertion(&account, "read", 1_000).unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let read = |part: &str| {
            serde_json::from_slice::<serde_json::Value>(&URL_SAFE_NO_PAD.decode(part).unwrap())
                .unwrap()
        };
        assert_eq!(read(header), json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        let expect = json!({
            "iss": "costs@p.iam.gserviceaccount.com",
            "scope": "read",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_000,
            "exp": 4_600,
        });
        assert_eq!(read(claims), expect);
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(account.private_key.expose_secret().as_bytes())
                .unwrap();
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        let public =
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        assert!(
            public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
        );
    }

    #[test]
    fn a_key_that_cannot_sign_gives_none() {
        assert_eq!(
            assertion(
                &account("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into()),
                "read",
                0
            ),
            None
        );
    }
}
