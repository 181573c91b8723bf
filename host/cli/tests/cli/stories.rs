//! Runs every command of the README, the guide to rules and the examples. Each must print the lines
//! that the page shows.
//!
//! A story is made of indented blocks. A line with `$` is given to a shell, in one folder for the
//! whole story. The lines below it are its output, stdout before stderr; `…` stands for anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

struct Step {
    line: usize,
    command: String,
    shown: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_block = false;
    for (at, line) in text.lines().enumerate() {
        match line.strip_prefix("    ") {
            Some(inner) => {
                if let Some(command) = inner.strip_prefix("$ ") {
                    in_block = true;
                    steps.push(Step { line: at + 1, command: command.into(), shown: Vec::new() });
                } else if let Some(step) = steps.last_mut().filter(|_| in_block) {
                    step.shown.push(inner.trim_end().into());
                }
            }
            None => {
                in_block &= line.is_empty();
                steps
                    .last_mut()
                    .filter(|_| in_block)
                    .into_iter()
                    .for_each(|step| step.shown.push(String::new()));
            }
        }
    }
    steps
}

/// Whether a text equals the shown one. Each `…` stands for anything.
fn is_shown(mut text: &str, shown: &str) -> bool {
    let parts: Vec<&str> = shown.split('…').collect();
    let Some((last, before)) = parts.split_last() else { return text.is_empty() };
    for (number, part) in before.iter().enumerate() {
        let at = if number == 0 { text.starts_with(part).then_some(0) } else { text.find(part) };
        let Some(at) = at else { return false };
        text = &text[at + part.len()..];
    }
    if before.is_empty() { text == *last } else { text.ends_with(last) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("{error}"));
    for entry in
        fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten()
    {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)
        } else {
            fs::copy(&path, &target).map(drop).unwrap_or_else(|error| panic!("{error}"))
        }
    }
}

fn tell(story: &Path) {
    let text =
        fs::read_to_string(story).unwrap_or_else(|error| panic!("{}: {error}", story.display()));
    let folder = TempDir::new().unwrap_or_else(|error| panic!("{error}"));
    copy(Path::new("../../examples"), &folder.path().join("examples"));
    copy(Path::new("../../rules"), &folder.path().join("shipped-rules"));
    let binary =
        Path::new(env!("CARGO_BIN_EXE_apportion")).parent().expect("the binary lies in a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{} tells nothing", story.display());
    for step in steps {
        let ran = Command::new("sh")
            .args(["-c", &step.command])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("LC_ALL", "C.UTF-8")
            // All plugins build in one folder, so that their shared dependencies are compiled once.
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-projects"))
            .output()
            .unwrap_or_else(|error| panic!("{error}"));
        let printed = [ran.stdout, ran.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        // The empty lines after a block are not its output.
        let shown = step.shown.join("\n");
        let place = format!("{}:{}: {}", story.display(), step.line, step.command);
        assert!(
            is_shown(printed.join("\n").trim_end(), shown.trim_end()),
            "{place}\nprints\n{}\nand not\n{shown}",
            printed.join("\n")
        );
    }
}

#[test]
fn the_readme_shows_what_happens() {
    tell(Path::new("../../README.md"));
}

#[test]
fn the_guide_to_rules_shows_what_happens() {
    tell(Path::new("../../rules/README.md"));
}

#[test]
fn the_guide_for_vendors_shows_what_happens() {
    tell(Path::new("../../plugin-sdk/GUIDE.md"));
}

#[test]
fn every_example_shows_what_happens() {
    let stories: Vec<PathBuf> = fs::read_dir("../../examples")
        .unwrap_or_else(|error| panic!("{error}"))
        .flatten()
        .map(|entry| entry.path().join("README.md"))
        .collect();
    assert!(!stories.is_empty());
    stories.iter().for_each(|story| tell(story));
}

/// The pages of the company's rules are those that the example's story writes.
#[test]
fn the_pages_of_the_company_s_rules_are_fresh() {
    let folder = TempDir::new().unwrap_or_else(|error| panic!("{error}"));
    copy(Path::new("../../examples/company"), folder.path());
    copy(Path::new("../../rules/company"), &folder.path().join("rules"));
    for arguments in
        [&["run", "--quiet"][..], &["rule", "docs", "--month", "2026-10", "--out", "pages"]]
    {
        let ran = Command::new(env!("CARGO_BIN_EXE_apportion"))
            .args(arguments)
            .current_dir(folder.path())
            .output();
        let ran = ran.unwrap_or_else(|error| panic!("{error}"));
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    let (pages, docs) = (folder.path().join("pages"), Path::new("../../rules/company/docs"));
    if std::env::var_os("UPDATE").is_some() {
        copy(&pages, docs);
    }
    let names = |folder: &Path| {
        let files = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .flatten();
        let mut names: Vec<_> = files.map(|file| file.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(
        names(docs),
        names(&pages),
        "run `UPDATE=1 cargo test -p apportion` and look at the difference"
    );
    for name in names(&pages) {
        let (fresh, shipped) =
            (fs::read_to_string(pages.join(&name)), fs::read_to_string(docs.join(&name)));
        assert!(
            fresh.ok() == shipped.ok(),
            "{name:?} is stale: run `UPDATE=1 cargo test -p apportion` and look at the difference"
        );
    }
}

#[test]
fn dots_stand_for_anything() {
    for (text, shown, expected) in [
        ("a b c", "a b c", true),
        ("a b c", "a … c", true),
        ("a\nb\nc", "…\nc", true),
        ("abc", "a", false),
        ("abc", "…b", false),
        ("abc", "b…", false),
        ("", "", true),
        ("a", "", false),
        ("anything", "…", true),
    ] {
        assert_eq!(is_shown(text, shown), expected, "{text:?} {shown:?}");
    }
}
