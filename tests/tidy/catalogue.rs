//! No code of an error exists that no test provokes.

use crate::{expect_none, root, rust_files, shown};

/// A line of a crate's `codes!`: the constant's name and the code.
fn codes() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, text) in rust_files() {
        if !path.ends_with("src/code.rs") {
            continue;
        }
        for line in text.lines().map(str::trim_start) {
            // Our own faults cannot be provoked from outside; their guards are tested where they stand.
            if let Some((name, rest)) = line.split_once(" \"")
                && let Some((code, rest)) = rest.split_once("\" ")
                && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
                && !rest.starts_with("Faults")
            {
                found.push((name.to_owned(), code.to_owned()));
            }
        }
    }
    found
}

/// The test parts of all sources: test folders, and what follows `#[cfg(test)]`.
fn tests() -> Vec<String> {
    let part = |name: String, text: String| {
        let whole = name.contains("/tests/")
            || name.starts_with("tests/") && !name.starts_with("tests/tidy/");
        if whole {
            text
        } else {
            text.split_once("#[cfg(test)]").map(|(_, tests)| tests.to_owned()).unwrap_or_default()
        }
    };
    rust_files().into_iter().map(|(path, text)| part(shown(&path), text)).collect()
}

#[test]
fn every_code_is_provoked_by_a_test() {
    let (codes, tests) = (codes(), tests());
    assert!(codes.len() > 80, "only {} codes were found", codes.len());
    let rules = crate::files(&root().join("rules"));
    let cases: Vec<String> =
        rules.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let is_provoked = |name: &str, code: &str| {
        tests.iter().any(|text| text.contains(name) || text.contains(code))
            || cases.iter().any(|text| text.contains(code))
    };
    let unproved = codes.iter().filter(|(name, code)| !is_provoked(name, code));
    let shown = unproved.map(|(name, code)| format!("{code} {name}"));
    expect_none("codes that no test provokes", shown.collect());
}
