//! Bills in stores come out of the ledger as the same bills out of a folder do.

use crate::scene::{BILL, Output, Scene};
use crate::servers::Server;
use crate::web::{Web, reply};
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// As Amazon documents it for tests: nothing is asked but these.
pub const KEYS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "testing"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", "/nonexistent"),
];

fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["-sS", "--fail-with-body", "--max-time", "60", "--retry", "8"])
        .args(arguments)
        .output()
        .expect("curl");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "curl {arguments:?}: {stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// Puts an object, signed or not as `user` says.
pub fn put(server: &Server, user: &str, path: &str, bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), bytes).expect("a file");
    let url = format!("{}/{path}", server.url());
    curl(&[
        "--aws-sigv4",
        "aws:amz:us-east-1:s3",
        "--user",
        user,
        "-T",
        &file.path().display().to_string(),
        &url,
    ]);
}

pub fn make_bucket(server: &Server, user: &str, bucket: &str) {
    curl(&[
        "--aws-sigv4",
        "aws:amz:us-east-1:s3",
        "--user",
        user,
        "-X",
        "PUT",
        &format!("{}/{bucket}", server.url()),
    ]);
}

/// A source that reads a store, as a settings file has it.
pub fn settings(plugin: &str, paths: &[&str], grants: &[&str], store: &str) -> String {
    format!(
        "[sources.aws]\nplugin = \"{plugin}\"\npaths = {paths:?}\ngrants = {grants:?}\n[sources.aws.store]\ncache = \"objects\"\n{store}\n\
         [tags.team]\nsynonyms = [\"team_name\"]\nfold_values = true\nvalues = {{ pay = \"payments\" }}\n"
    )
}

pub fn of_server(server: &Server) -> String {
    format!("endpoint = \"{}\"\nallow_http = true\n", server.url())
}

fn run(scene: &Scene, environment: &[(&str, &str)]) -> Output {
    scene.run_with(&["run"], environment)
}

/// Asserts that the source fails with this code and these words, and the run goes on.
fn gap(scene: &Scene, environment: &[(&str, &str)], code: &str, words: &str) -> Output {
    let output = run(scene, environment).fails_with(3, "N101", words);
    assert!(
        output.stderr.starts_with(&format!("warning: {code}: ")),
        "no {code} in\n{}",
        output.stderr
    );
    output
}

/// What each team owes by month.
fn costs(scene: &Scene) -> String {
    scene.run("costs --format csv").expect(0).stdout
}

/// What comes out of the same bill in a folder.
fn expected() -> String {
    costs(&Scene::after_run())
}

fn objects(scene: &Scene) -> usize {
    fs::read_dir(scene.path("objects")).map_or(0, Iterator::count)
}

/// A file of a web server.
#[derive(Clone)]
struct Served {
    path: &'static str,
    status: u16,
    /// What the answer must not come without.
    authorization: Option<&'static str>,
    headers: &'static [&'static str],
    body: Vec<u8>,
    /// Sends so many bytes of the body, and hangs up.
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

