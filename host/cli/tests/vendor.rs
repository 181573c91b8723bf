//! The vendor's way, end to end: a project in each language is written, built, tried on the kit, and collects into a ledger.

#[path = "vendor/api.rs"]
mod api;
#[expect(dead_code, reason = "shared with the tests of the command line")]
#[path = "cli/scene.rs"]
mod scene;
#[path = "vendor/toolchain.rs"]
mod toolchain;

use api::Api;
use scene::{Output, Scene};
use serde_json::Value;
use std::path::Path;

/// Tools need to find each other; nothing else of the environment reaches the binary.
fn environment() -> Vec<(String, String)> {
    let inherited = [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "APPORTION_WASM_RUSTC",
        "XDG_CACHE_HOME",
    ];
    let mut environment: Vec<(String, String)> = inherited
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect();
    // One folder for all projects, so that what they share is compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-projects");
    environment.push(("CARGO_TARGET_DIR".into(), target.display().to_string()));
    environment
}

fn run(scene: &Scene, arguments: &str) -> Output {
    let environment = environment();
    let borrowed: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    scene.run_with(&arguments.split_whitespace().collect::<Vec<_>>(), &borrowed)
}

/// Asserts that no case of the kit failed, and that all of them were tried.
fn passes_the_kit(scene: &Scene, project: &str, skipped: usize) -> Value {
    let report = run(scene, &format!("plugin test {project} --format json"));
    let report = report.expect(0).json();
    let cases = report["cases"].as_array().expect("cases");
    assert_eq!(
        cases.iter().filter(|case| case["result"] == "skipped").count(),
        skipped,
        "{report:#}"
    );
    report
}

fn settings(api: &Api, component: &str) -> String {
    let url = api.url();
    format!(
        "[sources.vendor]\nplugin = \"{component}\"\ngrants = [\"http\"]\nconfig = {{ base_url = \"{url}\", page_size = 2 }}\n\n\
         [sources.vendor.http]\nallow = [\"GET {url}/\"]\nnetworks = [\"127.0.0.1/32\"]\n\n\
         [sources.vendor.secrets.token]\nenv = \"VENDOR_TOKEN\"\nfor = [\"{url}/\"]\n"
    )
}

/// Collects March from a server, records it, and plays the recording after the server has gone. By hand: 12.50 + 0.000000125 - 1.25.
fn collects_and_replays(scene: &Scene, component: &str) {
    let api = Api::start();
    scene.write("apportion.toml", &settings(&api, component));
    let arguments = ["run", "--from", "2026-03", "--to", "2026-03", "--record", "recorded"];
    let run = scene.run_with(&arguments, &[("VENDOR_TOKEN", api::TOKEN)]).expect(0);
    assert!(run.stdout.contains("vendor: 3 charges, 0 set aside"), "{}", run.stdout);
    assert!(run.stdout.contains("EUR billed 11.250000125"), "{}", run.stdout);
    drop(api);
    let recording = scene.read("recorded/vendor.json");
    assert!(!recording.contains(api::TOKEN), "{recording}");
    assert!(recording.contains("12.50"), "{recording}");
    let replay = scene.run("plugin replay recorded/vendor.json --format json").expect(0).json();
    assert_eq!(replay["same"], true);
    assert_eq!(replay["charges"][1]["billed_cost"], "0.000000125");
    scene.write("recorded/changed.json", &recording.replace("12.50", "12.51"));
    scene.run("plugin replay recorded/changed.json").fails_with(
        1,
        "P114",
        "not all of them are the same",
    );
    scene.write("recorded/moved.json", &recording.replace("/costs?", "/bills?"));
    scene.run("plugin replay recorded/moved.json").fails_with(
        1,
        "P114",
        "the recording has no answer to GET",
    );
}

#[test]
fn a_collector_in_rust() {
    let scene = Scene::with_rules();
    run(&scene, "plugin new coffee-bill").expect(0);
    run(&scene, "plugin new coffee-bill").fails_with(1, "C105", "would be overwritten");
    run(&scene, "plugin test coffee-bill").fails_with(
        1,
        "P101",
        "apportion plugin build coffee-bill",
    );
    run(&scene, "plugin build coffee-bill").expect(0);
    passes_the_kit(&scene, "coffee-bill", 0);
    let facts =
        scene.run("plugin inspect coffee-bill/coffee-bill.wasm --format json").expect(0).json();
    assert_eq!(facts["world"], "apportion:plugin/collector@0.1.1");
    assert_eq!(
        facts["powers"],
        serde_json::json!([{ "power": "http", "reason": "to ask the vendor's API", "optional": false }])
    );
    collects_and_replays(&scene, "coffee-bill/coffee-bill.wasm");
    // What the schema does not allow is refused before the plugin runs, where it stands.
    let wrong = scene.read("apportion.toml").replace("page_size = 2", "pagesize = 2");
    scene.write("apportion.toml", &wrong);
    let refused = scene.run("run").fails_with(1, "P103", "there is no setting 'pagesize'");
    assert!(
        refused.stderr.contains("Did you mean `page_size`?")
            && refused.stderr.contains("apportion.toml:4:"),
        "{}",
        refused.stderr
    );
    fails_the_kit(&scene);
}

