//! Third-party plugins are installed by digest and checked at every load. None gets more powers
//! without the user's consent.

use crate::scene::Scene;
use std::fs;
use test_support::server::http::{Answer, HttpServer};

/// The plugin charges in March.
const SETTINGS: &str = "[sources.acme]\nplugin = \"acme-bill\"\nsince = \"2026-03-01\"\n";

fn scene() -> Scene {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", SETTINGS);
    scene.write_bytes("v1.wasm", test_artifacts::ACME_BILL);
    scene.write_bytes("v2.wasm", test_artifacts::ACME_BILL_ASKS_MORE);
    scene
}

/// The installed files of a scene.
fn installed(scene: &Scene) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(scene.path("plugins")).expect("a folder of plugins");
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[test]
fn an_installed_plugin_collects_by_its_name() {
    let scene = scene();
    scene.run("run").fails_with(1, "P101", "there is no plugin 'acme-bill'");
    scene
        .run("plugin install v1.wasm")
        .expect(0)
        .says("installed acme-bill 1.0.0\n")
        .says("signature: none");
    assert!(scene.read("plugins.lock").contains("version = \"1.0.0\""));
    scene.run("run").expect(0).says("acme: 3 charges").says("(acme-bill 1.0.0)");
    scene.run("plugin list").expect(0).says("installed from v1.wasm");
    scene.run("plugin verify").expect(0);
}

#[test]
fn a_digest_that_is_not_the_expected_one_is_not_installed() {
    let scene = scene();
    let wrong = "0".repeat(64);
    scene.run(&format!("plugin install v1.wasm --sha256 {wrong}")).fails_with(
        3,
        "P104",
        "v1.wasm has the SHA-256",
    );
    assert!(!scene.path("plugins.lock").exists());
}

/// Junk would be refused as such, if it were looked at first. Nothing is compiled into the cache.
#[test]
fn the_digest_is_compared_before_anything_is_done_with_the_bytes() {
    let scene = scene();
    let cache = scene.path("cache");
    let environment = [("APPORTION_CACHE", cache.to_str().expect("a text"))];
    scene.write("junk.wasm", "hello");
    let wrong = "0".repeat(64);
    for file in ["junk.wasm", "v1.wasm"] {
        scene.run_with(&["plugin", "install", file, "--sha256", &wrong], &environment).fails_with(
            3,
            "P104",
            &format!("{file} has the SHA-256"),
        );
        assert!(!cache.exists(), "{file}");
    }
    // The SHA-256 of `hello`.
    let right = "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824";
    scene
        .run_with(&["plugin", "install", "junk.wasm", "--sha256", right], &environment)
        .fails_with(1, "P102", "it is not WebAssembly");
}

#[test]
fn the_lock_names_an_address_without_what_can_be_a_secret() {
    let server = HttpServer::start(|asked| match asked.target.as_str() {
        "/acme.wasm?sig=s3cr3t" => Answer::json(test_artifacts::ACME_BILL),
        "/v2.wasm?sig=s3cr3t" => Answer::json(test_artifacts::ACME_BILL_ASKS_MORE),
        _ => Answer::status(404, ""),
    });
    let scene = scene();
    let bare = server.url();
    let full = bare.replace("://", "://me:s3cr3t@");
    scene.run(&format!("plugin install {full}/acme.wasm?sig=s3cr3t")).expect(0);
    let lock = scene.read("plugins.lock");
    assert!(lock.contains(&format!("source = \"{bare}/acme.wasm\"\n")), "{lock}");
    assert!(!lock.contains("s3cr3t"), "{lock}");
    for (target, exit, code, words) in [
        (
            "v2.wasm?sig=s3cr3t",
            1,
            "P106",
            "hint: if you agree, repeat your command with `--agree http`\n".to_owned(),
        ),
        ("x.wasm?sig=s3cr3t", 1, "P103", format!("{bare}/x.wasm answered 404")),
    ] {
        let output =
            scene.run(&format!("plugin install {full}/{target}")).fails_with(exit, code, &words);
        assert!(!output.stderr.contains("s3cr3t"), "{}", output.stderr);
    }
}

