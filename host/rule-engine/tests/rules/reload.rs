//! A folder that changes under a running program.

use crate::support::{decided, lines, rule};
use domain::port::Rules;
use rule_engine::intake;
use rule_engine::options::{FailingCases, RuleOptions};
use rule_engine::reload::{LiveRules, ReloadResult};
use rule_engine::set::RuleSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const CASES: &str = "[[case]]\nname = \"all\"\ncharge = {}\nexpect = { assign = \"a\" }\n";

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap_or(dir))
        .and_then(|()| fs::write(&path, text))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    write(dir.path(), "pack/r.rhai", &rule(1, "true", "assign(\"a\")"));
    write(dir.path(), "pack/r.cases.toml", CASES);
    dir
}

fn live(dir: &TempDir) -> LiveRules {
    LiveRules::start(dir.path(), RuleOptions::default(), || None)
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)))
}

/// The findings without the path of the folder.
fn told(dir: &TempDir, findings: &[domain::diagnostic::Diagnostic]) -> Vec<String> {
    let root = dir.path().display().to_string();
    lines(findings)
        .iter()
        .map(|line| line.replace(&format!("{root}/"), "").replace(&root, "."))
        .collect()
}

#[test]
fn a_good_change_becomes_a_generation() {
    let dir = folder();
    let live = live(&dir);
    let before = live.current();
    assert_eq!(live.generation_count(), 1);
    assert_eq!(live.try_reload(), Ok(ReloadResult::Unchanged));
    write(dir.path(), "pack/r.cases.toml", &CASES.replace("\"a\"", "\"b\""));
    write(dir.path(), "pack/r.rhai", &rule(1, "true", "assign(\"b\")"));
    // The watcher may have been quicker; either way the change is in force now.
    assert!(live.try_reload().is_ok());
    assert_eq!(decided(&live.current(), &[]), "assign b");
    assert_eq!(
        decided(&before, &[]),
        "assign a",
        "a run keeps the generation that it started with"
    );
    assert_ne!(before.generation(), live.current().generation());
    assert_eq!(live.generation_count(), 2);
    assert_eq!(live.diagnostics(), []);
}

#[test]
fn whatever_is_broken_keeps_the_last_good_one() {
    let dir = folder();
    let live = live(&dir);
    let whole = rule(1, "true", "assign(\"b\")");
    for (name, text, expect) in [
        ("pack/r.rhai", &whole[..whole.len() / 2], "pack/r.rhai:"),
        ("pack/r.rhai", "", "pack/r.rhai: R102: "),
        (
            "pack/r.rhai",
            whole.as_str(),
            "pack/r.cases.toml:4:10: R302: \"all\": expected assign a, got assign b",
        ),
        ("pack/r.cases.toml", "[[case]]\n", "pack/r.cases.toml:1:1: R301: the case lacks 'expect'"),
        (
            "pack/gone.cases.toml",
            CASES,
            "pack/gone.cases.toml: R301: there is no rule pack/gone.rhai for these cases",
        ),
        (
            "tables/t.csv",
            "k,v\na,1\na,2\n",
            "tables/t.csv:3:1: R107: the key 'a' already stands on line 2",
        ),
    ] {
        write(dir.path(), name, text);
        let findings = live.try_reload().err().unwrap_or_default();
        let found = told(&dir, &findings);
        assert!(found.first().is_some_and(|line| line.starts_with(expect)), "{name}: {found:?}");
        assert_eq!(live.diagnostics(), findings);
        assert_eq!(decided(&live.current(), &[]), "assign a");
        fs::remove_file(dir.path().join(name)).unwrap_or_else(|error| panic!("{error}"));
        write(dir.path(), "pack/r.rhai", &rule(1, "true", "assign(\"a\")"));
        write(dir.path(), "pack/r.cases.toml", CASES);
        assert_eq!(live.try_reload(), Ok(ReloadResult::Unchanged), "{name}");
        assert_eq!(live.diagnostics(), []);
    }
    assert_eq!(live.generation_count(), 1);
}

#[test]
fn a_rule_without_cases_is_used() {
    let dir = folder();
    let live = live(&dir);
    write(dir.path(), "pack/new.rhai", &rule(0, "true", "assign(\"b\")"));
    assert!(live.try_reload().is_ok());
    assert_eq!(decided(&live.current(), &[]), "assign b");
    assert_eq!((live.diagnostics(), live.warnings()), (Vec::new(), Vec::new()));
}

