//! Every collector that asks over a network × every fault of the other side. The message names the
//! fault and its remedy, the days are gaps, and nothing is posted.

use crate::scene::Scene;
use crate::scenes::asking::SECRET;
use serde_json::Value;
use std::sync::LazyLock;
use test_support::server::web::{Web, reply};

/// The way of a collector to its server. The client of each way words its own messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Http,
    /// An object store that speaks the protocol of S3.
    Bucket,
    /// A web server with files.
    Files,
    Cluster,
    Aws,
}

struct Collector {
    plugin: &'static str,
    way: Way,
    /// The inside of `config`. The word URL stands for the server's address.
    config: &'static str,
}

const fn http(plugin: &'static str, config: &'static str) -> Collector {
    Collector { plugin, way: Way::Http, config }
}

const COLLECTORS: [Collector; 16] = [
    http("saas-datadog", "url = 'URL'"),
    http("saas-github", "url = 'URL', organization = 'acme'"),
    http("saas-openai", "url = 'URL'"),
    http("saas-mongodb-atlas", "url = 'URL', organization_id = '66d7254246a21a41036ff2e9'"),
    http("saas-snowflake", "url = 'URL', price_per_credit = '3.00'"),
    http("azure-cost", "url = 'URL', mode = 'query', scope = 'subscriptions/s-1'"),
    http(
        "gcp-billing",
        "url = 'URL', mode = 'query', project = 'billing', dataset = 'export', table = 't', partitioned = true",
    ),
    http("opencost", "url = 'URL', mode = 'charges'"),
    http("prometheus", "url = 'URL', queries = ['cpu']"),
    http(
        "http-json",
        "url = 'URL/costs', rows = '$.rows[*]', fields = { billed_cost = '$.cost', charge_period_start = '$.day', billing_currency = 'USD', service_name = 'S' }",
    ),
    Collector { plugin: "focus-file", way: Way::Files, config: "" },
    Collector {
        plugin: "csv",
        way: Way::Files,
        config: "constants = { billing_currency = 'USD', service_name = 'S' }, columns = { billed_cost = 'cost', charge_period_start = 'day' }",
    },
    Collector { plugin: "focus-file", way: Way::Bucket, config: "" },
    Collector { plugin: "aws-cur", way: Way::Bucket, config: "" },
    Collector { plugin: "kubernetes", way: Way::Cluster, config: "" },
    Collector { plugin: "aws-cost-explorer", way: Way::Aws, config: "" },
];

impl Collector {
    /// The source's section of the settings.
    fn section(&self, name: &str, url: &str, seconds: u32) -> String {
        let Collector { plugin, way, config } = self;
        let config = config.replace("URL", url);
        let head = format!("[sources.{name}]\nplugin = \"{plugin}\"\nconfig = {{ {config} }}\n");
        match way {
            Way::Http => {
                let slots = ["api_key", "application_key", "token"];
                let secrets = slots.map(|slot| format!("[sources.{name}.secrets.{slot}]\nenv = \"API_SECRET\"\nfor = [\"{url}/\"]\n"));
                format!(
                    "{head}grants = [\"http\"]\nsince = \"2026-11-01\"\n[sources.{name}.http]\nallow = [\"GET {url}/\", \"POST {url}/\"]\n\
                     networks = [\"127.0.0.0/8\"]\nretries = 1\ntimeout_seconds = {seconds}\n{}",
                    secrets.concat()
                )
            }
            Way::Files | Way::Bucket => {
                let (path, keys) = match way {
                    Way::Files => (format!("{url}/bill.csv"), String::new()),
                    _ => (
                        "s3://bills/export/".into(),
                        format!(
                            "endpoint = \"{url}\"\naccess_key = {{ env = \"API_SECRET\" }}\nsecret_key = {{ env = \"API_SECRET\" }}\n"
                        ),
                    ),
                };
                format!(
                    "{head}grants = [\"table-decode\", \"file\", \"object-store\"]\npaths = [\"{path}\"]\n\
                     [sources.{name}.store]\nallow_http = true\ntimeout_seconds = {seconds}\n{keys}"
                )
            }
            Way::Cluster => format!(
                "{head}grants = [\"kubernetes\"]\n[sources.{name}.kubernetes]\nkubeconfig = \"{name}.kubeconfig\"\ntimeout_seconds = {seconds}\n"
            ),
            Way::Aws => format!(
                "{head}grants = [\"aws-cost-explorer\"]\nsince = \"2026-11-01\"\n[sources.{name}.aws]\nendpoint = \"{url}\"\ntimeout_seconds = {seconds}\n"
            ),
        }
    }
}

