//! One attempt to send a request: the connection, its time and size, and in words what went wrong.

use super::address::{RefusedAddress, UnknownHost};
use super::outgoing::OutgoingRequest;
use super::{HttpMethod, HttpOptions, HttpResponse, Proxy, shown};
use crate::failure::{Failure, FailureKind};
use crate::runtime;
use crate::secret::{Blots, SlotName};
use crate::tls::{cause, untrusted};
use domain::hint::Hint;
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// A server that is up accepts a connection within this time.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The client's words when a proxy asks for a password before it opens a tunnel. The client has no
/// public type for this error.
const TUNNEL_REFUSED: &str = "tunnel error: proxy authorization required";
/// The status by which a proxy asks for a user and a password.
const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;
/// The longest headers of an answer. The client itself would allow more.
const HEADERS_BYTES_MAX: usize = 256 << 10;

/// Made when it is first needed, because reading the certificates of the machine takes a while.
#[derive(Default)]
pub struct Client(OnceLock<Result<reqwest::Client, Failure>>);

/// An attempt that got no answer.
#[derive(Debug)]
pub struct NoAnswer {
    pub failure: Failure,
    /// Whether a repetition may succeed.
    pub may_pass: bool,
}

impl Client {
    pub fn attempt(
        &self,
        options: &HttpOptions,
        blots: &Blots,
        outgoing: &OutgoingRequest,
    ) -> Result<HttpResponse, NoAnswer> {
        let lasting = |failure: Failure| NoAnswer { failure, may_pass: false };
        let client = runtime::enter(|| self.0.get_or_init(|| build(options, blots)).as_ref())
            .map_err(|failure| lasting(failure.clone()))?;
        let method = match outgoing.method {
            HttpMethod::Get => reqwest::Method::GET,
            HttpMethod::Head => reqwest::Method::HEAD,
            HttpMethod::Post => reqwest::Method::POST,
        };
        let mut request =
            client.request(method, outgoing.full_url()).headers(outgoing.full_headers());
        if let Some(body) = &outgoing.body {
            request = request.body(body.to_vec());
        }
        let exchange = async {
            let response =
                request.send().await.map_err(|error| explained(options, &outgoing.url, &error))?;
            received(options, outgoing, response).await
        };
        runtime::block_on(async {
            match tokio::time::timeout(options.timeout, exchange).await {
                Ok(answer) => answer,
                // Not repeated: a server that hangs would be waited for twice.
                Err(_) => Err(lasting(timed_out(options, &outgoing.url))),
            }
        })
    }
}

async fn received(
    options: &HttpOptions,
    outgoing: &OutgoingRequest,
    mut response: reqwest::Response,
) -> Result<HttpResponse, NoAnswer> {
    let url = &outgoing.url;
    let status = response.status().as_u16();
    if let (PROXY_AUTHENTICATION_REQUIRED, Some(proxy)) = (status, &options.proxy) {
        return Err(NoAnswer { failure: refused_by_proxy(options, proxy), may_pass: false });
    }
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers: Vec<(String, String)> = response.headers().iter().map(header).collect();
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
        > HEADERS_BYTES_MAX
    {
        let failure = Failure::new(
            FailureKind::Unavailable,
            format!("{} answered with more than {HEADERS_BYTES_MAX} bytes of headers", shown(url)),
        );
        return Err(NoAnswer { failure, may_pass: false });
    }
    let mut body = Vec::new();
    // Counted as it comes and unpacked: a small packed answer can be gigabytes.
    while let Some(chunk) =
        response.chunk().await.map_err(|error| explained(options, url, &error))?
    {
        if (body.len() + chunk.len()) as u64 > options.response_bytes {
            return Err(NoAnswer { failure: too_large(options, url), may_pass: false });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}

fn too_large(options: &HttpOptions, url: &Url) -> Failure {
    let mib = options.response_bytes >> 20;
    let message = format!(
        "the answer of {} is longer than {} bytes, unpacked",
        shown(url),
        options.response_bytes
    );
    let line = options.setting(format!("response_mib = {}", (mib * 4).max(1)));
    Failure::new(FailureKind::Config, message)
        .hint(Hint::text("ask for shorter pages, or allow more:\n").then(line))
}

fn timed_out(options: &HttpOptions, url: &Url) -> Failure {
    let seconds = options.timeout.as_secs();
    let message =
        format!("{} did not answer in full within {} ms", shown(url), options.timeout.as_millis());
    let line = options.setting(format!("timeout_seconds = {}", (seconds * 2).max(1)));
    Failure::new(FailureKind::Transient, message)
        .hint(Hint::text("look at the server, or give it more time:\n").then(line))
}

fn build(options: &HttpOptions, blots: &Blots) -> Result<reqwest::Client, Failure> {
    let refuse = |message: String| Failure::new(FailureKind::Config, message);
    // Redirections and repetitions are made in this folder, where each is checked and counted. The
    // proxies of the environment are not used, so the settings alone say where requests go.
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("apportion/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_TIME.min(options.timeout));
    // A proxy resolves the names that are asked through it. Its own name, and those of hosts that
    // are asked without it, are resolved here.
    builder = builder.dns_resolver(
        options.networks.resolver(options.proxy.as_ref().and_then(|proxy| proxy.url.host_str())),
    );
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(through(options, proxy, blots)?);
    }
    if let Some(path) = &options.ca_file {
        let read = std::fs::read(path)
            .map_err(|error| refuse(format!("ca_file {} cannot be read: {error}", path.display())));
        let certificates = reqwest::Certificate::from_pem_bundle(&read?);
        let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
        let certificates = certificates.ok_or_else(|| {
            refuse(format!("ca_file {} has no certificate in PEM", path.display()))
        })?;
        builder = builder.tls_certs_merge(certificates);
    } else if !options.allow.iter().any(|allowed| allowed.area.is_encrypted()) {
        // Without a URL of https, no certificate is needed, and the machine may have none.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        refuse(format!("no client for HTTP can be made: {}", innermost(&error))).hint(
            "install the certificates that the machine trusts, such as the package ca-certificates",
        )
    })
}

