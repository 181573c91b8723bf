//! Our own plugins pass the conformance kit that vendors' plugins have to pass.

use crate::scene::Scene;
use std::fs;
use std::path::Path;

/// All bundled plugins. The number counts the cases of the kit that make no sense for the plugin
/// and are skipped.
const TRIED: [(&str, usize); 17] = [
    ("aws-cost-explorer", 1),
    ("aws-cur", 9),
    ("aws-organizations", 7),
    ("azure-cost", 10),
    ("csv", 9),
    ("focus-file", 9),
    ("gcp-billing", 10),
    ("http-json", 1),
    ("kubernetes", 0),
    ("opencost", 14),
    ("prometheus", 2),
    ("saas-datadog", 3),
    ("saas-github", 1),
    ("saas-mongodb-atlas", 2),
    ("saas-openai", 1),
    ("saas-snowflake", 4),
    ("usage-file", 9),
];

fn copy(from: &Path, scene: &Scene, to: &str) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{to}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            copy(&entry.path(), scene, &name);
        } else {
            scene.write_bytes(&name, &fs::read(entry.path()).expect("a file"));
        }
    }
}

#[test]
fn our_own_plugins_pass_the_kit() {
    let bundled: Vec<&str> = bundled_plugins::PLUGINS.iter().map(|(name, _)| *name).collect();
    assert_eq!(TRIED.map(|(name, _)| name).to_vec(), bundled);
    let scene = Scene::empty();
    for (name, skipped) in TRIED {
        let component = bundled_plugins::PLUGINS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, bytes)| bytes)
            .expect(name);
        copy(&Path::new("../../plugins").join(name).join("conformance"), &scene, name);
        scene.write_bytes(&format!("{name}/{name}.wasm"), component);
        let report =
            scene.run(&format!("plugin test {name}/{name}.wasm --format json")).expect(0).json();
        let cases = report["cases"].as_array().expect("cases");
        let left_out: Vec<_> = cases
            .iter()
            .filter(|case| case["result"] == "skipped")
            .map(|case| (&case["case"], &case["reason"]))
            .collect();
        assert_eq!(left_out.len(), skipped, "{name}: {left_out:#?}");
        assert!(
            left_out
                .iter()
                .all(|(_, reason)| reason.as_str().is_some_and(|reason| !reason.is_empty())),
            "{name}: {left_out:#?}"
        );
    }
}
