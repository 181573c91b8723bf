//! A source's plugin → charges and usage in the ledger: batches in, segments out, totals stated per
//! day.

use crate::accrual::BilledDays;
use crate::columns::TableReading;
use crate::decimal_comma;
use crate::feed::{Feed, FeedEnd, FeedItem};
use crate::gather::{ChargeDay, GatheredCharges, Gatherer, WantedDays};
use crate::interner::{Secrets, lock};
use crate::normalize::{Identities, Registry};
use crate::one_sided;
use crate::progress::Progress;
use crate::repeats::{self, ReadTable, TableDays};
use crate::report::SourceReport;
use crate::rounded_id;
use crate::set_aside::{REJECTED_STORED, rejected, with_lines};
use crate::source::{RepeatPolicy, Source};
use crate::typed;
use crate::usage;
use crate::withdraw::{CollectedDays, OlderStatements};
use decode::{Scan, ShortRows};
use domain::charge::{ChargeTable, RawCharge, RawUsage, RejectedRow};
use domain::code::{self, Family};
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::mapping::{Mapping, UsageMapping};
use domain::period::{Day, Period};
use domain::port::{Batch, Delivery, GrantedTable, Rows, UnknownDays};
use domain::run::{DeliveryDay, SourceDay};
use domain::tag::TagSchema;
use domain::text_form::DecimalMark;
use ledger::segment::EncodedSegment;
use ledger::{Attempt, AttemptFailure, CollectionId, Restated, Transaction};
use reports::coverage::days::KnownDays;
use std::collections::BTreeSet;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

/// Below this a second thread costs more than it saves.
const PARALLEL_BYTES_MIN: u64 = 4 << 20;
/// Typed charges are gathered in pages of one segment.
const TYPED_ROWS: usize = 65_536;
const REJECTED_SHOWN: usize = 20;

/// The collection of one source, with all that it needs.
pub struct Collection<'a, 'r, 't, 'l> {
    pub source: &'a Source,
    /// The days that it is asked for. Without a period, it is asked for everything.
    pub period: Option<Period>,
    /// When the run began.
    pub at_ms: i64,
    /// Days whose estimates do not count any more.
    pub billed: BilledDays,
    pub transaction: &'t mut Transaction<'l>,
    pub registry: &'a Mutex<Registry<'r>>,
    pub dimensions: &'a [Field],
    pub threads: usize,
    pub secrets: Secrets,
    pub progress: &'t mut dyn FnMut(Progress),
}

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
        .and_then(|()| gathering.older_statements(&collection));
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
            report.days_taken_back = collection.billed.taken_back.len() as u64;
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
        let usage = usage::GatheredUsage::new(schema, collection.secrets, collection.days());
        let known = KnownDays { asked: collection.period, ..KnownDays::default() };
        let gathering = GatheredSource {
            gathered: GatheredCharges::default(),
            usage,
            rejected: Vec::new(),
            warnings: Vec::new(),
            typed: Vec::new(),
            tables: Vec::new(),
            state: None,
            known,
            deliveries: Vec::new(),
            table_days: TableDays::new(),
        };
        Ok(OpenCollection { id, gathering })
    }
}

impl Collection<'_, '_, '_, '_> {
    /// The days that it was asked for.
    fn days(&self) -> Period {
        self.period.unwrap_or_else(Period::all)
    }

    /// The days whose charges are wanted.
    fn wanted(&self) -> WantedDays<'_> {
        WantedDays { period: self.days(), billed: &self.billed.days }
    }

    /// Notes the attempt, even if nothing else of it is kept.
    fn note(
        &mut self,
        kept: Option<CollectionId>,
        ended: &FeedEnd,
        unknown: Vec<UnknownDays>,
    ) -> Result<(), Diagnostic> {
        let (source, plugin) = (self.source.name.as_str(), self.source.collector.identity());
        let failure = ended.outcome.as_ref().err().map(AttemptFailure::from);
        let without_state = ended.without_state && failure.is_none();
        let attempt =
            Attempt { period: self.period, tries: ended.tries, without_state, failure, unknown };
        self.transaction.note_attempt(source, plugin, kept, &attempt)?;
        self.transaction.note_cost(Some(source), plugin, &ended.cost)
    }
}

/// Whether a failure ends the run. Failures of the ledger concern all sources; all others are the
/// source's own.
fn is_fatal(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.code.family(), Family::Ledger | Family::Faults)
}