/// Method and path of each request.
fn asked(web: &Web) -> Vec<String> {
    web.seen()
        .iter()
        .map(|request| request.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect()
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

/// Without a version nobody can tell whether it has changed.
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
    let url = format!("http://127.0.0.1:{}/x.csv", crate::servers::free_port());
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
fn a_bill_in_s3_is_the_same_bill() {
    let Some(server) = Server::start("moto", &[], &[]) else { return };
    make_bucket(&server, "testing:testing", "bills");
    let (first, second) = BILL.split_at(BILL.match_indices('\n').nth(2).expect("lines").0 + 1);
    let header = BILL.lines().next().expect("a header");
    put(&server, "testing:testing", "bills/focus/2026-01.csv", first.as_bytes());
    put(
        &server,
        "testing:testing",
        "bills/focus/more/2026-02.csv",
        format!("{header}\n{second}").as_bytes(),
    );
    put(&server, "testing:testing", "bills/focus/readme.txt", b"not a bill");
    put(&server, "testing:testing", "bills/focus-other/2026-01.csv", b"not within the prefix");
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &settings(
            "focus-file",
            &["s3://bills/focus"],
            &["table-decode", "object-store"],
            &of_server(&server),
        ),
    );
    run(&scene, &KEYS).expect(0).says("5 charges, 0 set aside");
    assert_eq!(costs(&scene), expected());
    assert_eq!(objects(&scene), 2);
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

const CUR_HEADER: &str = "lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/ProductCode,lineItem/CurrencyCode,lineItem/UnblendedCost\n";

pub fn cur(rows: &[(&str, &str)]) -> String {
    let rows: String = rows
        .iter()
        .map(|(day, cost)| format!("11,Usage,{day}T00:00:00Z,AmazonEC2,USD,{cost}\n"))
        .collect();
    format!("{CUR_HEADER}{rows}")
}

pub fn total(scene: &Scene) -> String {
    let costs = scene.run("costs --granularity total --format json").expect(0).json();
    costs["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["cost"]["amount"].as_str().unwrap_or("?").to_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// 10 and 20 at first, 10 and 25 in the end: the difference of one day is posted, and the older files count no more.
fn provisional_then_final(
    write: &dyn Fn(&str, &[u8]),
    scene: &Scene,
    environment: &[(&str, &str)],
) {
    let month = "cur/report/20260301-20260401";
    let manifest =
        |assembly: &str| format!("{{\"reportKeys\": [\"{month}/{assembly}/report-1.csv\"]}}");
    write(
        &format!("{month}/one/report-1.csv"),
        cur(&[("2026-03-01", "10"), ("2026-03-02", "20")]).as_bytes(),
    );
    write(&format!("{month}/report-Manifest.json"), manifest("one").as_bytes());
    run(scene, environment).expect(0).says("2 charges, 0 set aside; 2 days new");
    assert_eq!(total(scene), "30.000000000");
    write(
        &format!("{month}/two/report-1.csv"),
        cur(&[("2026-03-01", "10"), ("2026-03-02", "25")]).as_bytes(),
    );
    write(&format!("{month}/report-Manifest.json"), manifest("two").as_bytes());
    let output = run(scene, environment)
        .expect(0)
        .says("2 charges, 0 set aside; 0 days new, 1 changed, 1 unchanged");
    assert!(
        output
            .stderr
            .contains("1 files are left out, which no manifest of their month names any more"),
        "{}",
        output.stderr
    );
    assert_eq!(total(scene), "35.000000000");
}

#[test]
fn a_later_manifest_of_a_month_replaces_the_earlier_one() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", "[sources.aws]\nplugin = \"aws-cur\"\npaths = [\"cur\"]\ngrants = [\"table-decode\", \"file\"]\n");
    provisional_then_final(&|name, bytes| scene.write_bytes(name, bytes), &scene, &[]);
    // Without the power nobody knows of manifests.
    scene.write(
        "apportion.toml",
        "[sources.aws]\nplugin = \"aws-cur\"\npaths = [\"cur\"]\ngrants = [\"table-decode\"]\n",
    );
    run(&scene, &[]).expect(0).says("4 charges");
    // A link that leads out is a file of the source's, and none that the plugin may read itself.
    scene.write("outside/other-Manifest.json", "no manifest");
    std::os::unix::fs::symlink(
        scene.path("outside/other-Manifest.json"),
        scene.path("cur/report/other-Manifest.json"),
    )
    .expect("a link");
    scene.write("apportion.toml", "[sources.aws]\nplugin = \"aws-cur\"\npaths = [\"cur\"]\ngrants = [\"table-decode\", \"file\"]\n");
    run(&scene, &[]).expect(0).says("2 charges");
}

#[test]
fn a_report_in_s3_is_read_by_its_manifests() {
    let Some(server) = Server::start("moto", &[], &[]) else { return };
    make_bucket(&server, "testing:testing", "bills");
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &settings(
            "aws-cur",
            &["s3://bills/cur/"],
            &["table-decode", "object-store", "file"],
            &of_server(&server),
        ),
    );
    provisional_then_final(
        &|name, bytes| put(&server, "testing:testing", &format!("bills/{name}"), bytes),
        &scene,
        &KEYS,
    );
    // The bill of before was dropped from the report, and its copy is not asked for: two bills and two states of the manifest.
    let copies = fs::read_dir(scene.path("objects"))
        .expect("copies")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let (manifests, bills): (Vec<String>, Vec<String>) =
        copies.partition(|name| name.ends_with("Manifest.json"));
    assert_eq!((manifests.len(), bills.len()), (1, 2));
    scene.write(
        "apportion.toml",
        &settings(
            "aws-cur",
            &["s3://none/cur/"],
            &["table-decode", "object-store", "file"],
            &of_server(&server),
        ),
    );
    gap(&scene, &KEYS, "F303", "s3://none/cur/ cannot be listed: NoSuchBucket");
}

#[test]
fn a_bill_in_azure_is_the_same_bill() {
    let Some(server) = Server::start("azurite", &[], &[]) else { return };
    const KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    let script = "const { BlobServiceClient, StorageSharedKeyCredential } = require('@azure/storage-blob'); (async () => {
        const [url, key, bill] = process.argv.slice(1);
        const service = new BlobServiceClient(url, new StorageSharedKeyCredential('devstoreaccount1', key));
        const container = service.getContainerClient('bills');
        await container.create();
        await container.getBlockBlobClient('focus/bill.csv').upload(bill, Buffer.byteLength(bill));
    })()";
    let url = format!("{}/devstoreaccount1", server.url());
    let mut node = Command::new("node");
    node.args(["-e", script, &url, KEY, BILL])
        .env("NODE_PATH", server.folder().join("npm/azurite/node_modules"));
    let output = node.output().expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let scene = Scene::with_rules();
    let store =
        format!("endpoint = \"{url}\"\nallow_http = true\naccount_key = {{ env = \"AZURE_KEY\" }}");
    scene.write(
        "apportion.toml",
        &settings(
            "focus-file",
            &["az://devstoreaccount1/bills/focus/"],
            &["table-decode", "object-store"],
            &store,
        ),
    );
    run(&scene, &[("AZURE_KEY", KEY)]).expect(0).says("5 charges");
    assert_eq!(costs(&scene), expected());
    gap(
        &scene,
        &[("AZURE_KEY", "d3Jvbmcga2V5")],
        "F302",
        "az://devstoreaccount1/bills/focus/ cannot be listed",
    );
}

