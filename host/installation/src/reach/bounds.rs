//! Values of sections that are out of bounds, or cannot be used otherwise.

use domain::code;
use domain::diagnostic::Diagnostic;
use std::ops::Range;
use std::time::Duration;

/// A value of a section that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub span: Range<usize>,
    pub message: String,
    pub hint: String,
}

/// `timeout_seconds` of a section, within its bounds.
pub fn timeout(
    source: &str,
    section: &str,
    seconds: u64,
    maximum: u64,
) -> Result<Duration, Diagnostic> {
    if seconds == 0 || seconds > maximum {
        let message =
            format!("timeout_seconds = {seconds} of [sources.{source}.{section}] is out of bounds");
        let hint = format!("use 1 to {maximum}");
        return Err(Diagnostic::new(code::CONFIG_VALUE, message).hint(hint));
    }
    Ok(Duration::from_secs(seconds))
}
