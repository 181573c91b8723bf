//! House rules that the compiler does not know: the uses between crates, the lengths of files,
//! functions and lines, and banned words.

mod arrows;
mod catalogue;
mod circles;
mod contract;
mod dependencies;
mod source;
mod text;
mod type_names;

use std::path::{Path, PathBuf};

/// The project's root.
fn root() -> PathBuf {
    Path::new("..").canonicalize().expect("cargo starts a test in its package")
}

/// All files of the project below `folder`, build outputs left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if name.starts_with(".git") && name != ".gitignore"
                || name == "target"
                || name == "node_modules"
                || name == "__pycache__"
            {
                continue;
            }
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let root = root();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let all = ["host", "plugin-sdk", "plugins", "tests"]
        .iter()
        .flat_map(|folder| files(&root.join(folder)));
    all.filter(is_rust)
        .filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)))
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails if there are findings, with one line for each.
fn expect_none(what: &str, findings: Vec<String>) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}