fn through(options: &HttpOptions, proxy: &Proxy, blots: &Blots) -> Result<reqwest::Proxy, Failure> {
    let refuse = |message: String| Failure::new(FailureKind::Config, message);
    let mut through = reqwest::Proxy::all(proxy.url.as_str())
        .map_err(|error| refuse(format!("the proxy cannot be used: {error}")))?;
    if let Some(keeper) = &proxy.auth {
        let section = options.section();
        let value = keeper.read(&SlotName { slot: "proxy_auth", section })?;
        let (user, password) = value.expose().split_once(':').ok_or_else(|| {
            refuse(
                "the secret 'proxy_auth' cannot be used: \
                 its value is not a user, a colon and a password"
                    .into(),
            )
            .hint("look at where it is kept, and write it there as `user:password`")
        })?;
        for form in [value.expose(), password] {
            blots.add(form);
        }
        through = through.basic_auth(user, password);
    }
    Ok(through.no_proxy(reqwest::NoProxy::from_string(&proxy.except.join(","))))
}

/// The proxy wants a user and a password, or others than it got.
fn refused_by_proxy(options: &HttpOptions, proxy: &Proxy) -> Failure {
    let (why, hint) = match &proxy.auth {
        Some(_) => (
            "refuses the user and password of `proxy_auth`",
            Hint::text("write them where they are kept as `user:password`"),
        ),
        None => (
            "wants a user and a password",
            options.setting("proxy_auth = { env = \"PROXY_AUTH\" }"),
        ),
    };
    Failure::new(FailureKind::Auth, format!("the proxy {} {why}", shown(&proxy.url))).hint(hint)
}

/// Words for an error of the client, by its cause.
fn explained(options: &HttpOptions, url: &Url, error: &reqwest::Error) -> NoAnswer {
    let host = url.host_str().unwrap_or_default();
    let lasting = |failure: Failure| NoAnswer { failure, may_pass: false };
    // From special to general: a refused address is an error of the connection as well.
    if let Some(refused) = cause::<RefusedAddress>(error) {
        return lasting(options.refused(refused));
    }
    if let Some(unknown) = cause::<UnknownHost>(error) {
        let failure = Failure::new(
            FailureKind::Unavailable,
            format!("the name {host} cannot be resolved: {unknown}"),
        );
        return NoAnswer {
            failure: failure.hint(format!("check with `getent hosts {host}`")),
            may_pass: true,
        };
    }
    if let Some((why, hint)) = untrusted(host, error, options.setting("ca_file = \"ca.pem\"")) {
        return lasting(
            Failure::new(FailureKind::Config, format!("{host} cannot be trusted: {why}"))
                .hint(hint),
        );
    }
    if error.is_timeout() {
        let failure = Failure::new(
            FailureKind::Unavailable,
            format!(
                "no connection to {host} within {} ms",
                CONNECT_TIME.min(options.timeout).as_millis()
            ),
        );
        return NoAnswer { failure: failure.hint(reachable(options, host)), may_pass: true };
    }
    let why = innermost(error);
    if let Some(proxy) = options.proxy.as_ref().filter(|_| why == TUNNEL_REFUSED) {
        return lasting(refused_by_proxy(options, proxy));
    }
    if error.is_connect() {
        let failure =
            Failure::new(FailureKind::Unavailable, format!("no connection to {host}: {why}"))
                .hint(reachable(options, host));
        return NoAnswer { failure, may_pass: true };
    }
    let message = format!("the answer of {} broke off: {why}", shown(url));
    NoAnswer {
        failure: Failure::new(FailureKind::Transient, message)
            .hint("run again; if it stays, ask for shorter pages"),
        may_pass: true,
    }
}

fn reachable(options: &HttpOptions, host: &str) -> Hint {
    match &options.proxy {
        Some(proxy) => Hint::text(format!(
            "the way leads through the proxy {}: \
             check that it is up and lets {host} through, or go without it:\n",
            shown(&proxy.url)
        ))
        .then(options.setting(format!("no_proxy = [{host:?}]"))),
        None => Hint::text(format!(
            "check that {host} is up and can be reached from here; behind a proxy:\n"
        ))
        .then(options.setting("proxy = \"http://proxy:3128\"")),
    }
}

/// The innermost cause in words. The errors around it only say that there is a cause.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
