//! Builds wasm guests and makes components of them. Included by every build script that needs
//! guests.
//!
//! The nested Cargo has a target folder of its own under the outer one: it does not wait for the
//! outer lock, and all profiles share what it built. Nothing that the outer build set for the host
//! may reach it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// Runs `cargo build` with `arguments` in the guests' workspace, and returns the folder with its
/// results.
pub fn build(root: &Path, arguments: &[&str]) -> Result<PathBuf, String> {
    println!("cargo::rerun-if-env-changed=APPORTION_WASM_RUSTC");
    for path in [
        "plugins/Cargo.toml",
        "plugins/Cargo.lock",
        "plugin-sdk/Cargo.toml",
        "plugin-sdk/src",
        "plugin-sdk/wit",
    ] {
        // Relative to the package, so that the same build folder serves several checkouts.
        println!("cargo::rerun-if-changed=../../{path}");
    }
    let target = target_folder()?;
    let mut cargo = Command::new(env::var_os("CARGO").ok_or("CARGO is not set")?);
    cargo.current_dir(root.join("plugins")).args([
        "build",
        "--release",
        "--locked",
        "--target",
        TARGET,
        "--target-dir",
    ]);
    cargo.arg(&target).args(arguments);
    for (key, _) in env::vars_os().filter(|(key, _)| key.to_str().is_some_and(belongs_to_the_host))
    {
        cargo.env_remove(key);
    }
    if let Some(rustc) = guest_rustc(root)? {
        cargo.env("RUSTC", rustc);
    }
    let status =
        cargo.status().map_err(|error| format!("cannot run cargo for the guests: {error}"))?;
    if !status.success() {
        return Err(
            "the guests did not build; `sh plugin-sdk/wasm-toolchain.sh` says what is missing"
                .into(),
        );
    }
    Ok(target.join(TARGET).join("release"))
}

/// Makes a component of a built module and writes it to `component`.
pub fn componentize(module: &Path, component: &Path) -> Result<(), String> {
    let bytes = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{} does not become a component: {error:?}", module.display()))?;
    fs::write(component, encoded).map_err(|error| format!("{}: {error}", component.display()))
}

/// `<target>/<profile>/build/<package>/out` is where a build script writes.
fn target_folder() -> Result<PathBuf, String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    out.ancestors()
        .nth(4)
        .map(|target| target.join("wasm-guests"))
        .ok_or_else(|| format!("{} is not in a target folder", out.display()))
}

fn belongs_to_the_host(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ];
    const PREFIXES: [&str; 5] =
        ["CARGO_FEATURE_", "CARGO_CFG_", "CARGO_PROFILE_", "CARGO_BUILD_", "DEP_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The compiler for guests where it is not the usual one: as set, else as the toolchain script
/// finds or makes it.
fn guest_rustc(root: &Path) -> Result<Option<OsString>, String> {
    if let Some(rustc) = env::var_os("APPORTION_WASM_RUSTC") {
        return Ok(Some(rustc));
    }
    if default_rustc_has_target() {
        return Ok(None);
    }
    let script = root.join("plugin-sdk/wasm-toolchain.sh");
    println!("cargo::rerun-if-changed=../../plugin-sdk/wasm-toolchain.sh");
    let output = Command::new("sh")
        .arg(&script)
        .output()
        .map_err(|error| format!("cannot run {}: {error}", script.display()))?;
    if !output.status.success() {
        return Err(format!(
            "no compiler for {TARGET}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let exported =
        printed.lines().find_map(|line| line.strip_prefix("export APPORTION_WASM_RUSTC="));
    Ok(exported.map(|path| OsString::from(path.trim_matches('\''))))
}

fn default_rustc_has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed =
        Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = printed
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let Some(entries) = folder.and_then(|folder| fs::read_dir(folder).ok()) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}
