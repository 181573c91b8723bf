//! Logs at every level are searched for secrets, while a source with secrets is answered, refused,
//! redirected, kept waiting and sent through a proxy. Lines of other crates are searched too.

use reach::http::{
    AllowedRequest, Http, HttpMethod, HttpOptions, HttpRequest, Networks, Proxy, SecretPlace,
};
use reach::kubernetes::{ClusterAccess, Kubernetes, ListQuery};
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

const SECRETS: [&str; 12] = [
    "bearer/s3cr3t+51",
    "me:basic s3cr3t 52",
    "header-s3cr3t-53",
    "query&s3cr3t=54",
    "client-s3cr3t-55",
    "token-s3cr3t-56",
    "proxy:s3cr3t-57",
    "s3cr3t-58-cluster-token",
    "s3cr3t-59-password",
    "s3cr3t-60-session-token",
    "s3cr3t-61/signature+of=azure",
    "s3cr3t-62-secret-key",
];
/// Messages quote no more than this many characters of a store's answer, and of a cluster's.
const QUOTED_CHARS: [usize; 2] = [300, 200];

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
        // HEAD and GET have to answer with the same length.
        "/ok.csv" => ("200 OK", String::new(), "day,cost\n".into()),
        // What is quoted of these answers ends within a secret.
        path if path.starts_with("/cluster/") => {
            let padding = "x".repeat(QUOTED_CHARS[1] - "authorization: Bearer s3cr3t".len());
            ("401 Unauthorized", String::new(), padding + line_of(&head, "authorization"))
        }
        path if path.starts_with("/s3/") => {
            let start = "InvalidRequest: x-amz-security-token: s3cr3t";
            let padding = "x".repeat(QUOTED_CHARS[0] - start.len());
            let said = padding + line_of(&head, "x-amz-security-token");
            ("400 Bad Request", String::new(), xml("InvalidRequest", &said))
        }
        path if path.starts_with("/azure/") => {
            let said = target.replace('&', "&amp;");
            ("400 Bad Request", String::new(), xml("InvalidQuery", &said))
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

/// The header of a request with this name.
fn line_of<'a>(head: &'a str, name: &str) -> &'a str {
    let is_it = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
    head.lines().find(is_it).unwrap_or("no such header")
}

fn xml(code: &str, message: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
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

fn store(port: u16, folder: &str, keys: StoreKeys) -> StoreAccess {
    StoreAccess {
        region: Some("us-east-1".into()),
        endpoint: Some(format!("http://127.0.0.1:{port}/{folder}")),
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
        blots: Arc::default(),
        is_table: |_| true,
    }
}

/// The words for the operator of reading this URL, and the hint.
fn read_store(url: String, access: &StoreAccess) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = ObjectCache { folder: Some(folder.path().to_owned()) };
    let read = SourceFiles::open("bill", vec![SourcePath::Url(url)], access, cache)
        .and_then(|files| files.fetch_tables());
    read.map_or_else(|failure| failure.diagnostic.to_string(), |()| "all is fetched".into())
}

fn read_stores(port: u16) -> Vec<String> {
    let web = || StoreKeys {
        bearer: Some(kept(SECRETS[0])),
        query: Some(kept(SECRETS[3])),
        ..StoreKeys::default()
    };
    let s3 = StoreKeys {
        access_key: Some(kept("AKID")),
        secret_key: Some(kept(SECRETS[11])),
        session_token: Some(kept(SECRETS[9])),
        ..StoreKeys::default()
    };
    let sas = format!("sv=2024-11-04&sig={}", SECRETS[10].replace('+', "%2B"));
    let azure = StoreKeys { sas: Some(kept(&sas)), ..StoreKeys::default() };
    vec![
        read_store(format!("http://127.0.0.1:{port}/ok.csv"), &store(port, "", web())),
        read_store(format!("http://127.0.0.1:{port}/refused"), &store(port, "", web())),
        read_store("s3://bills/x/".into(), &store(port, "s3", s3)),
        read_store("az://acme/bills/x/".into(), &store(port, "azure", azure)),
    ]
}

/// The words for the operator of asking a cluster as a user of this YAML.
fn list_pods(port: u16, user: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: c, \
         clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}/cluster'}}}}], \
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
         users: [{{name: u, user: {user}}}]}}"
    );
    std::fs::write(&kubeconfig, text).expect("a file");
    let access = ClusterAccess {
        source: "cluster".into(),
        kubeconfig: Some(kubeconfig),
        context: None,
        resources: vec!["pods".into()],
        namespaces: Vec::new(),
        timeout: Duration::from_secs(5),
    };
    let query = ListQuery {
        resource: "pods".into(),
        namespace: None,
        label_selector: None,
        field_selector: None,
        limit: 0,
        next: None,
    };
    let cluster = Kubernetes::new(access).expect("a client");
    let listed = cluster.list(&query);
    listed.map_or_else(|failure| failure.diagnostic.to_string(), |_| "listed".into())
}

fn ask_clusters(port: u16) -> Vec<String> {
    let (token, password) = (SECRETS[7], SECRETS[8]);
    let credential = format!(
        "{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
         \"status\":{{\"token\":\"{token}\"}}}}"
    );
    let program = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: echo, \
         args: ['{credential}'], interactiveMode: Never}}}}"
    );
    vec![
        list_pods(port, &format!("{{token: {token}}}")),
        list_pods(port, &format!("{{username: me, password: {password}}}")),
        list_pods(port, &program),
    ]
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
    let words = [ask_clusters(port), read_stores(port)].concat();
    let expected = [
        "xauthorization: Bearer [secre\n",
        "xauthorization: Basic [secret\n",
        "xauthorization: Bearer [secre\n",
        "all is fetched",
        "the server refuses it with status 401",
        "xx-amz-security-token: [secre…\n",
        "&sig=[secret]",
    ];
    assert_eq!(words.len(), expected.len());
    for (words, expect) in words.iter().zip(expected) {
        assert!(words.contains(expect), "'{expect}' is not in {words}");
    }
    let blots = Blots::default();
    SECRETS.iter().for_each(|secret| blots.add(secret));
    blots.add("s3cr3t");
    let lines = lines.0.lock().unwrap();
    let has = |words: &str| lines.iter().any(|line| line.contains(words));
    for words in ["answered", "no answer", "status=503", "attempt=2", "token was fetched"] {
        assert!(has(words), "no line says '{words}': {lines:#?}");
    }
    let telltale: Vec<&String> =
        lines.iter().chain(&words).filter(|line| blots.hit(line)).collect();
    assert!(telltale.is_empty(), "{telltale:#?}");
}
