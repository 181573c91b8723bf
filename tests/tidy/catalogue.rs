//! Every code of an error has a folder in `tests/errors`, which a test of the binary runs.

use crate::{expect_none, root, rust_files};
use std::collections::BTreeSet;
use std::fs;

/// Codes that nothing from outside can provoke: the constant, the file whose tests provoke it, and
/// the reason.
const WITHOUT_FOLDER: &[(&str, &str, &str, &str)] = &[
    ("B101", "CONSERVATION", "host/cli/src/error.rs", "a fault of ours, before anything is posted"),
    ("B102", "INTERNAL", "host/ledger/tests/ledger/transactions.rs", "a fault of ours"),
    ("L106", "LEDGER_FULL", "host/ledger/src/post.rs", "it takes a full disk"),
];

/// The codes in the crates' `codes!`.
fn codes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in rust_files() {
        if !path.ends_with("src/code.rs") {
            continue;
        }
        for line in text.lines().map(str::trim_start) {
            if let Some((name, rest)) = line.split_once(" \"")
                && let Some((code, _)) = rest.split_once("\" ")
                && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
            {
                found.insert(code.to_owned());
            }
        }
    }
    found
}

/// The folders of `tests/errors` that have a command.
fn folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("tests/errors")).expect("the folder of errors");
    let has_command = |entry: &fs::DirEntry| entry.path().join("command").exists();
    let names = entries.flatten().filter(has_command);
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_code_has_a_folder_that_provokes_it() {
    let (codes, folders) = (codes(), folders());
    assert!(codes.len() > 80, "only {} codes were found", codes.len());
    let is_excused = |code: &str| WITHOUT_FOLDER.iter().any(|(known, ..)| *known == code);
    let mut findings = Vec::new();
    for code in codes.iter().filter(|code| !is_excused(code) && !folders.contains(*code)) {
        findings.push(format!("{code} has no folder tests/errors/{code}"));
    }
    for folder in &folders {
        if !codes.contains(folder) || is_excused(folder) {
            findings.push(format!("tests/errors/{folder} is the folder of no code that needs one"));
        }
        let text = root().join("tests/errors").join(folder).join("expected.txt");
        if !fs::read_to_string(text).unwrap_or_default().contains(folder) {
            findings.push(format!("tests/errors/{folder}/expected.txt does not have the code"));
        }
    }
    expect_none("codes and their folders", findings);
}

#[test]
fn a_code_without_a_folder_is_provoked_where_it_stands() {
    let mut findings = Vec::new();
    for (code, constant, file, reason) in WITHOUT_FOLDER {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        let tests = if file.contains("/tests/") {
            text.as_str()
        } else {
            text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
        };
        if !tests.contains(constant) {
            findings.push(format!("{code} ({reason}): no test of {file} has {constant}"));
        }
    }
    expect_none("codes without a folder", findings);
}
