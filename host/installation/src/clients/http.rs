//! The HTTP client of a source, out of its sections `http` and `secrets`.

use super::secret::SecretCheck;
use crate::env_var;
use crate::file::in_root;
use crate::settings::http::HttpSection;
use crate::settings::secret::SecretSection;
use domain::code;
use domain::diagnostic::Diagnostic;
use reach::http::{Http, HttpOptions, Proxy};
use reach::secret::{SecretKeeper, Secrets};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;

/// Makes the client. Its sections were checked when the settings were read.
pub fn http(
    root: &Path,
    source: &str,
    section: &HttpSection,
    secrets_by_slot: &BTreeMap<String, Spanned<SecretSection>>,
) -> Result<Http, Diagnostic> {
    let mut check = SecretCheck::new(root);
    let mut options = options(root, source, section);
    options.proxy = match env_var::value(env_var::PROXY) {
        Some(url) => Some(proxy_of_environment(&url.to_string_lossy(), section)?),
        None => section.proxy.value.proxy().map(|proxy| Proxy {
            auth: section.proxy_auth.as_ref().and_then(|auth| check.kept(auth)),
            except: section.no_proxy.value.0.clone(),
            ..proxy
        }),
    };
    let mut secrets = Secrets::default();
    for (slot, section) in secrets_by_slot {
        if let Some(known) = check.slot(section, &options.allow) {
            secrets.slots.insert(slot.clone(), known);
        }
    }
    match check.flaws.pop() {
        Some(flaw) => Err(Diagnostic::new(code::CONFIG_VALUE, flaw.message).hint(flaw.hint)),
        None => Ok(Http::new(options, secrets)),
    }
}

fn options(root: &Path, source: &str, section: &HttpSection) -> HttpOptions {
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    HttpOptions {
        allow: section.allow.value.0.clone(),
        networks: section.networks.value.networks(),
        timeout: Duration::from_secs(section.timeout_seconds.value.get()),
        response_bytes: section.response_mib.value.get() << 20,
        requests: section.requests.value.get(),
        requests_per_minute: section.requests_per_minute.value.map(|pace| small(pace.get())),
        retries: small(section.retries.value.get()),
        waiting: Duration::from_secs(section.retry_seconds.value.get()),
        ca_file: section.ca_file.value.as_ref().map(|path| in_root(root, Path::new(&path.0))),
        ..HttpOptions::new(source)
    }
}

/// The proxy that the environment names. User and password of the settings file are for the proxy
/// of the file, so they are not sent to this one.
fn proxy_of_environment(url: &str, section: &HttpSection) -> Result<Proxy, Diagnostic> {
    let refused = |reason: String| {
        Diagnostic::new(code::CONFIG_VALUE, format!("{} cannot be used: {reason}", env_var::PROXY))
            .hint(format!(
                "`export {}=http://proxy:3128`, and its user and password as {}=user:password",
                env_var::PROXY,
                env_var::PROXY_AUTH
            ))
    };
    let named = Proxy::at(url).map_err(refused)?;
    let auth =
        env_var::value(env_var::PROXY_AUTH).map(|_| SecretKeeper::Env(env_var::PROXY_AUTH.into()));
    Ok(Proxy { auth, except: section.no_proxy.value.0.clone(), ..named })
}
