//! One attempt to send a request: the connection, its time and size, and in words what went wrong.

use super::address::{Refused, Unknown};
use super::outgoing::Outgoing;
use super::{Method, Options, Proxy, Response, shown};
use crate::failure::{Failure, Kind};
use crate::runtime;
use crate::secret::Blots;
use crate::tls::{cause, untrusted};
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// A connection that is not there by then will not come.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The client's words for that answer where it asks for a tunnel; it has no type for it that could be seen.
const TUNNEL_REFUSED: &str = "tunnel error: proxy authorization required";
/// What a proxy answers by which it wants to know who asks.
const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;
/// Beside the body; the client itself allows more.
const HEADERS_BYTES_MAX: usize = 256 << 10;

/// Made when it is first needed: what the machine trusts takes a while to read.
#[derive(Default)]
pub struct Client(OnceLock<Result<reqwest::Client, Failure>>);

/// No answer.
#[derive(Debug)]
pub struct Trouble {
    pub failure: Failure,
    /// Whether it may be gone by the next time.
    pub may_pass: bool,
}

impl Client {
    pub fn attempt(
        &self,
        options: &Options,
        blots: &Blots,
        outgoing: &Outgoing,
    ) -> Result<Response, Trouble> {
        let lasting = |failure: Failure| Trouble { failure, may_pass: false };
        let client = runtime::enter(|| self.0.get_or_init(|| build(options, blots)).as_ref())
            .map_err(|failure| lasting(failure.clone()))?;
        let method = match outgoing.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
        };
        let mut request =
            client.request(method, outgoing.full_url()).headers(outgoing.full_headers());
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let exchange = async {
            let response =
                request.send().await.map_err(|error| explained(options, &outgoing.url, &error))?;
            received(options, outgoing, response).await
        };
        runtime::block_on(async {
            match tokio::time::timeout(options.timeout, exchange).await {
                Ok(answer) => answer,
                Err(_) => Err(lasting(timed_out(options, &outgoing.url))),
            }
        })
    }
}

async fn received(
    options: &Options,
    outgoing: &Outgoing,
    mut response: reqwest::Response,
) -> Result<Response, Trouble> {
    let url = &outgoing.url;
    let status = response.status().as_u16();
    if let (PROXY_AUTHENTICATION_REQUIRED, Some(proxy)) = (status, &options.proxy) {
        return Err(Trouble { failure: stranger(options, proxy), may_pass: false });
    }
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers: Vec<(String, String)> = response.headers().iter().map(header).collect();
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
        > HEADERS_BYTES_MAX
    {
        let failure = Failure::new(
            Kind::Unavailable,
            format!("{} answered with more than {HEADERS_BYTES_MAX} bytes of headers", shown(url)),
        );
        return Err(Trouble { failure, may_pass: false });
    }
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| explained(options, url, &error))?
    {
        if (body.len() + chunk.len()) as u64 > options.response_bytes {
            return Err(Trouble { failure: too_large(options, url), may_pass: false });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

fn too_large(options: &Options, url: &Url) -> Failure {
    let mib = options.response_bytes >> 20;
    let message = format!(
        "the answer of {} is longer than {} bytes, unpacked",
        shown(url),
        options.response_bytes
    );
    Failure::new(Kind::Config, message).hint(format!(
        "ask for shorter pages, or allow more:\n{}",
        options.line(format!("response_mib = {}", (mib * 4).max(1)))
    ))
}

fn timed_out(options: &Options, url: &Url) -> Failure {
    let seconds = options.timeout.as_secs();
    let message =
        format!("{} did not answer in full within {} ms", shown(url), options.timeout.as_millis());
    let hint = format!(
        "look at the server, or give it more time:\n{}",
        options.line(format!("timeout_seconds = {}", (seconds * 2).max(1)))
    );
    Failure::new(Kind::Transient, message).hint(hint)
}

fn build(options: &Options, blots: &Blots) -> Result<reqwest::Client, Failure> {
    let refuse = |message: String| Failure::new(Kind::Config, message);
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("apportion/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_TIME.min(options.timeout));
    // Names are resolved by the proxy, which the operator chose, but for its own and those that it is not asked for.
    builder = builder.dns_resolver(
        options.networks.resolver(options.proxy.as_ref().and_then(|proxy| proxy.url.host_str())),
    );
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(through(proxy, blots)?);
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
        // Nothing encrypted is asked, so nobody needs to be trusted, and the machine's certificates need not be there.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        refuse(format!("no client for HTTP can be made: {}", chain(&error))).hint(
            "install the certificates that the machine trusts, such as the package ca-certificates",
        )
    })
}

