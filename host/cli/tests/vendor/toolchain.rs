//! The component toolchains of Python and JavaScript, installed once into the user's cache, by one test at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("apportion-lab")
}

/// The virtual environment with componentize-py.
pub fn python() -> Option<PathBuf> {
    let folder = cache().join("venv/componentize");
    install(
        &folder,
        "python3",
        "python3 -m venv . && nice bin/pip install -q componentize-py==0.25.1",
    )
    .then_some(folder)
}

/// The `node_modules` with componentize-js.
pub fn javascript() -> Option<PathBuf> {
    let folder = cache().join("npm/componentize");
    let script = "echo '{\"private\": true}' > package.json && nice npm install --silent --no-audit --no-fund --ignore-scripts @bytecodealliance/componentize-js@0.23.0";
    install(&folder, "npm", script).then(|| folder.join("node_modules"))
}

/// Whether the tools are there now. Only a person's machine may lack what installs them.
#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
fn install(folder: &Path, needs: &str, script: &str) -> bool {
    if folder.join(".ready").exists() {
        return true;
    }
    fs::create_dir_all(folder).expect("a cache");
    let all = format!(
        "cd '{}' && {{ [ -e .ready ] || {{ {script} && touch .ready; }}; }}",
        folder.display()
    );
    let ran =
        Command::new("flock").arg("-o").arg(cache().join("lock")).args(["sh", "-c", &all]).output();
    if ran.as_ref().is_ok_and(|ran| ran.status.success()) {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{needs} could not install its toolchain: {ran:?}");
    println!("skipped: {needs} could not install its component toolchain");
    false
}
