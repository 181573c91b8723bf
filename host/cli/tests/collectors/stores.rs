//! A bill in a store leads to the same costs as the same bill in a folder.

use crate::scene::{BILL, Scene};
use crate::scenes::stores::{costs, expected, gap, objects, provisional_then_final, run, settings};
use test_support::server::web::{Web, reply};

/// Method and path of each request.
fn asked(web: &Web) -> Vec<String> {
    web.seen()
        .iter()
        .map(|request| request.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect()
}

/// A file of a web server.
#[derive(Clone)]
struct Served {
    path: &'static str,
    status: u16,
    /// The header `authorization` that a request needs.
    authorization: Option<&'static str>,
    headers: &'static [&'static str],
    body: Vec<u8>,
    /// The number of bytes of the body after which the server hangs up.
    cut_after: Option<usize>,
}

impl Served {
    fn new(path: &'static str, body: &[u8]) -> Served {
        Served {
            path,
            status: 200,
            authorization: None,
            headers: &[],
            body: body.to_vec(),
            cut_after: None,
        }
    }
}

/// A web server of a few files.
fn serve(files: Vec<Served>) -> Web {
    Web::start(move |_, request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let Some(file) = files.iter().find(|file| file.path == path) else {
            return reply(404, &[], "");
        };
        let refused = file
            .authorization
            .is_some_and(|value| !request.contains(&format!("authorization: {value}\n")));
        let mut bytes = reply(if refused { 401 } else { file.status }, file.headers, &file.body)?;
        let missing = if request.starts_with("HEAD ") {
            file.body.len()
        } else {
            file.cut_after.map_or(0, |sent| file.body.len() - sent)
        };
        bytes.truncate(bytes.len() - missing);
        Some(bytes)
    })
}

const ETAG: &[&str] = &["etag: \"1\""];

fn web_scene(web: &Web, path: &str, store: &str) -> Scene {
    let scene = Scene::with_rules();
    let store = format!("allow_http = true\n{store}");
    scene.write(
        "apportion.toml",
        &settings("focus-file", &[&web.url(path)], &["table-decode", "object-store"], &store),
    );
    scene
}

#[test]
fn a_bill_of_a_web_server_is_fetched_once() {
    let web = serve(vec![Served { headers: ETAG, ..Served::new("/bill.csv", BILL.as_bytes()) }]);
    let scene = web_scene(&web, "/bill.csv", "");
    run(&scene, &[]).expect(0).says("5 charges, 0 set aside");
    assert_eq!(costs(&scene), expected());
    assert_eq!(asked(&web), ["HEAD /bill.csv", "GET /bill.csv"]);
    run(&scene, &[]).expect(0).says("0 days new, 0 changed, 2 unchanged");
    assert_eq!(asked(&web), ["HEAD /bill.csv", "GET /bill.csv", "HEAD /bill.csv"]);
    assert_eq!(objects(&scene), 1);
}

/// Without a version, the host cannot tell whether the file has changed.
#[test]
fn a_file_without_a_version_is_fetched_each_time() {
    let web = serve(vec![Served::new("/bill.csv", BILL.as_bytes())]);
    let scene = web_scene(&web, "/bill.csv", "");
    run(&scene, &[]).expect(0);
    run(&scene, &[]).expect(0);
    assert_eq!(asked(&web), ["HEAD /bill.csv", "GET /bill.csv", "HEAD /bill.csv", "GET /bill.csv"]);
    assert_eq!(objects(&scene), 1);
}

