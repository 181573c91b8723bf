//! The power `http` through wasm: every refusal, every limit, and the places of secrets. The server
//! is in this process.

mod proxy;
mod secrets;

use super::*;
use domain::code;
use reach::Clients;
use reach::http::{AllowedRequest, Area, Http, HttpOptions, Networks, Proxy};
use reach::secret::{OAuth2, SecretKeeper, SecretSlot, Secrets};
use std::io::Write;
use std::sync::{Arc, OnceLock};
use test_support::server::web::{Web, reply};

const SECRET: &str = "s3cr3t/key+1";

/// The operator's settings for the source.
struct Settings {
    options: HttpOptions,
    secrets: Secrets,
}

impl Settings {
    /// Settings with these requests. Local addresses are granted, and retries come at once.
    fn allow(lines: &[String]) -> Settings {
        let options = HttpOptions {
            allow: lines.iter().map(|line| AllowedRequest::parse(line).unwrap()).collect(),
            networks: Networks::new(vec![Networks::range("127.0.0.0/8").unwrap()]),
            first_wait: Duration::ZERO,
            retries: 2,
            ..HttpOptions::new("bill")
        };
        Settings { options, secrets: Secrets::default() }
    }

    fn of(web: &Web) -> Settings {
        Settings::allow(&[format!("GET {}", web.url("/v1/")), format!("POST {}", web.url("/v1/"))])
    }

    fn with(self, change: impl FnOnce(HttpOptions) -> HttpOptions) -> Settings {
        Settings { options: change(self.options), ..self }
    }

    fn slot(mut self, slot: &str, keeper: SecretKeeper, area: &str) -> Settings {
        self.secrets
            .slots
            .insert(slot.into(), SecretSlot { keeper, areas: vec![Area::parse(area).unwrap()] });
        self
    }

    /// Adds the slot `key` with the secret.
    fn key(self, area: &str) -> Settings {
        self.slot("key", prints(SECRET), area)
    }

    /// Runs a script in the plugin, and gives the answers that it saw, line by line.
    fn ask(self, script: &str) -> Result<String, Diagnostic> {
        let http = Arc::new(Http::new(self.options, self.secrets));
        let plugin = plugin().collector(&Grants::new("bill", ["http"]).unwrap()).unwrap();
        let plugin = plugin.with_clients(Clients { http: Some(http), ..Clients::default() });
        let batches = collect(&plugin, &request(script, Vec::new()))?;
        Ok(batches[0].state.clone().unwrap())
    }

    fn refused(self, script: &str) -> Diagnostic {
        self.ask(script)
            .map_or_else(|diagnostic| diagnostic, |seen| panic!("it came through: {seen}"))
    }
}

fn plugin() -> &'static Plugin {
    static PLUGIN: OnceLock<(PluginHost, Plugin)> = OnceLock::new();
    let loaded = || {
        let host =
            host(PluginLimits { batch_bytes: 64 << 20, memory_bytes: 256 << 20, ..limits() });
        let plugin = load(&host, "asks", test_artifacts::ASKS_HTTP);
        (host, plugin)
    };
    &PLUGIN.get_or_init(loaded).1
}

fn prints(value: &str) -> SecretKeeper {
    SecretKeeper::Command(vec!["printf".into(), "%s".into(), value.into()])
}

fn greets() -> Web {
    Web::start(|_, _| reply(200, &["x-page: 1"], "hello"))
}

/// Asserts that a request is refused before anything is sent. The message has the words, and the
/// hint has the line that would allow the request.
fn denied(web: &Web, settings: Settings, script: &str, words: &str, line: &str) {
    let diagnostic = settings.refused(script);
    assert_eq!(diagnostic.code, code::PLUGIN_DENIED, "{diagnostic}");
    assert!(diagnostic.message.contains(words), "{words} is not in\n{diagnostic}");
    assert!(
        diagnostic.hint_text().as_deref().unwrap_or_default().contains(line),
        "{line} is not in\n{diagnostic}"
    );
    assert_eq!(web.seen(), Vec::<String>::new());
}

