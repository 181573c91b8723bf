//! What became of the settings file since it was read: a process that serves goes on with the
//! settings that it began with.

use super::{Need, Settings, SettingsPlace};
use domain::diagnostic::Diagnostic;
use std::fs;
use std::path::PathBuf;

/// The settings file, compared with the one that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsChange {
    None,
    /// Saved since, and good.
    Saved,
    /// Saved since, and refused; or it is gone.
    Broken(Vec<Diagnostic>),
}

impl Settings {
    /// Reads the file again.
    pub fn change(&self) -> SettingsChange {
        // Settings of a command line and the environment alone have no file.
        if self.file.is_empty() || fs::read_to_string(&self.file).is_ok_and(|now| now == self.text)
        {
            return SettingsChange::None;
        }
        let place = SettingsPlace { config: Some(PathBuf::from(&self.file)), ledger: None };
        match Settings::load(&place, Need::File) {
            Ok(_) => SettingsChange::Saved,
            Err(refused) => SettingsChange::Broken(refused.findings),
        }
    }
}
