//! How a source stands as JSON, for the command line and the API alike.

use super::{DayState, SourceStatus, spans};
use domain::period::{Day, instant};
use domain::run::RunId;
use ledger::AttemptFailure;
use serde_json::{Value, json};

impl SourceStatus {
    pub fn document(&self) -> Value {
        let attempt = |(run, at_ms): (RunId, i64)| json!({ "run": run.0, "at": instant(at_ms) });
        json!({
            "name": self.name,
            "plugin": self.plugin.as_ref().map(|plugin| json!({ "name": plugin.name, "version": plugin.version, "digest": plugin.digest })),
            "schedule": self.schedule,
            "due": self.due_ms.map(instant),
            "last_success": self.last_success.map(attempt),
            "last_attempt": self.last_attempt.map(attempt),
            "attempts": self.attempts,
            "failure": self.failure.as_ref().map(failure),
            "has_state": self.has_state,
            "newest_day": self.newest_day.map(|day| day.to_string()),
            "gap_days": self.gaps(),
            "unknown": self.unknown.iter().map(|(start, end, reason)| json!({
                "start_date": start.to_string(), "end_date": end.to_string(), "reason": reason,
            })).collect::<Vec<_>>(),
            "coverage": self.spans().into_iter().map(|(start, end, state)| json!({
                "start_date": start.to_string(), "end_date": end.to_string(), "state": state.name(),
            })).collect::<Vec<_>>(),
        })
    }

    /// Days in a row of one state: first, last, state.
    pub fn spans(&self) -> Vec<(Day, Day, DayState)> {
        spans(self.days.iter().copied())
    }
}

fn failure(failure: &AttemptFailure) -> Value {
    json!({ "code": failure.code, "message": failure.message, "hint": failure.hint })
}
