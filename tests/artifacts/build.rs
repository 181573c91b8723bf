//! Compiles the test plugins and writes one constant for each. A test lists the constants, so it
//! finds a plugin that no test uses.

#[path = "../../host/bundled-plugins/build/guests.rs"]
mod guests;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), String> {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?)
            .join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    println!("cargo::rerun-if-changed=../../tests/test-plugins");
    let names = examples(&root.join("tests/test-plugins/examples"))?;
    let built = guests::build(&root, &["--package", "test-plugins", "--examples"])?;
    let mut code = String::new();
    for name in &names {
        let component = out.join(format!("{name}.wasm"));
        guests::componentize(&built.join("examples").join(format!("{name}.wasm")), &component)?;
        let constant = name.to_uppercase();
        writeln!(code, "pub const {constant}: &[u8] = include_bytes!({component:?});")
            .map_err(|error| error.to_string())?;
    }
    let all: Vec<String> =
        names.iter().map(|name| format!("({name:?}, {})", name.to_uppercase())).collect();
    writeln!(
        code,
        "/// Every test plugin by its name.\npub const ALL: &[(&str, &[u8])] = &[{}];",
        all.join(", ")
    )
    .map_err(|error| error.to_string())?;
    writeln!(code, "/// The name of every test plugin.\npub const NAMES: &[&str] = &{names:?};")
        .map_err(|error| error.to_string())?;
    fs::write(out.join("artifacts.rs"), code).map_err(|error| format!("artifacts.rs: {error}"))
}

fn examples(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| stem(entry.path())).collect();
    names.sort();
    Ok(names)
}
