//! Lists the shipped rules and the templates of plugins, so that `apportion init` and `apportion
//! plugin new` carry them in the binary.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const RULES: &str = "../../rules/starter";
const RULE_ENDINGS: &[&str] = &[".rhai", ".cases.toml", ".csv"];
const SDK: &str = "../../plugin-sdk";
/// What of the SDK goes into a new plugin's project.
const SDK_PARTS: [&str; 4] = ["template", "src", "wit", "README.md"];

fn main() -> io::Result<()> {
    let package = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let rules = package.join(RULES);
    let mut files = Vec::new();
    if rules.is_dir() {
        collect(&rules.canonicalize()?, "", RULE_ENDINGS, &mut files)?;
    }
    list(files, "starter.rs")?;
    println!("cargo::rerun-if-changed={RULES}");
    let mut files = Vec::new();
    for part in SDK_PARTS {
        let path = package.join(SDK).join(part);
        if path.is_dir() {
            collect(&path, &format!("{part}/"), &[""], &mut files)?
        } else {
            files.push((part.into(), path))
        }
        println!("cargo::rerun-if-changed={SDK}/{part}");
    }
    list(files, "template.rs")
}

/// Writes a list of names with their texts, to be included.
fn list(mut files: Vec<(String, PathBuf)>, name: &str) -> io::Result<()> {
    files.sort();
    // The texts themselves and not their paths: another checkout that builds into the same folder
    // has other ones.
    let text = |(name, path): &(String, PathBuf)| {
        fs::read_to_string(path).map(|text| format!("    ({name:?}, {text:?}),\n"))
    };
    let lines: Vec<String> = files.iter().map(text).collect::<io::Result<_>>()?;
    let out = PathBuf::from(std::env::var("OUT_DIR").map_err(io::Error::other)?).join(name);
    fs::write(out, format!("&[\n{}]\n", lines.concat()))
}

/// Files with one of the endings, each with its path inside the folder.
fn collect(
    dir: &Path,
    prefix: &str,
    endings: &[&str],
    files: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), endings, files)?;
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push((name, path));
        }
    }
    Ok(())
}