struct GatheredSource<'a> {
    gathered: GatheredCharges,
    usage: usage::GatheredUsage<'a>,
    rejected: Vec<RejectedRow>,
    warnings: Vec<Diagnostic>,
    typed: Vec<RawCharge>,
    tables: Vec<ChargeTable>,
    state: Option<String>,
    known: KnownDays,
    deliveries: Vec<Delivery>,
    table_days: TableDays,
}

impl GatheredSource<'_> {
    fn batch(
        &mut self,
        collection: &mut Collection<'_, '_, '_, '_>,
        id: CollectionId,
        batch: Batch,
    ) -> Result<(), Diagnostic> {
        self.gathered.set_aside_count += batch.rejected.len() as u64;
        self.keep_rejected(batch.rejected);
        if batch.state.is_some() {
            self.state = batch.state;
        }
        self.known.complete.extend(batch.complete);
        self.known.unknown.extend(batch.unknown);
        self.deliveries.extend(batch.deliveries);
        self.usage(collection, batch.usage)?;
        match batch.rows {
            Rows::Mapped(mapping) => self.scan(collection, id, &mapping),
            Rows::MappedUsage(mapping) => self.scan_usage(collection, &mapping),
            Rows::Charges(charges) => {
                self.typed.extend(charges);
                self.flush_when_full(collection, id)
            }
            Rows::Table(table) => {
                self.tables.push(table);
                self.flush_when_full(collection, id)
            }
        }
    }

    fn usage(
        &mut self,
        collection: &Collection<'_, '_, '_, '_>,
        rows: Vec<RawUsage>,
    ) -> Result<(), Diagnostic> {
        if rows.is_empty() {
            return Ok(());
        }
        let source = &collection.source.name;
        self.usage.expect_units(source, collection.transaction)?;
        for row in rows {
            let excerpt = format!("{} {} {} {}", row.metric, row.period_start, row.value, row.unit);
            if let Err(reason) = self.usage.take(row) {
                self.gathered.set_aside_count += 1;
                self.keep_rejected(vec![RejectedRow {
                    location: source.clone(),
                    reason: format!("{}: {reason}", code::ROW_REJECTED),
                    excerpt,
                }]);
            }
        }
        Ok(())
    }

    fn scan_usage(
        &mut self,
        collection: &mut Collection<'_, '_, '_, '_>,
        mapping: &UsageMapping,
    ) -> Result<(), Diagnostic> {
        self.usage.expect_units(&collection.source.name, collection.transaction)?;
        let table = mapped_table(collection.source, &mapping.table)?;
        let mut reading = usage::UsageReading::new(mapping);
        let scan = Scan::open(table, &reading.wanted, ShortRows::Refused)?;
        reading.decimal_mark = decimal_mark(table, &scan);
        let (mut worker, mut reader) = (scan.worker(), self.usage.reader(&reading));
        while worker.next(&mut |batch| {
            reader.take(batch);
            Ok(())
        })? {
            let (name, bytes) = (collection.source.name.clone(), scan.progress());
            (collection.progress)(Progress::Source { name, bytes, bytes_total: scan.bytes });
        }
        self.gathered.set_aside_count += std::mem::take(&mut self.usage.set_aside_count);
        let set_aside = std::mem::take(&mut self.usage.set_aside);
        decimal_comma::expect_none(table, &scan, &set_aside)?;
        self.keep_rejected(with_lines(table, &scan, set_aside)?);
        Ok(())
    }

    fn keep_rejected(&mut self, rejected: Vec<RejectedRow>) {
        let room = REJECTED_STORED.saturating_sub(self.rejected.len());
        self.rejected.extend(rejected.into_iter().take(room));
    }

    fn flush_when_full(
        &mut self,
        collection: &mut Collection<'_, '_, '_, '_>,
        id: CollectionId,
    ) -> Result<(), Diagnostic> {
        let rows = self.typed.len() + self.tables.iter().map(|table| table.rows).sum::<usize>();
        if rows >= TYPED_ROWS { self.flush_typed(collection, id) } else { Ok(()) }
    }

    /// Typed charges are laid out as tables, so that all rows are read by the same code.
    fn flush_typed(
        &mut self,
        collection: &mut Collection<'_, '_, '_, '_>,
        id: CollectionId,
    ) -> Result<(), Diagnostic> {
        let mut tables = std::mem::take(&mut self.tables);
        if !self.typed.is_empty() {
            tables.push(typed::table(&std::mem::take(&mut self.typed)));
        }
        tables.retain(|table| table.rows > 0);
        tables
            .chunk_by(ChargeTable::has_the_columns_of)
            .try_for_each(|tables| self.gather(collection, id, tables))
    }

    /// Gathers tables with the same columns.
    fn gather(
        &mut self,
        collection: &mut Collection<'_, '_, '_, '_>,
        id: CollectionId,
        tables: &[ChargeTable],
    ) -> Result<(), Diagnostic> {
        let Some(first) = tables.first() else { return Ok(()) };
        let reading = TableReading::new(
            &typed::mapping(first, &collection.source.name),
            collection.dimensions,
            collection.source.kept,
        )?;
        let known = Identities::new(&reading, collection.registry);
        // The gatherer borrows the collection, so segments are stored after it has ended.
        let mut segments = Vec::new();
        let mut emit = |day, segment| segments.push((day, segment));
        let mut gatherer =
            Gatherer::new(&known, collection.secrets, collection.wanted(), &mut emit);
        let mut place = 0;
        for table in tables {
            typed::hand_out(table, &reading, place, &mut |batch| gatherer.take(batch));
            place += table.rows as u64;
        }
        let mut gathered = gatherer.finish();
        for (day, segment) in segments {
            store(collection, id, day, &segment)?;
        }
        let set_aside = std::mem::take(&mut gathered.set_aside);
        self.keep_rejected(
            set_aside
                .into_iter()
                .map(|row| rejected(&collection.source.name, Some(row.place + 1), row))
                .collect(),
        );
        self.gathered.merge(gathered);
        Ok(())
    }

    fn scan(
        &mut self,
        collection: &mut Collection<'_, '_, '_, '_>,
        id: CollectionId,
        mapping: &Mapping,
    ) -> Result<(), Diagnostic> {
        let reading = TableReading::new(mapping, collection.dimensions, collection.source.kept)?;
        let table = mapped_table(collection.source, &mapping.table)?;
        let scan = Scan::open(table, &reading.wanted(), short_rows(mapping.short_rows))?;
        let reading = reading.with_decimal_mark(decimal_mark(table, &scan));
        let mut gathered = scan_in_threads(collection, id, &scan, &reading)?;
        let set_aside = std::mem::take(&mut gathered.set_aside);
        decimal_comma::expect_none(table, &scan, &set_aside)?;
        self.keep_rejected(with_lines(table, &scan, set_aside)?);
        let rounded = std::mem::take(&mut gathered.rounded_ids);
        self.warnings.extend(rounded_id::warnings(table, &scan, &reading, rounded));
        if collection.source.repeats == RepeatPolicy::Refuse {
            let read = ReadTable { table: table.clone(), reading };
            self.table_days.note(&collection.source.name, read, &gathered)?;
        }
        self.gathered.merge(gathered);
        Ok(())
    }

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
        let mut totals: Vec<_> = self.gathered.totals.iter().collect();
        // The sums come out of a hash table, and statements are numbered in this order.
        totals.sort_by_key(|(key, _)| **key);
        for (day, totals) in totals {
            let day = day.at(&source.name);
            report.count(transaction.restate(id, &day, totals)?, &day, &mut changed);
        }
        for day in &older.gone {
            let restated = transaction.restate(id, day, &Default::default())?;
            report.count(restated, day, &mut changed);
        }
        (report.withdrawn, report.days_kept) = (older.withdrawn, older.waiting);
        for delivery in &self.deliveries {
            transaction.keep_delivery(id, delivery)?;
        }
        let (usage, changed_usage) =
            self.usage.state(transaction, id, &source.name, &self.known)?;
        report.usage = usage;
        transaction.reject(&source.name, &self.rejected, self.gathered.set_aside_count)?;
        transaction.keep_source(self.state.as_deref())?;
        if ended.without_state && self.state.is_none() {
            // The source refused its stored state and gave no new one. The next run must not give
            // it the same state again.
            transaction.forget_refused_state(&source.name, collection.at_ms)?;
        }
        report.unknown.clone_from(&self.known.unknown);
        report.deliveries = self.deliveries;
        report.outside_period = self.gathered.outside_period;
        report.warnings = self.warnings;
        if !source.request.tables.is_empty() {
            report.warnings.extend(one_sided::warnings(&source.name, self.gathered.totals.iter()));
        }
        let charges: u64 = self.gathered.totals.values().map(|totals| totals.charges).sum();
        // A row that is too large for one charge is several, and counts as one.
        report.charges = charges - self.gathered.further_pieces;
        report.set_aside = self.gathered.set_aside_count;
        report.billed = self.gathered.billed;
        report.days_taken_back = collection.billed.taken_back.len() as u64;
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

    /// Decides over older statements. Refuses money that would count twice, or would go without
    /// anybody's word.
    fn older_statements(
        &self,
        collection: &Collection<'_, '_, '_, '_>,
    ) -> Result<OlderStatements, Diagnostic> {
        let source = collection.source;
        let is_bill = !source.request.tables.is_empty() && source.accrues_for.is_none();
        if is_bill && source.repeats == RepeatPolicy::Refuse {
            repeats::expect_in_one_source(collection.transaction, &source.name, &self.gathered)?;
        }
        let standing = collection.transaction.statements(&source.name)?;
        self.days(source).older_statements(&source.name, &standing)
    }

    fn days(&self, source: &Source) -> CollectedDays<'_> {
        let charged: BTreeSet<ChargeDay> = self.gathered.totals.keys().copied().collect();
        let mut days = CollectedDays::new(charged, &self.known);
        // A delivery without rows states its period too.
        let counted = self.deliveries.iter().filter(|delivery| delivery.left_out.is_none());
        let periods = counted.filter_map(|delivery| delivery.billing_period);
        days.delivered_periods.extend(periods);
        days.extent = source.delivery;
        days.reads_files = !source.request.tables.is_empty();
        days.rows_set_aside = self.gathered.set_aside_count > 0;
        days
    }
}

