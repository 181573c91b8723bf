//! The vendor's way, end to end: a project is written, built, tried on the kit, and collects into a
//! ledger. Projects in Python and JavaScript need their toolchains: `outside/vendor.rs`.

use projects::{collects_and_replays, passes_the_kit, run};
use scene::Scene;

#[path = "vendor/api.rs"]
mod api;
#[path = "vendor/projects.rs"]
mod projects;
#[expect(dead_code, reason = "shared with the tests of the command line")]
#[path = "cli/scene.rs"]
mod scene;

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
    assert_eq!(facts["world"], "apportion:plugin/collector@0.2.0");
    assert_eq!(
        facts["powers"],
        serde_json::json!([{ "power": "http", "reason": "to ask the vendor's API", "optional": false }])
    );
    collects_and_replays(&scene, "coffee-bill/coffee-bill.wasm");
    // The host refuses a setting that the schema does not have, before the plugin runs. The message
    // names the setting's line.
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

/// The kit fails a sound plugin whose script lists a good setting as a bad one. It refuses a script
/// with a wrong `skip`, and a cassette that is no JSON.
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
