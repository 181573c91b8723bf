//! One name is one thing: a public type's name does not stand in three files.

use crate::{expect_none, rust_files, shown};
use std::collections::{BTreeMap, BTreeSet};

const FILES_MAX: usize = 2;

/// The public type that a line declares.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(inside) => inside.split_once(") ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    let (word, name) = rest.split_once(' ')?;
    let is_type = ["struct", "enum", "trait", "type", "union"].contains(&word);
    let end = name.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(name.len());
    is_type.then(|| &name[..end])
}

#[test]
fn a_public_type_has_a_name_of_its_own() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in rust_files() {
        let file = shown(&path);
        if !file.starts_with("host/") || !file.contains("/src/") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for name in code.lines().filter_map(public_type) {
            found.entry(name.to_owned()).or_default().insert(file.clone());
        }
    }
    assert!(found.len() > 200, "only {} types were found", found.len());
    let common = found.into_iter().filter(|(_, files)| files.len() > FILES_MAX);
    let findings = common.map(|(name, files)| {
        let files = files.into_iter().collect::<Vec<_>>().join(", ");
        format!("{name} is a public type in {files}: give it its owner's name")
    });
    expect_none("names of types", findings.collect());
}
