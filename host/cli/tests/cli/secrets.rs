//! Secrets stay where they are kept: no output, no log, no answer of the API and no byte of the
//! ledger has one, whatever a server says and whatever the settings hold.

use crate::scene::{Output, Scene};
use crate::serving::Server;
use std::fs;
use std::path::PathBuf;
use test_support::server::http::{Answer, Asked, HttpServer};

/// A part of each secret of these tests.
const MARK: &str = "s3cr3t";

fn expect_none(text: &str) {
    assert!(!text.contains(MARK), "{text}");
}

/// The words of an output, which have no secret in them.
fn told(output: &Output) -> &str {
    expect_none(&output.stdout);
    expect_none(&output.stderr);
    &output.stderr
}

/// Refuses everything, and repeats what it was told.
fn echo(asked: &Asked) -> Answer {
    let header = |name: &str| asked.header(name).unwrap_or_default().to_owned();
    match asked.target.split('/').nth(1) {
        Some("cluster") => {
            let said = header("authorization");
            let status = serde_json::json!({
                "kind": "Status", "status": "Failure", "code": 401, "message": said,
            });
            Answer::status(401, &status.to_string())
        }
        // Messages quote 400 characters of AWS, so that the quotation ends within the token.
        Some("aws") => {
            let said = "x".repeat(400 - MARK.len()) + &header("x-amz-security-token");
            let error = serde_json::json!({ "__type": "ValidationException", "message": said });
            Answer::status(400, &error.to_string())
        }
        _ => {
            let said = header("x-amz-security-token");
            let error = format!("<Error><Code>Odd</Code><Message>{said}</Message></Error>");
            Answer::status(400, &error)
        }
    }
}

const SESSION: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "AKID"),
    ("AWS_SECRET_ACCESS_KEY", "s3cr3t-key-of-tests"),
    ("AWS_SESSION_TOKEN", "s3cr3t-token-of-tests"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

fn echoed_scene(server: &HttpServer) -> Scene {
    let scene = Scene::with_rules();
    let url = server.url();
    scene.write(
        "apportion.toml",
        &format!(
            "[sources.cluster]\nplugin = \"kubernetes\"\ngrants = [\"kubernetes\"]\n\
             [sources.cluster.kubernetes]\nkubeconfig = \"kubeconfig\"\n\
             [sources.explorer]\nplugin = \"aws-cost-explorer\"\ngrants = [\"aws-cost-explorer\"]\n\
             [sources.explorer.aws]\nendpoint = \"{url}/aws\"\n\
             [sources.store]\nplugin = \"focus-file\"\npaths = [\"s3://bills/x/\"]\n\
             grants = [\"table-decode\", \"object-store\"]\n\
             [sources.store.store]\nendpoint = \"{url}/s3\"\nallow_http = true\n\
             region = \"us-east-1\"\n"
        ),
    );
    scene.write(
        "kubeconfig",
        &format!(
            "{{apiVersion: v1, kind: Config, current-context: c, \
             clusters: [{{name: c, cluster: {{server: '{url}/cluster'}}}}], \
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
             users: [{{name: u, user: {{token: s3cr3t-of-a-cluster}}}}]}}"
        ),
    );
    scene
}

#[test]
fn a_secret_that_a_server_repeats_is_told_to_nobody() {
    let server = HttpServer::start(echo);
    let scene = echoed_scene(&server);
    for format in ["text", "json"] {
        let log = [("APPORTION_LOG_LEVEL", "debug"), ("APPORTION_LOG_FORMAT", format)];
        let output = scene.run_with(&["run"], &[&SESSION[..], &log].concat()).expect(3);
        let words = told(&output);
        for expect in [
            "the cluster of the source 'cluster' does not know who asks: Bearer [secret]",
            "xxx[secre…",
            "Odd: [secret]",
        ] {
            assert!(words.contains(expect), "'{expect}' is not in\n{words}");
        }
    }
    told(&scene.run_with(&["source", "check"], &SESSION));
    let status = scene.run("source status --format json").expect(0);
    assert!(status.stdout.contains("Bearer [secret]"), "{}", status.stdout);
    told(&status);
    let entries = fs::read_dir(scene.path("")).expect("a folder").flatten();
    let is_ledger = |path: &PathBuf| path.to_string_lossy().contains("/apportion.db");
    let ledger: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_ledger).collect();
    assert!(ledger.contains(&scene.path("apportion.db")), "{ledger:?}");
    for path in ledger {
        expect_none(&String::from_utf8_lossy(&fs::read(path).expect("a file")));
    }
    let served = Server::start(&scene);
    let sources = served.get("/api/v1/sources");
    assert!(sources.contains("Bearer [secret]"), "{sources}");
    for path in ["/api/v1/sources", "/api/v1/runs", "/api/v1/runs/1", "/metrics"] {
        expect_none(&served.get(path));
    }
}

