//! Runs read from the ledger.

use crate::runs::query::{RunQuery, RunsQuery};
use domain::charge::RejectedRow;
use domain::diagnostic::Diagnostic;
use domain::generation::Generation;
use ledger::{Reader, RunRow};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    pub row: RunRow,
    /// Nothing for a run that failed or has not ended.
    pub generation: Option<Generation>,
}

/// A page of runs, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPage {
    pub runs: Vec<RunFacts>,
    pub has_more: bool,
}

/// A run with what it set aside, by source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDetail {
    pub run: RunFacts,
    pub rejected_counts: Vec<(String, u64)>,
    pub rejected: Vec<(String, RejectedRow)>,
}

pub fn runs(ledger: &Reader, query: &RunsQuery) -> Result<RunPage, Diagnostic> {
    // One more than asked for tells whether there is another page.
    let more = query.limit.saturating_add(1);
    let mut rows = match query.before {
        Some(before) => ledger.runs_before(before, more)?,
        None => ledger.runs(more)?,
    };
    let has_more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let runs = rows.into_iter().map(|row| facts(ledger, row)).collect::<Result<_, _>>()?;
    Ok(RunPage { runs, has_more })
}

/// Nothing if there is no such run.
pub fn run(ledger: &Reader, query: &RunQuery) -> Result<Option<RunDetail>, Diagnostic> {
    let Some(row) = ledger.run(query.id)? else { return Ok(None) };
    Ok(Some(RunDetail {
        run: facts(ledger, row)?,
        rejected_counts: ledger.rejected_counts(query.id)?,
        rejected: ledger.rejected(query.id, query.limit)?,
    }))
}

fn facts(ledger: &Reader, row: RunRow) -> Result<RunFacts, Diagnostic> {
    let id = row.end.as_ref().and_then(|end| end.generation);
    let generation = id.map(|id| ledger.generation(id)).transpose()?.flatten();
    Ok(RunFacts { row, generation })
}
