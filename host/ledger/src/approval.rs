//! Approvals of rules. They are kept for good, and each is linked to the one before.

use crate::code;
use crate::digest::{Hash, Hasher, START, of_bytes};
use crate::error::Stored;
use crate::row;
use crate::{Approval, Ledger, Reader, Result};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use rusqlite::{Connection, Row, TransactionBehavior};

const COLUMNS: &str = "id, at_ms, approver, note, generation, plan, plan_digest, hash";

impl Ledger {
    /// Records an approval of a generation, which is named by the digest of its rules and tables.
    pub fn approve(&mut self, approval: &Approval) -> Result<()> {
        for (what, text) in [("a note", &approval.note), ("a name", &approval.approver)] {
            if text.trim().is_empty() {
                let message = format!("an approval needs {what}, which stays in the ledger");
                let example = "rule approve --by \"Ada\" \
                               --note \"support goes by direct cost, agreed with all teams\"";
                return Err(Diagnostic::new(code::APPROVAL_INVALID, message)
                    .hint(Hint::deed(example, "/api/v1/plan/approve")));
            }
        }
        let change = self
            .reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .stored()?;
        let last = row::row(
            &change,
            "SELECT id, hash FROM approval ORDER BY id DESC LIMIT 1",
            [],
            |row| Ok((row::cell::<i64>(row, 0)?, row::digest(row, 1)?)),
        )?;
        let (last, before) = last.unwrap_or((0, START));
        let plan_digest = plan_digest(approval);
        let hash = of_approval(&before, last + 1, approval);
        let sql =
            format!("INSERT INTO approval ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        let Approval { at_ms, approver, note, generation, plan } = approval;
        row::execute(
            &change,
            &sql,
            (last + 1, at_ms, approver, note, generation, plan, plan_digest, hash),
        )?;
        change.commit().stored()
    }
}

impl Reader {
    /// Oldest first.
    pub fn approvals(&self) -> Result<Vec<Approval>> {
        Ok(links(&self.connection)?.into_iter().map(|link| link.approval).collect())
    }

    /// Whether anybody has approved the rules with this digest.
    pub fn is_approved(&self, generation: &str) -> Result<bool> {
        Ok(row::number(
            &self.connection,
            "SELECT count(*) FROM approval WHERE generation = ?1",
            [generation],
        )? > 0)
    }
}

/// The digest of the plan's text, so that a change of the stored text shows.
pub fn plan_digest(approval: &Approval) -> Option<Hash> {
    approval.plan.as_ref().map(|plan| of_bytes(plan.as_bytes()))
}

/// An approval with its place in the chain of approvals.
pub struct ApprovalLink {
    pub number: i64,
    pub approval: Approval,
    pub plan_digest: Option<Hash>,
    pub hash: Hash,
}

pub fn links(connection: &Connection) -> Result<Vec<ApprovalLink>> {
    row::rows(connection, &format!("SELECT {COLUMNS} FROM approval ORDER BY id"), [], |row| {
        Ok(ApprovalLink {
            number: row::cell(row, 0)?,
            approval: read(row)?,
            plan_digest: row::cell(row, 6)?,
            hash: row::digest(row, 7)?,
        })
    })
}

fn read(row: &Row<'_>) -> Result<Approval> {
    Ok(Approval {
        at_ms: row::cell(row, 1)?,
        approver: row::cell(row, 2)?,
        note: row::cell(row, 3)?,
        generation: row::cell(row, 4)?,
        plan: row::cell(row, 5)?,
    })
}

/// The hash of an approval and of all approvals before it.
pub fn of_approval(before: &Hash, number: i64, approval: &Approval) -> Hash {
    let mut hasher = Hasher::new("apportion approval 1");
    hasher.bytes(before);
    hasher.number(number);
    hasher.number(approval.at_ms);
    hasher.text(&approval.approver);
    hasher.text(&approval.note);
    hasher.text(&approval.generation);
    hasher.optional_text(approval.plan.as_deref());
    hasher.finish()
}
