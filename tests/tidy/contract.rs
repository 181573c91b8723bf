//! The contract with plugins: released folders are frozen, a patch version only adds, and what a
//! minor version changes is what the host converts.

use super::{files, root};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The frozen folders, oldest first. The newest folder is not frozen yet. A digest is over names
/// and contents, in order.
const FROZEN: &[(&str, &str)] = &[
    ("since-v0.1.0", "d534980de731b64d392f7432b2719dbd94d5523261dc48ea5c867b2b5f8c9112"),
    ("since-v0.1.1", "979996d8e7eeb5df3312e03940dfeaea507d5cf4bf6f6d99b8d937eaf331b83e"),
];
const NEWEST: &str = "since-v0.2.0";

/// The texts of a folder, by file name.
fn folder(name: &str) -> BTreeMap<String, String> {
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), text)
    };
    files(&root().join("plugin-sdk/wit").join(name)).into_iter().map(read).collect()
}

#[test]
fn released_contracts_stay_as_they_were() {
    let known: Vec<&str> = FROZEN.iter().map(|(name, _)| *name).chain([NEWEST]).collect();
    let mut found: Vec<String> = std::fs::read_dir(root().join("plugin-sdk/wit"))
        .unwrap_or_else(|error| panic!("{error}"))
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("since-"))
        .collect();
    found.sort();
    assert_eq!(found, known);
    for (name, digest) in FROZEN {
        let mut hasher = Sha256::new();
        for (file, text) in folder(name) {
            hasher.update(format!("{file}\n{text}"));
        }
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            &found, digest,
            "{name} is released: a change goes into the newest folder, \
             see plugin-sdk/wit/PENDING.md"
        );
    }
}

/// The parts of a WIT file: types with all that is in them, and single lines. Each part comes with
/// the interface or world that it stands in.
fn parts(text: &str) -> Vec<(String, String)> {
    const TYPES: [&str; 5] = ["record ", "variant ", "enum ", "flags ", "resource "];
    let (mut within, mut open) = (String::new(), None::<String>);
    let mut parts = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("package "))
    {
        match &mut open {
            Some(part) => {
                part.push_str(line);
                if line == "}" {
                    parts.extend(open.take().map(|part| (within.clone(), part)));
                }
            }
            None if TYPES.iter().any(|word| line.starts_with(word)) => open = Some(line.to_owned()),
            None if line.ends_with('{') && !line.starts_with("use ") => within = line.to_owned(),
            None => parts.push((within.clone(), line.to_owned())),
        }
    }
    parts
}

/// All imports and exports of a component are still there in the next version, to the last field.
/// A new minor version may change types.
#[test]
fn a_patch_version_only_adds() {
    let minor = |name: &str| name.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    let known: Vec<&str> = FROZEN.iter().map(|(name, _)| *name).chain([NEWEST]).collect();
    let mut compared = 0;
    for pair in known.windows(2).filter(|pair| minor(pair[0]) == minor(pair[1])) {
        let newer: Vec<(String, String)> =
            folder(pair[1]).values().flat_map(|text| parts(text)).collect();
        for part in folder(pair[0]).values().flat_map(|text| parts(text)) {
            assert!(
                newer.contains(&part),
                "{} has changed what {} has in `{}`: {}",
                pair[1],
                pair[0],
                part.0,
                part.1
            );
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} parts were found");
}

/// The host has types of its own for what a minor version has changed, and takes everything else
/// from the newest version. A type that is neither would fail only when a component uses it.
#[test]
fn a_minor_version_changes_the_types_that_the_host_converts() {
    const CONVERTED: [&str; 3] = ["record charge {", "variant feed {", "record mapping {"];
    let newest: Vec<(String, String)> =
        folder(NEWEST).values().flat_map(|text| parts(text)).collect();
    let before = FROZEN.last().map(|(name, _)| *name).unwrap_or_default();
    let changed: Vec<String> = folder(before)
        .values()
        .flat_map(|text| parts(text))
        .filter(|part| !newest.contains(part))
        .map(|(_, text)| text)
        .collect();
    let names: Vec<&str> =
        changed.iter().map(|text| text.split_inclusive('{').next().unwrap_or_default()).collect();
    assert_eq!(names, CONVERTED, "host/plugin-host/src/wit/before.rs converts others");
}