#[test]
fn a_bill_in_google_cloud_storage_is_the_same_bill() {
    let Some(server) = Server::start("fake-gcs", &[], &[]) else { return };
    let json = "Content-Type: application/json";
    curl(&[
        "-X",
        "POST",
        "-H",
        json,
        "-d",
        "{\"name\": \"bills\"}",
        &format!("{}/storage/v1/b", server.url()),
    ]);
    let upload = format!(
        "{}/upload/storage/v1/b/bills/o?uploadType=media&name=focus/bill.csv",
        server.url()
    );
    curl(&["-X", "POST", "-H", "Content-Type: text/csv", "--data-binary", BILL, &upload]);
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &settings(
            "focus-file",
            &["gs://bills/focus/*.csv"],
            &["table-decode", "object-store"],
            &of_server(&server),
        ),
    );
    run(&scene, &[]).expect(0).says("5 charges");
    assert_eq!(costs(&scene), expected());
    scene.write(
        "apportion.toml",
        &settings(
            "focus-file",
            &["gs://bills/none/"],
            &["table-decode", "object-store"],
            &of_server(&server),
        ),
    );
    gap(&scene, &[], "F303", "there is no object at gs://bills/none/");
}

/// A store of a company's own, whose certificate its own authority signed; and an object that goes away between the list and the fetch.
#[test]
fn a_store_with_an_authority_of_its_own_and_an_object_that_vanishes() {
    let Some(server) = Server::start("moto", &[], &[]) else { return };
    make_bucket(&server, "testing:testing", "bills");
    let fill = || put(&server, "testing:testing", "bills/focus/jan.csv", BILL.as_bytes());
    fill();
    let folder = tempfile::tempdir().expect("a folder");
    let (moto, vanishes) = (server.url(), Arc::new(Mutex::new(false)));
    let does_vanish = vanishes.clone();
    let between = Web::encrypted(folder.path(), move |_, request| {
        if request.starts_with("GET /bills/focus/jan.csv ")
            && *does_vanish.lock().expect("a switch")
        {
            curl(&[
                "--aws-sigv4",
                "aws:amz:us-east-1:s3",
                "--user",
                "testing:testing",
                "-X",
                "DELETE",
                &format!("{moto}/bills/focus/jan.csv"),
            ]);
        }
        Some(crate::forward::sent_on(&moto, request, &[]))
    });
    let url = between.url("");
    let scene = Scene::with_rules();
    let with = |ca: &str| {
        let store = format!("endpoint = \"{url}\"\n{ca}");
        scene.write(
            "apportion.toml",
            &settings(
                "focus-file",
                &["s3://bills/focus/"],
                &["table-decode", "object-store"],
                &store,
            ),
        );
    };
    with("");
    gap(
        &scene,
        &KEYS,
        "F301",
        "the server cannot be trusted: its certificate is signed by nobody whom this machine trusts",
    );
    let ca = format!("ca_file = \"{}\"", folder.path().join("ca.pem").display());
    with(&ca);
    *vanishes.lock().expect("a switch") = true;
    // It is fetched three times, since what was listed anew might be there; at the second time, nothing is.
    gap(&scene, &KEYS, "F303", "s3://bills/focus/");
    assert_eq!((objects(&scene), costs(&scene).lines().count()), (0, 1));
    *vanishes.lock().expect("a switch") = false;
    fill();
    run(&scene, &KEYS).expect(0).says("5 charges, 0 set aside");
    assert_eq!(costs(&scene), expected());
}
