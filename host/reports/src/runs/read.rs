//! Runs read from the ledger.

use crate::runs::query::{RunQuery, RunsQuery};
use domain::charge::RejectedRow;
use domain::diagnostic::Diagnostic;
use domain::generation::Generation;
use domain::money::{Currency, Sum};
use ledger::{Reader, RunRow};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    pub row: RunRow,
    /// Nothing for a run that failed or has not ended.
    pub generation: Option<Generation>,
    /// What its entries put from some accounts into others.
    pub moved: Vec<(Currency, Sum)>,
    pub failed_sources: Vec<String>,
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
    Ok(RunPage { runs: facts(ledger, rows)?, has_more })
}

/// Nothing if there is no such run.
pub fn run(ledger: &Reader, query: &RunQuery) -> Result<Option<RunDetail>, Diagnostic> {
    let rows = ledger.run(query.id)?.into_iter().collect();
    let Some(run) = facts(ledger, rows)?.pop() else { return Ok(None) };
    Ok(Some(RunDetail {
        run,
        rejected_counts: ledger.rejected_counts(query.id)?,
        rejected: ledger.rejected(query.id, query.limit)?,
    }))
}

fn facts(ledger: &Reader, rows: Vec<RunRow>) -> Result<Vec<RunFacts>, Diagnostic> {
    let ids = rows.iter().map(|row| row.id);
    let Some((first, last)) = ids.clone().min().zip(ids.max()) else { return Ok(Vec::new()) };
    let mut turnovers = ledger.turnovers(first, last)?;
    let failed = ledger.failed_sources(first, last)?;
    let of_run = |row: RunRow| {
        let generation = row.end.as_ref().and_then(|end| end.generation);
        let failed = failed.iter().filter(|(run, _)| *run == row.id);
        Ok(RunFacts {
            generation: generation.map(|id| ledger.generation(id)).transpose()?.flatten(),
            moved: turnovers.remove(&row.id).unwrap_or_default(),
            failed_sources: failed.map(|(_, source)| source.clone()).collect(),
            row,
        })
    };
    rows.into_iter().map(of_run).collect()
}
