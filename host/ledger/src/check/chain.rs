//! Checks every chain from its first link on: entries, runs, period events, approvals and resets.
//!
//! A link's hash covers its content and the hash before it. So a link cannot be changed, removed or
//! put in between without a break. Somebody could compute all later hashes anew; the chain's head,
//! noted elsewhere, shows that.

use crate::digest::{EntryLink, Hash, START, of_link};
use crate::error::Stored;
use crate::intern::{Numbers, Words};
use crate::period::{events, of_event};
use crate::post::stored_digest;
use crate::query::numbers;
use crate::row;
use crate::{
    EntryId, GenerationId, Reader, Result, RunRowEnd, VerifyReport, approval, attempt, seal,
};
use domain::entry::EntryKind;
use domain::money::Sum;
use domain::period::Day;
use domain::run::{RunId, SourceDay};
use rusqlite::{Row, Rows};

/// The row of an entry.
struct EntryHead {
    id: EntryId,
    kind: EntryKind,
    source_day: SourceDay,
    posting_day: Day,
    run: RunId,
    generation: GenerationId,
    reverses: Option<EntryId>,
    content: Hash,
    hash: Hash,
}

impl Reader {
    pub(super) fn check_entries(&self, report: &mut VerifyReport) -> Result<()> {
        let words = Words::load(&self.connection)?;
        let mut statement = self
            .connection
            .prepare(
                "SELECT account, target, rule, service, amount, entry, line \
                                     FROM posting ORDER BY entry, line",
            )
            .stored()?;
        let mut postings =
            Postings { rows: statement.query([]).stored()?, next: None, started: false };
        let sql = "SELECT id, kind, source, charge_day, currency, posting_day, run, generation, \
                   reverses, content_digest, hash FROM entry ORDER BY id";
        row::rows(&self.connection, sql, [], |row| {
            let head = head(row)?;
            report.entries += 1;
            if head.id.0 != report.entries as i64 {
                report.find(format!(
                    "entry {} follows on entry {}: entries between them are missing",
                    head.id.0,
                    report.entries - 1
                ));
                // Goes on from here, so that one gap is one finding.
                report.entries = head.id.0.unsigned_abs();
            }
            let lines = postings.of(head.id.0, report)?;
            report.postings += lines.len() as u64;
            check_content(&words, &head, &lines, report);
            let link = EntryLink {
                id: head.id,
                kind: head.kind,
                source_day: &head.source_day,
                posting_day: head.posting_day,
                run: head.run,
                generation: head.generation,
                reverses: head.reverses,
                content: &head.content,
            };
            // The stored hash goes on as the head, so that one change is one broken link.
            if of_link(&report.head, &link) != head.hash {
                report.find(format!(
                    "{} does not link to the entry before it: one of the two was changed",
                    place(&head)
                ));
            }
            report.head = head.hash;
            Ok(())
        })?;
        report.entries =
            row::number(&self.connection, "SELECT count(*) FROM entry", [])?.unsigned_abs();
        // Reports the postings that are left over.
        postings.of(i64::MAX, report)?;
        self.check_reversals(report)
    }