/// One fault: the server's answer, and the code and words that each way reports.
struct Fault {
    what: &'static str,
    answer: fn() -> Option<Vec<u8>>,
    is_encrypted: bool,
    /// The seconds that a collector waits for an answer.
    seconds: u32,
    said: Said,
}

/// A code and words for each `Way`, in their order.
type Said = [(&'static str, &'static str); 5];

fn fault(what: &'static str, answer: fn() -> Option<Vec<u8>>, said: Said) -> Fault {
    Fault { what, answer, is_encrypted: false, seconds: 30, said }
}

fn refusals() -> [Fault; 3] {
    let expired = [
        ("P201", "answered 401"),
        ("F302", "refuses it: status 401"),
        ("F302", "refuses it with status 401"),
        ("P201", "does not know who asks"),
        ("P103", "answered 401 with something that is not an answer of AWS"),
    ];
    let busy = [
        ("P201", "was told by its source that it asks too often"),
        ("F301", "has too much to do: status 429"),
        ("F301", "answers with status 429"),
        ("P201", "has too much to do: slow down"),
        ("P103", "answered 429"),
    ];
    let ill = [
        ("P201", "answered 500: we are ill"),
        ("F301", "status 500"),
        ("F301", "status 500"),
        ("P201", "failed with 500 when asked for namespaces: we are ill"),
        ("P201", "answered 500"),
    ];
    [
        fault(
            "credentials that are over",
            || reply(401, &[], r#"{"error": "the token has expired"}"#),
            expired,
        ),
        fault("too many questions", || reply(429, &["retry-after: 0"], "slow down"), busy),
        fault("a server that is ill", || reply(500, &[], "we are ill"), ill),
    ]
}

fn other_answers() -> [Fault; 4] {
    const NOT_AWS: (&str, &str) = ("P103", "not an answer of AWS");
    let page = [
        ("P", ""),
        ("F303", "there is no object"),
        ("F105", "is not a table"),
        ("P201", "answers no JSON"),
        NOT_AWS,
    ];
    let types =
        [("P", ""), ("F301", "cannot be listed"), ("F", ""), ("P201", "answers no list"), NOT_AWS];
    let half = [
        ("P201", "broke off"),
        ("F301", "end of file before message length"),
        ("F301", "broke off"),
        ("P201", "broke off"),
        NOT_AWS,
    ];
    let huge = [
        ("P103", "is longer than 33554432 bytes, unpacked"),
        ("F301", "cannot be listed"),
        ("F105", "is not a table: its first line has no end"),
        ("P103", "answers with more than 64 MiB"),
        NOT_AWS,
    ];
    [
        fault(
            "a page to sign in",
            || reply(200, &["content-type: text/html"], "<!doctype html><title>Sign in</title>"),
            page,
        ),
        fault("JSON of other types", || reply(200, &[], "[1, \"two\"]"), types),
        fault(
            "half an answer",
            || {
                reply(200, &[], vec![b' '; 2_000])
                    .map(|bytes| bytes[..bytes.len() - 1_000].to_vec())
            },
            half,
        ),
        fault("an answer of 100 MiB", || Some(HUGE.clone()), huge),
    ]
}

fn no_answers() -> [Fault; 2] {
    let late = [
        ("P201", "did not answer in full within 1000 ms"),
        ("F301", "timed out"),
        ("F301", "timed out"),
        ("P201", "did not answer for namespaces within 1 s"),
        ("P201", "did not answer within 1 s"),
    ];
    let unknown = [
        ("P103", "cannot be trusted: its certificate is signed by nobody"),
        ("F301", "cannot be trusted: its certificate is signed by nobody"),
        ("F301", "cannot be trusted: its certificate is signed by nobody"),
        ("P201", "shows a certificate that the kubeconfig does not trust"),
        ("P103", "cannot be trusted at https://127.0.0.1"),
    ];
    [
        Fault { seconds: 1, ..fault("a server that hangs", || None, late) },
        Fault {
            is_encrypted: true,
            ..fault("a certificate of nobody known", || reply(200, &[], "[]"), unknown)
        },
    ]
}

static HUGE: LazyLock<Vec<u8>> =
    LazyLock::new(|| reply(200, &[], vec![b' '; 100 << 20]).unwrap_or_default());

/// Settings of all collectors that ask one server.
fn scene(url: &str, seconds: u32) -> Scene {
    let scene = Scene::with_rules();
    let mut settings = String::from("[limits]\nsources_at_once = 64\n");
    for (number, collector) in COLLECTORS.iter().enumerate() {
        let name = format!("s{number:02}");
        settings += &collector.section(&name, url, seconds);
        if collector.way == Way::Cluster {
            let cluster = format!(
                "clusters: [{{ name: c, cluster: {{ server: \"{url}\" }} }}]\nusers: [{{ name: u, user: {{ token: {SECRET} }} }}]\n"
            );
            let context =
                "contexts: [{ name: c, context: { cluster: c, user: u } }]\ncurrent-context: c\n";
            scene.write(
                &format!("{name}.kubeconfig"),
                &format!("apiVersion: v1\nkind: Config\n{cluster}{context}"),
            );
        }
    }
    scene.write("apportion.toml", &settings);
    scene
}

const ENVIRONMENT: [(&str, &str); 5] = [
    ("API_SECRET", SECRET),
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_MAX_ATTEMPTS", "1"),
];

/// The mistakes in the messages of a run of all collectors.
fn complaints(fault: &Fault, scene: &Scene) -> Vec<String> {
    let output = scene.run_with(&["run", "--format", "json"], &ENVIRONMENT);
    if output.stdout.contains(SECRET) || output.stderr.contains(SECRET) {
        return vec![format!("{}: a secret is shown", fault.what)];
    }
    if output.code != 3 {
        return vec![format!("{}: exit {}\n{}", fault.what, output.code, output.stderr)];
    }
    let report = output.json();
    let mut complaints = Vec::new();
    for (collector, source) in COLLECTORS.iter().zip(report["sources"].as_array().expect("sources"))
    {
        let (code, words) = fault.said[collector.way as usize];
        let said = |key: &str| source["failure"][key].as_str().unwrap_or_default();
        let is_said = said("code").starts_with(code) && said("message").contains(words);
        if !is_said || said("hint").is_empty() || source["charges"] != 0 {
            complaints.push(format!(
                "{}: {:?} {}: {source}",
                fault.what, collector.way, collector.plugin
            ));
        }
    }
    let costs = scene.run("costs --granularity total --format json").expect(0).json();
    if costs["costs"] != Value::Array(Vec::new()) {
        complaints.push(format!("{}: something was posted: {costs}", fault.what));
    }
    complaints
}

/// All faults are tried at the same time, because most of the time is spent waiting.
#[test]
fn whatever_a_server_does_wrong_is_a_gap_with_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let complaints = std::thread::scope(|scope| {
        let folder = folder.path();
        let try_out = move |fault: Fault| {
            let answer = fault.answer;
            let web = if fault.is_encrypted {
                Web::encrypted(folder, move |_, _| answer())
            } else {
                Web::start(move |_, _| answer())
            };
            complaints(&fault, &scene(&web.url(""), fault.seconds))
        };
        let faults = refusals().into_iter().chain(other_answers()).chain(no_answers());
        let threads: Vec<_> = faults.map(|fault| scope.spawn(move || try_out(fault))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
