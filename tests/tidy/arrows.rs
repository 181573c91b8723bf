//! An arrow from crate to crate that is not drawn here is refused: a new one needs a second reader.

use crate::{expect_none, root};

const ARROWS: &[(&str, &[&str])] = &[
    ("exact", &[]),
    ("domain", &["exact"]),
    ("ledger", &["domain"]),
    ("decode", &["domain"]),
    ("rule-engine", &["domain"]),
    ("reach", &["domain"]),
    ("plugin-host", &["decode", "domain", "reach"]),
    ("reports", &["domain", "ledger"]),
    ("pipeline", &["decode", "domain", "ledger", "reports"]),
    (
        "installation",
        &[
            "bundled-plugins",
            "decode",
            "domain",
            "ledger",
            "pipeline",
            "plugin-host",
            "reach",
            "reports",
            "rule-engine",
        ],
    ),
    ("server", &["domain", "installation", "ledger", "pipeline", "reports"]),
    ("bundled-plugins", &[]),
    ("demo-estate", &["domain"]),
    (
        "cli",
        &[
            "bundled-plugins",
            "decode",
            "demo-estate",
            "domain",
            "installation",
            "ledger",
            "pipeline",
            "plugin-host",
            "reach",
            "reports",
            "rule-engine",
            "server",
        ],
    ),
];

/// Dependencies that only one crate may know.
const OWNED: &[(&str, &str)] = &[
    ("chrono", "exact"),
    ("rusqlite", "ledger"),
    ("wasmtime", "plugin-host"),
    ("wit-component", "plugin-host"),
    ("rhai", "rule-engine"),
    ("parquet", "decode"),
    ("axum", "server"),
    ("clap", "cli"),
    ("indicatif", "cli"),
    ("terminal_size", "cli"),
    ("tracing-subscriber", "cli"),
    ("reqwest", "reach"),
    ("kube", "reach"),
    ("object_store", "reach"),
    ("aws-config", "reach"),
    ("aws-sdk-costexplorer", "reach"),
    ("aws-sdk-organizations", "reach"),
];

/// Names in the `[dependencies]` table of a crate. Tests and build scripts may use any crate.
fn dependencies(folder: &str) -> Vec<String> {
    let path = root().join("host").join(folder).join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
        } else if inside && let Some((name, _)) = line.split_once(['.', ' ', '=']) {
            names.push(name.to_owned());
        }
    }
    names
}

#[test]
fn only_drawn_arrows_exist() {
    let crates: Vec<&str> = ARROWS.iter().map(|(folder, _)| *folder).collect();
    let mut findings = Vec::new();
    for (folder, allowed) in ARROWS {
        for dependency in dependencies(folder) {
            if crates.contains(&dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                findings.push(format!("{folder} uses {dependency}, which no arrow allows"));
            }
        }
    }
    expect_none("arrows between crates", findings);
}

#[test]
fn heavy_dependencies_stand_behind_one_crate() {
    let mut findings = Vec::new();
    for (folder, _) in ARROWS {
        for dependency in dependencies(folder) {
            if let Some((_, owner)) = OWNED.iter().find(|(name, _)| *name == dependency)
                && owner != folder
            {
                findings.push(format!("{folder} uses {dependency}, which only {owner} may know"));
            }
        }
    }
    expect_none("owned dependencies", findings);
}

#[test]
fn every_crate_is_a_written_member_and_takes_the_lints() {
    let manifest =
        std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace manifest");
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(root().join("host"))
        .expect("host/")
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").exists())
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !manifest.contains(&format!("\"host/{name}\"")) {
            findings.push(format!("host/{name} is no member of the workspace"));
        }
        if !ARROWS.iter().any(|(folder, _)| *folder == name) {
            findings.push(format!("host/{name} has no arrows drawn in tests/tidy/arrows.rs"));
        }
        let own = std::fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
        if !own.contains("[lints]\nworkspace = true") {
            findings.push(format!("host/{name} does not take the workspace's lints"));
        }
    }
    expect_none("crates", findings);
}
