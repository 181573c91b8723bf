//! A bill in a store leads to the same costs as the same bill in a folder.

use crate::scene::{BILL, Scene};
use crate::scenes::stores::{costs, expected, gap, objects, provisional_then_final, run, settings};
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};
use test_support::server::counterpart::Server;
use test_support::server::web::Web;

/// Keys for tests. The other two variables, as Amazon documents them, keep the client from asking
/// for credentials elsewhere.
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

/// Puts an object, signed with the keys in `user`.
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

pub fn of_server(server: &Server) -> String {
    format!("endpoint = \"{}\"\nallow_http = true\n", server.url())
}

#[test]
fn a_bill_in_s3_is_the_same_bill() {
    let server = Server::start("moto", &[], &[]);
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
fn a_report_in_s3_is_read_by_its_manifests() {
    let server = Server::start("moto", &[], &[]);
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
    // The report does not name the earlier bill any more, so its copy is left alone. The copies are
    // two bills and one manifest.
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
    let server = Server::start("azurite", &[], &[]);
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
    let server = Server::start("fake-gcs", &[], &[]);
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

/// A company's own store, with a certificate that the company's own authority signed. One object
/// vanishes between the list and the fetch.
#[test]
fn a_store_with_an_authority_of_its_own_and_an_object_that_vanishes() {
    let server = Server::start("moto", &[], &[]);
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
        Some(test_support::server::forward::sent_on(&moto, request, &[]))
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
    // The source is tried three times, because a new list might have the object. The second list is
    // empty.
    gap(&scene, &KEYS, "F303", "s3://bills/focus/");
    assert_eq!((objects(&scene), costs(&scene).lines().count()), (0, 1));
    *vanishes.lock().expect("a switch") = false;
    fill();
    run(&scene, &KEYS).expect(0).says("5 charges, 0 set aside");
    assert_eq!(costs(&scene), expected());
}