    /// Checks that each reversal takes its entry back line by line.
    fn check_reversals(&self, report: &mut VerifyReport) -> Result<()> {
        let sql = "SELECT r.id, e.id, r.source = e.source AND r.charge_day = e.charge_day \
             AND r.currency = e.currency AND e.kind <> 'reversal'
             FROM entry r JOIN entry e ON e.id = r.reverses ORDER BY r.id";
        row::rows(&self.connection, sql, [], |row| {
            let (reversal, reversed, is_same_day): (i64, i64, bool) =
                (row::cell(row, 0)?, row::cell(row, 1)?, row::cell(row, 2)?);
            if !is_same_day || self.lines(reversal, -1)? != self.lines(reversed, 1)? {
                report.find(format!(
                    "entry {reversal} does not take back entry {reversed} line by line"
                ));
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The sorted lines of an entry, each amount times `sign`. So a reversal and its entry can be
    /// compared whatever order they were posted in.
    fn lines(&self, entry: i64, sign: i128) -> Result<Vec<(Numbers, i128)>> {
        let sql = "SELECT account, target, rule, service, amount FROM posting WHERE entry = ?1";
        let mut lines = row::rows(&self.connection, sql, [entry], |row| {
            Ok((numbers(row, 0)?, sign * i128::from(row::cell::<i64>(row, 4)?)))
        })?;
        lines.sort_unstable();
        Ok(lines)
    }

    pub(super) fn check_seals(&self, report: &mut VerifyReport) -> Result<()> {
        let mut contents = seal::contents(&self.connection, None)?;
        let mut before = START;
        let sql = "SELECT run, seal, ended_at_ms, state, generation, charges, rejected, note \
                   FROM run_end ORDER BY id";
        row::rows(&self.connection, sql, [], |row| {
            let (run, seal) = (RunId(row::cell(row, 0)?), row::digest(row, 1)?);
            let end = RunRowEnd {
                at_ms: row::cell(row, 2)?,
                state: row::run_state(row, 3)?,
                generation: row::cell::<Option<i64>>(row, 4)?.map(GenerationId),
                charges: row::count(row, 5)?,
                rejected: row::count(row, 6)?,
                note: row::cell(row, 7)?,
            };
            let beginning = seal::RunBeginning::read(&self.connection, run)?;
            if seal::of_run(&before, &beginning, &end, contents.remove(&run)) != seal {
                report.find(format!(
                    "the seal of run {} does not fit: something that the run wrote was changed",
                    run.0
                ));
            }
            before = seal;
            Ok(())
        })?;
        for run in contents.keys() {
            report.find(format!(
                "run {} never ended, and yet something of it is in the ledger",
                run.0
            ));
        }
        Ok(())
    }

    pub(super) fn check_periods(&self, report: &mut VerifyReport) -> Result<()> {
        let mut before = START;
        for (number, event, hash) in events(&self.connection)? {
            if of_event(&before, number, &event) != hash {
                report.find(format!(
                    "period event {number} ({} {}) was changed, or the one before it was",
                    event.month,
                    event.state.name()
                ));
            }
            before = hash;
        }
        Ok(())
    }

    pub(super) fn check_approvals(&self, report: &mut VerifyReport) -> Result<()> {
        let mut before = START;
        for approval::ApprovalLink { number, approval, plan_digest, hash } in
            approval::links(&self.connection)?
        {
            if approval::of_approval(&before, number, &approval) != hash
                || approval::plan_digest(&approval) != plan_digest
            {
                report.find(format!(
                    "approval {number} (by {}) was changed, or the one before it was",
                    approval.approver
                ));
            }
            before = hash;
        }
        Ok(())
    }

    pub(super) fn check_resets(&self, report: &mut VerifyReport) -> Result<()> {
        let mut before = START;
        for (reset, hash) in attempt::resets(&self.connection)? {
            if reset.hash(&before) != hash {
                report.find(format!(
                    "reset {} (of {}) was changed, or the one before it was",
                    reset.number, reset.source
                ));
            }
            before = hash;
        }
        Ok(())
    }
}

fn place(head: &EntryHead) -> String {
    format!(
        "entry {} ({} on {} in {})",
        head.id.0, head.source_day.source, head.source_day.day, head.source_day.currency
    )
}

fn head(row: &Row<'_>) -> Result<EntryHead> {
    Ok(EntryHead {
        id: EntryId(row::cell(row, 0)?),
        kind: row::entry_kind(row, 1)?,
        source_day: row::source_day(row, 2)?,
        posting_day: row::day(row, 5)?,
        run: RunId(row::cell(row, 6)?),
        generation: GenerationId(row::cell(row, 7)?),
        reverses: row::cell::<Option<i64>>(row, 8)?.map(EntryId),
        content: row::digest(row, 9)?,
        hash: row::digest(row, 10)?,
    })
}

fn check_content(
    words: &Words,
    head: &EntryHead,
    lines: &[(Numbers, i64)],
    report: &mut VerifyReport,
) {
    let difference: Sum =
        lines.iter().map(|(_, amount)| Sum::from_nanos(i128::from(*amount))).sum();
    if !difference.is_zero() || lines.len() < 2 {
        report.find(format!(
            "{} does not balance: its {} postings add up to {difference}",
            place(head),
            lines.len()
        ));
    }
    match stored_digest(words, head.kind, &head.source_day, lines) {
        Ok(digest) if digest == head.content => {}
        Ok(_) => {
            report.find(format!("{}: its postings are not those that were posted", place(head)))
        }
        Err(error) => report.find(format!("{}: {}", place(head), error.message)),
    }
}

/// All postings in one query, handed out entry by entry. A query for each entry would take minutes
/// on a large ledger.
struct Postings<'s> {
    rows: Rows<'s>,
    next: Option<(i64, Numbers, i64)>,
    started: bool,
}

impl Postings<'_> {
    fn of(&mut self, entry: i64, report: &mut VerifyReport) -> Result<Vec<(Numbers, i64)>> {
        if !self.started {
            self.started = true;
            self.step()?;
        }
        let mut lines = Vec::new();
        while let Some((of, numbers, amount)) = self.next
            && of <= entry
        {
            if of == entry {
                lines.push((numbers, amount));
            } else {
                report.find(format!("a posting belongs to entry {of}, which does not exist"));
            }
            self.step()?;
        }
        Ok(lines)
    }

    fn step(&mut self) -> Result<()> {
        self.next = self
            .rows
            .next()
            .stored()?
            .map(|row| {
                Ok::<_, domain::diagnostic::Diagnostic>((
                    row::cell(row, 5)?,
                    numbers(row, 0)?,
                    row::cell(row, 4)?,
                ))
            })
            .transpose()?;
        Ok(())
    }
}
