//! Plugins in other languages than Rust: their toolchains are installed once into the user's cache.

use crate::projects::{collects_and_replays, passes_the_kit, run};
use crate::scene::Scene;
use test_support::toolchain;

#[test]
fn plugins_in_python() {
    let venv = toolchain::python();
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
    let modules = toolchain::javascript();
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
