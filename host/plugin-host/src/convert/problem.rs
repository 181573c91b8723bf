//! Errors of guests → diagnostics for people.

use super::config_hint::in_config;
use crate::printable::printable;
use crate::wit::bindings::types as wit;
use domain::code;
use domain::code::Code;
use domain::diagnostic::{Diagnostic, Retry};

/// A failure that the plugin reported, stamped with who it is. `settings` are the names of its own
/// settings.
pub fn of_error(error: wit::Error, label: &str, settings: &[String]) -> Diagnostic {
    let failed =
        |message: String| Diagnostic::new(code::PLUGIN_FAILED, format!("{label} {message}"));
    match error {
        wit::Error::Config(problem) => with_code(code::PLUGIN_CONFIG, problem, label, settings),
        wit::Error::MissingColumn(problem) => {
            with_code(decode::code::COLUMN_MISSING, problem, label, settings)
        }
        wit::Error::DuplicateColumn(problem) => {
            with_code(decode::code::COLUMN_DUPLICATE, problem, label, settings)
        }
        wit::Error::Auth(message) => {
            failed(format!("was refused by its source: {}", printable(&message))).hint(
                "look at where the source's secrets are kept: their values may have expired, \
                 or be another account's",
            )
        }
        // A wait of 0 seconds would ask again at once. The host's own waits step in.
        wit::Error::RateLimited(None | Some(0)) => {
            failed("was told by its source that it asks too often".into())
                .hint(
                    "run again later; `requests_per_minute` in the source's section `http` sets \
                 the pace",
                )
                .retry(Retry::Soon)
        }
        wit::Error::RateLimited(Some(seconds)) => {
            failed(format!("was told by its source to come back in {seconds} s"))
                .hint(format!("run again in {seconds} s"))
                .retry(Retry::After(seconds))
        }
        wit::Error::Transient(message) => {
            failed(format!("failed for now: {}", printable(&message)))
                .hint("run again")
                .retry(Retry::Soon)
        }
        wit::Error::Unavailable(message) => {
            failed(format!("cannot reach its source: {}", printable(&message)))
                .hint(
                    "look at the state of the service and at the settings that name it; what is \
                 missing is collected by the next run",
                )
                .retry(Retry::Soon)
        }
        wit::Error::Bug(message) => {
            failed(format!("reports a fault in itself: {}", printable(&message)))
        }
    }
}

/// Something to be mended before the first collection.
pub fn of_problem(problem: wit::Problem, label: &str, settings: &[String]) -> Diagnostic {
    with_code(code::PLUGIN_CONFIG, problem, label, settings)
}

fn with_code(code: Code, problem: wit::Problem, label: &str, settings: &[String]) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(code, format!("{} (says {label})", printable(&problem.message)));
    if let Some(table) = problem.table {
        // A column's name stands in the first line of its table.
        let line = u32::from(problem.column.is_some());
        diagnostic = diagnostic.at(printable(&table), line, 0);
    }
    match problem.hint {
        Some(hint) => diagnostic.hint(in_config(&printable(&hint), settings)),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_may_be_tried_again() {
        let retry = |error| of_error(error, "plugin p", &[]).retry;
        assert_eq!(retry(wit::Error::RateLimited(Some(7))), Retry::After(7));
        assert_eq!(retry(wit::Error::RateLimited(None)), Retry::Soon);
        assert_eq!(retry(wit::Error::Transient("reset".into())), Retry::Soon);
        assert_eq!(retry(wit::Error::Unavailable("down".into())), Retry::Soon);
        assert_eq!(retry(wit::Error::Auth("no".into())), Retry::No);
        assert_eq!(retry(wit::Error::Bug("ours".into())), Retry::No);
    }
}
