//! Lists the shipped rules, so that `apportion init` carries them in the binary.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const RULES: &str = "../../rules/starter";

fn main() -> io::Result<()> {
    let rules = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join(RULES);
    let mut files = Vec::new();
    if rules.is_dir() {
        collect(&rules.canonicalize()?, "", &mut files)?;
    }
    files.sort();
    // The texts themselves and not their paths: another checkout that builds into the same folder has other ones.
    let text = |(name, path): &(String, PathBuf)| fs::read_to_string(path).map(|text| format!("    ({name:?}, {text:?}),\n"));
    let lines: Vec<String> = files.iter().map(text).collect::<io::Result<_>>()?;
    let out = PathBuf::from(std::env::var("OUT_DIR").map_err(io::Error::other)?).join("starter.rs");
    fs::write(out, format!("&[\n{}]\n", lines.concat()))?;
    println!("cargo::rerun-if-changed={RULES}");
    Ok(())
}

/// Rules, cases and tables, each with its path inside the folder.
fn collect(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if [".rhai", ".cases.toml", ".csv"].iter().any(|ending| name.ends_with(ending)) {
            files.push((name, path));
        }
    }
    Ok(())
}