fn through(proxy: &Proxy, blots: &Blots) -> Result<reqwest::Proxy, Failure> {
    let refuse = |message: String| Failure::new(Kind::Config, message);
    let mut through = reqwest::Proxy::all(proxy.url.as_str())
        .map_err(|error| refuse(format!("the proxy cannot be used: {error}")))?;
    if let Some(keeper) = &proxy.auth {
        let value = keeper.read("proxy_auth")?;
        let (user, password) = value.expose().split_once(':').ok_or_else(|| {
            refuse("the secret 'proxy_auth' cannot be used: its value is not a user, a colon and a password".into())
                .hint("look at where it is kept, and write it there as `user:password`")
        })?;
        for form in [value.expose(), password] {
            blots.add(form);
        }
        through = through.basic_auth(user, password);
    }
    Ok(through.no_proxy(reqwest::NoProxy::from_string(&proxy.except.join(","))))
}

/// The proxy does not know us.
fn stranger(options: &Options, proxy: &Proxy) -> Failure {
    let (why, hint) = match &proxy.auth {
        Some(_) => (
            "refuses the user and password of `proxy_auth`",
            "write them where they are kept as `user:password`".to_owned(),
        ),
        None => {
            ("wants a user and a password", options.line("proxy_auth = { env = \"PROXY_AUTH\" }"))
        }
    };
    Failure::new(Kind::Auth, format!("the proxy {} {why}", shown(&proxy.url))).hint(hint)
}

/// What went wrong on the way, by its cause.
fn explained(options: &Options, url: &Url, error: &reqwest::Error) -> Trouble {
    let host = url.host_str().unwrap_or_default();
    let lasting = |failure: Failure| Trouble { failure, may_pass: false };
    if let Some(refused) = cause::<Refused>(error) {
        return lasting(options.refused(refused));
    }
    if let Some(unknown) = cause::<Unknown>(error) {
        let failure = Failure::new(
            Kind::Unavailable,
            format!("the name {host} cannot be resolved: {unknown}"),
        );
        return Trouble {
            failure: failure.hint(format!("check with `getent hosts {host}`")),
            may_pass: true,
        };
    }
    if let Some((why, hint)) = untrusted(host, error, &options.line("ca_file = \"ca.pem\"")) {
        return lasting(
            Failure::new(Kind::Config, format!("{host} cannot be trusted: {why}")).hint(hint),
        );
    }
    if error.is_timeout() {
        let failure = Failure::new(
            Kind::Unavailable,
            format!(
                "no connection to {host} within {} ms",
                CONNECT_TIME.min(options.timeout).as_millis()
            ),
        );
        return Trouble { failure: failure.hint(reachable(options, host)), may_pass: true };
    }
    let why = chain(error);
    if let Some(proxy) = options.proxy.as_ref().filter(|_| why == TUNNEL_REFUSED) {
        return lasting(stranger(options, proxy));
    }
    if error.is_connect() {
        let failure = Failure::new(Kind::Unavailable, format!("no connection to {host}: {why}"))
            .hint(reachable(options, host));
        return Trouble { failure, may_pass: true };
    }
    let message = format!("the answer of {} broke off: {why}", shown(url));
    Trouble {
        failure: Failure::new(Kind::Transient, message)
            .hint("run again; if it stays, ask for shorter pages"),
        may_pass: true,
    }
}

fn reachable(options: &Options, host: &str) -> String {
    match &options.proxy {
        Some(proxy) => format!(
            "the way leads through the proxy {}: check that it is up and lets {host} through, or go without it:\n{}",
            shown(&proxy.url),
            options.line(format!("no_proxy = [{host:?}]"))
        ),
        None => format!(
            "check that {host} is up and can be reached from here; behind a proxy:\n{}",
            options.line("proxy = \"http://proxy:3128\"")
        ),
    }
}

/// The last cause, in words; those before it say no more than that there is one.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