/// A plugin that is well and a script that expects otherwise, and scripts that cannot be.
fn fails_the_kit(scene: &Scene) {
    let script = scene.read("coffee-bill/conformance.toml");
    let with = |text: &str| scene.write("coffee-bill/conformance.toml", text);
    with(
        &script
            .replace("[[bad]]\nbase_url = \"\"", "[[bad]]\nbase_url = \"https://api.example.com\""),
    );
    let failed = run(scene, "plugin test coffee-bill").fails_with(
        1,
        "P113",
        "does not pass 1 case of its conformance kit",
    );
    assert!(failed.stdout.contains("they are taken"), "{}", failed.stdout);
    with(&format!("{script}\n[skip]\npagin = \"no pages\"\n"));
    run(scene, "plugin test coffee-bill").fails_with(1, "P111", "Did you mean `paging`?");
    with(&format!("{script}\n[skip]\npaging = \" \"\n"));
    run(scene, "plugin test coffee-bill").fails_with(1, "P111", "without a reason");
    with(&format!("{script}\n[skip]\npaging = \"no pages\"\n"));
    passes_the_kit(scene, "coffee-bill", 1);
    with(&script);
    scene.write("coffee-bill/cassettes/march.json", "{");
    run(scene, "plugin test coffee-bill").fails_with(
        1,
        "P114",
        "cassettes/march.json cannot be read",
    );
}

#[test]
fn an_allocator_in_rust() {
    let scene = Scene::empty();
    run(&scene, "plugin new by-requests --kind allocator --dir share").expect(0);
    run(&scene, "plugin build share").expect(0);
    passes_the_kit(&scene, "share", 0);
}

#[test]
fn a_project_says_what_is_missing() {
    let scene = Scene::empty();
    run(&scene, "plugin build").fails_with(1, "P111", "is no project of a plugin");
    run(&scene, "plugin new Coffee").fails_with(2, "C201", "'Coffee' cannot name a plugin");
    run(&scene, "plugin new coffee --lang javascript").expect(0);
    run(&scene, "plugin build coffee").fails_with(1, "P112", "npm install --prefix coffee");
    run(&scene, "plugin new tea --lang python").expect(0);
    let bare = [("PATH", "/nowhere")];
    scene.run_with(&["plugin", "build", "tea"], &bare).fails_with(
        1,
        "P112",
        "python3 -m venv tea/.venv",
    );
    run(&scene, "plugin new milk").expect(0);
    scene.run_with(&["plugin", "build", "milk"], &bare).fails_with(
        1,
        "P112",
        "rustup target add wasm32-unknown-unknown",
    );
}

#[test]
fn plugins_in_python() {
    let Some(venv) = toolchain::python() else { return };
    let scene = Scene::with_rules();
    for (name, kind) in [("coffee-bill", "collector"), ("by-requests", "allocator")] {
        run(&scene, &format!("plugin new {name} --kind {kind} --lang python")).expect(0);
        std::os::unix::fs::symlink(&venv, scene.path(name).join(".venv")).expect("a link");
        run(&scene, &format!("plugin build {name}")).expect(0);
        passes_the_kit(&scene, name, 0);
        let facts =
            scene.run(&format!("plugin inspect {name}/{name}.wasm --format json")).expect(0).json();
        assert!(!facts["imports"].to_string().contains("wasi:"), "{}", facts["imports"]);
    }
    collects_and_replays(&scene, "coffee-bill/coffee-bill.wasm");
}

#[test]
fn plugins_in_javascript() {
    let Some(modules) = toolchain::javascript() else { return };
    let scene = Scene::with_rules();
    for (name, kind) in [("coffee-bill", "collector"), ("by-requests", "allocator")] {
        run(&scene, &format!("plugin new {name} --kind {kind} --lang javascript")).expect(0);
        std::os::unix::fs::symlink(&modules, scene.path(name).join("node_modules"))
            .expect("a link");
        run(&scene, &format!("plugin build {name}")).expect(0);
        passes_the_kit(&scene, name, 0);
        let facts =
            scene.run(&format!("plugin inspect {name}/{name}.wasm --format json")).expect(0).json();
        assert!(!facts["imports"].to_string().contains("wasi:"), "{}", facts["imports"]);
    }
    collects_and_replays(&scene, "coffee-bill/coffee-bill.wasm");
}
