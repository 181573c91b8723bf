//! A source's plugin → charges and usage in the ledger: batches in, segments out, totals stated per
//! day.

use crate::collection::Collection;
use crate::feed::{Feed, FeedEnd, FeedItem};
use crate::gather::ChargeDay;
use crate::interner::lock;
use crate::one_sided;
use crate::pages::GatheredSource;
use crate::progress::Progress;
use crate::renamed;
use crate::report::SourceReport;
use crate::source::{RepeatPolicy, Source};
use crate::withdraw::{CollectedDays, OlderStatements};
use domain::code::Family;
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use domain::tag::TagSchema;
use ledger::{CollectionId, Restated};
use std::collections::BTreeSet;

const REJECTED_SHOWN: usize = 20;

/// The days of a source that changed.
pub struct CollectionResult {
    pub report: SourceReport,
    pub changed: Vec<SourceDay>,
    /// Metrics and days whose usage changed.
    pub changed_usage: BTreeSet<(String, Day)>,
}

/// Collects one source. Its own failures are in its report; an error is one of the ledger and ends
/// the run.
pub fn collect(
    mut collection: Collection<'_, '_, '_, '_>,
    feed: &Feed<'_>,
) -> Result<CollectionResult, Diagnostic> {
    let source = collection.source;
    let schema = lock(collection.registry).schema();
    let mut begun = OpenCollection::new(&mut collection, schema)?;
    let mut ended = loop {
        match feed.next() {
            FeedItem::Page(batch) => {
                // The collector is waited for after a refusal too: its tries and cost are noted.
                if let Err(refusal) = begun.gathering.batch(&mut collection, begun.id, batch) {
                    break FeedEnd { outcome: Err(refusal), ..feed.refuse() };
                }
            }
            FeedItem::Restart => {
                collection.transaction.abandon_source()?;
                begun = OpenCollection::new(&mut collection, schema)?;
            }
            FeedItem::End(ended) => break ended,
        }
    };
    let OpenCollection { id, mut gathering } = begun;
    // Typed charges of the last page may still wait for a full segment.
    let older = ended
        .outcome
        .and_then(|()| gathering.flush_typed(&mut collection, id))
        .and_then(|()| gathering.older_statements(&collection, id));
    ended.outcome = older.as_ref().map(|_| ()).map_err(Clone::clone);
    match older {
        Ok(older) => gathering.finish(collection, id, ended, older),
        Err(diagnostic) if is_fatal(&diagnostic) => Err(diagnostic),
        Err(diagnostic) => {
            collection.transaction.abandon_source()?;
            // After the rollback, which would take the note back as well.
            collection.note(None, &ended, Vec::new())?;
            let mut report =
                SourceReport::failed(&source.name, source.collector.identity(), diagnostic);
            report.days_taken_back = collection.estimated.days_taken_back;
            report.warnings = collection.estimated.warnings;
            report.set_effort(collection.period, &ended);
            Ok(CollectionResult { report, changed: Vec::new(), changed_usage: BTreeSet::new() })
        }
    }
}

/// A collection under way. If it is abandoned, nothing of it stays.
struct OpenCollection<'a> {
    id: CollectionId,
    gathering: GatheredSource<'a>,
}

impl<'a> OpenCollection<'a> {
    fn new(
        collection: &mut Collection<'_, '_, '_, '_>,
        schema: &'a TagSchema,
    ) -> Result<OpenCollection<'a>, Diagnostic> {
        let source = collection.source;
        let id = collection.transaction.begin_source(&source.name, source.collector.identity())?;
        let gathering = GatheredSource::new(collection, schema);
        Ok(OpenCollection { id, gathering })
    }
}

/// Whether a failure ends the run. Failures of the ledger concern all sources; all others are the
/// source's own.
fn is_fatal(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.code.family(), Family::Ledger | Family::Faults)
}

