//! A source with a new name. What it stated under a former name, and states itself now, is taken
//! back there in the same run, so that it counts once.
//!
//! Days that the source does not state anew, such as those of files that are gone, stay under the
//! old name. No money moves by a name alone.

use crate::collection::Collection;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use ledger::{Restated, UsageDay, UsageRows};
use reports::coverage::days::KnownDays;
use std::collections::BTreeSet;

/// What former names do not state any more.
#[derive(Default)]
pub struct TakenOver {
    pub charges: Vec<SourceDay>,
    /// Metrics and days.
    pub usage: BTreeSet<(String, Day)>,
}

/// Takes back what stands under former names: these days with charges, and all usage that the
/// source states itself or was asked for. Its own statements are kept by now.
pub fn take_over(
    collection: &mut Collection<'_, '_, '_, '_>,
    days: &[DeliveryDay],
    known: &KnownDays,
) -> Result<TakenOver, Diagnostic> {
    let (source, mut taken) = (collection.source, TakenOver::default());
    if source.formerly.is_empty() {
        return Ok(taken);
    }
    let standing = collection.transaction.usage_days(Period::all())?;
    let used = || standing.iter().filter(|day| day.rows > 0);
    let own: BTreeSet<(&str, Day)> = used()
        .filter(|day| day.source == source.name)
        .map(|day| (day.metric.as_str(), day.day))
        .collect();
    for former in &source.formerly {
        let of_former = |day: &&DeliveryDay| day.source_day.source == *former;
        let usage = used().filter(|it| it.source == *former);
        let stated =
            usage.filter(|it| own.contains(&(it.metric.as_str(), it.day)) || known.has(it.day));
        let transaction = &mut *collection.transaction;
        let id = transaction.begin_source(former, source.collector.identity())?;
        for day in days.iter().filter(of_former) {
            let nothing = DayTotals::default();
            let restated = transaction.restate(id, day, &nothing)?;
            if collection.standing.compare(restated, day, &nothing) != Restated::Unchanged {
                taken.charges.push(day.source_day.clone());
            }
        }
        for day in stated {
            let of =
                UsageDay { source: former, day: day.day, metric: &day.metric, unit: &day.unit };
            transaction.restate_usage(id, &of, &UsageRows::new())?;
            taken.usage.insert((day.metric.clone(), day.day));
        }
        transaction.keep_source(None)?;
    }
    Ok(taken)
}
