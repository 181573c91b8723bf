//! Lengths and calls in Rust sources.

use crate::{expect_none, rust_files, shown};
use std::collections::BTreeSet;
use std::path::PathBuf;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;
const COLUMNS_MAX: usize = 100;

/// Longer lines that the formatter cannot break, by folder. The numbers only shrink.
const LONG_LINES: [(&str, usize); 4] =
    [("host/", 282), ("plugin-sdk/", 6), ("plugins/", 73), ("tests/", 39)];

/// Line ranges of functions, found by indentation, which the formatter guarantees.
fn functions(text: &str) -> Vec<(usize, usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line
            .trim_start()
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub ");
        let code = code.trim_start_matches("const ").trim_start_matches("async ");
        if !code.starts_with("fn ") || line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            found.push((
                start + 1,
                length + 1,
                code.split(['(', '<']).next().unwrap_or_default().to_owned(),
            ));
        }
    }
    found
}

/// The part of a file before its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Modules that are only compiled for tests, by the file that they stand in.
fn test_modules(files: &[(PathBuf, String)]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in files {
        for part in text.split("#[cfg(test)]\nmod ").skip(1) {
            if let Some((name, _)) = part.split_once(";\n") {
                found.insert(shown(&path.with_file_name(format!("{name}.rs"))));
            }
        }
    }
    found
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/fixtures/")
}

#[test]
fn functions_are_short() {
    let mut findings = Vec::new();
    for (path, text) in rust_files() {
        for (line, length, name) in functions(&text) {
            if length > FUNCTION_LINES_MAX {
                findings.push(format!(
                    "{}:{line}: {name} has {length} lines; {FUNCTION_LINES_MAX} are enough",
                    shown(&path)
                ));
            }
        }
    }
    expect_none("long functions", findings);
}

#[test]
fn files_are_short() {
    let long = |text: &str| text.lines().count() > FILE_LINES_MAX;
    let findings = rust_files()
        .into_iter()
        .filter(|(_, text)| long(text))
        .map(|(path, text)| format!("{} has {} lines", shown(&path), text.lines().count()));
    expect_none("long files", findings.collect());
}

#[test]
fn lines_are_short() {
    let mut findings = Vec::new();
    for (folder, most) in LONG_LINES {
        let long =
            |text: &str| text.lines().filter(|line| line.chars().count() > COLUMNS_MAX).count();
        let files = rust_files().into_iter().map(|(path, text)| (shown(&path), long(&text)));
        let files: Vec<(String, usize)> =
            files.filter(|(name, count)| name.starts_with(folder) && *count > 0).collect();
        let count: usize = files.iter().map(|(_, count)| count).sum();
        if count != most {
            findings.push(format!(
                "{folder} has {count} lines above {COLUMNS_MAX} columns; the list says {most}"
            ));
            findings.extend(files.iter().map(|(name, count)| format!("  {name}: {count}")));
        }
    }
    expect_none("long lines", findings);
}

#[test]
fn every_file_says_what_it_is_for() {
    let findings = rust_files()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#!"))
        .map(|(path, _)| shown(&path));
    expect_none("files without a module doc", findings.collect());
}

/// Files that may wait. The ticker of the plugins' deadlines is a clock. The pace of requests, and
/// the pause before a request is repeated, are time itself.
const WAITS_BY_ITSELF: [&str; 2] = ["plugin-host/src/engine.rs", "reach/src/http.rs"];

#[test]
fn calls_that_hide_failure_stay_in_tests() {
    let banned = [
        (".unwrap()", "handle the failure, or assert the invariant with a sentence"),
        (".expect(\"", "handle the failure, or assert the invariant with a sentence"),
        ("todo!(", "finish it"),
        ("unimplemented!(", "finish it"),
        ("dbg!(", "remove it"),
        ("thread::sleep(", "wait for the event itself"),
        ("#[allow(", "write #[expect(…, reason = \"…\")]"),
    ];
    let mut findings = Vec::new();
    let files = rust_files();
    let test_modules = test_modules(&files);
    for (path, text) in files {
        let name = shown(&path);
        if is_test(&name) || test_modules.contains(&name) || name.ends_with("build.rs") {
            continue;
        }
        for (number, line) in without_tests(&text)
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for (call, instead) in banned {
                if line.contains(call)
                    && !(call.starts_with("thread::sleep")
                        && WAITS_BY_ITSELF.iter().any(|file| name.ends_with(file)))
                {
                    findings.push(format!("{name}:{}: `{call}`: {instead}", number + 1));
                }
            }
        }
    }
    expect_none("banned calls", findings);
}

#[test]
fn no_float_comes_near_money() {
    let mut findings = Vec::new();
    for (path, text) in rust_files() {
        let name = shown(&path);
        let money = [
            "host/domain/",
            "host/exact/",
            "host/ledger/",
            "host/pipeline/",
            "host/reports/",
            "host/rule-engine/",
        ];
        if !money.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            if line.contains("f64") || line.contains("f32") {
                findings.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    expect_none("floats", findings);
}

#[test]
fn no_test_is_ignored_or_expects_a_panic() {
    let mut findings = Vec::new();
    for (path, text) in rust_files() {
        let name = shown(&path);
        if name.starts_with("tests/tidy/") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if line.contains("#[ignore") || line.contains("#[should_panic") {
                findings.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    expect_none("tests that do not run or cannot fail", findings);
}
