//! Estimates that count until the bill comes. A day of estimates counts as long as the billing
//! source has no charges of it.
//!
//! To take an estimate back, its day is stated as empty. The run then reverses the postings of that
//! day like any others.

use crate::progress::Progress;
use crate::source::Source;
use crate::standing::Standing;
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use domain::run::{DayTotals, SourceDay};
use ledger::Transaction;
use std::collections::BTreeSet;

/// Bills first: once they are collected, it is known which estimates count.
pub fn in_order(sources: &[Source]) -> impl Iterator<Item = &Source> {
    let accrues = |source: &&Source| !source.accrues_for.is_empty();
    sources.iter().filter(move |source| !accrues(source)).chain(sources.iter().filter(accrues))
}

/// The names of sources that estimate.
pub fn estimates<'s>(sources: &[&'s Source]) -> impl Iterator<Item = &'s str> {
    let estimating = sources.iter().filter(|source| !source.accrues_for.is_empty());
    estimating.map(|source| source.name.as_str())
}

/// Days of estimates that the bill has by now.
#[derive(Default)]
pub struct BilledDays {
    pub days: BTreeSet<Day>,
    /// Days whose estimates this run took back.
    pub taken_back: Vec<SourceDay>,
}

/// Takes back the estimates of days that are billed by now.
pub fn take_back(
    transaction: &mut Transaction<'_>,
    standing: &Standing<'_>,
    source: &Source,
    progress: &mut dyn FnMut(Progress),
) -> Result<BilledDays, Diagnostic> {
    let Some(bill) = source.accrues_for.first() else { return Ok(BilledDays::default()) };
    let mut days: BTreeSet<Day> = BTreeSet::new();
    for name in &source.accrues_for {
        // A statement without charges is a day taken back. It neither bills nor estimates.
        let billed = standing.statements(transaction, name)?;
        days.extend(billed.iter().map(|(day, _)| day.source_day.day));
    }
    let mut estimates = standing.statements(transaction, &source.name)?;
    estimates.retain(|(estimate, _)| days.contains(&estimate.source_day.day));
    let mut taken_back: Vec<SourceDay> =
        estimates.iter().map(|(estimate, _)| estimate.source_day.clone()).collect();
    // A day has a statement for each billing period.
    taken_back.dedup();
    if !taken_back.is_empty() {
        let id = transaction.begin_source(&source.name, source.collector.identity())?;
        for (estimate, _) in &estimates {
            let nothing = DayTotals::default();
            let restated = transaction.restate(id, estimate, &nothing)?;
            standing.compare(restated, estimate, &nothing);
        }
        transaction.keep_source(None)?;
        progress(Progress::TakenBack {
            name: source.name.clone(),
            bill: bill.clone(),
            days: taken_back.len() as u64,
        });
    }
    Ok(BilledDays { days, taken_back })
}
