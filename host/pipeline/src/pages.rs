//! Pages of a plugin → segments of charges, and sums of usage.

use crate::collection::Collection;
use crate::columns::TableReading;
use crate::decimal_comma;
use crate::flattened::FlatRows;
use crate::gather::{ChargeDay, GatheredCharges, Gatherer, WantedDays};
use crate::normalize::Identities;
use crate::progress::Progress;
use crate::repeats::TableDays;
use crate::replaced_text;
use crate::reread::ReadTable;
use crate::rounded_id;
use crate::set_aside::{REJECTED_STORED, rejected, with_lines};
use crate::source::{RepeatPolicy, Source};
use crate::typed;
use crate::usage;
use decode::{Scan, ShortRows};
use domain::charge::{ChargeTable, RawCharge, RawUsage, RejectedRow};
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::mapping::{Mapping, UsageMapping};
use domain::port::{Batch, Delivery, GrantedTable, Rows};
use domain::tag::TagSchema;
use domain::text_form::DecimalMark;
use ledger::CollectionId;
use ledger::segment::EncodedSegment;
use reports::coverage::days::KnownDays;
use std::sync::mpsc;
use std::time::Duration;

/// Below this a second thread costs more than it saves.
const PARALLEL_BYTES_MIN: u64 = 4 << 20;
/// Typed charges are gathered in pages of one segment.
const TYPED_ROWS: usize = 65_536;

/// All that was read of a source so far.
pub struct GatheredSource<'a> {
    pub gathered: GatheredCharges,
    pub usage: usage::GatheredUsage<'a>,
    pub rejected: Vec<RejectedRow>,
    pub warnings: Vec<Diagnostic>,
    pub typed: Vec<RawCharge>,
    pub tables: Vec<ChargeTable>,
    pub state: Option<String>,
    pub known: KnownDays,
    pub deliveries: Vec<Delivery>,
    pub table_days: TableDays,
    pub flat_rows: FlatRows,
}

impl<'a> GatheredSource<'a> {
    pub fn new(
        collection: &Collection<'_, '_, '_, '_>,
        schema: &'a TagSchema,
    ) -> GatheredSource<'a> {
        GatheredSource {
            gathered: GatheredCharges::default(),
            usage: usage::GatheredUsage::new(schema, collection.secrets, collection.days()),
            rejected: Vec::new(),
            warnings: Vec::new(),
            typed: Vec::new(),
            tables: Vec::new(),
            state: None,
            known: KnownDays { asked: collection.period, ..KnownDays::default() },
            deliveries: Vec::new(),
            table_days: TableDays::new(),
            flat_rows: FlatRows::default(),
        }
    }
}

impl GatheredSource<'_> {
    pub fn batch(
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
    pub fn flush_typed(
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
        let replaced = std::mem::take(&mut gathered.replaced_texts);
        self.warnings.extend(replaced_text::warnings(&collection.source.name, table, replaced));
        if collection.source.repeats == RepeatPolicy::Refuse {
            self.warnings.extend(self.flat_rows.note(&collection.source.name, table, mapping)?);
            let (table, mapping) = (table.clone(), mapping.clone());
            let read = ReadTable { table, mapping, decimal_mark: reading.decimal_mark };
            let rereading = collection.rereading();
            let name = &collection.source.name;
            self.warnings.extend(self.table_days.note(name, &rereading, read, &gathered)?);
        }
        self.gathered.merge(gathered);
        Ok(())
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
    let billed = collection.estimated.billed.clone();
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
        gathered.replaced_texts = identities.replaced();
        written.map(|()| gathered)
    })
}
