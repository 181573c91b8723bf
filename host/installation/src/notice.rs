//! Findings as log events and as documents. Each part of a finding is a field of its own.

use domain::diagnostic::{Diagnostic, Location};
use reports::document::DiagnosticDocument;
use serde_json::{Value, json};

/// Logs a finding that stops nothing.
pub fn warn(finding: &Diagnostic) {
    log_warning(None, None, finding);
}

/// Logs a finding about one source of a run.
pub fn warn_of(run: i64, source: &str, finding: &Diagnostic) {
    log_warning(Some(run), Some(source), finding);
}

fn log_warning(run: Option<i64>, source: Option<&str>, finding: &Diagnostic) {
    let location = finding.location.as_ref().map(Location::to_string);
    tracing::warn!(
        run,
        source,
        code = finding.code.text(),
        location = location.as_deref(),
        excerpt = finding.excerpt.as_deref(),
        hint = finding.hint_text().as_deref(),
        "{}",
        finding.message
    );
}

/// Logs a finding that ends a command.
pub fn error(finding: &Diagnostic) {
    let location = finding.location.as_ref().map(Location::to_string);
    tracing::error!(
        code = finding.code.text(),
        location = location.as_deref(),
        excerpt = finding.excerpt.as_deref(),
        hint = finding.hint_text().as_deref(),
        "{}",
        finding.message
    );
}

/// A finding as JSON.
pub fn document(diagnostic: &Diagnostic) -> Value {
    json!(DiagnosticDocument::from(diagnostic))
}
