//! Takes the rules of a folder into use: they compile, and their cases pass.
//!
//! Whoever posts or plans takes rules here, so that all of them use and refuse the same ones.

use crate::cases;
use crate::code::CASE_FAILED;
use crate::folder::{self, Folder};
use crate::options::{FailingCases, RuleOptions};
use crate::set::RuleSet;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use std::path::Path;

/// Rules to be used.
pub struct Intake {
    pub set: RuleSet,
    /// The failures of cases, where they refuse nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Takes the rules of a folder.
pub fn load(dir: &Path, options: &RuleOptions) -> Result<Intake, Vec<Diagnostic>> {
    take(&folder::read(dir)?, options)
}

pub(crate) fn take(folder: &Folder, options: &RuleOptions) -> Result<Intake, Vec<Diagnostic>> {
    let set = RuleSet::from_folder(folder, options)?;
    let mut failures = cases::run_files(&folder.cases, &set).failures;
    if failures.is_empty() || options.failing_cases == FailingCases::Warn {
        return Ok(Intake { set, warnings: failures });
    }
    let hint = Hint::text("mend the rules or the cases, and look with ")
        .then(Hint::command("rule test"))
        .then("; or let such rules be used: ")
        .then(Hint::setting("failing_cases = \"warn\""));
    let message = "rules whose cases fail are not used";
    failures.push(Diagnostic::new(CASE_FAILED, message).at(&folder.label, 0, 0).hint(hint));
    Err(failures)
}
