//! Requests through a proxy and beside it, and the signers of servers.

use super::*;

/// Settings for requests through a proxy.
fn through(proxy: Proxy, url: &str) -> Settings {
    Settings::allow(&[format!("GET {url}")])
        .with(|options| HttpOptions { proxy: Some(proxy), ..options })
}

fn proxy_at(port: u16) -> Proxy {
    Proxy::at(&format!("http://127.0.0.1:{port}")).unwrap()
}

#[test]
fn a_proxy_is_asked_where_one_is_set() {
    let web = Web::start(|_, _| reply(200, &[], "by proxy"));
    let url = "http://costs.example/v1/";
    let seen = through(proxy_at(web.port), url).ask(&format!("GET {url}")).unwrap();
    assert!(seen.ends_with("by proxy"), "{seen}");
    assert!(
        web.seen()[0].starts_with("GET http://costs.example/v1/ HTTP/1.1\n"),
        "{:?}",
        web.seen()
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let diagnostic = through(proxy_at(free), url).refused(&format!("GET {url}"));
    assert!(diagnostic.message.starts_with("no connection to costs.example: "), "{diagnostic}");
    let hint = format!(
        "the way leads through the proxy http://127.0.0.1:{free}/: check that it is up \
             and lets costs.example through, or go without \
             it:\n[sources.bill.http]\nno_proxy = [\"costs.example\"]"
    );
    assert_eq!(diagnostic.hint_text(), Some(hint));
}

#[test]
fn a_proxy_is_told_who_asks_and_nobody_else_is() {
    // The proxy repeats the request, as error pages do.
    let web = Web::start(|_, request| {
        let is_known = request.contains("\nproxy-authorization: Basic bWU6czNjcjN0L2tleSsx\n");
        if is_known {
            reply(200, &[], request)
        } else {
            reply(407, &["proxy-authenticate: Basic realm=costs"], request)
        }
    });
    let url = "http://costs.example/v1/";
    let known =
        |value: &str| through(Proxy { auth: Some(prints(value)), ..proxy_at(web.port) }, url);
    let seen = known(&format!("me:{SECRET}")).ask(&format!("GET {url}")).unwrap();
    assert!(
        seen.contains("authorization: Basic [secret]")
            && !seen.contains(SECRET)
            && !seen.contains("bWU6"),
        "{seen}"
    );
    let refused = |settings: Settings| settings.refused(&format!("GET {url}"));
    let place = format!("http://127.0.0.1:{}/", web.port);
    let stranger = refused(through(proxy_at(web.port), url));
    assert_eq!(stranger.code, code::PLUGIN_FAILED, "{stranger}");
    assert_eq!(stranger.message, format!("the proxy {place} wants a user and a password"));
    assert_eq!(
        stranger.hint_text().as_deref(),
        Some("[sources.bill.http]\nproxy_auth = { env = \"PROXY_AUTH\" }")
    );
    let wrong = refused(known("me:another-password"));
    assert_eq!(
        wrong.message,
        format!("the proxy {place} refuses the user and password of `proxy_auth`")
    );
    let no_pair = refused(known("no-colon-in-it"));
    assert_eq!(
        no_pair.message,
        "the secret 'proxy_auth' cannot be used: its value is not a user, a colon and a password"
    );
    for diagnostic in [wrong, no_pair] {
        assert!(
            !diagnostic.to_string().contains("another-password")
                && !diagnostic.to_string().contains("no-colon-in-it"),
            "{diagnostic}"
        );
    }
}

/// A request beside the proxy is checked as if there were no proxy.
#[test]
fn hosts_beside_the_proxy_are_asked_directly_and_their_addresses_are_checked() {
    let (proxy, web) = (Web::start(|_, _| reply(200, &[], "by proxy")), greets());
    let url = format!("http://localhost:{}/v1/", web.port);
    let beside =
        |except: &str| through(Proxy { except: vec![except.into()], ..proxy_at(proxy.port) }, &url);
    let seen = beside("localhost").ask(&format!("GET {url}")).unwrap();
    assert!(seen.ends_with("hello") && proxy.seen().is_empty(), "{seen}");
    let seen = beside("other.example").ask(&format!("GET {url}")).unwrap();
    assert!(seen.ends_with("by proxy") && web.seen().len() == 1, "{seen}");
    let bare = beside("localhost")
        .with(|options| HttpOptions { networks: Networks::default(), ..options });
    let diagnostic = bare.refused(&format!("GET {url}"));
    assert_eq!(diagnostic.code, code::PLUGIN_DENIED, "{diagnostic}");
    assert!(diagnostic.message.starts_with("localhost has the address "), "{diagnostic}");
    assert_eq!(web.seen().len(), 1);
}

#[test]
fn a_server_is_trusted_by_its_signer() {
    let folder = tempfile::tempdir().unwrap();
    let web = Web::encrypted(folder.path(), |_, _| reply(200, &[], "in private"));
    let url = web.url("/v1/");
    let settings = |ca: Option<&str>| {
        let ca_file = ca.map(|name| folder.path().join(name));
        Settings::allow(&[format!("GET {url}")]).with(|options| HttpOptions { ca_file, ..options })
    };
    let seen = settings(Some("ca.pem")).ask(&format!("GET {url}")).unwrap();
    assert!(seen.ends_with("in private"), "{seen}");
    let diagnostic = settings(None).refused(&format!("GET {url}"));
    assert_eq!(diagnostic.code, code::PLUGIN_CONFIG, "{diagnostic}");
    assert_eq!(
        diagnostic.message,
        "127.0.0.1 cannot be trusted: its certificate is signed by nobody whom this machine trusts"
    );
    assert!(
        diagnostic
            .hint_text()
            .unwrap_or_default()
            .ends_with("[sources.bill.http]\nca_file = \"ca.pem\"")
    );
    let no_certificate = settings(Some("ca.key")).refused(&format!("GET {url}"));
    assert!(
        no_certificate.message.ends_with("ca.key has no certificate in PEM"),
        "{no_certificate}"
    );
    assert_eq!(web.seen().len(), 1);
}