#[test]
fn what_a_web_server_refuses_is_a_gap_with_a_reason() {
    let cut = Served { cut_after: Some(100), ..Served::new("/cut.csv", BILL.as_bytes()) };
    let secret = Served {
        authorization: Some("Bearer open sesame"),
        ..Served::new("/secret.csv", BILL.as_bytes())
    };
    let late = Served { status: 410, ..Served::new("/late.csv", b"") };
    let web = serve(vec![cut, secret, late, Served::new("/bill.csv", BILL.as_bytes())]);
    for (path, code, words) in [
        ("/cut.csv", "F301", "/cut.csv cannot be fetched: it broke off after 100 bytes"),
        (
            "/secret.csv",
            "F302",
            "/secret.csv cannot be fetched: the server refuses it with status 401\n\nhint: write `bearer`, `basic` or `query` in [sources.aws.store]",
        ),
        ("/late.csv", "F303", "there is no file at http://127.0.0.1"),
        ("/none.csv", "F303", "/none.csv"),
    ] {
        let scene = web_scene(&web, path, "");
        gap(&scene, &[], code, words);
        assert_eq!(objects(&scene), 0, "{path}");
    }
    let scene = web_scene(&web, "/secret.csv", "bearer = { env = \"TOKEN\" }");
    run(&scene, &[("TOKEN", "open sesame")]).expect(0).says("5 charges");
    gap(&scene, &[("TOKEN", "wrong token")], "F302", "status 401");
    let scene = web_scene(&web, "/bill.csv", "");
    scene.write("objects", "no folder");
    gap(&scene, &[], "F304", "copies of objects cannot be written to objects");
}

#[test]
fn nobody_listens() {
    let scene = Scene::with_rules();
    let url = format!("http://127.0.0.1:{}/x.csv", test_support::server::counterpart::free_port());
    let settings = settings(
        "focus-file",
        &[&url, "bills"],
        &["table-decode", "object-store"],
        "allow_http = true",
    );
    scene.write("apportion.toml", &settings);
    scene.write("bills/jan.csv", BILL);
    gap(&scene, &[], "F301", "/x.csv cannot be fetched: ");
    assert!(costs(&scene).lines().count() <= 1, "half a source is no source");
}

#[test]
fn tls_is_not_left_out_by_accident() {
    let web = serve(Vec::new());
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &settings("focus-file", &[&web.url("/x.csv")], &["table-decode", "object-store"], ""),
    );
    run(&scene, &[]).fails_with(1, "C104", "`allow_http = true` in [sources.aws.store]");
    assert!(asked(&web).is_empty());
}

#[test]
fn without_the_grant_nothing_is_asked() {
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &settings("focus-file", &["s3://bills/focus/"], &["table-decode"], ""),
    );
    gap(&scene, &[], "P208", "grants = [\"table-decode\", \"object-store\"]");
}

#[test]
fn a_later_manifest_of_a_month_replaces_the_earlier_one() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", "[sources.aws]\nplugin = \"aws-cur\"\npaths = [\"cur\"]\ngrants = [\"table-decode\", \"file\"]\n");
    provisional_then_final(&|name, bytes| scene.write_bytes(name, bytes), &scene, &[]);
    // Without the power `file`, nothing says which of the two assemblies counts.
    scene.write(
        "apportion.toml",
        "[sources.aws]\nplugin = \"aws-cur\"\npaths = [\"cur\"]\ngrants = [\"table-decode\"]\n",
    );
    let refused = run(&scene, &[]).expect(3);
    assert!(
        refused.stderr.contains("are runs of the same period")
            && refused.stderr.contains("grants = [\"table-decode\", \"file\"]"),
        "{}",
        refused.stderr
    );
    // A link that leads out of the folder is a file of the source, but the plugin may not read it
    // itself.
    scene.write("outside/other-Manifest.json", "no manifest");
    std::os::unix::fs::symlink(
        scene.path("outside/other-Manifest.json"),
        scene.path("cur/report/other-Manifest.json"),
    )
    .expect("a link");
    scene.write("apportion.toml", "[sources.aws]\nplugin = \"aws-cur\"\npaths = [\"cur\"]\ngrants = [\"table-decode\", \"file\"]\n");
    run(&scene, &[]).expect(0).says("2 charges");
}