fn short_rows(may_be: bool) -> ShortRows {
    if may_be { ShortRows::Filled } else { ShortRows::Refused }
}

/// Only a text table has one.
fn decimal_mark(table: &GrantedTable, scan: &Scan) -> DecimalMark {
    if scan.places_are_bytes() { table.form.decimal_mark } else { DecimalMark::Point }
}

fn mapped_table<'s>(source: &'s Source, name: &str) -> Result<&'s GrantedTable, Diagnostic> {
    let table = source.request.tables.iter().find(|table| table.name == name);
    table.ok_or_else(|| {
        Diagnostic::new(
            code::PLUGIN_JUNK,
            format!("the plugin mapped the table '{name}', which it was not given"),
        )
    })
}

fn store(
    collection: &mut Collection<'_, '_, '_, '_>,
    id: CollectionId,
    day: ChargeDay,
    segment: &EncodedSegment,
) -> Result<(), Diagnostic> {
    let day = day.at(&collection.source.name);
    collection.transaction.add_segment(id, &day, segment)
}

/// Workers decode, intern and compress. This thread writes their segments and shows the progress.
fn scan_in_threads(
    collection: &mut Collection<'_, '_, '_, '_>,
    id: CollectionId,
    scan: &Scan,
    reading: &TableReading,
) -> Result<GatheredCharges, Diagnostic> {
    let threads = if scan.bytes < PARALLEL_BYTES_MIN { 1 } else { collection.threads.max(1) };
    let (identities, secrets) =
        (&Identities::new(reading, collection.registry), collection.secrets);
    // Workers must not borrow the collection, because this thread writes through it.
    let billed = collection.billed.days.clone();
    let wanted = WantedDays { period: collection.days(), billed: &billed };
    std::thread::scope(|scope| {
        // Bounded: workers that are faster than the writer wait, and do not fill the memory.
        let (sender, receiver) = mpsc::sync_channel::<(ChargeDay, EncodedSegment)>(threads * 2);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || {
                    // A send fails only after the writer has failed, and that failure ends the run.
                    let mut emit = |day, segment| drop(sender.send((day, segment)));
                    let mut gatherer = Gatherer::new(identities, secrets, wanted, &mut emit);
                    let mut worker = scan.worker();
                    while worker.next(&mut |batch| {
                        reading.lay_out(batch, |batch| gatherer.take(batch));
                        Ok(())
                    })? {}
                    Ok(gatherer.finish())
                })
            })
            .collect();
        drop(sender);
        let mut written = Ok(());
        loop {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok((day, segment)) if written.is_ok() => {
                    written = store(collection, id, day, &segment)
                }
                // The rest is taken after a failure too, or workers would wait at a full channel.
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let (name, bytes) = (collection.source.name.clone(), scan.progress());
                    (collection.progress)(Progress::Source {
                        name,
                        bytes,
                        bytes_total: scan.bytes,
                    });
                }
            }
        }
        let mut gathered = GatheredCharges::default();
        for worker in workers {
            match worker.join() {
                Ok(part) => gathered.merge(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        gathered.rounded_ids = identities.rounded();
        written.map(|()| gathered)
    })
}

impl SourceReport {
    fn count(&mut self, restated: Restated, day: &DeliveryDay, changed: &mut BTreeSet<SourceDay>) {
        match restated {
            Restated::New => self.days_new += 1,
            Restated::Changed => self.days_changed += 1,
            Restated::Unchanged => self.days_unchanged += 1,
        }
        if restated != Restated::Unchanged {
            changed.insert(day.source_day.clone());
        }
    }
}