#[test]
fn what_is_allowed_is_asked_and_answered() {
    let web = greets();
    let script = format!(
        "header accept text/plain\nGET {0}?b=1&a=%2F\nbody q=1\nPOST {0}\nHEAD {0}",
        web.url("/v1/x")
    );
    let seen = Settings::of(&web).ask(&script).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[0], "slots: ");
    assert_eq!(lines[1], "200 connection=close,content-length=5,x-page=1 hello");
    assert_eq!(lines.len(), 4);
    let requests = web.seen();
    assert!(
        requests[0].starts_with("GET /v1/x?b=1&a=%2F HTTP/1.1\naccept: text/plain\n"),
        "{}",
        requests[0]
    );
    assert!(
        requests[0].contains("accept-encoding: gzip\n")
            && requests[0].contains("user-agent: apportion/"),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].starts_with("POST /v1/x ") && requests[1].ends_with("\n\nq=1"),
        "{}",
        requests[1]
    );
}

#[test]
fn other_methods_schemes_hosts_ports_and_paths_are_denied_with_the_line() {
    let web = greets();
    let get = || Settings::allow(&[format!("GET {}", web.url("/v1/"))]);
    let port = web.port;
    for (script, asked) in [
        (format!("POST {}", web.url("/v1/x?key=1")), format!("POST http://127.0.0.1:{port}/v1/x")),
        (format!("GET https://127.0.0.1:{port}/v1/"), format!("GET https://127.0.0.1:{port}/v1/")),
        (format!("GET http://127.0.0.2:{port}/v1/"), format!("GET http://127.0.0.2:{port}/v1/")),
        ("GET http://127.0.0.1:9/v1/".to_owned(), "GET http://127.0.0.1:9/v1/".to_owned()),
        (format!("GET {}", web.url("/v1")), format!("GET http://127.0.0.1:{port}/v1")),
        (
            format!("GET {}", web.url("/v1/%2e%2e//admin")),
            format!("GET http://127.0.0.1:{port}/admin"),
        ),
    ] {
        let line = format!(
            "[sources.bill.http]\nallow = [\"GET http://127.0.0.1:{port}/v1/\", \"{asked}\"]"
        );
        denied(&web, get(), &script, &format!("source 'bill' does not allow {asked}"), &line);
    }
}

#[test]
fn addresses_that_are_not_public_are_denied_written_or_resolved() {
    let web = greets();
    let bare = |url: &str| {
        Settings::allow(&[format!("GET {url}")])
            .with(|options| HttpOptions { networks: Networks::default(), ..options })
    };
    let url = web.url("/");
    denied(
        &web,
        bare(&url),
        &format!("GET {url}"),
        "127.0.0.1 has the address 127.0.0.1, which is loopback",
        "networks = [\"127.0.0.1/32\"]",
    );
    let port = web.port;
    let mapped = format!("http://[::ffff:7f00:1]:{port}/");
    denied(
        &web,
        bare(&mapped),
        &format!("GET {mapped}"),
        "which is loopback, and source 'bill' grants no such network",
        "[sources.bill.http]\nnetworks = [",
    );
    let number = format!("GET http://2130706433:{port}/");
    denied(
        &web,
        bare(&url),
        &number,
        "127.0.0.1 has the address 127.0.0.1, which is loopback",
        "networks",
    );
    let named = format!("http://localhost:{port}/");
    denied(
        &web,
        bare(&named),
        &format!("GET {named}"),
        "localhost has the address ",
        "networks = [\"",
    );
    let private = "http://10.1.2.3/";
    denied(
        &web,
        bare(private),
        &format!("GET {private}"),
        "10.1.2.3 has the address 10.1.2.3, which is private",
        "networks = [\"10.1.2.3/32\"]",
    );
    let metadata = "http://169.254.169.254/latest/";
    denied(
        &web,
        bare(metadata),
        &format!("GET {metadata}"),
        "the metadata service of a cloud",
        "networks = [\"169.254.169.254/32\"]",
    );
    // A name is allowed like an address, if its network is granted.
    let seen = Settings::allow(&[format!("GET {named}")]).ask(&format!("GET {named}")).unwrap();
    assert!(seen.ends_with("hello"), "{seen}");
}

