//! Rules, reports and periods as they once failed: small estates, with invented numbers.
//!
//! They lie in the folder `field-rules` of the data beside the checkout, with their right answers.
//! Each estate has settings, rules and bills. A case runs the binary in a copy of it.

use crate::field::copy;
use crate::scene::{Output, Scene};
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use test_support::outside::data;

/// An estate, and one thing that it must give.
pub struct FieldEstate {
    /// The folder, such as `R15-cents`.
    pub folder: &'static str,
    /// Runs the binary, and asserts the answer.
    pub answer: fn(&Scene),
}

/// Tries every estate, and fails with the names of all that do not give their answer.
pub fn try_estates(estates: &[FieldEstate]) {
    let fails = |estate: &&FieldEstate| {
        let scene = open(estate.folder);
        catch_unwind(AssertUnwindSafe(|| (estate.answer)(&scene))).is_err()
    };
    let failed: Vec<&str> = estates.iter().filter(fails).map(|estate| estate.folder).collect();
    assert!(
        failed.is_empty(),
        "{} of {} estates:\n{}",
        failed.len(),
        estates.len(),
        failed.join("\n")
    );
}

fn open(folder: &str) -> Scene {
    let scene = Scene::empty();
    copy(&data().join("field-rules").join(folder), &scene.path(""));
    scene
}

/// Replaces words in a file of the estate.
pub fn replace(scene: &Scene, file: &str, from: &str, to: &str) {
    let text = scene.read(file);
    assert!(text.contains(from), "{from} is not in\n{text}");
    // The data may be read-only, and so is its copy.
    fs::remove_file(scene.path(file)).expect("the file goes");
    scene.write(file, &text.replace(from, to));
}

/// Lays a file of the estate over another.
pub fn deliver(scene: &Scene, from: &str, to: &str) {
    fs::remove_file(scene.path(to)).expect("the file goes");
    fs::copy(scene.path(from), scene.path(to)).expect("a copy");
}

/// The rows of `costs` as CSV, without the header and without zeros at the end of amounts.
pub fn costs(scene: &Scene, arguments: &str) -> Vec<String> {
    let output = scene.run(&format!("costs --format csv {arguments}")).expect(0);
    output.stdout.lines().skip(1).map(without_zeros).collect()
}

fn without_zeros(row: &str) -> String {
    match row.rsplit_once('.') {
        Some((whole, decimals)) => {
            let decimals = decimals.trim_end_matches('0');
            format!("{whole}.{decimals}").trim_end_matches('.').to_owned()
        }
        None => row.to_owned(),
    }
}

/// The run ends well, and `costs` gives these rows.
pub fn gives(scene: &Scene, arguments: &str, rows: &[&str]) {
    scene.run("run").expect(0);
    assert_eq!(costs(scene, arguments), rows, "costs {arguments}");
    scene.run("ledger verify").expect(0);
}

/// Asserts that an output, or its hint, says the words.
pub fn says(output: &Output, words: &[&str]) {
    let all = format!("{}\n{}", output.stdout, output.stderr);
    for words in words {
        assert!(all.contains(words), "'{words}' is not said:\n{all}");
    }
}

/// An estate that is laid into the folder and that nobody tries would say nothing.
#[test]
fn every_estate_of_the_folder_is_tried() {
    let estates = [
        crate::field_rules_names::ESTATES,
        crate::field_rules_periods::ESTATES,
        crate::field_rules_shares::ESTATES,
    ];
    let known: BTreeSet<String> =
        estates.into_iter().flatten().map(|estate| estate.folder.to_owned()).collect();
    let entries = fs::read_dir(data().join("field-rules")).expect("a folder").flatten();
    let found: BTreeSet<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(known, found);
}