#[test]
fn a_new_version_that_asks_for_more_stops_until_somebody_agrees() {
    let scene = scene();
    scene.run("plugin install v1.wasm").expect(0);
    let refused = scene.run("plugin install v2.wasm").fails_with(
        1,
        "P106",
        "acme-bill 1.1.0 asks for more than 1.0.0, which stays",
    );
    assert!(refused.stderr.contains("+ http (to fetch the newest prices)"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("`apportion plugin install v2.wasm --agree http`"),
        "{}",
        refused.stderr
    );
    scene.run("run").expect(0).says("(acme-bill 1.0.0)");
    scene.run("plugin install v2.wasm --agree htp").fails_with(
        2,
        "C201",
        "there is no power 'htp'",
    );
    scene
        .run("plugin install v2.wasm --agree http")
        .expect(0)
        .says("installed acme-bill 1.1.0, which takes the place of 1.0.0");
    scene.run("run").expect(0).says("(acme-bill 1.1.0)");
}

#[test]
fn a_power_that_was_not_granted_fails_when_it_is_used_with_the_line_that_grants_it() {
    let scene = scene();
    scene.run("plugin install v2.wasm").expect(0);
    scene.write(
        "apportion.toml",
        "[sources.acme]\nplugin = \"acme-bill\"\nconfig = { prices = \"newest\" }\n",
    );
    let output = scene.run("run").expect(3);
    assert!(output.stderr.contains("P208"), "{}", output.stderr);
    assert!(output.stderr.contains("'http'"), "{}", output.stderr);
}

#[test]
fn a_changed_file_does_not_run_and_the_version_before_steps_in() {
    let scene = scene();
    scene.run("plugin install v1.wasm").expect(0);
    scene.run("plugin install v2.wasm --agree http").expect(0);
    let lock = scene.read("plugins.lock");
    let newest =
        lock.split("sha256 = \"").nth(1).map(|rest| rest[..12].to_owned()).expect("a digest");
    let file = installed(&scene)
        .into_iter()
        .find(|path| path.to_string_lossy().contains(&newest))
        .expect("its file");
    fs::write(&file, b"\0asm something else").expect("it can be changed");
    scene.run("plugin verify").fails_with(
        3,
        "P104",
        "is not the plugin acme-bill 1.1.0 that was installed",
    );
    let output = scene.run("run").expect(0).says("(acme-bill 1.0.0)");
    assert!(output.stderr.contains("version 1.0.0 steps in"), "{}", output.stderr);
    for path in installed(&scene) {
        fs::write(path, b"\0asm something else").expect("it can be changed");
    }
    let output = scene.run("run").expect(3);
    assert!(
        output.stderr.contains("P104")
            && output.stderr.contains("apportion plugin install v2.wasm"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_bundled_name_cannot_be_taken_and_junk_is_not_installed() {
    let scene = scene();
    scene.write("junk.wasm", "hello");
    scene.run("plugin install junk.wasm").fails_with(1, "P102", "it is not WebAssembly");
    scene.run("plugin install absent.wasm").fails_with(
        1,
        "P101",
        "the plugin absent.wasm cannot be read",
    );
    scene.run("plugin install http://acme.example/x.wasm").fails_with(
        1,
        "P103",
        "which anybody on the way can change",
    );
    scene.run("plugin install oci://not!a!name").fails_with(
        1,
        "P103",
        "does not name something in a registry",
    );
}

#[test]
fn what_a_new_version_breaks_is_told_before_it_is_installed() {
    let scene = scene();
    scene
        .run("plugin compat v1.wasm v2.wasm")
        .expect(0)
        .says("new: it can use the power 'http': to fetch the newest prices");
    scene.run("plugin compat v1.wasm v1.wasm").fails_with(
        1,
        "P106",
        "breaks what 1.0.0 promised: 1 change",
    );
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

/// A component with a single module: a few functions, each with very many multiplications.
fn takes_long_to_compile() -> Vec<u8> {
    const FUNCTIONS: usize = 8;
    // local.get 0, local.get 1, i32.mul, local.set 0
    let body =
        [&[0][..], &[0x20, 0, 0x20, 1, 0x6c, 0x21, 0].repeat(1_000_000), &[0x20, 0, 0x0b]].concat();
    let bodies = [leb(body.len()), body].concat().repeat(FUNCTIONS);
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        // One type: (i32, i32) → i32.
        section(1, &[1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]),
        section(3, &[leb(FUNCTIONS), vec![0; FUNCTIONS]].concat()),
        section(10, &[leb(FUNCTIONS), bodies].concat()),
    ];
    [b"\0asm\x0d\0\x01\0".to_vec(), section(1, &module.concat())].concat()
}

/// A plugin that needs too much time or memory to compile fails alone. The other sources are
/// collected.
#[test]
fn compiling_what_a_stranger_wrote_has_limits() {
    let scene = Scene::with_bill();
    scene.write_bytes("bomb.wasm", &takes_long_to_compile());
    let settings = |limits: &str| {
        format!(
            "{}\n[sources.bomb]\nplugin = \"./bomb.wasm\"\n[limits]\n{limits}\n",
            crate::scene::SETTINGS
        )
    };
    for (limits, words, hint) in [
        (
            "compile_seconds = 1\ncompile_memory_mib = 65536",
            "it did not compile within 1 s",
            "[limits]\ncompile_seconds = 4",
        ),
        (
            "compile_memory_mib = 2048",
            "as it does when 2048 MiB of memory are not enough",
            "[limits]\ncompile_memory_mib = 4096",
        ),
    ] {
        scene.write("apportion.toml", &settings(limits));
        let output = scene.run("run").expect(3);
        assert!(output.stderr.contains(words) && output.stderr.contains(hint), "{}", output.stderr);
        assert!(output.stdout.contains("aws: 5 charges"), "{}", output.stdout);
    }
    // A plugin that was compiled within the limits once is found again, by its digest and the
    // engine's.
    scene.write_bytes("acme.wasm", test_artifacts::ACME_BILL);
    scene.write(
        "apportion.toml",
        "[sources.acme]\nplugin = \"./acme.wasm\"\nsince = \"2026-03-01\"\n",
    );
    let cache = scene.path("cache").display().to_string();
    for _ in 0..2 {
        scene.run_with(&["run"], &[("APPORTION_CACHE", &cache)]).expect(0);
        assert_eq!(fs::read_dir(scene.path("cache/compiled")).expect("a folder").count(), 1);
    }
}
