//! The page of errors, written out of the codes of all crates.

use crate::golden;
use domain::code::{Code, Family};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The codes of every crate; each crate lists its own.
pub fn codes() -> Vec<Code> {
    let crates = [
        crate::code::CODES,
        decode::code::CODES,
        domain::code::CODES,
        installation::code::CODES,
        ledger::code::CODES,
        pipeline::code::CODES,
        plugin_host::code::CODES,
        reach::code::CODES,
        reports::code::CODES,
        rule_engine::code::CODES,
        server::code::CODES,
    ];
    let mut codes = crates.concat();
    codes.sort_by_key(|code| code.text());
    codes
}

fn page() -> String {
    let mut page = String::from(
        "# Errors\n\nWritten by a test out of the codes of all crates: \
         `UPDATE=1 cargo test -p apportion` writes it anew.\n",
    );
    for family in Family::ALL {
        let title = family.title();
        write!(page, "\n## {title}\n\n| code | exit | meaning |\n|---|---|---|\n").expect("memory");
        for code in codes().into_iter().filter(|code| code.family() == family) {
            let exit = code.fault().exit_code();
            writeln!(page, "| {code} | {exit} | {} |", code.meaning()).expect("memory");
        }
    }
    page
}

#[test]
fn the_page_of_errors_is_up_to_date() {
    golden::check("../ERRORS.md", &page());
}

#[test]
fn no_code_is_given_twice() {
    let codes = codes();
    let texts: BTreeSet<&str> = codes.iter().map(|code| code.text()).collect();
    assert_eq!(texts.len(), codes.len());
}
