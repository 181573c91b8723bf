//! Plugins from a real registry, signed by minisign itself.

use crate::scene::Scene;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use tempfile::TempDir;
use test_support::outside::packages;
use test_support::server::counterpart::free_port;

struct Registry {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Registry {
    fn start() -> Registry {
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            folder.path().join("blobs").display()
        );
        fs::write(folder.path().join("config.yml"), config).expect("a config");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the registry starts");
        let registry = Registry { child, folder, port };
        let answers = curl(&["--retry", "60", "--retry-connrefused", &registry.url("/v2/")]);
        assert_eq!(answers, "{}");
        registry
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Pushes a blob, and gives its entry for a manifest.
    fn blob(&self, file: &Path, media_type: &str) -> String {
        let digest = sha256(file);
        let headers = curl(&[
            "-X",
            "POST",
            "-D",
            "-",
            "-o",
            "/dev/null",
            &self.url("/v2/acme/bill/blobs/uploads/"),
        ]);
        let location = headers
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .expect("where to upload")
            .trim()
            .to_owned();
        let data = format!("@{}", file.display());
        curl(&[
            "-X",
            "PUT",
            "-H",
            "Content-Type: application/octet-stream",
            "--data-binary",
            &data,
            &format!("{location}&digest=sha256:{digest}"),
        ]);
        let (size, name) = (
            fs::metadata(file).expect("a file").len(),
            file.file_name().expect("a name").to_string_lossy(),
        );
        format!(
            r#"{{"mediaType":"{media_type}","digest":"sha256:{digest}","size":{size},"annotations":{{"org.opencontainers.image.title":"{name}"}}}}"#
        )
    }

    /// Pushes a plugin, and gives the digest of its manifest.
    fn push(&self, wasm: &Path, signature: &Path) -> String {
        let empty = self.folder.path().join("empty.json");
        fs::write(&empty, "{}").expect("a file");
        let config = self.blob(&empty, "application/vnd.oci.empty.v1+json");
        let layers = [
            self.blob(wasm, "application/wasm"),
            self.blob(signature, "application/vnd.apportion.minisig"),
        ]
        .join(",");
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = self.folder.path().join("manifest.json");
        fs::write(&manifest, format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{config},"layers":[{layers}]}}"#)).expect("a file");
        let header = format!("Content-Type: {media_type}");
        curl(&[
            "-X",
            "PUT",
            "-H",
            &header,
            "--data-binary",
            &format!("@{}", manifest.display()),
            &self.url("/v2/acme/bill/manifests/1.0.0"),
        ]);
        sha256(&manifest)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn curl(arguments: &[&str]) -> String {
    output(Command::new("curl").args(["--silent", "--show-error", "--fail"]).args(arguments))
}

fn sha256(file: &Path) -> String {
    output(Command::new("sha256sum").arg(file))
        .split_whitespace()
        .next()
        .expect("a digest")
        .to_owned()
}

/// Makes a pair of keys, and gives the public one as text.
fn key(scene: &Scene, name: &str) -> String {
    let (public, secret) = (scene.path(&format!("{name}.pub")), scene.path(&format!("{name}.key")));
    output(Command::new("minisign").args(["-G", "-W", "-p"]).arg(&public).arg("-s").arg(secret));
    fs::read_to_string(public).expect("a key").lines().nth(1).expect("a key").to_owned()
}

fn sign(scene: &Scene, key: &str, file: &str) {
    let (secret, file) = (scene.path(&format!("{key}.key")), scene.path(file));
    let mut signature = file.clone().into_os_string();
    signature.push(".minisig");
    output(
        Command::new("minisign")
            .arg("-S")
            .arg("-s")
            .arg(secret)
            .arg("-m")
            .arg(file)
            .arg("-x")
            .arg(signature),
    );
}

fn settings(key: &str) -> String {
    format!(
        "[sources.acme]\nplugin = \"acme-bill\"\nsince = \"2026-03-01\"\n[trust]\nrequire_signature = true\n[trust.keys]\nacme = \"{key}\"\n"
    )
}

fn scene() -> Scene {
    packages(&["minisign", "docker-registry", "curl"]);
    let scene = Scene::with_rules();
    scene.write_bytes("acme.wasm", test_artifacts::ACME_BILL);
    scene.write_bytes("next.wasm", test_artifacts::ACME_BILL_ASKS_MORE);
    scene
}

#[test]
fn a_registry_gives_a_signed_plugin_by_its_digest() {
    let scene = scene();
    let key = key(&scene, "acme");
    scene.write("apportion.toml", &settings(&key));
    sign(&scene, "acme", "acme.wasm");
    let registry = Registry::start();
    let digest = registry.push(&scene.path("acme.wasm"), &scene.path("acme.wasm.minisig"));
    let by_tag = format!("oci://127.0.0.1:{}/acme/bill:1.0.0", registry.port);
    let by_digest = format!("oci://127.0.0.1:{}/acme/bill@sha256:{digest}", registry.port);
    scene.run(&format!("plugin install {by_tag}")).fails_with(
        1,
        "P103",
        &format!("apportion plugin install {by_digest}"),
    );
    scene
        .run(&format!("plugin install {by_digest}"))
        .expect(0)
        .says(&format!("signature: by {key}"));
    let absent = format!("oci://127.0.0.1:{}/acme/bill@sha256:{}", registry.port, "0".repeat(64));
    scene.run(&format!("plugin install {absent}")).fails_with(3, "P201", "manifest unknown");
    // The registry is gone from here on.
    drop(registry);
    scene.run("plugin verify").expect(0);
    scene.run("run").expect(0).says("acme: 3 charges").says("(acme-bill 1.0.0)");
}

#[test]
fn a_signature_of_somebody_else_is_refused_and_what_stands_stays() {
    let scene = scene();
    let good = key(&scene, "acme");
    key(&scene, "mallory");
    scene.write("apportion.toml", &settings(&good));
    scene.run("plugin install acme.wasm").fails_with(
        3,
        "P105",
        "the plugin's signature is not good: there is none",
    );
    sign(&scene, "mallory", "acme.wasm");
    scene.run("plugin install acme.wasm").fails_with(
        3,
        "P105",
        "it was made by another key, or of another file",
    );
    sign(&scene, "acme", "acme.wasm");
    scene.run("plugin install acme.wasm").expect(0);
    sign(&scene, "mallory", "next.wasm");
    scene.run("plugin install next.wasm --agree http").fails_with(
        3,
        "P105",
        "it was made by another key, or of another file",
    );
    scene.run("run").expect(0).says("(acme-bill 1.0.0)");
}
