//! How a source stands, as it is shown.

use crate::coverage::read::{DayState, SourceStatus};
use crate::document::{DateText, PluginDocument, TimeText};
use domain::period::Day;
use domain::run::RunId;
use ledger::AttemptFailure;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Source")]
pub struct SourceDocument {
    name: String,
    /// As it was in the last attempt.
    plugin: Option<PluginDocument>,
    /// As cron has it, in UTC.
    schedule: Option<String>,
    /// When the server collects it; in the past where it is overdue.
    due: Option<TimeText>,
    last_success: Option<AttemptDocument>,
    last_attempt: Option<AttemptDocument>,
    attempts: u64,
    /// Why the last attempt failed; null if it did not.
    failure: Option<SourceFailureDocument>,
    /// Whether its plugin left something for the next collection.
    has_state: bool,
    /// The newest day with charges or usage.
    newest_day: Option<DateText>,
    /// Days that were asked for without success, or never.
    gap_days: u64,
    /// Days without charges that the source says it does not know, and why.
    unknown: Vec<UnknownDaysDocument>,
    /// Days in a row of one state.
    coverage: Vec<CoverageDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
struct AttemptDocument {
    run: i64,
    at: TimeText,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SourceFailure")]
struct SourceFailureDocument {
    code: String,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UnknownDays")]
struct UnknownDaysDocument {
    start_date: DateText,
    end_date: DateText,
    reason: String,
}

/// A gap is of unknown cost, which is not zero; an empty day was asked for and had none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Coverage")]
struct CoverageDocument {
    start_date: DateText,
    end_date: DateText,
    #[schemars(extend("enum" = DayState::ALL.map(DayState::name)))]
    state: &'static str,
}

impl From<&SourceStatus> for SourceDocument {
    fn from(status: &SourceStatus) -> SourceDocument {
        let attempt =
            |(run, at_ms): (RunId, i64)| AttemptDocument { run: run.0, at: TimeText::at(at_ms) };
        let unknown = |(first, last, reason): &(Day, Day, String)| UnknownDaysDocument {
            start_date: (*first).into(),
            end_date: (*last).into(),
            reason: reason.clone(),
        };
        let coverage = |(first, last, state): (Day, Day, DayState)| CoverageDocument {
            start_date: first.into(),
            end_date: last.into(),
            state: state.name(),
        };
        SourceDocument {
            name: status.name.clone(),
            plugin: status.plugin.as_ref().map(PluginDocument::from),
            schedule: status.schedule.clone(),
            due: status.due_ms.map(TimeText::at),
            last_success: status.last_success.map(attempt),
            last_attempt: status.last_attempt.map(attempt),
            attempts: status.attempts,
            failure: status.failure.as_ref().map(SourceFailureDocument::from),
            has_state: status.has_state,
            newest_day: status.newest_day.map(DateText::from),
            gap_days: status.gaps() as u64,
            unknown: status.unknown.iter().map(unknown).collect(),
            coverage: status.spans().into_iter().map(coverage).collect(),
        }
    }
}

impl SourceDocument {
    /// Without the hint of the failure: the ledger keeps hints in the words of a terminal.
    pub fn for_client(mut self) -> SourceDocument {
        self.failure = self.failure.map(|failure| SourceFailureDocument { hint: None, ..failure });
        self
    }
}

impl From<&AttemptFailure> for SourceFailureDocument {
    fn from(failure: &AttemptFailure) -> SourceFailureDocument {
        let AttemptFailure { code, message, hint } = failure.clone();
        SourceFailureDocument { code, message, hint }
    }
}
