//! Bills as they really come: small inputs, each a report of somebody whose bill was read wrongly.
//!
//! They lie in the folder `field` of the data beside the checkout, with their right answers. A case
//! has a source (`source.toml`), what the source finds (`in/`), and sometimes what a later delivery
//! lays over it (`second/`). Every case is collected by the binary, and checked beforehand.

use crate::decimal::scaled;
use crate::scene::{Output, Scene};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use test_support::outside::data;

/// One way to read a case, and the answer that must come of it.
#[derive(Clone, Copy)]
pub struct Case {
    /// The folder, such as `50b-focus-parquet-types/lz4`.
    pub folder: &'static str,
    /// Settings of the source that are replaced or, where the first is empty, added.
    pub settings: &'static [(&'static str, &'static str)],
    pub answer: Answer,
}

#[derive(Clone, Copy)]
pub enum Answer {
    Money(Money),
    /// The source fails, or the settings are refused. The words stand in the error or in its hint.
    Refused {
        code: &'static str,
        words: &'static [&'static str],
    },
}

/// What is in the ledger in the end.
#[derive(Clone, Copy)]
pub struct Money {
    /// Rows set aside by the last collection.
    pub set_aside: u64,
    /// Currency, billed and effective cost of the last collection.
    pub totals: &'static [(&'static str, &'static str, &'static str)],
    /// Grouping, value, currency and effective cost. All values of a grouping are listed.
    pub by: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// Month, currency and effective cost, by the day of posting. Nothing where not asked for.
    pub months: &'static [(&'static str, &'static str, &'static str)],
    /// Words that both the check and the run say.
    pub said: &'static [&'static str],
}

/// What the source's own settings give.
pub const fn as_it_is(folder: &'static str, answer: Answer) -> Case {
    Case { folder, settings: &[], answer }
}

/// What other settings give.
pub const fn with(
    folder: &'static str,
    settings: &'static [(&'static str, &'static str)],
    answer: Answer,
) -> Case {
    Case { folder, settings, answer }
}

pub const MONEY: Money = Money { set_aside: 0, totals: &[], by: &[], months: &[], said: &[] };

/// The case in a scene of its own.
pub struct FieldScene {
    pub scene: Scene,
    folder: PathBuf,
}

impl FieldScene {
    pub fn open(folder: &str, settings: &[(&str, &str)]) -> FieldScene {
        let folder = data().join("field").join(folder);
        let scene = Scene::with_rules();
        let source = fs::read_to_string(folder.join("source.toml")).expect("a source");
        let mut source = source.trim_end().to_owned();
        for (from, to) in settings {
            if from.is_empty() {
                source = format!("{source}\n{to}");
            } else {
                assert!(source.contains(from), "{from} is not in\n{source}");
                source = source.replace(from, to);
            }
        }
        scene.write("apportion.toml", &format!("{source}\n"));
        copy(&folder.join("in"), &scene.path("in"));
        FieldScene { scene, folder }
    }

    /// Lays the second delivery over the first, if there is one.
    pub fn deliver_again(&self) -> bool {
        let second = self.folder.join("second");
        if second.is_dir() {
            copy(&second, &self.scene.path("in"));
        }
        second.is_dir()
    }

    /// Checks and runs. Both give the same figures, and end with the same exit code.
    pub fn collect(&self) -> Collected {
        let check = self.scene.run("source check bills --format json");
        let run = self.scene.run("run --format json");
        assert_eq!(
            check.code, run.code,
            "the check and the run end otherwise:\n{}\n{}",
            check.stderr, run.stderr
        );
        let collected = Collected { check, run };
        if let Some((check, run)) = collected.check_json().zip(collected.run_json()) {
            for figure in ["charges", "set_aside", "rejected", "totals"] {
                assert_eq!(check[figure], run[figure], "{figure} of the check and of the run");
            }
        }
        collected
    }

    /// Effective costs by the value of a grouping, and the currency.
    pub fn costs(&self, group: &str) -> BTreeMap<(String, String), i128> {
        let rows = self.scene.cost_rows(group);
        by_key(&rows, |row| text(&row["keys"][group]))
    }

    /// Effective costs by the month of posting, and the currency.
    pub fn months(&self) -> BTreeMap<(String, String), i128> {
        let costs = self.scene.run_with(
            &["costs", "--granularity", "monthly", "--group-by", "source", "--format", "json"],
            &[],
        );
        let json = costs.expect(0).json();
        let rows = json["costs"].as_array().expect("rows");
        by_key(rows, |row| text(&row["period_start"])[..7].to_owned())
    }
}

/// The outputs of one check and one run.
pub struct Collected {
    pub check: Output,
    pub run: Output,
}

impl Collected {
    fn check_json(&self) -> Option<Value> {
        first(&self.check, "")
    }

    fn run_json(&self) -> Option<Value> {
        first(&self.run, "/sources")
    }

    /// The source's part of the run's report.
    pub fn report(&self) -> Value {
        self.run_json().unwrap_or_else(|| panic!("no report: {}", self.run.stderr))
    }

