//! Why a server or store could not be read, in two forms: for the plugin and for the operator.

use crate::secret::Blots;
use domain::code::{self, Code};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;

/// The part that a plugin is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
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

impl FailureKind {
    /// As the contract of plugins spells it.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::Config => "config",
            FailureKind::Auth => "auth",
            FailureKind::RateLimited(_) => "rate-limited",
            FailureKind::Transient => "transient",
            FailureKind::Unavailable => "unavailable",
        }
    }
}

/// Holds no secret: every constructor is given words without one.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub kind: FailureKind,
    /// The part for the operator, with the line that mends it.
    pub diagnostic: Diagnostic,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { kind, diagnostic: Diagnostic::new(code_of(kind), message) }
    }

    /// The operator does not allow it; `hint` is the line that would.
    pub fn denied(message: impl Into<String>, hint: impl Into<Hint>) -> Failure {
        Failure {
            kind: FailureKind::Config,
            diagnostic: Diagnostic::new(code::PLUGIN_DENIED, message).hint(hint),
        }
    }

    pub fn hint(self, hint: impl Into<Hint>) -> Failure {
        Failure { diagnostic: self.diagnostic.hint(hint), ..self }
    }

    /// The same failure without the secrets of its requests: a server may have repeated them.
    pub(crate) fn without(self, blots: &Blots) -> Failure {
        Failure { diagnostic: blots.diagnostic(self.diagnostic), ..self }
    }
}

fn code_of(kind: FailureKind) -> Code {
    match kind {
        FailureKind::Config => code::PLUGIN_CONFIG,
        FailureKind::Auth
        | FailureKind::RateLimited(_)
        | FailureKind::Transient
        | FailureKind::Unavailable => code::PLUGIN_FAILED,
    }
}
