//! A plugin's project: its folder and its language.

use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use plugin_host::code;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PluginLanguage {
    #[default]
    Rust,
    Python,
    Javascript,
}

/// The file by which a language is known, and which names the plugin.
const MANIFESTS: [(&str, PluginLanguage); 3] = [
    ("Cargo.toml", PluginLanguage::Rust),
    ("pyproject.toml", PluginLanguage::Python),
    ("package.json", PluginLanguage::Javascript),
];

pub struct Project {
    pub dir: PathBuf,
    pub name: String,
    pub language: PluginLanguage,
}

impl Project {
    pub fn open(dir: &Path) -> Result<Project, Diagnostic> {
        let found = MANIFESTS.into_iter().find(|(file, _)| dir.join(file).is_file());
        let Some((file, language)) = found else {
            let files = MANIFESTS.map(|(file, _)| file).join(", ");
            return Err(Diagnostic::new(
                code::PLUGIN_PROJECT,
                format!("{} is no project of a plugin: it has none of {files}", dir.display()),
            )
            .hint(Hint::command("plugin new NAME").then(" writes one")));
        };
        let path = dir.join(file);
        let text = fs::read_to_string(&path).map_err(|error| broken(&path, &error.to_string()))?;
        let name = name(language, &text).map_err(|reason| broken(&path, &reason))?;
        Ok(Project { dir: dir.to_path_buf(), name, language })
    }

    /// Where `plugin build` puts the component.
    pub fn component(&self) -> PathBuf {
        self.dir.join(format!("{}.wasm", self.name))
    }
}

fn broken(path: &Path, reason: &str) -> Diagnostic {
    Diagnostic::new(code::PLUGIN_PROJECT, format!("{} cannot be used: {reason}", path.display()))
        .hint(
            Hint::text("compare it with that of a new project: ")
                .then(Hint::command("plugin new NAME")),
        )
}

fn name(language: PluginLanguage, text: &str) -> Result<String, String> {
    let toml = || {
        toml::from_str::<toml::Value>(text).map_err(|error| error.message().trim_end().to_owned())
    };
    let of_table = |table: &str| {
        Ok::<_, String>(
            toml()?.get(table).and_then(|table| table.get("name")?.as_str().map(str::to_owned)),
        )
    };
    let name = match language {
        PluginLanguage::Rust => of_table("package")?,
        PluginLanguage::Python => of_table("project")?,
        PluginLanguage::Javascript => {
            let package: serde_json::Value =
                serde_json::from_str(text).map_err(|error| error.to_string())?;
            package["name"].as_str().map(str::to_owned)
        }
    };
    match name {
        Some(name) if is_name(&name) => Ok(name),
        Some(name) => Err(format!(
            "'{name}' cannot be the name of a plugin: small letters, digits and hyphens can"
        )),
        None => Err("it does not name the plugin".into()),
    }
}

/// As the manifest of a plugin may have it, and as all three languages take it.
pub fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_plain)
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_names_its_plugin() {
        assert_eq!(name(PluginLanguage::Rust, "[package]\nname = \"coffee\""), Ok("coffee".into()));
        assert_eq!(
            name(PluginLanguage::Python, "[project]\nname = \"coffee\""),
            Ok("coffee".into())
        );
        assert_eq!(name(PluginLanguage::Javascript, r#"{"name": "coffee"}"#), Ok("coffee".into()));
        assert_eq!(
            name(PluginLanguage::Rust, "[workspace]"),
            Err("it does not name the plugin".into())
        );
        assert_eq!(
            name(PluginLanguage::Javascript, r#"{"name": "../x"}"#),
            Err("'../x' cannot be the name of a plugin: small letters, digits and hyphens can"
                .into())
        );
    }
}