#[test]
fn failing_cases_refuse_the_rules_or_are_warnings() {
    let dir = folder();
    write(dir.path(), "pack/r.rhai", &rule(1, "true", "assign(\"b\")"));
    let intake = |failing_cases| {
        intake::load(dir.path(), &RuleOptions { failing_cases, ..RuleOptions::default() })
    };
    let failed = "pack/r.cases.toml:4:10: R302: \"all\": expected assign a, got assign b";
    let refused = intake(FailingCases::Refuse).err().unwrap_or_default();
    assert_eq!(told(&dir, &refused), [failed, ".: R302: rules whose cases fail are not used"]);
    let hint = refused.last().and_then(|finding| finding.hint_text()).unwrap_or_default();
    assert!(hint.contains("failing_cases = \"warn\""), "{hint}");
    let used = intake(FailingCases::Warn).unwrap_or_else(|_| panic!("the rules are refused"));
    assert_eq!(decided(&used.set, &[]), "assign b");
    assert_eq!(told(&dir, &used.warnings), [failed]);
    // The same while a process runs, until the case is mended.
    let options = RuleOptions { failing_cases: FailingCases::Warn, ..RuleOptions::default() };
    let live = LiveRules::start(dir.path(), options, || None)
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
    assert_eq!(decided(&live.current(), &[]), "assign b");
    assert_eq!((live.diagnostics(), told(&dir, &live.warnings())), (vec![], vec![failed.into()]));
    write(dir.path(), "pack/r.cases.toml", &CASES.replace("\"a\"", "\"b\""));
    assert_eq!(live.try_reload(), Ok(ReloadResult::Unchanged));
    assert_eq!(live.warnings(), []);
}

#[test]
fn vanishing_files_and_folders_keep_the_last_good_one() {
    let dir = folder();
    let live = live(&dir);
    fs::remove_file(dir.path().join("pack/r.rhai")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        told(&dir, &live.try_reload().err().unwrap_or_default()),
        [".: R303: the folder has no rules (no file ends in .rhai)"]
    );
    fs::remove_dir_all(dir.path()).unwrap_or_else(|error| panic!("{error}"));
    let found = told(&dir, &live.try_reload().err().unwrap_or_default());
    assert!(
        found.first().is_some_and(|line| line.starts_with(".: R303: cannot be opened: ")),
        "{found:?}"
    );
    assert_eq!(decided(&live.current(), &[]), "assign a");
}

#[cfg(unix)]
#[test]
fn links_that_loop_or_dangle_are_named() {
    let dir = folder();
    let live = live(&dir);
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, dir.path().join(name))
            .unwrap_or_else(|error| panic!("{error}"))
    };
    link(dir.path(), "pack/again");
    assert_eq!(
        told(&dir, &live.try_reload().err().unwrap_or_default()),
        ["pack/again: F103: the folder contains itself through a link"]
    );
    fs::remove_file(dir.path().join("pack/again")).unwrap_or_else(|error| panic!("{error}"));
    link(Path::new("nowhere"), "pack/gone.rhai");
    let found = told(&dir, &live.try_reload().err().unwrap_or_default());
    assert!(
        found
            .first()
            .is_some_and(|line| line.starts_with("pack/gone.rhai: R303: cannot be read: ")),
        "{found:?}"
    );
    assert_eq!(decided(&live.current(), &[]), "assign a");
}

#[test]
fn a_folder_that_is_broken_at_the_start_leaves_the_last_good_set_in_force() {
    let dir = folder();
    let good = rule(1, "true", "assign(\"a\")");
    let last_good = || {
        let texts = [("pack/r".to_owned(), good.clone())];
        RuleSet::from_sources(&texts, &[], &RuleOptions::default()).ok()
    };
    // A rule that fails its cases, one that does not compile, and a folder without rules.
    let failing = rule(1, "true", "assign(\"b\")");
    for (text, code) in [(failing.as_str(), "R302"), ("fn matches(", "R101"), ("", "R102")] {
        write(dir.path(), "pack/r.rhai", text);
        let live = LiveRules::start(dir.path(), RuleOptions::default(), last_good)
            .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
        assert_eq!(decided(&live.current(), &[]), "assign a");
        let told = told(&dir, &live.diagnostics());
        assert!(told.first().is_some_and(|line| line.contains(code)), "{code}: {told:?}");
        assert_eq!(live.generation_count(), 1);
        write(dir.path(), "pack/r.rhai", &good);
        assert_eq!(live.try_reload(), Ok(ReloadResult::Unchanged), "{code}");
        assert_eq!(live.diagnostics(), []);
    }
}

#[test]
fn junk_is_refused_at_the_start() {
    let dir = folder();
    fs::write(dir.path().join("pack/junk.rhai"), [0xFF, 0xFE, 0x00])
        .unwrap_or_else(|error| panic!("{error}"));
    let findings = RuleSet::load(dir.path(), &RuleOptions::default()).err().unwrap_or_default();
    assert_eq!(told(&dir, &findings), ["pack/junk.rhai: R303: is not UTF-8 text"]);
    let findings = LiveRules::start(&dir.path().join("absent"), RuleOptions::default(), || None)
        .err()
        .unwrap_or_default();
    let found = told(&dir, &findings);
    assert!(
        found.first().is_some_and(|line| line.starts_with("absent: R303: cannot be opened: ")),
        "{found:?}"
    );
}

#[test]
fn files_of_editors_are_left_alone() {
    let dir = folder();
    write(dir.path(), "pack/.r.rhai.swp", "junk");
    write(dir.path(), "pack/.#r.rhai", "junk");
    write(dir.path(), "pack/r.rhai~", "junk");
    write(dir.path(), "README.md", "text");
    let set = RuleSet::load(dir.path(), &RuleOptions::default())
        .unwrap_or_else(|findings| panic!("{}", crate::support::shown(&findings)));
    assert_eq!(
        set.facts().iter().map(|facts| facts.version.rule.as_str()).collect::<Vec<_>>(),
        ["pack/r"]
    );
}
