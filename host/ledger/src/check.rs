//! Verification: the journal is checked against itself. Nothing here trusts a stored total, digest
//! or number; each is computed again.
//!
//! Findings are collected and not returned at once, so that one damaged place does not hide the
//! others.

mod chain;
mod references;
mod source_days;

use crate::code;
use crate::digest::START;
use crate::error::{Stored, corrupt};
use crate::row;
use crate::{Reader, Result, VerifyReport};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;

/// The most findings of a report. More would say nothing new.
const FINDINGS_MAX: usize = 200;

/// One step of the verification. Its error becomes a finding too.
type Step = fn(&Reader, &mut VerifyReport) -> Result<()>;

impl Reader {
    /// Checks the file, the chains and the entries, and that the postings fit the collected
    /// charges.
    pub fn verify(&self, progress: &mut dyn FnMut(&str)) -> Result<VerifyReport> {
        // All steps must read one state, also while a run commits.
        let pins = self.connection.is_autocommit();
        if pins {
            self.connection.execute_batch("BEGIN").stored()?;
        }
        let report = self.verify_pinned(progress);
        if pins {
            self.connection.execute_batch("ROLLBACK").stored()?;
        }
        report
    }

    fn verify_pinned(&self, progress: &mut dyn FnMut(&str)) -> Result<VerifyReport> {
        let mut report = VerifyReport {
            entries: 0,
            postings: 0,
            source_days: 0,
            charges: 0,
            findings: Vec::new(),
            head: START,
        };
        let steps: [(&str, Step); 9] = [
            ("the file", Reader::check_file),
            ("the chain of entries", Reader::check_entries),
            ("the seals of runs", Reader::check_seals),
            ("closed periods", Reader::check_periods),
            ("approvals", Reader::check_approvals),
            ("forgotten states", Reader::check_resets),
            ("rules and decisions", Reader::check_references),
            ("charges and postings", Reader::check_source_days),
            ("usage", |ledger, report| ledger.check_usage(&mut |finding| report.find(finding))),
        ];
        for (name, step) in steps {
            progress(name);
            if let Err(error) = step(self, &mut report) {
                report.find(error.message);
            }
        }
        report.findings.truncate(FINDINGS_MAX);
        Ok(report)
    }

    fn check_file(&self, report: &mut VerifyReport) -> Result<()> {
        let damages = row::rows(&self.connection, "PRAGMA integrity_check(20)", [], |row| {
            row::cell::<String>(row, 0)
        })?;
        for damage in damages.into_iter().filter(|damage| damage != "ok") {
            report.find(format!("the file is damaged: {damage}"));
        }
        let orphans = row::rows(&self.connection, "PRAGMA foreign_key_check", [], |row| {
            Ok((
                row::cell::<String>(row, 0)?,
                row::cell::<Option<i64>>(row, 1)?,
                row::cell::<String>(row, 2)?,
            ))
        })?;
        for (table, rowid, parent) in orphans.into_iter().take(FINDINGS_MAX) {
            let place = rowid.map_or_else(String::new, |rowid| format!(" {rowid}"));
            report.find(format!("{table}{place} names a {parent} that does not exist"));
        }
        Ok(())
    }
}

impl VerifyReport {
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, message: String) {
        if self.findings.len() <= FINDINGS_MAX {
            self.findings.push(corrupt(message));
        }
    }

    fn find_unposted(&mut self, message: String) {
        self.findings.push(Diagnostic::new(code::LEDGER_CORRUPT, message).hint(
            Hint::text("run ").then(Hint::command("run")).then(", which posts what was collected"),
        ));
    }
}
