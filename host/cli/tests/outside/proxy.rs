//! A company's proxy: squid with a user and a password, in front of servers with and without TLS.

use crate::scene::{BILL, Output, Scene};
use crate::scenes::stores::settings;
use crate::stores::{KEYS, make_bucket, of_server, put};
use std::process::{Child, Command, Stdio};
use test_support::outside::packages;
use test_support::server::counterpart::{Server, free_port};
use test_support::server::web::{Web, reply};

const USER: &str = "apportion";
const PASSWORD: &str = "pr0xy-pass-word";

/// A running squid. It stops when the test drops this value.
struct Proxy {
    port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

impl Proxy {
    fn start() -> Proxy {
        packages(&["squid"]);
        let (port, folder) = (free_port(), tempfile::tempdir().expect("a folder"));
        // Squid gives up the rights of root, but still has to write its log here.
        std::fs::set_permissions(
            folder.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o777),
        )
        .expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let hashed = Command::new("openssl")
            .args(["passwd", "-apr1", PASSWORD])
            .output()
            .expect("openssl")
            .stdout;
        std::fs::write(path("users"), format!("{USER}:{}", String::from_utf8_lossy(&hashed)))
            .expect("a file");
        let settings = format!(
            "http_port 127.0.0.1:{port}\nauth_param basic program /usr/lib/squid/basic_ncsa_auth {}\nacl known proxy_auth REQUIRED\n\
             http_access allow known\nhttp_access deny all\ncache deny all\npid_filename none\nvisible_hostname proxy.test\n\
             access_log stdio:{}\ncache_log {}\nshutdown_lifetime 0 seconds\n",
            path("users"),
            path("log"),
            path("cache.log"),
        );
        std::fs::write(path("squid.conf"), settings).expect("a file");
        let child = Command::new("squid")
            .args(["-N", "-f", &path("squid.conf")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("squid");
        let proxy = Proxy { port, child, folder };
        let listens = [
            "-s",
            "-o",
            "/dev/null",
            "--retry",
            "40",
            "--retry-connrefused",
            "--retry-delay",
            "1",
            &format!("http://127.0.0.1:{port}/"),
        ];
        assert!(
            Command::new("curl").args(listens).status().expect("curl").success(),
            "squid does not listen"
        );
        proxy
    }

    /// The log of the requests to the proxy.
    fn asked(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A source that asks a server through the proxy, unless `no_proxy` says otherwise.
fn scene(url: &str, http: &str) -> Scene {
    let scene = Scene::with_rules();
    let fields = "billed_cost = '$.cost', charge_period_start = '2026-03-01', billing_currency = 'USD', service_name = 'S'";
    scene.write(
        "apportion.toml",
        &format!(
            "[sources.acme]\nplugin = \"http-json\"\ngrants = [\"http\"]\nsince = \"2026-03-01\"\nconfig = {{ url = '{url}', rows = '$.rows[*]', fields = {{ {fields} }} }}\n\
             [sources.acme.http]\nallow = [\"GET {url}\"]\nnetworks = [\"127.0.0.0/8\"]\nretries = 0\n{http}\n"
        ),
    );
    scene
}

fn run(scene: &Scene, environment: &[(&str, &str)], exit: i32) -> Output {
    let output = scene.run_with(&["run"], environment).expect(exit);
    assert!(
        !output.stdout.contains(PASSWORD) && !output.stderr.contains(PASSWORD),
        "{}",
        output.stderr
    );
    output
}

#[test]
fn a_proxy_that_wants_to_know_who_asks_leads_to_servers_with_and_without_tls() {
    let proxy = Proxy::start();
    let folder = tempfile::tempdir().expect("a folder");
    let answer = |_: usize, _: &str| reply(200, &[], r#"{"rows": [{"cost": "1.25"}]}"#);
    let (plain, encrypted) = (Web::start(answer), Web::encrypted(folder.path(), answer));
    let ca = format!("ca_file = \"{}\"", folder.path().join("ca.pem").display());
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let who = format!("{USER}:{PASSWORD}");
    for url in [plain.url("/costs"), encrypted.url("/costs")] {
        let with = |more: &str| scene(&url, &format!("proxy = \"{address}\"\n{ca}\n{more}"));
        run(&with("proxy_auth = { env = \"WHO\" }"), &[("WHO", &who)], 0)
            .says("acme: 1 charge, 0 set aside");
        let stranger = run(&with(""), &[], 3).stderr;
        assert!(
            stranger.contains(&format!("the proxy {address}/ wants a user and a password")),
            "{stranger}"
        );
        assert!(
            stranger.contains("[sources.acme.http]\nproxy_auth = { env = \"PROXY_AUTH\" }"),
            "{stranger}"
        );
        let wrong = run(
            &with("proxy_auth = { env = \"WHO\" }"),
            &[("WHO", "apportion:another-pass-word")],
            3,
        )
        .stderr;
        assert!(
            wrong.contains("refuses the user and password of `proxy_auth`")
                && !wrong.contains("another-pass-word"),
            "{wrong}"
        );
        // The deployment's proxy wins. It gets no credentials that the file has for another proxy.
        let deployed =
            [("APPORTION_PROXY", address.as_str()), ("APPORTION_PROXY_AUTH", who.as_str())];
        run(&scene(&url, &format!("proxy = \"http://127.0.0.1:9\"\n{ca}")), &deployed, 0)
            .says("acme: 1 charge");
        let before = proxy.asked().len();
        run(&with("no_proxy = [\"127.0.0.1\"]"), &[], 0).says("acme: 1 charge");
        assert_eq!(proxy.asked().len(), before, "{}", proxy.asked());
    }
    assert!(
        proxy.asked().contains(&format!("CONNECT 127.0.0.1:{}", encrypted.port)),
        "{}",
        proxy.asked()
    );
    // The server never gets the proxy's credentials.
    assert!(
        plain
            .seen()
            .iter()
            .chain(&encrypted.seen())
            .all(|request| !request.contains("proxy-authorization")),
        "{:?}",
        plain.seen()
    );
}

/// The clients of AWS and of stores use the proxy that the environment names, as AWS's own tools
/// do. No output contains the proxy's password.
#[test]
fn aws_and_stores_ask_through_the_proxy_of_the_environment() {
    let moto = Server::start("moto", &[], &[]);
    let proxy = Proxy::start();
    make_bucket(&moto, "testing:testing", "bills");
    put(&moto, "testing:testing", "bills/focus/jan.csv", BILL.as_bytes());
    let scene = Scene::with_rules();
    let explorer = format!(
        "[sources.explorer]\nplugin = \"aws-cost-explorer\"\ngrants = [\"aws-cost-explorer\"]\n[sources.explorer.aws]\nendpoint = \"{}\"\n",
        moto.url()
    );
    let bill = settings(
        "focus-file",
        &["s3://bills/focus/"],
        &["table-decode", "object-store"],
        &of_server(&moto),
    );
    scene.write("apportion.toml", &format!("{explorer}{bill}"));
    let through = |password: &str, more: &[(&str, &str)], exit: i32| {
        let address = format!("http://{USER}:{password}@127.0.0.1:{}", proxy.port);
        let own = [
            ("HTTP_PROXY", address.as_str()),
            ("http_proxy", address.as_str()),
            ("AWS_MAX_ATTEMPTS", "1"),
        ];
        let environment: Vec<(&str, &str)> =
            KEYS.into_iter().chain(own).chain(more.iter().copied()).collect();
        run(&scene, &environment, exit)
    };
    through(PASSWORD, &[], 0).says("aws: 5 charges").says("explorer: ");
    let asked = proxy.asked();
    let of = |what: &str| asked.lines().filter(|line| line.contains(what)).count();
    assert!(
        of(&format!("POST {}/ ", moto.url())) > 0 && of(&format!("GET {}/bills", moto.url())) > 0,
        "{asked}"
    );
    let refused = through("another-pass-word", &[], 3).stderr;
    assert!(!refused.contains("another-pass-word"), "{refused}");
    assert!(refused.contains("407"), "{refused}");
    let before = proxy.asked().len();
    through(PASSWORD, &[("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")], 0);
    assert_eq!(proxy.asked().len(), before, "{}", proxy.asked());
}

/// The collector uses the proxy that the kubeconfig names for the cluster, as `kubectl` does. A
/// proxy of the environment does not replace it.
#[test]
fn a_cluster_is_asked_through_the_proxy_of_its_kubeconfig() {
    let proxy = Proxy::start();
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Web::encrypted(folder.path(), |_, _| {
        reply(200, &[], r#"{"kind": "List", "metadata": {}, "items": []}"#)
    });
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        "[sources.eu-1]\nplugin = \"kubernetes\"\ngrants = [\"kubernetes\"]\n[sources.eu-1.kubernetes]\nkubeconfig = \"kubeconfig\"\n",
    );
    let with = |proxy_url: &str| {
        let cluster = format!(
            "server: \"https://127.0.0.1:{}\", certificate-authority: {}, proxy-url: \"{proxy_url}\"",
            cluster.port,
            folder.path().join("ca.pem").display()
        );
        let names = "contexts: [{ name: c, context: { cluster: c, user: u } }]\ncurrent-context: c\nusers: [{ name: u, user: { token: a-token-of-tests } }]\n";
        scene.write("kubeconfig", &format!("apiVersion: v1\nkind: Config\nclusters: [{{ name: c, cluster: {{ {cluster} }} }}]\n{names}"));
    };
    with(&format!("http://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port));
    run(&scene, &[("HTTPS_PROXY", "http://127.0.0.1:9")], 0);
    assert!(
        proxy.asked().contains(&format!("CONNECT 127.0.0.1:{}", cluster.port)),
        "{}",
        proxy.asked()
    );
    with(&format!("http://{USER}:another-pass-word@127.0.0.1:{}", proxy.port));
    let refused = run(&scene, &[], 3).stderr;
    assert!(
        refused.contains("cannot be reached") && !refused.contains("another-pass-word"),
        "{refused}"
    );
    with(&format!("gopher://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port));
    let refused = run(&scene, &[], 3).stderr;
    assert!(refused.contains("its `proxy-url` is not one of HTTP"), "{refused}");
}
