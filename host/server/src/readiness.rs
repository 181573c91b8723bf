//! Reasons why the server is not ready, as a problem lists them.

use domain::code::Family;
use domain::diagnostic::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;

/// One reason why the server is not ready.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReadinessFault {
    pub part: Part,
    /// Its name, if the part is a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub source: Option<String>,
    /// Of the catalogue of errors; stable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub code: Option<String>,
    pub message: String,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Part {
    Rules,
    Settings,
    Ledger,
    Run,
    Source,
}

impl ReadinessFault {
    /// Rules are shown with their place, as the API's list of rules shows them. Of settings a
    /// client learns the code: their words can be of this machine.
    pub fn of(part: Part, finding: Diagnostic) -> ReadinessFault {
        let code = finding.code;
        let message = match (code.family(), finding.location) {
            (Family::Rules, Some(place)) => format!("{place}: {}", finding.message),
            (Family::Rules, None) => finding.message,
            _ => code.meaning().to_owned(),
        };
        ReadinessFault { part, source: None, code: Some(code.text().to_owned()), message }
    }
}
