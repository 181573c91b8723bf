//! The power `http` through wasm: every refusal, every limit, and where secrets go. The server is
//! in this process.

use super::*;
use domain::code;
use reach::Clients;
use reach::http::{AllowedRequest, Area, Http, HttpOptions, Networks, Proxy};
use reach::secret::{OAuth2, SecretKeeper, SecretSlot, Secrets};
use std::io::Write;
use std::sync::{Arc, OnceLock};
use test_support::server::web::{Web, reply};

const SECRET: &str = "s3cr3t/key+1";

/// What the operator wrote for the source.
struct Settings {
    options: HttpOptions,
    secrets: Secrets,
}

impl Settings {
    /// Local addresses are granted; nothing is waited for.
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

    /// The slot `key`.
    fn key(self, area: &str) -> Settings {
        self.slot("key", prints(SECRET), area)
    }

    /// What the plugin saw, line by line.
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

/// Refused before anything was sent, with the words and the line that would allow it.
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
    // The name is as good as the address where its network is granted.
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

#[test]
fn a_secret_stands_where_the_plugin_says_and_comes_back_blotted() {
    let web = Web::start(|_, request| {
        reply(200, &[&format!("x-echo: {}", request.lines().next().unwrap())], request)
    });
    let url = web.url("/v1/");
    let script = format!(
        "secret key bearer\nGET {url}\nsecret key basic me\nGET {url}\nsecret key header \
             x-api-key\nGET {url}\nsecret key query api_key\nGET {url}?a=1\nsecret pair \
             basic\nGET {url}"
    );
    let settings = Settings::of(&web).key(&url).slot("pair", prints("me:pass-word"), &url);
    let seen = settings.ask(&script).unwrap();
    assert!(seen.starts_with("slots: key,pair\n"), "{seen}");
    let requests = web.seen();
    for (request, expect) in requests.iter().zip([
        "\nauthorization: Bearer s3cr3t/key+1\n",
        // base64 of me:s3cr3t/key+1
        "\nauthorization: Basic bWU6czNjcjN0L2tleSsx\n",
        "\nx-api-key: s3cr3t/key+1\n",
        "GET /v1/?a=1&api_key=s3cr3t%2Fkey%2B1 HTTP",
        // base64 of me:pass-word
        "\nauthorization: Basic bWU6cGFzcy13b3Jk\n",
    ]) {
        assert!(request.contains(expect), "{expect} is not in\n{request}");
    }
    for form in
        [SECRET, "s3cr3t%2Fkey%2B1", "bWU6czNjcjN0L2tleSsx", "bWU6cGFzcy13b3Jk", "pass-word"]
    {
        assert!(!seen.contains(form), "{form} is in\n{seen}");
    }
    assert!(
        seen.contains("authorization: Bearer [secret]\n")
            && seen.contains("x-echo=GET /v1/?a=1&api_key=[secret] HTTP/1.1"),
        "{seen}"
    );
}

#[test]
fn a_secret_goes_nowhere_else() {
    let other = greets();
    let to = other.url("/v1/there");
    let web = Web::start(move |_, request| match request.split(' ').nth(1) {
        Some("/v1/away") => reply(302, &[&format!("location: {to}")], ""),
        Some("/v1/near") => reply(302, &["location: /v1/end"], ""),
        Some("/v1/steal") => reply(302, &[&format!("location: {to}?stolen=s3cr3t/key%2B1")], ""),
        _ => reply(200, &[], "the end"),
    });
    let settings = || {
        let own = [format!("GET {}", web.url("/")), format!("GET {}", other.url("/v1/"))];
        Settings::allow(&own).key(&web.url("/v1/"))
    };
    let seen = settings()
        .ask(&format!(
            "secret key bearer\nGET {}\nsecret key bearer\nGET {}",
            web.url("/v1/away"),
            web.url("/v1/near")
        ))
        .unwrap();
    assert!(seen.contains("hello") && seen.ends_with("the end"), "{seen}");
    assert_eq!(other.seen().len(), 1);
    assert!(!other.seen()[0].contains("authorization"), "{:?}", other.seen());
    let kept = web
        .seen()
        .iter()
        .filter(|request| request.contains("authorization: Bearer s3cr3t/key+1\n"))
        .count();
    assert_eq!(kept, 3);
    // Elsewhere, not even by name: the plugin is told, and nothing is sent.
    let before = web.seen().len();
    let diagnostic = settings().refused(&format!("secret key bearer\nGET {}", other.url("/v1/")));
    assert_eq!(diagnostic.code, code::PLUGIN_DENIED, "{diagnostic}");
    assert_eq!(
        diagnostic.message,
        format!("the secret 'key' of source 'bill' may not go to {}", other.url("/v1/"))
    );
    assert_eq!(
        diagnostic.hint_text(),
        Some(format!(
            "[sources.bill.secrets.key]\nfor = [\"{}\", \"{}\"]",
            web.url("/v1/"),
            other.url("/")
        ))
    );
    let outside = settings().refused(&format!("secret key bearer\nGET {}", web.url("/v2/")));
    assert_eq!(
        outside.message,
        format!("the secret 'key' of source 'bill' may not go to {}", web.url("/v2/"))
    );
    assert_eq!((web.seen().len(), other.seen().len()), (before, 1));
    let stolen = settings().refused(&format!("secret key bearer\nGET {}", web.url("/v1/steal")));
    assert!(
        stolen.message.ends_with("with a secret in the URL")
            && !stolen.to_string().contains("s3cr3t"),
        "{stolen}"
    );
    assert_eq!(other.seen().len(), 1);
}

#[test]
fn a_secret_that_is_missing_says_how_to_give_it() {
    let web = greets();
    let url = web.url("/v1/");
    let script = format!("secret key bearer\nGET {url}");
    let root = web.url("/");
    let line = format!("[sources.bill.secrets.key]\nenv = \"KEY\"\nfor = [\"{root}\"]");
    denied(&web, Settings::of(&web), &script, "source 'bill' has no secret 'key'", &line);
    let unset = Settings::of(&web)
        .slot("key", SecretKeeper::Env("NOT_SET_IN_ANY_TEST".into()), &url)
        .refused(&script);
    assert_eq!(unset.code, code::PLUGIN_CONFIG, "{unset}");
    assert_eq!(
        unset.message,
        "the secret 'key' has no value: the environment variable NOT_SET_IN_ANY_TEST is not set"
    );
    assert_eq!(unset.hint_text().as_deref(), Some("`export NOT_SET_IN_ANY_TEST=…` before the run"));
    let broken = Settings::of(&web).slot("key", prints("two\nlines"), &url).refused(&script);
    assert!(
        broken.message.ends_with("its value has a line break or another control character in it"),
        "{broken}"
    );
    assert_eq!(web.seen(), Vec::<String>::new());
}

#[test]
fn a_plugin_cannot_say_who_it_is_by_itself() {
    let web = greets();
    let url = web.url("/v1/");
    for (script, words) in [
        (
            format!("header Authorization Bearer guessed\nGET {url}"),
            "a plugin cannot set the header 'Authorization'",
        ),
        (format!("header host other.example\nGET {url}"), "a plugin cannot set the header 'host'"),
        (format!("header cookie a=b\nGET {url}"), "a plugin cannot set the header 'cookie'"),
        (
            format!("header Proxy-Authorization x\nGET {url}"),
            "a plugin cannot set the header 'Proxy-Authorization'",
        ),
        (
            format!("secret key header host\nGET {url}"),
            "the secret 'key' cannot go into the header 'host'",
        ),
        (
            format!("header x-key a\nsecret key header X-Key\nGET {url}"),
            "the secret 'key' cannot go into the header 'X-Key'",
        ),
        (
            format!("secret key query k\nGET {url}?k=1"),
            "the parameter 'k' of the secret 'key' stands in the URL already",
        ),
        (
            "GET http://me:pw@127.0.0.1/".to_owned(),
            "a user or password cannot stand in a URL: secrets have slots",
        ),
    ] {
        let diagnostic = Settings::of(&web).key(&url).refused(&script);
        assert_eq!(diagnostic.code, code::PLUGIN_CONFIG, "{diagnostic}");
        assert!(diagnostic.message.contains(words), "{words} is not in\n{diagnostic}");
    }
    assert_eq!(web.seen(), Vec::<String>::new());
}

#[test]
fn a_token_is_fetched_once_and_renewed_when_it_ends() {
    for (life, fetched) in [("3600", 1), ("0", 2)] {
        let web = Web::start(move |before, request| {
            if request.starts_with("POST /token ") {
                reply(
                    200,
                    &[],
                    format!(
                        "{{\"access_token\": \"token-{before}\", \"expires_in\": {life}, \
                             \"token_type\": \"Bearer\"}}"
                    ),
                )
            } else {
                reply(200, &[], request)
            }
        });
        let url = web.url("/v1/");
        let client = OAuth2 {
            token_url: web.url("/token"),
            client_id: "me".into(),
            client_secret: Box::new(prints(SECRET)),
            scope: Some("a b".into()),
        };
        let settings = Settings::of(&web).slot("key", SecretKeeper::OAuth2(client), &url);
        let seen = settings
            .ask(&format!("secret key bearer\nGET {url}\nsecret key bearer\nGET {url}"))
            .unwrap();
        assert!(
            !seen.contains("token-") && seen.matches("authorization: Bearer [secret]").count() == 2,
            "{seen}"
        );
        let requests = web.seen();
        assert_eq!(
            requests.iter().filter(|request| request.starts_with("POST /token ")).count(),
            fetched
        );
        let form = "\n\ngrant_type=client_credentials&client_id=me&client_secret=s3cr3t%2Fkey%2B1&scope=a+b";
        assert!(
            requests[0].contains("content-type: application/x-www-form-urlencoded\n")
                && requests[0].ends_with(form),
            "{}",
            requests[0]
        );
        assert!(requests[1].contains("authorization: Bearer token-0\n"), "{}", requests[1]);
    }
}

/// Its server forgot it, or its key was changed: a token that was good before gets one successor
/// for each request.
#[test]
fn a_token_that_ends_before_its_time_is_renewed_once() {
    let client = |web: &Web| OAuth2 {
        token_url: web.url("/token"),
        client_id: "me".into(),
        client_secret: Box::new(prints(SECRET)),
        scope: None,
    };
    let is_token = |request: &&String| request.starts_with("POST /token ");
    let serve = |accepts: fn(&str) -> bool| {
        Web::start(move |before, request| {
            if request.starts_with("POST /token ") {
                reply(
                    200,
                    &[],
                    format!("{{\"access_token\": \"token-{before}\", \"expires_in\": 3600}}"),
                )
            } else if accepts(request) {
                reply(200, &[], "welcome")
            } else {
                reply(401, &[], "who are you?")
            }
        })
    };
    // The first token is good for the first question only.
    let web = serve(|request| !(request.contains("/v1/b ") && request.contains("token-0")));
    let script = format!(
        "secret key bearer\nGET {}\nsecret key bearer\nGET {}",
        web.url("/v1/a"),
        web.url("/v1/b")
    );
    let seen = Settings::of(&web)
        .slot("key", SecretKeeper::OAuth2(client(&web)), &web.url("/v1/"))
        .ask(&script)
        .unwrap();
    assert_eq!(
        (seen.matches("welcome").count(), seen.matches("who are you?").count()),
        (2, 0),
        "{seen}"
    );
    assert_eq!(web.seen().iter().filter(is_token).count(), 2);
    // Who is refused with a fresh token is refused.
    let web = serve(|_| false);
    let url = web.url("/v1/");
    let seen = Settings::of(&web)
        .slot("key", SecretKeeper::OAuth2(client(&web)), &url)
        .ask(&format!("secret key bearer\nGET {url}"))
        .unwrap();
    assert!(seen.ends_with("who are you?"), "{seen}");
    assert_eq!(web.seen().iter().filter(is_token).count(), 1);
}

#[test]
fn a_token_that_is_refused_is_an_error_without_the_secret() {
    let web = Web::start(|_, request| {
        reply(
            401,
            &[],
            format!(
                "{{\"error\": \"invalid_client\", \"seen\": \"{}\"}}",
                request.lines().last().unwrap()
            ),
        )
    });
    let url = web.url("/v1/");
    let client = OAuth2 {
        token_url: web.url("/token"),
        client_id: "me".into(),
        client_secret: Box::new(prints(SECRET)),
        scope: None,
    };
    let diagnostic = Settings::of(&web)
        .slot("key", SecretKeeper::OAuth2(client), &url)
        .refused(&format!("secret key bearer\nGET {url}"));
    assert_eq!(diagnostic.code, code::PLUGIN_FAILED, "{diagnostic}");
    let words = format!(
        "no token for the secret 'key': {} answered 401: {{\"error\": \"invalid_client\"",
        web.url("/token")
    );
    assert!(
        diagnostic.message.starts_with(&words)
            && diagnostic.message.contains("client_secret=[secret]"),
        "{diagnostic}"
    );
}

/// Runs `openssl`, which checks what we signed.
fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = std::process::Command::new("openssl").args(arguments).output().expect("openssl");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_service_account_of_google_signs_for_its_token_and_its_key_stays_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = String::from_utf8(openssl(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
    ]))
    .unwrap();
    std::fs::write(path("key.pem"), &key).unwrap();
    openssl(&["pkey", "-in", &path("key.pem"), "-pubout", "-out", &path("public.pem")]);
    let web = Web::start(|_, request| {
        if request.starts_with("POST /v1/token ") {
            reply(
                200,
                &[],
                r#"{"access_token": "ya29.secret-token", "expires_in": 3599, "token_type": "Bearer"}"#,
            )
        } else {
            reply(200, &[], request)
        }
    });
    let url = web.url("/v1/costs");
    let escaped = key.replace('\n', "\\n");
    let account = format!(
        r#"{{"type": "service_account", "client_email": "costs@p.iam.example", "private_key_id": "k1", "private_key": "{escaped}", "token_uri": "{}"}}"#,
        web.url("/v1/token")
    );
    std::fs::write(path("account.json"), account).unwrap();
    let keeper = |file: &str| SecretKeeper::GoogleServiceAccount {
        file: path(file).into(),
        scope: "https://www.example/auth/bigquery.readonly".into(),
    };
    let seen = Settings::of(&web)
        .slot("key", keeper("account.json"), &url)
        .ask(&format!("secret key bearer\nGET {url}"))
        .unwrap();
    assert!(!seen.contains("ya29") && seen.contains("authorization: Bearer [secret]"), "{seen}");
    let asked = web.seen();
    assert!(asked[1].contains("authorization: Bearer ya29.secret-token\n"), "{}", asked[1]);
    let assertion = asked[0].rsplit_once("assertion=").map(|(_, rest)| rest.trim()).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let mut padded = signature.replace('-', "+").replace('_', "/");
    padded.push_str(&"=".repeat((4 - padded.len() % 4) % 4));
    std::fs::write(path("signature.b64"), padded).unwrap();
    std::fs::write(path("signed"), signed).unwrap();
    openssl(&["base64", "-d", "-A", "-in", &path("signature.b64"), "-out", &path("signature")]);
    let verified = openssl(&[
        "dgst",
        "-sha256",
        "-verify",
        &path("public.pem"),
        "-signature",
        &path("signature"),
        &path("signed"),
    ]);
    assert_eq!(String::from_utf8_lossy(&verified).trim(), "Verified OK");
    std::fs::write(
        path("broken.json"),
        r#"{"client_email": "a", "private_key": "none", "token_uri": "not a url"}"#,
    )
    .unwrap();
    let refused = Settings::of(&web)
        .slot("key", keeper("broken.json"), &url)
        .refused(&format!("secret key bearer\nGET {url}"));
    assert!(refused.message.contains("broken.json has no good token_uri"), "{refused}");
}

/// Through a proxy at a port of this machine.
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
    // It repeats what it was asked with, as a page of an error does.
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

/// What is asked without the proxy is looked at as if there were none.
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
