//! The sources that the command line names.

use crate::code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use installation::settings::Settings;
use installation::settings::source::SourceSettings;

/// One source, or all of them.
pub fn chosen<'s>(
    settings: &'s Settings,
    name: Option<&str>,
) -> Result<Vec<&'s SourceSettings>, Diagnostic> {
    match name {
        Some(name) => Ok(vec![named(settings, name)?]),
        None => Ok(settings.sources().collect()),
    }
}

/// The source of this name.
pub fn named<'s>(settings: &'s Settings, name: &str) -> Result<&'s SourceSettings, Diagnostic> {
    settings.source(name).ok_or_else(|| {
        let message = format!("there is no source '{name}' in the settings");
        let names: Vec<&str> = settings.sources().map(|source| source.name.as_str()).collect();
        Diagnostic::new(code::USAGE, message).hint(
            match did_you_mean(name, names.iter().copied()) {
                Some(meant) => format!("Did you mean `{meant}`?"),
                None => format!("the sources are: {}", names.join(", ")),
            },
        )
    })
}
