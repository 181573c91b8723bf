//! Estimates that stand until the bill comes: a day of theirs counts as long as the source that they stand in for has
//! no charges of it.
//!
//! Nothing else is needed: an estimate that is taken back is stated as empty, and the run reverses what was posted of it.

use crate::run::{Progress, Source};
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::run::SourceDay;
use ledger::Transaction;
use std::collections::BTreeSet;

/// Bills first, so that estimates are collected when all that is billed is known.
pub fn in_order(sources: &[Source]) -> impl Iterator<Item = &Source> {
    let accrues = |source: &&Source| source.accrues_for.is_some();
    sources.iter().filter(move |source| !accrues(source)).chain(sources.iter().filter(accrues))
}

/// What was stated as an estimate and has been billed since.
#[derive(Default)]
pub struct Billed {
    pub days: BTreeSet<Day>,
    /// Days whose estimates were taken back just now.
    pub taken_back: Vec<SourceDay>,
}

/// Takes back the estimates of days that are billed by now.
pub fn take_back(
    transaction: &mut Transaction<'_>,
    source: &Source,
    progress: &mut dyn FnMut(Progress),
) -> Result<Billed, Diagnostic> {
    let Some(bill) = &source.accrues_for else { return Ok(Billed::default()) };
    let stored = transaction.source_days(Period::all())?;
    let charged: Vec<SourceDay> =
        stored.into_iter().filter(|day| day.totals.charges > 0).map(|day| day.source_day).collect();
    let days: BTreeSet<Day> =
        charged.iter().filter(|day| day.source == *bill).map(|day| day.day).collect();
    let taken_back: Vec<SourceDay> = charged
        .into_iter()
        .filter(|day| day.source == source.name && days.contains(&day.day))
        .collect();
    if !taken_back.is_empty() {
        let id = transaction.begin_source(&source.name, source.collector.identity())?;
        for estimate in &taken_back {
            transaction.restate(id, estimate, &Default::default())?;
        }
        transaction.keep_source(None)?;
        progress(Progress::TakenBack {
            name: source.name.clone(),
            bill: bill.clone(),
            days: taken_back.len() as u64,
        });
    }
    Ok(Billed { days, taken_back })
}
