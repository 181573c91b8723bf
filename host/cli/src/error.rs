//! Turns failures into words and an exit code: the one place that decides how an error looks.

use crate::code;
use crate::log;
use crate::ui::{self, finding_text};
use domain::code::Fault;
use domain::diagnostic::Diagnostic;
use installation::notice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// The reason for which a command failed.
#[derive(Clone, Debug)]
pub enum Failure {
    Diagnosed(Vec<Diagnostic>),
    /// The command line's own words, usage included.
    Usage(String),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Failure {
        Failure::Diagnosed(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Failure {
        Failure::Diagnosed(diagnostics)
    }
}

/// Runs `command`; whatever happens, the process ends with a documented exit code.
pub fn guarded(command: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let exit = match catch_unwind(AssertUnwindSafe(command)) {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => {
            show(&failure);
            exit_code(&failure)
        }
        Err(panic) => {
            show(&Failure::from(bug(panic.as_ref())));
            Fault::Bug.exit_code()
        }
    };
    ExitCode::from(exit)
}

fn bug(panic: &(dyn std::any::Any + Send)) -> Diagnostic {
    let reason = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "no reason was given".to_owned(),
    };
    Diagnostic::new(
        domain::code::INTERNAL,
        format!(
            "an invariant did not hold: {reason}; nothing \
        was posted by this command since its last commit"
        ),
    )
    .hint("this is a fault of Apportion: report the command and this message")
}

fn exit_code(failure: &Failure) -> u8 {
    let Failure::Diagnosed(diagnostics) = failure else { return Fault::Usage.exit_code() };
    let faults: Vec<Fault> = diagnostics.iter().map(|diagnostic| diagnostic.code.fault()).collect();
    let worst = [Fault::Bug, Fault::Usage, Fault::User, Fault::Incomplete]
        .into_iter()
        .find(|fault| faults.contains(fault));
    worst.unwrap_or(Fault::Bug).exit_code()
}

fn show(failure: &Failure) {
    match failure {
        _ if !log::form().is_json => ui::failure(&failure_text(failure)),
        Failure::Diagnosed(findings) => findings.iter().for_each(notice::error),
        Failure::Usage(text) => notice::error(&usage_finding(text)),
    }
}

/// Words of the command line as a finding: the fault first, and how to write it as a hint.
fn usage_finding(text: &str) -> Diagnostic {
    let text = bare_usage(text);
    match text.split_once("\n\n") {
        Some((fault, usage)) => Diagnostic::new(code::USAGE, fault).hint(usage.trim_start()),
        None => Diagnostic::new(code::USAGE, text),
    }
}

fn bare_usage(text: &str) -> &str {
    text.trim_start_matches("error: ").trim_end()
}

fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::Usage(text) => format!("error: {}: {}\n", code::USAGE, bare_usage(text)),
        Failure::Diagnosed(diagnostics) => diagnostics
            .iter()
            .map(|diagnostic| titled("error", diagnostic))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// A finding, titled `error` or `warning`.
fn titled(title: &str, diagnostic: &Diagnostic) -> String {
    let bare = Diagnostic { hint: None, ..diagnostic.clone() };
    finding_text(title, &bare.to_string(), diagnostic.hint_text().as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_stands_behind_an_empty_line() {
        let diagnostic =
            Diagnostic::new(domain::code::CONFIG_VALUE, "no").at("a.toml", 1, 2).hint("do `x`");
        assert_eq!(titled("error", &diagnostic), "error: a.toml:1:2: C104: no\n\nhint: do `x`\n");
    }

    #[test]
    fn what_nobody_sees_in_a_finding_is_written_out() {
        let diagnostic = Diagnostic::new(domain::code::CONFIG_VALUE, "no account 'a\u{200B}b'")
            .hint("look at 'a\u{A0}b'");
        assert_eq!(
            titled("error", &diagnostic),
            "error: C104: no account 'a\\u{200b}b'\n\nhint: look at 'a\\u{a0}b'\n"
        );
    }

    #[test]
    fn the_worst_fault_decides_the_exit_code() {
        let of = |codes: &[domain::code::Code]| {
            exit_code(&Failure::Diagnosed(
                codes.iter().map(|code| Diagnostic::new(*code, "")).collect(),
            ))
        };
        assert_eq!(of(&[code::RUN_INCOMPLETE]), 3);
        assert_eq!(of(&[code::RUN_INCOMPLETE, domain::code::CONFIG_VALUE]), 1);
        assert_eq!(of(&[domain::code::CONFIG_VALUE, domain::code::CONSERVATION]), 70);
        assert_eq!(exit_code(&Failure::Usage("x".into())), 2);
    }
}
