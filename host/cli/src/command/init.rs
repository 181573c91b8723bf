//! `init`: a settings file and the starter rules.

use crate::error::Failure;
use crate::ui::Ui;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use installation::{file, settings};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct InitArgs {
    /// Folder to write to
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// The commented settings file that `init` writes.
const DEFAULTS: &str = include_str!("../defaults.toml");
/// The shipped rules, by their path inside the rules folder.
const STARTER: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/starter.rs"));

pub fn init(ui: Ui, args: &InitArgs) -> Result<(), Failure> {
    // Without the "./" in front of every name that is shown.
    let dir = if args.dir == Path::new(".") { Path::new("") } else { &args.dir };
    let mut files = vec![(dir.join(settings::FILE), DEFAULTS)];
    files.extend(starter(&dir.join("rules")));
    let instead = Hint::command("init OTHER-FOLDER").then(", or remove what is there");
    write_new(&files, instead)?;
    for (path, _) in &files {
        ui.note(&format!("wrote {}", path.display()));
    }
    let bills = dir.join("bills");
    fs::create_dir_all(&bills).map_err(|error| file::unwritable(&bills, &error))?;
    ui.note(&format!("next: put FOCUS bills into {}, then `apportion run`", bills.display()));
    Ok(())
}

/// The starter rules as they are to be written below `rules`.
pub fn starter(rules: &Path) -> Vec<(PathBuf, &'static str)> {
    STARTER.iter().map(|(name, text)| (rules.join(name), *text)).collect()
}

/// Writes all files, or none if one of them is there. `instead` is the hint in that case.
pub fn write_new(files: &[(PathBuf, &str)], instead: impl Into<Hint>) -> Result<(), Diagnostic> {
    let there: Vec<String> = files
        .iter()
        .filter(|(path, _)| path.exists())
        .map(|(path, _)| path.display().to_string())
        .collect();
    if let Some(first) = there.first() {
        let more =
            if there.len() > 1 { format!(" and {} more", there.len() - 1) } else { String::new() };
        return Err(Diagnostic::new(
            code::CONFIG_EXISTS,
            format!("{first}{more} would be overwritten; nothing was written"),
        )
        .hint(instead));
    }
    let files: Vec<(&Path, &str)> =
        files.iter().map(|(path, text)| (path.as_path(), *text)).collect();
    file::write_all(&files)
}
