//! Files of a crate may import each other in a circle only in small groups.

use crate::{expect_none, root, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const CIRCLE_MAX: usize = 3;

/// A module's path inside its crate, such as `["command", "run"]`.
type Module = Vec<String>;

/// The module of a file below `src`.
fn module(path: &Path) -> Module {
    let mut parts: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// Every path of a text that begins with `crate::` or `super::`, groups in braces taken apart.
fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            // `super::super::` is found at its start.
            let is_inside = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            if !is_inside && !text[..at].ends_with("::") {
                expand(&text[at..], String::new(), &mut found);
            }
        }
    }
    found
}

/// Reads a path or a tree of paths, and answers with the rest of the text.
fn expand<'a>(text: &'a str, prefix: String, found: &mut Vec<String>) -> &'a str {
    let end = text
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':')
        .unwrap_or(text.len());
    let (path, mut rest) = (format!("{prefix}{}", &text[..end]), &text[end..]);
    let Some(group) = rest.strip_prefix('{').filter(|_| path.ends_with("::")) else {
        found.push(path);
        return rest;
    };
    rest = group.trim_start();
    while !rest.starts_with('}') && !rest.is_empty() {
        let left = rest.len();
        rest = expand(rest, path.clone(), found).trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        if rest.len() == left {
            break;
        }
    }
    rest.strip_prefix('}').unwrap_or(rest)
}

/// The file that a path of a module leads to: the longest beginning that is a file.
fn target(from: &Module, path: &str, files: &BTreeSet<Module>) -> Option<Module> {
    let mut to: Module = from.clone();
    let mut words = path.split("::").filter(|word| !word.is_empty()).peekable();
    if words.next_if_eq(&"crate").is_some() {
        to.clear();
    }
    while words.next_if_eq(&"super").is_some() {
        to.pop();
    }
    to.extend(words.map(str::to_owned));
    while !to.is_empty() && !files.contains(&to) {
        to.pop();
    }
    files.contains(&to).then_some(to)
}

/// All that can be reached from a module.
fn reached(from: &Module, uses: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Module> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from.clone()]);
    while let Some(module) = open.pop() {
        for next in uses.get(&module).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

/// Groups of files that can all reach each other, the largest first.
fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        uses.keys().map(|module| (module, reached(module, uses))).collect();
    let circle = |module: &Module| -> BTreeSet<Module> {
        let ahead = reach.get(module).into_iter().flatten();
        let both = ahead.filter(|next| reach.get(next).is_some_and(|back| back.contains(module)));
        both.cloned().collect()
    };
    let all: BTreeSet<BTreeSet<Module>> = uses.keys().map(circle).collect();
    let mut all: Vec<BTreeSet<Module>> = all.into_iter().filter(|found| found.len() > 1).collect();
    all.sort_by_key(|found| std::cmp::Reverse(found.len()));
    all
}

/// The uses between the files of each crate of the host.
fn crates() -> BTreeMap<String, BTreeMap<Module, BTreeSet<Module>>> {
    let mut texts: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
    for (path, text) in rust_files() {
        let path = path.strip_prefix(root().join("host")).unwrap_or(&path).to_path_buf();
        let mut parts = path.iter();
        let (Some(name), Some(folder)) = (parts.next(), parts.next()) else { continue };
        if folder == "src" && !path.ends_with("tests.rs") {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            texts
                .entry(name.to_string_lossy().into_owned())
                .or_default()
                .insert(module(parts.as_path()), code.collect::<Vec<_>>().join("\n"));
        }
    }
    let uses = |texts: BTreeMap<Module, String>| -> BTreeMap<Module, BTreeSet<Module>> {
        let files: BTreeSet<Module> = texts.keys().cloned().collect();
        let of = |(from, text): (&Module, &String)| {
            let to = paths(text).into_iter().filter_map(|path| target(from, &path, &files));
            (from.clone(), to.filter(|to| to != from).collect())
        };
        texts.iter().map(of).collect()
    };
    texts.into_iter().map(|(name, texts)| (name, uses(texts))).collect()
}

#[test]
fn circles_of_files_are_small() {
    let mut findings = Vec::new();
    for (name, uses) in crates() {
        for circle in circles(&uses).into_iter().filter(|circle| circle.len() > CIRCLE_MAX) {
            let files: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
            findings.push(format!("{name}: {} files: {}", files.len(), files.join(", ")));
        }
    }
    expect_none("circles of files", findings);
}

#[test]
fn a_circle_is_found() {
    let found = |texts: &[(&str, &str)]| {
        let files: BTreeSet<Module> =
            texts.iter().map(|(name, _)| module(Path::new(name))).collect();
        let uses = texts.iter().map(|(name, text)| {
            let from = module(Path::new(name));
            let to = paths(text).into_iter().filter_map(|path| target(&from, &path, &files));
            (from.clone(), to.collect())
        });
        circles(&uses.collect()).iter().map(BTreeSet::len).collect::<Vec<_>>()
    };
    let first = ("a.rs", "use crate::{b::{One, Two}, d};");
    assert_eq!(
        found(&[first, ("b.rs", "use crate::c::Three;"), ("c.rs", ""), ("d.rs", "")]),
        Vec::<usize>::new()
    );
    assert_eq!(
        found(&[first, ("b.rs", "use super::c::Three;"), ("c.rs", "crate::a::f()"), ("d.rs", "")]),
        [3]
    );
}
