//! Logs at every level are searched for secrets, while a source with secrets is answered, refused,
//! redirected, kept waiting and sent through a proxy. Lines of other crates are searched too.

use reach::http::{
    AllowedRequest, Http, HttpMethod, HttpOptions, HttpRequest, Networks, Proxy, SecretPlace,
};
use reach::object_store::{ObjectCache, SourceFiles, SourcePath, StoreAccess, StoreKeys};
use reach::secret::{Blots, OAuth2, SecretKeeper, SecretSlot, Secrets};
use std::fmt::{Debug, Write as _};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SECRETS: [&str; 7] = [
    "bearer/s3cr3t+51",
    "me:basic s3cr3t 52",
    "header-s3cr3t-53",
    "query&s3cr3t=54",
    "client-s3cr3t-55",
    "token-s3cr3t-56",
    "proxy:s3cr3t-57",
];

/// Keeps every line of every level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Lines {
    fn add(&self, metadata: Option<&Metadata<'_>>, record: impl FnOnce(&mut Words)) {
        let target = metadata.map_or("", |metadata| metadata.target());
        let mut words = Words(target.to_owned());
        record(&mut words);
        self.0.lock().unwrap().push(words.0);
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(Some(span.metadata()), |words| span.record(words));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.add(None, |words| values.record(words));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.add(Some(event.metadata()), |words| event.record(words));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A server that repeats everything that it is told.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(count) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = count.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = target.split('?').next().unwrap_or_default();
    let echo = format!("{head}\n{}", String::from_utf8_lossy(&body));
    let (status, header, text) = match path {
        "/slow" => {
            std::thread::sleep(Duration::from_millis(600));
            ("200 OK", String::new(), echo)
        }
        "/refused" => ("401 Unauthorized", String::new(), echo),
        "/busy" => ("503 Service Unavailable", String::new(), echo),
        "/redirect" => {
            ("302 Found", format!("location: {}\r\n", target.replace("redirect", "ok")), echo)
        }
        "/token" => {
            let token = SECRETS[5];
            ("200 OK", String::new(), format!(r#"{{"access_token":"{token}","expires_in":600}}"#))
        }
        path if path.starts_with("http://") => {
            ("407 Proxy Authentication Required", String::new(), echo)
        }
        _ => ("200 OK", String::new(), echo),
    };
    let length = text.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{text}"
    );
}

fn kept(secret: &str) -> SecretKeeper {
    SecretKeeper::Command(vec!["printf".into(), "%s".into(), secret.into()])
}

fn slots(port: u16) -> Secrets {
    let areas = || vec![format!("http://127.0.0.1:{port}/").parse_area()];
    let token = OAuth2 {
        token_url: format!("http://127.0.0.1:{port}/token"),
        client_id: "me".into(),
        client_secret: Box::new(kept(SECRETS[4])),
        scope: None,
    };
    let keepers = [
        ("bearer", kept(SECRETS[0])),
        ("basic", kept(SECRETS[1])),
        ("header", kept(SECRETS[2])),
        ("query", kept(SECRETS[3])),
        ("token", SecretKeeper::OAuth2(token)),
    ];
    let slot = |(name, keeper): (&str, SecretKeeper)| {
        (name.to_owned(), SecretSlot { keeper, areas: areas() })
    };
    Secrets { slots: keepers.map(slot).into() }
}

trait ParseArea {
    fn parse_area(&self) -> reach::http::Area;
}

impl ParseArea for String {
    fn parse_area(&self) -> reach::http::Area {
        reach::http::Area::parse(self).expect("an area")
    }
}

fn client(port: u16, proxy: Option<Proxy>) -> Http {
    let allow = ["GET", "POST"]
        .map(|method| AllowedRequest::parse(&format!("{method} http://127.0.0.1:{port}/")))
        .map(|line| line.expect("a line"));
    let options = HttpOptions {
        allow: allow.into(),
        networks: Networks::new(vec![Networks::range("127.0.0.0/8").expect("a range")]),
        timeout: Duration::from_millis(300),
        retries: 1,
        first_wait: Duration::from_millis(1),
        proxy,
        ..HttpOptions::new("bill")
    };
    Http::new(options, slots(port))
}

/// The status of the answer, or the kind of the failure.
fn ask(http: &Http, port: u16, path: &str) -> String {
    let places = [
        ("bearer", SecretPlace::Bearer),
        ("basic", SecretPlace::Basic(None)),
        ("header", SecretPlace::Header("x-key".into())),
        ("query", SecretPlace::Query("key".into())),
        ("token", SecretPlace::Header("x-token".into())),
    ];
    let outcome = |first: usize| {
        // Two secrets cannot stand in one header: one request has the bearer, another one the pair.
        let secrets = places.iter().enumerate().filter(|(at, _)| *at != first);
        let request = HttpRequest {
            method: HttpMethod::Get,
            url: format!("http://127.0.0.1:{port}{path}"),
            headers: Vec::new(),
            secrets: secrets
                .map(|(_, (slot, place))| ((*slot).to_owned(), place.clone()))
                .collect(),
            body: None,
            repeatable: true,
        };
        match http.send(&request) {
            Ok(answer) => answer.status.to_string(),
            Err(failure) => failure.kind.name().to_owned(),
        }
    };
    let outcomes = [outcome(0), outcome(1)];
    assert_eq!(outcomes[0], outcomes[1], "{path}");
    outcomes[0].clone()
}

fn read_store(port: u16) {
    let keys = StoreKeys {
        bearer: Some(kept(SECRETS[0])),
        query: Some(kept(SECRETS[3])),
        ..StoreKeys::default()
    };
    let access = StoreAccess {
        region: None,
        endpoint: None,
        allow_http: true,
        ca_file: None,
        anonymous: false,
        profile: None,
        role: None,
        external_id: None,
        tenant_id: None,
        client_id: None,
        silence: Duration::from_millis(300),
        keys,
        is_table: |_| true,
    };
    let folder = tempfile::tempdir().expect("a folder");
    for path in ["ok.csv", "refused"] {
        let places = vec![SourcePath::Url(format!("http://127.0.0.1:{port}/{path}"))];
        let cache = ObjectCache { folder: Some(folder.path().to_owned()) };
        if let Ok(files) = SourceFiles::open("bill", places, &access, cache) {
            let _ = files.fetch_tables();
        }
    }
}

#[test]
fn no_line_of_any_level_holds_a_secret() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).expect("the first subscriber");
    let port = serve();
    let http = client(port, None);
    for (path, expect) in [
        ("/ok", "200"),
        ("/refused", "401"),
        ("/busy", "503"),
        ("/redirect", "200"),
        ("/slow", "transient"),
    ] {
        assert_eq!(ask(&http, port, path), expect, "{path}");
    }
    let proxy = Proxy {
        auth: Some(kept(SECRETS[6])),
        ..Proxy::at(&format!("http://127.0.0.1:{port}")).expect("a proxy")
    };
    assert_eq!(ask(&client(port, Some(proxy)), port, "/ok"), "auth");
    read_store(port);
    let blots = Blots::default();
    SECRETS.iter().for_each(|secret| blots.add(secret));
    blots.add("s3cr3t");
    let lines = lines.0.lock().unwrap();
    let has = |words: &str| lines.iter().any(|line| line.contains(words));
    for words in ["answered", "no answer", "status=503", "attempt=2", "token was fetched"] {
        assert!(has(words), "no line says '{words}': {lines:#?}");
    }
    let telltale: Vec<&String> = lines.iter().filter(|line| blots.hit(line)).collect();
    assert!(telltale.is_empty(), "{telltale:#?}");
}