/// The place is that of the URL, and the line is shown without the password.
#[test]
fn a_password_in_a_url_of_the_settings_is_refused_with_the_place_where_it_belongs() {
    let scene = Scene::with_rules();
    let refused = |settings: &str| {
        scene.write("apportion.toml", &format!("[sources.bill]\nplugin = \"p\"\n{settings}\n"));
        let output = scene.run("config show").expect(1);
        told(&output).to_owned()
    };
    assert_eq!(
        refused("paths = [\"a.csv\", \"https://me:s3cr3t@h.example/b.csv\"]"),
        "error: apportion.toml:3:19: C104: \
         a user or password cannot stand in a URL, where everybody sees it\n    \
         paths = [\"a.csv\", \"https://***@h.example/b.csv\"]\n                      ^\n\n\
         hint: take it out, and name its keeper:\n[sources.bill.store]\n\
         basic = { env = \"VARIABLE\" }\nthe variable holds `user:password`\n"
    );
    for (settings, place, hint) in [
        ("[sources.bill.store]\nendpoint = \"http://s3cr3t@h\"", "4:12", "secret_key = { env"),
        ("[sources.bill.aws]\nendpoint = \"https://a:s3cr3t@h\"", "4:12", "profile = \"billing\""),
        (
            "[sources.bill.config]\npages = [{ url = \"https://a:s3cr3t@h\" }]",
            "4:18",
            "[sources.bill.secrets.password]",
        ),
        (
            "[sources.bill.http]\nproxy = \"http://a:s3cr3t@h\"",
            "4:9",
            "a user and a password go into `proxy_auth`",
        ),
        (
            "[sources.bill.http]\nproxy = \"http://a:s3cr3t/s3cr3t@h\"",
            "4:9",
            "a user and a password go into `proxy_auth`",
        ),
        ("[sources.bill.http]\nallow = [\"GET https://a:s3cr3t@h/\"]", "4:10", "write a method"),
    ] {
        let words = refused(settings);
        assert!(words.starts_with(&format!("error: apportion.toml:{place}: C104: ")), "{words}");
        assert!(words.contains(hint), "{words}");
        assert_eq!(words.matches("C104").count(), 1, "{words}");
    }
}

#[test]
fn the_settings_that_are_shown_have_no_password() {
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        "[sources.api]\nplugin = \"http-json\"\ngrants = [\"http\"]\n\
         [sources.api.http]\nallow = [\"GET https://api.example.com/\"]\n\
         [sources.api.secrets.token]\ncommand = [\"sh\", \"-c\", \"curl https://me:s3cr3t@h/\"]\n\
         for = [\"https://api.example.com/\"]\n\
         [sources.api.config]\nurl = \"https://api.example.com/\"\nrows = \"$\"\n\
         [sources.api.config.fields]\ncharge_period_start = \"$.day\"\n\
         billed_cost = \"$.cost\"\nbilling_currency = \"EUR\"\n",
    );
    for proxy in ["http://me:s3cr3t@proxy:3128", "http://me:x/s3cr3t@proxy:3128", "me:s3cr3t@proxy"]
    {
        let environment = [("APPORTION_PROXY", proxy)];
        for arguments in [&["config", "show"][..], &["config", "show", "--format", "json"]] {
            let shown = scene.run_with(arguments, &environment).expect(0);
            told(&shown);
            assert!(shown.stdout.contains("***@proxy"), "{}", shown.stdout);
            assert!(shown.stdout.contains("curl https://***@h/"), "{}", shown.stdout);
        }
        told(&scene.run_with(&["run"], &environment).fails_with(
            1,
            "C104",
            "APPORTION_PROXY cannot be used",
        ));
    }
}
