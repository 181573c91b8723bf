//! Projects of plugins: built, tried on the kit, and used as a source.

use super::api;
use crate::scene::{Output, Scene};
use serde_json::Value;
use std::path::Path;
use test_support::server::http::HttpServer;

/// The variables by which tools find each other. The binary gets no others from the environment.
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
    // All projects build in one folder, so that their shared dependencies are compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-projects");
    environment.push(("CARGO_TARGET_DIR".into(), target.display().to_string()));
    environment
}

pub fn run(scene: &Scene, arguments: &str) -> Output {
    let environment = environment();
    let borrowed: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    scene.run_with(&arguments.split_whitespace().collect::<Vec<_>>(), &borrowed)
}

/// Asserts that no case of the kit failed, and that this number of them was skipped.
pub fn passes_the_kit(scene: &Scene, project: &str, skipped: usize) -> Value {
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

fn settings(api: &HttpServer, component: &str) -> String {
    let url = api.url();
    format!(
        "[sources.vendor]\nplugin = \"{component}\"\ngrants = [\"http\"]\nconfig = {{ base_url = \"{url}\", page_size = 2 }}\n\n\
         [sources.vendor.http]\nallow = [\"GET {url}/\"]\nnetworks = [\"127.0.0.1/32\"]\n\n\
         [sources.vendor.secrets.token]\nenv = \"VENDOR_TOKEN\"\nfor = [\"{url}/\"]\n"
    )
}

/// Collects March from a server, records the answers, and plays the recording without the server.
/// The total by hand: 12.50 + 0.000000125 - 1.25.
pub fn collects_and_replays(scene: &Scene, component: &str) {
    let api = api::start();
    scene.write("apportion.toml", &settings(&api, component));
    let arguments = ["run", "--from", "2026-03", "--to", "2026-03", "--record", "recorded"];
    let run = scene.run_with(&arguments, &[("VENDOR_TOKEN", api::TOKEN)]).expect(0);
    assert!(run.stdout.contains("vendor: 3 charges, 0 set aside"), "{}", run.stdout);
    assert!(run.stdout.contains("EUR billed 11.250000125"), "{}", run.stdout);
    let asked = api.asked().len();
    let recording = scene.read("recorded/vendor.json");
    assert!(!recording.contains(api::TOKEN), "{recording}");
    assert!(recording.contains("12.50"), "{recording}");
    let replay = scene.run("plugin replay recorded/vendor.json --format json").expect(0).json();
    assert_eq!(replay["same"], true);
    assert_eq!(replay["charges"][1]["billed_cost"], "0.000000125");
    assert_eq!(api.asked().len(), asked, "a replay asks nobody");
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
