//! What runs did, for a process that serves: lines of the log, and figures since its start.

use crate::amount_text::counted;
use crate::notice;
use domain::diagnostic::Diagnostic;
use pipeline::report::{RunReport, SourceReport};
use std::sync::{Arc, Mutex, PoisonError};

/// Runs of this process, shared by all that make and show them.
#[derive(Clone, Default)]
pub struct RunLog(Arc<Mutex<RunFigures>>);

/// Sums since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFigures {
    pub runs: u64,
    /// By stage, in milliseconds.
    pub stages_ms: [(&'static str, i64); 3],
    /// Why the latest run came to nothing; none if it posted.
    pub failure: Option<Diagnostic>,
}

impl RunLog {
    pub fn figures(&self) -> RunFigures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs how a run ended, and counts it. `by` says who wanted it.
    pub fn note(&self, by: &str, report: &Result<RunReport, Diagnostic>) {
        let mut figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match report {
            Ok(report) => {
                log(by, report);
                figures.runs += 1;
                let before = figures.stages_ms.map(|(_, ms)| ms);
                figures.stages_ms = report.stages.named();
                for ((_, ms), before) in figures.stages_ms.iter_mut().zip(before) {
                    *ms += before;
                }
                figures.failure = None;
            }
            Err(finding) => {
                notice::warn(finding);
                tracing::warn!(by, "the run came to nothing; the ledger is as it was");
                figures.failure = Some(finding.clone());
            }
        }
    }
}

/// The lines of one run: each source, the first rows that were set aside, and what was posted.
pub fn log(by: &str, report: &RunReport) {
    let run = report.run.0;
    for source in &report.sources {
        log_source(run, source);
    }
    for reason in report.suspense.iter().chain(&report.unresolved) {
        tracing::warn!(run, "not allocated: {reason}");
    }
    for line in report.conservation.iter().filter(|_| report.entries_posted > 0) {
        let (charged, currency) = (line.charged.to_string(), line.currency.code());
        tracing::info!(
            run,
            charged,
            currency,
            "the ledger's charges equal what stands in accounts"
        );
    }
    let stages = report.stages;
    tracing::info!(
        run,
        by,
        days = report.days,
        posted = report.entries_posted,
        reversed = report.entries_reversed,
        unchanged = report.entries_unchanged,
        collect_ms = stages.collect_ms,
        allocate_ms = stages.allocate_ms,
        post_ms = stages.post_ms,
        "run {run} is {}",
        report.state.name()
    );
}

fn log_source(run: i64, source: &SourceReport) {
    let name = source.name.as_str();
    for finding in source.warnings.iter().chain(&source.failure) {
        notice::warn_of(run, name, finding);
    }
    if source.failure.is_some() {
        tracing::warn!(run, source = name, tries = source.tries, "source {name} failed");
        return;
    }
    for row in &source.rejected {
        let (location, reason) = (row.location.as_str(), row.reason.as_str());
        tracing::warn!(run, source = name, place = location, "row set aside: {reason}");
    }
    let more = source.set_aside.saturating_sub(source.rejected.len() as u64);
    if more > 0 {
        tracing::warn!(
            run,
            source = name,
            "{} set aside too; GET /api/v1/runs/{run} lists them",
            counted(more, "row was", "rows were")
        );
    }
    tracing::info!(
        run,
        source = name,
        charges = source.charges,
        usage_rows = source.usage.rows,
        set_aside = source.set_aside,
        days_new = source.days_new,
        days_changed = source.days_changed,
        "collected {name}"
    );
}