#[test]
fn redirections_are_followed_within_the_list_and_the_networks() {
    let web = Web::start(|_, request| match request.split(' ').nth(1) {
        Some("/v1/near") => reply(302, &["location: /v1/end"], ""),
        Some("/v1/posted") => reply(303, &["location: end"], ""),
        Some("/v1/off") => reply(301, &["location: /admin"], ""),
        Some("/v1/metadata") => reply(307, &["location: http://169.254.169.254/latest/"], ""),
        Some("/v1/file") => reply(302, &["location: file:///etc/passwd"], ""),
        Some("/v1/circle") => reply(302, &["location: /v1/circle"], ""),
        _ => reply(200, &[], "the end"),
    });
    let settings = || {
        let own = [format!("GET {}", web.url("/v1/")), format!("POST {}", web.url("/v1/posted"))];
        Settings::allow(&[own.as_slice(), &["GET http://169.254.169.254/".into()]].concat())
    };
    let seen = settings()
        .ask(&format!("GET {}\nbody q\nPOST {}", web.url("/v1/near"), web.url("/v1/posted")))
        .unwrap();
    assert_eq!(seen.matches("the end").count(), 2, "{seen}");
    assert!(
        web.seen()[3].starts_with("GET /v1/end ") && web.seen()[3].ends_with("\n\n"),
        "{:?}",
        web.seen()
    );
    for (path, refused, words) in [
        (
            "/v1/off",
            code::PLUGIN_DENIED,
            format!("source 'bill' does not allow GET {}", web.url("/admin")),
        ),
        (
            "/v1/metadata",
            code::PLUGIN_DENIED,
            "169.254.169.254 has the address 169.254.169.254, which is the metadata service \
             of a cloud"
                .into(),
        ),
        (
            "/v1/file",
            code::PLUGIN_CONFIG,
            "redirects to where source 'bill' cannot follow: file: is neither http nor https"
                .into(),
        ),
        ("/v1/circle", code::PLUGIN_FAILED, "was redirected more than 5 times".into()),
    ] {
        let diagnostic = settings().refused(&format!("GET {}", web.url(path)));
        assert_eq!(diagnostic.code, refused, "{diagnostic}");
        assert!(diagnostic.message.contains(&words), "{words} is not in\n{diagnostic}");
    }
}

#[test]
fn a_long_answer_is_cut_off_also_when_it_is_packed() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b'0'; 64 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 100_000);
    let web = Web::start(move |_, request| {
        if request.contains("/v1/bomb") {
            reply(200, &["content-encoding: gzip"], &packed)
        } else {
            reply(200, &[], vec![b'0'; 2_000_000])
        }
    });
    for path in ["/v1/long", "/v1/bomb"] {
        let small =
            Settings::of(&web).with(|options| HttpOptions { response_bytes: 1 << 20, ..options });
        let diagnostic = small.refused(&format!("GET {}", web.url(path)));
        assert_eq!(diagnostic.code, code::PLUGIN_CONFIG, "{diagnostic}");
        assert_eq!(
            diagnostic.message,
            format!("the answer of {} is longer than 1048576 bytes, unpacked", web.url(path))
        );
        assert!(
            diagnostic
                .hint_text()
                .unwrap_or_default()
                .ends_with("[sources.bill.http]\nresponse_mib = 4")
        );
    }
}