impl GatheredSource<'_> {
    /// States the totals of each day. A day with unchanged totals keeps its old statement.
    fn finish(
        self,
        mut collection: Collection<'_, '_, '_, '_>,
        id: CollectionId,
        mut ended: FeedEnd,
        older: OlderStatements,
    ) -> Result<CollectionResult, Diagnostic> {
        let (source, period) = (collection.source, collection.period);
        let transaction = &mut *collection.transaction;
        let mut report = SourceReport::new(&source.name, source.collector.identity());
        let mut changed = BTreeSet::new();
        let (own, of_former_names): (Vec<_>, Vec<_>) =
            older.gone.into_iter().partition(|day| day.source_day.source == source.name);
        for (day, totals) in self.statements(&source.name, own) {
            let restated = transaction.restate(id, &day, &totals)?;
            let counted = collection.standing.compare(restated, &day, &totals);
            // A day whose estimates are all billed has nothing, mostly as before.
            if totals.charges > 0 || counted != Restated::Unchanged {
                report.count(counted);
            }
            changed.extend((restated != Restated::Unchanged).then_some(day.source_day));
        }
        (report.withdrawn, report.restated) = (older.withdrawn, older.restated);
        report.days_kept = older.waiting;
        for delivery in &self.deliveries {
            transaction.keep_delivery(id, delivery)?;
        }
        let (usage, mut changed_usage) =
            self.usage.state(transaction, id, &source.name, &self.known)?;
        report.usage = usage;
        transaction.reject(&source.name, &self.rejected, self.gathered.set_aside_count)?;
        transaction.keep_source(self.state.as_deref())?;
        let taken = renamed::take_over(&mut collection, &of_former_names, &self.known)?;
        let transaction = &mut *collection.transaction;
        report.days_taken_over = (taken.charges.len() + taken.usage.len()) as u64;
        changed.extend(taken.charges);
        changed_usage.extend(taken.usage);
        if ended.without_state && self.state.is_none() {
            // The source refused its stored state and gave no new one. The next run must not give
            // it the same state again.
            transaction.forget_refused_state(&source.name, collection.at_ms)?;
        }
        report.unknown.clone_from(&self.known.unknown);
        report.deliveries = self.deliveries;
        report.outside_period = self.gathered.outside_period;
        report.warnings = self.warnings;
        report.warnings.append(&mut collection.estimated.warnings);
        if !source.request.tables.is_empty() {
            report.warnings.extend(one_sided::warnings(&source.name, self.gathered.totals.iter()));
        }
        let charges: u64 = self.gathered.totals.values().map(|totals| totals.charges).sum();
        // A row that is too large for one charge is several, and counts as one.
        report.charges = charges - self.gathered.further_pieces;
        report.set_aside = self.gathered.set_aside_count;
        report.billed = self.gathered.billed;
        report.days_taken_back = collection.estimated.days_taken_back;
        ended.cost.rows = report.rows_read();
        collection.note(Some(id), &ended, self.known.unknown)?;
        report.set_effort(period, &ended);
        report.rejected = self.rejected.into_iter().take(REJECTED_SHOWN).collect();
        report.set_totals(&self.gathered.totals);
        (collection.progress)(Progress::Collected {
            name: source.name.clone(),
            charges: report.charges,
            set_aside: report.set_aside,
        });
        let changed = changed.into_iter().collect();
        Ok(CollectionResult { report, changed, changed_usage })
    }

    /// All days with charges, and then those that are gone.
    fn statements(&self, source: &str, gone: Vec<DeliveryDay>) -> Vec<(DeliveryDay, DayTotals)> {
        let mut totals: Vec<_> = self.gathered.totals.iter().collect();
        // The sums come out of a hash table, and statements are numbered in this order.
        totals.sort_by_key(|(key, _)| **key);
        let charged = totals.into_iter().map(|(day, totals)| (day.at(source), totals.clone()));
        let gone = gone.into_iter().map(|day| (day, DayTotals::default()));
        charged.chain(gone).collect()
    }

    /// Decides over older statements. Refuses money that would count twice, or would go without
    /// anybody's word.
    fn older_statements(
        &mut self,
        collection: &Collection<'_, '_, '_, '_>,
        id: CollectionId,
    ) -> Result<OlderStatements, Diagnostic> {
        let source = collection.source;
        if source.accrues_for.is_none() && source.repeats == RepeatPolicy::Refuse {
            let collected = collection.beside_others(id);
            self.warnings.extend(collected.expect_no_repeats(&self.gathered)?);
        }
        let mut standing = Vec::new();
        for name in source.names() {
            standing.extend(collection.standing.statements(collection.transaction, name)?);
        }
        self.days(source).older_statements(&source.name, &standing, &self.gathered.totals)
    }

    fn days<'d>(&'d self, source: &'d Source) -> CollectedDays<'d> {
        let charged: BTreeSet<ChargeDay> = self.gathered.totals.keys().copied().collect();
        let mut days = CollectedDays::new(charged, &self.known);
        // A delivery without rows states its period too.
        let counted = self.deliveries.iter().filter(|delivery| delivery.left_out.is_none());
        let periods = counted.filter_map(|delivery| delivery.billing_period);
        days.delivered_periods.extend(periods);
        days.extent = source.delivery;
        days.reads_files = !source.request.tables.is_empty();
        days.formerly = &source.formerly;
        days.rows_set_aside = self.gathered.set_aside_count > 0;
        days
    }
}

impl SourceReport {
    fn count(&mut self, restated: Restated) {
        match restated {
            Restated::New => self.days_new += 1,
            Restated::Changed => self.days_changed += 1,
            Restated::Unchanged => self.days_unchanged += 1,
        }
    }
}
