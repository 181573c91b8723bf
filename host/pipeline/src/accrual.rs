//! Estimates that count until the bill comes. A day of estimates counts as long as the billing
//! source has no charges of it.
//!
//! To take an estimate back, its day is stated as empty. The run then reverses the postings of that
//! day like any others.

use crate::progress::Progress;
use crate::source::Source;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::run::SourceDay;
use ledger::Transaction;
use std::collections::BTreeSet;

/// Bills first: once they are collected, it is known which estimates count.
pub fn in_order(sources: &[Source]) -> impl Iterator<Item = &Source> {
    let accrues = |source: &&Source| source.accrues_for.is_some();
    sources.iter().filter(move |source| !accrues(source)).chain(sources.iter().filter(accrues))
}

/// The names of sources that estimate.
pub fn estimates<'s>(sources: &[&'s Source]) -> impl Iterator<Item = &'s str> {
    let estimating = sources.iter().filter(|source| source.accrues_for.is_some());
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
    source: &Source,
    progress: &mut dyn FnMut(Progress),
) -> Result<BilledDays, Diagnostic> {
    let Some(bill) = &source.accrues_for else { return Ok(BilledDays::default()) };
    let stored = transaction.source_days(Period::all())?;
    // A statement without charges is a day taken back. It neither bills nor estimates.
    let charged: Vec<SourceDay> =
        stored.into_iter().filter(|day| day.totals.charges > 0).map(|day| day.source_day).collect();
    let days: BTreeSet<Day> =
        charged.iter().filter(|day| day.source == *bill).map(|day| day.day).collect();
    let taken_back: Vec<SourceDay> = charged
        .into_iter()
        .filter(|day| day.source == source.name && days.contains(&day.day))
        .collect();
    if !taken_back.is_empty() {
        let standing = transaction.statements(&source.name)?;
        let id = transaction.begin_source(&source.name, source.collector.identity())?;
        for (estimate, _) in &standing {
            if days.contains(&estimate.source_day.day) {
                transaction.restate(id, estimate, &Default::default())?;
            }
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
