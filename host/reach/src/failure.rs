//! Why something outside could not be had: what the plugin is told, and what the operator is.

use domain::code::{self, Code};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;

/// What a plugin can make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The settings or the grants do not allow it, or are wrong. Trying again does not help.
    Config,
    /// Credentials were refused.
    Auth,
    /// Try again after so many seconds.
    RateLimited(Option<u32>),
    /// May work when tried again.
    Transient,
    /// The other side is down.
    Unavailable,
}

/// Holds no secret: whoever makes one sees to that.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub kind: Kind,
    /// Says more than the plugin is told, with the line that mends it.
    pub diagnostic: Diagnostic,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { kind, diagnostic: Diagnostic::new(code_of(kind), message) }
    }

    /// The operator does not allow it; `hint` is the line that would.
    pub fn denied(message: impl Into<String>, hint: impl Into<Hint>) -> Failure {
        Failure {
            kind: Kind::Config,
            diagnostic: Diagnostic::new(code::PLUGIN_DENIED, message).hint(hint),
        }
    }

    pub fn hint(self, hint: impl Into<Hint>) -> Failure {
        Failure { diagnostic: self.diagnostic.hint(hint), ..self }
    }
}

fn code_of(kind: Kind) -> Code {
    match kind {
        Kind::Config => code::PLUGIN_CONFIG,
        Kind::Auth | Kind::RateLimited(_) | Kind::Transient | Kind::Unavailable => {
            code::PLUGIN_FAILED
        }
    }
}
