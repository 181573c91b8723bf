//! The component toolchains of Python and JavaScript. One test installs them into the user's cache,
//! and the others wait for it.

use crate::outside::{cache, one_at_a_time};
use std::fs;
use std::path::{Path, PathBuf};

/// The virtual environment with componentize-py.
pub fn python() -> PathBuf {
    let folder = cache().join("venv/componentize");
    install(
        &folder,
        "python3",
        "python3 -m venv . && nice bin/pip install -q componentize-py==0.25.1",
    );
    folder
}

/// The `node_modules` with componentize-js.
pub fn javascript() -> PathBuf {
    let folder = cache().join("npm/componentize");
    let script = "echo '{\"private\": true}' > package.json && nice npm install --silent \
                  --no-audit --no-fund --ignore-scripts @bytecodealliance/componentize-js@0.23.0";
    install(&folder, "npm", script);
    folder.join("node_modules")
}

fn install(folder: &Path, needs: &str, script: &str) {
    if folder.join(".ready").exists() {
        return;
    }
    fs::create_dir_all(folder).expect("a cache");
    let all = format!(
        "cd '{}' && {{ [ -e .ready ] || {{ {script} && touch .ready; }}; }}",
        folder.display()
    );
    let ran = one_at_a_time().args(["sh", "-c", &all]).output();
    assert!(
        ran.as_ref().is_ok_and(|ran| ran.status.success()),
        "{needs} could not install its toolchain: {ran:?}"
    );
}
