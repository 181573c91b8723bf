//! The catalogue of errors: its page is generated, and no code exists that no test provokes.

use crate::{expect_none, root, rust_files, shown};
use domain::catalogue::{Code, Fault};
use std::fmt::Write;

fn page() -> String {
    let mut page = String::from(
        "# Errors\n\nWritten by a test out of the catalogue: `UPDATE=1 cargo test -p tests` writes it anew.\n",
    );
    let families = [
        ('C', "Settings and command line"),
        ('F', "Files and rows"),
        ('P', "Plugins"),
        ('R', "Rules"),
        ('L', "Ledger"),
        ('N', "Runs and questions"),
        ('S', "Server"),
        ('B', "Faults of Apportion"),
    ];
    for (letter, title) in families {
        writeln!(page, "\n## {title}\n\n| code | exit | meaning |\n|---|---|---|").expect("memory");
        for code in Code::all().filter(|code| code.text().starts_with(letter)) {
            writeln!(page, "| {code} | {} | {} |", code.fault().exit_code(), code.meaning())
                .expect("memory");
        }
    }
    page
}

#[test]
fn the_page_of_errors_is_up_to_date() {
    let path = root().join("host/ERRORS.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page()).expect("host/ERRORS.md");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "host/ERRORS.md is stale: `UPDATE=1 cargo test -p tests` writes it");
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
    let source = std::fs::read_to_string(root().join("host/domain/src/catalogue.rs"))
        .expect("the catalogue");
    let constant = |code: Code| {
        let line = source.lines().find(|line| line.contains(&format!("\"{code}\"")));
        line.and_then(|line| line.split_whitespace().next()).unwrap_or_default().to_owned()
    };
    let tests = tests();
    let cases: Vec<String> = crate::files(&root().join("rules"))
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    let named = |code: Code| {
        let (name, quoted) = (constant(code), code.text());
        tests.iter().any(|text| text.contains(&name) || text.contains(quoted))
            || cases.iter().any(|text| text.contains(quoted))
    };
    // Our own faults cannot be provoked from outside; what they guard is tested where it is asserted.
    let unproved =
        Code::all().filter(|code| code.fault() != Fault::Bug).filter(|code| !named(*code));
    expect_none(
        "codes that no test provokes",
        unproved.map(|code| format!("{code} {}", constant(code))).collect(),
    );
}