    /// Asserts that both say the words.
    pub fn say(&self, words: &str) {
        for output in [&self.check, &self.run] {
            let all = format!("{}\n{}", output.stdout, output.stderr);
            // JSON has its quotes escaped.
            let is_said = all.contains(words) || all.contains(&words.replace('"', "\\\""));
            assert!(is_said, "'{words}' is not said:\n{all}");
        }
    }
}

fn first(output: &Output, pointer: &str) -> Option<Value> {
    let json: Value = serde_json::from_str(&output.stdout).ok()?;
    json.pointer(pointer)?.get(0).cloned()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Decimal text as a count of 10⁻¹⁸.
fn exact(text: &str) -> i128 {
    scaled(text, 18)
}

fn by_key(rows: &[Value], key: impl Fn(&Value) -> String) -> BTreeMap<(String, String), i128> {
    let mut sums: BTreeMap<(String, String), i128> = BTreeMap::new();
    for row in rows {
        let cost = &row["cost"];
        let amount = exact(&text(&cost["amount"]));
        *sums.entry((key(row), text(&cost["currency"]))).or_default() += amount;
    }
    sums
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Tries every case, and fails with the names of all that do not give their answer.
pub fn try_all(cases: &[Case]) {
    let fails = |case: &&Case| catch_unwind(AssertUnwindSafe(|| answer(case))).is_err();
    let failed: Vec<String> = cases
        .iter()
        .filter(fails)
        .map(|case| format!("{} {:?}", case.folder, case.settings))
        .collect();
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

fn answer(case: &Case) {
    let field = FieldScene::open(case.folder, case.settings);
    match case.answer {
        Answer::Refused { code, words } => refused(&field, code, words),
        Answer::Money(money) => {
            let mut last = field.collect();
            if field.deliver_again() {
                last = field.collect();
            }
            expect_money(&field, &last, &money);
        }
    }
}

fn refused(field: &FieldScene, code: &str, words: &[&str]) {
    let collected = field.collect();
    assert_ne!(collected.run.code, 0, "nothing is refused:\n{}", collected.run.stdout);
    collected.say(&format!("{code}: "));
    words.iter().for_each(|words| collected.say(words));
    if let Some(report) = collected.run_json() {
        assert_eq!(report["charges"], 0, "charges of a source that is refused");
    }
}

pub fn expect_money(field: &FieldScene, last: &Collected, money: &Money) {
    let report = last.report();
    assert_eq!(report["failure"], Value::Null, "{}", last.run.stderr);
    assert_eq!(report["set_aside"], money.set_aside, "rows set aside: {}", report["rejected"]);
    assert_eq!(last.run.code, if money.set_aside > 0 { 3 } else { 0 }, "{}", last.run.stderr);
    let totals: BTreeMap<String, (i128, i128)> = report["totals"]
        .as_array()
        .expect("totals")
        .iter()
        .map(|total| {
            let amount = |name: &str| exact(&text(&total[name]));
            (text(&total["currency"]), (amount("billed_cost"), amount("effective_cost")))
        })
        .collect();
    let expected: BTreeMap<String, (i128, i128)> = money
        .totals
        .iter()
        .map(|(currency, billed, effective)| {
            ((*currency).to_owned(), (exact(billed), exact(effective)))
        })
        .collect();
    assert_eq!(totals, expected, "totals of the collection");
    let groups: BTreeSet<&str> = money.by.iter().map(|(group, ..)| *group).collect();
    for group in groups {
        let expected: BTreeMap<(String, String), i128> = money
            .by
            .iter()
            .filter(|(of, ..)| *of == group)
            .map(|(_, value, currency, amount)| {
                (((*value).to_owned(), (*currency).to_owned()), exact(amount))
            })
            .collect();
        assert_eq!(field.costs(group), expected, "costs by {group}");
    }
    if !money.months.is_empty() {
        expect_months(field, money.months);
    }
    money.said.iter().for_each(|words| last.say(words));
}

pub fn expect_months(field: &FieldScene, months: &[(&str, &str, &str)]) {
    let expected: BTreeMap<(String, String), i128> = months
        .iter()
        .map(|(month, currency, amount)| {
            (((*month).to_owned(), (*currency).to_owned()), exact(amount))
        })
        .collect();
    assert_eq!(field.months(), expected, "costs by month");
}

/// The cases of the folder: those with a source, at most two folders down.
fn folders() -> BTreeSet<String> {
    let root = data().join("field");
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let mut found = BTreeSet::new();
    for case in below(&root) {
        let parts = below(&case);
        for folder in std::iter::once(case).chain(parts) {
            if folder.join("source.toml").is_file() {
                let name = folder.strip_prefix(&root).expect("a folder below");
                found.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// A case that is laid into the folder and that nobody tries would say nothing.
#[test]
fn every_case_of_the_folder_is_tried() {
    let cases = [
        crate::field_aws::CASES,
        crate::field_azure::CASES,
        crate::field_focus::CASES,
        crate::field_other::CASES,
    ];
    let known: BTreeSet<String> = cases
        .into_iter()
        .flatten()
        .map(|case| case.folder)
        .chain(crate::field_aws::BY_HAND)
        .map(str::to_owned)
        .collect();
    assert_eq!(known, folders());
}
