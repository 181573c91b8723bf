//! The contract with plugins: released folders are frozen, and a patch version only adds.

use super::{files, root};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The frozen folders, oldest first. The newest folder is not frozen yet. A digest is over names
/// and contents, in order.
const FROZEN: &[(&str, &str)] =
    &[("since-v0.1.0", "d534980de731b64d392f7432b2719dbd94d5523261dc48ea5c867b2b5f8c9112")];
const NEWEST: &str = "since-v0.1.1";

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

/// All imports and exports of an older component are still there, to the last field.
#[test]
fn a_patch_version_only_adds() {
    let newest: Vec<(String, String)> =
        folder(NEWEST).values().flat_map(|text| parts(text)).collect();
    let (minor, _) = NEWEST.rsplit_once('.').unwrap_or_default();
    let mut compared = 0;
    for (name, _) in
        FROZEN.iter().filter(|(name, _)| name.rsplit_once('.').is_some_and(|(of, _)| of == minor))
    {
        for part in folder(name).values().flat_map(|text| parts(text)) {
            assert!(
                newest.contains(&part),
                "{NEWEST} has changed what {name} has in `{}`: {}",
                part.0,
                part.1
            );
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} parts were found");
}
