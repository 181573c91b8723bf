//! Fetches plugins from web servers, and from OCI registries by digest. This crate hands bytes
//! over; the plugin host decides whether they can be trusted.

use crate::failure::{Failure, FailureKind};
use crate::http::masked_url;
use crate::runtime::block_on;
use domain::hint::Hint;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use reqwest::StatusCode;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWrite;
use url::{Host, Url};

const TIMEOUT: Duration = Duration::from_secs(120);
const SIGNATURE_BYTES_MAX: u64 = 4096;
/// The media types of a component's layer, by `wkg` and other tools.
const WASM_TYPES: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
const TITLE: &str = "org.opencontainers.image.title";
pub const SIGNATURE_ENDING: &str = ".minisig";

/// A plugin's file, and the minisign signature that lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPlugin {
    pub bytes: Vec<u8>,
    pub signature: Option<String>,
}

/// The place that a plugin came from, as messages and the lock show it. User, password and query of
/// an address can be secrets.
pub fn shown(source: &str) -> String {
    if !source.contains("://") {
        return source.to_owned();
    }
    if let Ok(mut url) = Url::parse(source)
        && matches!(url.scheme(), "http" | "https")
        && url.set_username("").and_then(|()| url.set_password(None)).is_ok()
    {
        url.set_query(None);
        url.set_fragment(None);
        return url.into();
    }
    let shown = match source.split_once("@sha256:") {
        // The digest of an image stands behind an `@` too.
        Some((image, digest)) if image.starts_with("oci://") => {
            format!("{}@sha256:{digest}", masked_url(image))
        }
        _ => masked_url(source),
    };
    shown.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Fetches from a web server: by `https`, or by `http` from this machine only.
pub fn web(address: &str, bytes_max: u64) -> Result<FetchedPlugin, Failure> {
    let name = shown(address);
    let url = Url::parse(address).map_err(|error| {
        Failure::new(FailureKind::Config, format!("'{name}' is not an address: {error}"))
    })?;
    if url.scheme() != "https" && !is_loopback(&url) {
        let message =
            format!("{name} would come over {}, which anybody on the way can change", url.scheme());
        return Err(Failure::new(FailureKind::Config, message).hint("use its https address"));
    }
    block_on(async {
        let client =
            reqwest::Client::builder().timeout(TIMEOUT).https_only(url.scheme() == "https").build();
        let client = client.map_err(|error| {
            Failure::new(FailureKind::Unavailable, format!("no client for {name}: {error}"))
        })?;
        let bytes = get(&client, url.clone(), bytes_max).await?;
        let bytes = bytes.ok_or_else(|| {
            Failure::new(FailureKind::Config, format!("{name} answered 404 Not Found"))
                .hint("check the address")
        })?;
        let mut beside = url.clone();
        beside.set_path(&format!("{}{SIGNATURE_ENDING}", url.path()));
        let signature = get(&client, beside, SIGNATURE_BYTES_MAX).await?;
        Ok(FetchedPlugin {
            bytes,
            signature: signature.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    }
}

/// The body, or `None` if the server answers 404.
async fn get(
    client: &reqwest::Client,
    url: Url,
    bytes_max: u64,
) -> Result<Option<Vec<u8>>, Failure> {
    let name = shown(url.as_str());
    let failed = |error: reqwest::Error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("{name} cannot be fetched: {}", causes(&error.without_url())),
        )
    };
    let mut response = client.get(url).send().await.map_err(failed)?;
    match response.status() {
        StatusCode::NOT_FOUND => return Ok(None),
        status if !status.is_success() => {
            return Err(Failure::new(
                FailureKind::Unavailable,
                format!("{name} answered {status}"),
            ));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > bytes_max {
            return Err(Failure::new(
                FailureKind::Config,
                format!("{name} is larger than {bytes_max} bytes"),
            ));
        }
    }
    Ok(Some(bytes))
}

/// An error with all its causes. The innermost cause says what happened.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// Fetches from a registry, by the digest of its manifest: `ghcr.io/acme/bill@sha256:…`.
pub fn oci(written: &str, bytes_max: u64) -> Result<FetchedPlugin, Failure> {
    let name = shown(&format!("oci://{written}"));
    let reference: Reference = written.parse().map_err(|error| {
        Failure::new(
            FailureKind::Config,
            format!("'{name}' does not name something in a registry: {error}"),
        )
    })?;
    block_on(async {
        // The client needs the runtime and its provider of TLS, so it is made here.
        let client = registry_client(&reference);
        let Some(_) = reference.digest() else {
            let digest = client
                .fetch_manifest_digest(&reference, &RegistryAuth::Anonymous)
                .await
                .map_err(|error| refused(&name, &error))?;
            let message = format!("'{name}' is a tag, which may mean something else tomorrow");
            let pinned = format!("{}/{}@{digest}", reference.registry(), reference.repository());
            return Err(Failure::new(FailureKind::Config, message)
                .hint(Hint::command(format!("plugin install oci://{pinned}"))));
        };
        let (manifest, _) = client
            .pull_image_manifest(&reference, &RegistryAuth::Anonymous)
            .await
            .map_err(|error| refused(&name, &error))?;
        let wasm =
            manifest.layers.iter().find(|layer| WASM_TYPES.contains(&layer.media_type.as_str()));
        let wasm = wasm.ok_or_else(|| {
            Failure::new(
                FailureKind::Config,
                format!("{name} has no layer of the type {}", WASM_TYPES[0]),
            )
        })?;
        let bytes = blob(&client, &reference, wasm, bytes_max).await?;
        let signature = match manifest.layers.iter().find(|layer| is_signature(layer)) {
            Some(layer) => Some(
                String::from_utf8_lossy(
                    &blob(&client, &reference, layer, SIGNATURE_BYTES_MAX).await?,
                )
                .into_owned(),
            ),
            None => None,
        };
        Ok(FetchedPlugin { bytes, signature })
    })
}

/// A registry on this machine is asked over plain HTTP, any other over HTTPS.
fn registry_client(reference: &Reference) -> Client {
    let registry = reference.resolve_registry().to_owned();
    let is_here = Url::parse(&format!("http://{registry}")).is_ok_and(|url| is_loopback(&url));
    let protocol =
        if is_here { ClientProtocol::HttpsExcept(vec![registry]) } else { ClientProtocol::Https };
    Client::new(ClientConfig {
        protocol,
        connect_timeout: Some(TIMEOUT),
        read_timeout: Some(TIMEOUT),
        ..ClientConfig::default()
    })
}

fn is_signature(layer: &OciDescriptor) -> bool {
    let title = layer.annotations.as_ref().and_then(|annotations| annotations.get(TITLE));
    title.is_some_and(|title| title.ends_with(SIGNATURE_ENDING))
}

async fn blob(
    client: &Client,
    reference: &Reference,
    layer: &OciDescriptor,
    bytes_max: u64,
) -> Result<Vec<u8>, Failure> {
    let mut bounded = BoundedBuffer { bytes: Vec::new(), bytes_max };
    let pulled = client.pull_blob(reference, layer, &mut bounded).await;
    pulled.map_err(|error| refused(&format!("oci://{reference}"), &error))?;
    Ok(bounded.bytes)
}

fn refused(name: &str, error: &OciDistributionError) -> Failure {
    let kind = match error {
        OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::UnauthorizedError { .. } => FailureKind::Auth,
        OciDistributionError::ImageManifestNotFoundError(_)
        | OciDistributionError::DigestError(_) => FailureKind::Config,
        _ => FailureKind::Unavailable,
    };
    Failure::new(kind, format!("{name} cannot be pulled: {}", causes(error)))
}

/// A buffer that refuses more than `bytes_max` bytes.
struct BoundedBuffer {
    bytes: Vec<u8>,
    bytes_max: u64,
}

impl AsyncWrite for &mut BoundedBuffer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        piece: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if (self.bytes.len() + piece.len()) as u64 > self.bytes_max {
            return Poll::Ready(Err(std::io::Error::other(format!(
                "it is larger than {} bytes",
                self.bytes_max
            ))));
        }
        self.bytes.extend_from_slice(piece);
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_what_can_be_a_secret() {
        for (source, expect) in [
            ("https://me:pw@h.example/x.wasm?sig=pw#pw", "https://h.example/x.wasm"),
            ("https://me:p/w@h/x.wasm?sig=pw", "https://***@h/x.wasm"),
            ("oci://me:pw@h/bill@sha256:00", "oci://***@h/bill@sha256:00"),
            ("oci://bill@sha256:00", "oci://bill@sha256:00"),
            ("plugins/bill@1?.wasm", "plugins/bill@1?.wasm"),
        ] {
            assert_eq!(shown(source), expect);
        }
    }
}