#[test]
fn a_server_that_hangs_is_left() {
    let web = Web::start(|_, _| None);
    let hurried = Settings::of(&web)
        .with(|options| HttpOptions { timeout: Duration::from_millis(100), ..options });
    let diagnostic = hurried.refused(&format!("GET {}", web.url("/v1/")));
    assert_eq!(diagnostic.code, code::PLUGIN_FAILED, "{diagnostic}");
    assert_eq!(
        diagnostic.message,
        format!("{} did not answer in full within 100 ms", web.url("/v1/"))
    );
    assert!(diagnostic.hint_text().unwrap_or_default().contains("timeout_seconds = "));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{free}/");
    let diagnostic = Settings::allow(&[format!("GET {url}")]).refused(&format!("GET {url}"));
    assert_eq!(diagnostic.code, code::PLUGIN_FAILED, "{diagnostic}");
    assert!(
        diagnostic.message.starts_with("no connection to 127.0.0.1: ")
            && diagnostic.message.contains("refused"),
        "{diagnostic}"
    );
    let unknown = Settings::allow(&["GET http://no-such-host.invalid/".into()])
        .refused("GET http://no-such-host.invalid/");
    assert_eq!(unknown.code, code::PLUGIN_FAILED, "{unknown}");
    assert!(
        unknown.message.starts_with("the name no-such-host.invalid cannot be resolved: "),
        "{unknown}"
    );
    assert_eq!(
        unknown.hint_text().as_deref(),
        Some("check with `getent hosts no-such-host.invalid`")
    );
}

#[test]
fn what_does_no_harm_is_repeated_until_it_is_well_or_hopeless() {
    let storm = |bad: usize, status: u16| {
        Web::start(move |before, _| {
            if before < bad {
                reply(status, &["retry-after: 0"], "later")
            } else {
                reply(200, &[], "at last")
            }
        })
    };
    let web = storm(2, 429);
    let seen = Settings::of(&web).ask(&format!("GET {}", web.url("/v1/"))).unwrap();
    assert!(seen.ends_with("at last") && web.seen().len() == 3, "{seen}");
    let web = storm(99, 500);
    let diagnostic = Settings::of(&web).refused(&format!("well\nGET {}", web.url("/v1/")));
    assert_eq!(diagnostic.code, code::PLUGIN_FAILED, "{diagnostic}");
    assert!(
        diagnostic.message.ends_with(&format!(
            "cannot reach its source: {} answered 500: later",
            web.url("/v1/")
        )),
        "{diagnostic}"
    );
    assert_eq!(web.seen().len(), 3);
    let web = storm(1, 503);
    let seen =
        Settings::of(&web).ask(&format!("body pay\nonce\nPOST {}", web.url("/v1/"))).unwrap();
    assert!(seen.contains("\n503 ") && web.seen().len() == 1, "{seen}");
}

#[test]
fn half_a_page_is_no_page() {
    let half = b"HTTP/1.1 200 so\r\ncontent-length: 100\r\n\r\n{\"rows\": [".to_vec();
    let web = Web::start(move |_, _| Some(half.clone()));
    let diagnostic = Settings::of(&web).refused(&format!("GET {}", web.url("/v1/")));
    assert_eq!(diagnostic.code, code::PLUGIN_FAILED, "{diagnostic}");
    assert!(
        diagnostic.message.starts_with(&format!("the answer of {} broke off: ", web.url("/v1/"))),
        "{diagnostic}"
    );
    assert_eq!(web.seen().len(), 3);
}

#[test]
fn a_run_has_so_many_requests() {
    let web = greets();
    let few = Settings::of(&web).with(|options| HttpOptions { requests: 2, ..options });
    let diagnostic = few.refused(&[format!("GET {}", web.url("/v1/")).as_str(); 3].join("\n"));
    assert_eq!(diagnostic.code, code::PLUGIN_DENIED, "{diagnostic}");
    assert_eq!(
        diagnostic.message,
        "source 'bill' made all of the 2 requests that one run may make"
    );
    assert_eq!(diagnostic.hint_text().as_deref(), Some("[sources.bill.http]\nrequests = 20"));
    assert_eq!(web.seen().len(), 2);
}
