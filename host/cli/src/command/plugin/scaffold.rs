//! `plugin new`: a project that builds and passes its tests at once, out of the templates in the
//! binary.

use super::project::is_name;
use crate::command::init;
use crate::command::plugin::project::PluginLanguage;
use crate::error::Failure;
use crate::ui::Ui;
use domain::hint::Hint;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct NewPluginArgs {
    /// The plugin's name: small letters, digits and hyphens
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What the plugin does
    #[arg(long, value_enum, default_value_t)]
    pub kind: PluginKind,
    /// What it is written in
    #[arg(long, value_enum, default_value_t)]
    pub lang: PluginLanguage,
    /// Folder to write to, instead of one with the plugin's name
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PluginKind {
    /// Says what a source charged
    #[default]
    Collector,
    /// Says by which weights a shared cost is split
    Allocator,
}

/// Parts of the plugin SDK by their path in it: templates, Rust sources, contract.
const PARTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/template.rs"));
/// The contract that new projects get.
const CONTRACT: &str = "wit/since-v0.2.0/";
/// Folders that `plugin build` and the tools of its languages leave behind.
const IGNORED: &str = "/target\n/*.wasm\n/.venv\n/node_modules\n__pycache__\n";

pub fn new(ui: Ui, args: &NewPluginArgs) -> Result<(), Failure> {
    if !is_name(&args.name) {
        let message = format!(
            "'{}' cannot name a plugin: small letters, digits and hyphens can, and a letter comes \
                first\n\nhint: `apportion plugin new coffee-bill`",
            args.name
        );
        return Err(Failure::Usage(message));
    }
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let files: Vec<(PathBuf, String)> =
        files(args).into_iter().map(|(path, text)| (dir.join(path), text)).collect();
    let borrowed: Vec<(PathBuf, &str)> =
        files.iter().map(|(path, text)| (path.clone(), text.as_str())).collect();
    init::write_new(
        &borrowed,
        Hint::text("choose another name or folder: ")
            .then(Hint::command("plugin new NAME --dir FOLDER")),
    )?;
    ui.note(&format!("wrote {} files to {}", files.len(), dir.display()));
    ui.note(&format!(
        "next: {}`apportion plugin build {dir}` and `apportion plugin test {dir}`",
        first_step(args.lang, &dir),
        dir = dir.display()
    ));
    Ok(())
}

/// The tools that the first build needs.
fn first_step(language: PluginLanguage, dir: &std::path::Path) -> String {
    match language {
        PluginLanguage::Rust => String::new(),
        PluginLanguage::Python => {
            let venv = dir.join(".venv");
            format!(
                "`python3 -m venv {venv} && {venv}/bin/pip install componentize-py==0.25.1`, then ",
                venv = venv.display()
            )
        }
        PluginLanguage::Javascript => format!("`npm install --prefix {}`, then ", dir.display()),
    }
}

/// All files of a new project, by their path in it.
fn files(args: &NewPluginArgs) -> Vec<(String, String)> {
    let kind = match args.kind {
        PluginKind::Collector => "collector",
        PluginKind::Allocator => "allocator",
    };
    let mut files = vec![(".gitignore".to_owned(), IGNORED.to_owned())];
    for (part, text) in PARTS {
        if let Some(path) = path_of(part, kind, args.lang) {
            files.push((path, named(text, &args.name)));
        }
    }
    files
}

/// Where a part of the SDK belongs in a project of this kind and language, if it does.
fn path_of(part: &str, kind: &str, language: PluginLanguage) -> Option<String> {
    let of_kind = |folder: &str| part.strip_prefix(&format!("template/{folder}{kind}/"));
    if let Some(file) = of_kind("") {
        return match (file, language) {
            // The Rust SDK brings a world of its own; the linker keeps only what is used.
            ("plugin.wit", PluginLanguage::Rust) => None,
            ("plugin.wit", _) => Some("wit/plugin.wit".into()),
            (file, _) => Some(file.into()),
        };
    }
    match language {
        PluginLanguage::Rust => match part.strip_prefix("template/rust/") {
            Some("sdk.toml") => Some("sdk/Cargo.toml".into()),
            Some(file) if !file.contains('/') => Some(file.into()),
            Some(_) => of_kind("rust/").map(|file| format!("src/{file}")),
            None => {
                let is_of_another_contract =
                    part.starts_with("wit/since-") && !part.starts_with(CONTRACT);
                (!part.starts_with("template/") && !is_of_another_contract)
                    .then(|| format!("sdk/{part}"))
            }
        },
        PluginLanguage::Python => of_language(part, "python", kind),
        PluginLanguage::Javascript => of_language(part, "javascript", kind),
    }
}

fn of_language(part: &str, language: &str, kind: &str) -> Option<String> {
    if let Some(interface) = part.strip_prefix(CONTRACT) {
        return Some(format!("wit/{interface}"));
    }
    let file = part.strip_prefix(&format!("template/{language}/"))?;
    match file.split_once('/') {
        None => Some(file.into()),
        Some((folder, file)) => (folder == kind).then(|| file.into()),
    }
}

/// The templates call the plugin `my-plugin`, in each spelling.
fn named(text: &str, name: &str) -> String {
    let camel: String = name.split('-').map(capitalized).collect();
    text.replace("my-plugin", name)
        .replace("my_plugin", &name.replace('-', "_"))
        .replace("MyPlugin", &camel)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(kind: PluginKind, lang: PluginLanguage) -> Vec<String> {
        let args = NewPluginArgs { name: "coffee-bill".into(), kind, lang, dir: None };
        let mut paths: Vec<String> = files(&args).into_iter().map(|(path, _)| path).collect();
        paths.sort();
        paths
    }

    #[test]
    fn a_project_has_what_its_language_and_kind_need() {
        let own = |paths: Vec<String>| {
            paths
                .into_iter()
                .filter(|path| !path.starts_with("sdk/") && !path.starts_with("wit/"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            own(paths(PluginKind::Collector, PluginLanguage::Rust)),
            [
                ".gitignore",
                "Cargo.lock",
                "Cargo.toml",
                "cassettes/march.json",
                "config-schema.json",
                "conformance.toml",
                "src/lib.rs"
            ]
        );
        assert_eq!(
            own(paths(PluginKind::Allocator, PluginLanguage::Python)),
            [
                ".gitignore",
                "app.py",
                "config-schema.json",
                "conformance.toml",
                "pyproject.toml",
                "share.py",
                "test_share.py"
            ]
        );
        assert!(
            paths(PluginKind::Collector, PluginLanguage::Rust)
                .contains(&"sdk/wit/since-v0.2.0/types.wit".into())
        );
        assert!(
            !paths(PluginKind::Collector, PluginLanguage::Rust)
                .contains(&"sdk/wit/since-v0.1.0/types.wit".into())
        );
        assert!(
            paths(PluginKind::Collector, PluginLanguage::Javascript)
                .contains(&"wit/plugin.wit".into())
        );
    }

    #[test]
    fn every_spelling_of_the_name_is_changed() {
        assert_eq!(
            named("my-plugin my_plugin MyPlugin", "coffee-bill"),
            "coffee-bill coffee_bill CoffeeBill"
        );
    }
}
