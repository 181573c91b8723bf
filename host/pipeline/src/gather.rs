//! The hot half of collecting: batches of cells → columns of charges per day, currency and billing
//! period, compressed as they fill up.
//!
//! Each thread has a gatherer of its own. It keeps at most `BUFFERED_MAX` charges, of 20 bytes and
//! up to 60 bytes of details, so memory does not grow with rows.

use crate::billed_days::BilledDays;
use crate::billing_period::BillingPeriods;
use crate::cell::{CellFault, CellValue, Dates, SetAsideRow, amount};
use crate::columns::{Input, TableReading};
use crate::details::{BilledCell, DetailReader};
use crate::interner::{RowClass, RowTable, Secrets, TextHashes, hash_rows};
use crate::normalize::{Identities, Reason, RowIdentity};
use crate::pieces::Pieces;
use decode::{Batch, Cells};
use domain::code::ROW_REJECTED;
use domain::dictionary::ResourceId;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use foldhash::{HashMap, HashMapExt};
use ledger::segment::{self, Details, EncodedSegment};

/// Charges in one segment.
const SEGMENT_ROWS: usize = 65_536;
const BUFFERED_MAX: usize = 1 << 18;
/// Rows set aside that are kept with their reason. All others are only counted.
const REJECTED_KEPT: usize = 1000;

/// Where the charges of a source belong: the key of segments and statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChargeDay {
    pub day: Day,
    pub currency: Currency,
    /// The first day of the billing period. `None` where the source does not tell it.
    pub billing_period: Option<Day>,
}

impl ChargeDay {
    pub fn of(day: &DeliveryDay) -> ChargeDay {
        let SourceDay { day: charge_day, currency, .. } = &day.source_day;
        ChargeDay { day: *charge_day, currency: *currency, billing_period: day.billing_period }
    }

    pub fn at(self, source: &str) -> DeliveryDay {
        DeliveryDay {
            source_day: SourceDay {
                source: source.to_owned(),
                day: self.day,
                currency: self.currency,
            },
            billing_period: self.billing_period,
        }
    }
}

/// The results of one thread, from one or more tables of a source.
#[derive(Default)]
pub struct GatheredCharges {
    pub totals: HashMap<ChargeDay, DayTotals>,
    pub set_aside: Vec<SetAsideRow>,
    pub set_aside_count: u64,
    pub skipped: u64,
    pub outside_period: u64,
    /// Estimates that are billed by now.
    pub billed: u64,
    /// Columns of ids that were rounded as numbers, each with one id.
    pub rounded_ids: Vec<(String, String)>,
    /// Columns with characters that were lost before the file came here, each with one text.
    pub replaced_texts: Vec<(String, String)>,
    /// Charges beyond the first of rows that are too large for one charge.
    pub further_pieces: u64,
}

/// The days whose charges are wanted.
#[derive(Clone, Copy)]
pub struct WantedDays<'a> {
    pub period: Period,
    /// The bill of these days, so estimates of what it has are not wanted.
    pub billed: &'a BilledDays,
}

/// Charges of one day, currency and billing period, waiting to become a segment.
struct Bucket {
    day: ChargeDay,
    columns: Columns,
    totals: DayTotals,
}

#[derive(Default)]
struct Columns {
    resources: Vec<u32>,
    billed: Vec<i64>,
    effective: Vec<i64>,
    details: Details,
}

pub struct Gatherer<'a, 'r> {
    identities: &'a Identities<'a, 'r>,
    secrets: Secrets,
    wanted: WantedDays<'a>,
    emit: &'a mut dyn FnMut(ChargeDay, EncodedSegment),
    table: RowTable,
    texts: Vec<TextHashes>,
    hashes: Vec<(u64, u64)>,
    classes: Vec<RowClass>,
    unmet: Vec<usize>,
    buckets: Vec<Bucket>,
    numbers: HashMap<ChargeDay, usize>,
    /// Emptied columns for the next bucket. Bills go day by day, and fresh memory costs more time
    /// than its charges.
    spare: Vec<Columns>,
    current: usize,
    buffered: usize,
    digests: Vec<u128>,
    currencies: Vec<Currency>,
    dates: Dates,
    periods: BillingPeriods<'a>,
    details: Option<DetailReader<'a, 'r>>,
    /// For estimates, whether the bill has the resource by now.
    billed_resources: HashMap<(Day, u32), bool>,
    gathered: GatheredCharges,
}

impl<'a, 'r> Gatherer<'a, 'r> {
    pub fn new(
        identities: &'a Identities<'a, 'r>,
        secrets: Secrets,
        wanted: WantedDays<'a>,
        emit: &'a mut dyn FnMut(ChargeDay, EncodedSegment),
    ) -> Gatherer<'a, 'r> {
        Gatherer {
            identities,
            secrets,
            wanted,
            emit,
            table: RowTable::default(),
            texts: Vec::new(),
            hashes: Vec::new(),
            classes: Vec::new(),
            unmet: Vec::new(),
            buckets: Vec::new(),
            numbers: HashMap::new(),
            spare: Vec::new(),
            current: 0,
            buffered: 0,
            digests: Vec::new(),
            currencies: Vec::new(),
            dates: Dates::new(identities.reading.date_order),
            periods: BillingPeriods::new(identities.reading.date_order, &identities.reading.nulls),
            details: DetailReader::new(&identities.terms, secrets),
            billed_resources: HashMap::new(),
            gathered: GatheredCharges::default(),
        }
    }

    pub fn take(&mut self, batch: &Batch<'_>) {
        let identity: Vec<(usize, Cells<'_>)> = self
            .identities
            .reading
            .identity
            .iter()
            .map(|(column, _)| (*column, batch.columns[*column]))
            .collect();
        let Gatherer { secrets, texts, hashes, .. } = self;
        hash_rows(&identity, batch.rows, secrets, texts, hashes);
        self.table.find_all(&self.hashes, &mut self.classes, &mut self.unmet);
        if !self.unmet.is_empty() {
            self.resolve(&identity);
        }
        if let Some(details) = &mut self.details {
            details.begin(batch);
        }
        for row in 0..batch.rows {
            let outcome = match self.classes[row] {
                RowClass::Skipped => {
                    self.gathered.skipped += 1;
                    Ok(())
                }
                RowClass::Rejected(reason) => Err(self.reason(reason)),
                RowClass::Resource(resource) => self.charge(batch, row, resource.0),
            };
            if let Err(refusal) = outcome {
                self.set_aside(batch, row, refusal);
            }
        }
        for row in batch.unreadable {
            self.gathered.set_aside_count += 1;
            if self.gathered.set_aside.len() < REJECTED_KEPT {
                self.gathered.set_aside.push(SetAsideRow::unreadable(row));
            }
        }
    }

    /// Resolves rows that this thread has not seen before.
    #[cold]
    fn resolve(&mut self, identity: &[(usize, Cells<'_>)]) {
        self.identities.resolve(
            &self.unmet,
            &self.hashes,
            identity,
            |row, RowIdentity { class, resource: met }| {
                if let Some((resource, currency, digest)) = met {
                    put_at(&mut self.digests, resource.0 as usize, digest);
                    put_at(&mut self.currencies, resource.0 as usize, currency);
                }
                self.classes[row] = class;
                self.table.insert(self.hashes[row], class);
            },
        );
    }

    #[inline]
    fn charge(&mut self, batch: &Batch<'_>, row: usize, resource: u32) -> Result<(), CellFault> {
        let day = self.dates.day(&self.identities.reading.charge_period_start, batch, row)?;
        // Before the amounts are read: those of days that are not wanted may be unreadable.
        if !self.wanted.period.contains(day) {
            self.gathered.outside_period += 1;
            return Ok(());
        }
        // Only estimates have such days. Other sources do without the search.
        if !self.wanted.billed.is_empty() && self.is_billed(day, resource) {
            self.gathered.billed += 1;
            return self.state_nothing(day, batch, row, resource);
        }
        // Both amounts are read before one of them is kept: a row counts in full or not at all.
        let (billed, billed_rest) = amount(&self.identities.reading.billed_cost, batch, row)?;
        // Mostly both are the same text, which is read once.
        let (effective, effective_rest) = match self.costs_are_one(batch, row) {
            true => (billed, billed_rest.clone()),
            false => amount(&self.identities.reading.effective_cost, batch, row)?,
        };
        let billing_period =
            self.periods.period(&self.identities.reading.billing_period, batch, row)?;
        let currency = self.currencies[resource as usize];
        self.bucket(ChargeDay { day, currency, billing_period });
        let bucket = &mut self.buckets[self.current];
        let short = (i64::try_from(billed), i64::try_from(effective));
        if let Some(details) = &self.details {
            let nanos = short.0.ok().filter(|_| billed_rest.is_none());
            let cell = BilledCell::new(&self.identities.reading.billed_cost, batch, row, nanos);
            // A row with a fault counts in no column.
            let charges = bucket.columns.resources.len();
            let pushed = details.push(batch, row, cell, &mut bucket.columns.details);
            pushed.inspect_err(|_| bucket.columns.details.truncate(charges))?;
        }
        if let (Ok(billed), Ok(effective)) = short {
            bucket.columns.push(resource, billed, effective);
        } else {
            let pieces = Pieces { billed, effective };
            let further = bucket.columns.push_pieces(resource, pieces);
            self.gathered.further_pieces += further as u64;
            self.buffered += further;
        }
        if let Some(rest) = billed_rest {
            bucket.totals.billed_rest.add_rest(&rest);
        }
        if let Some(rest) = effective_rest {
            bucket.totals.effective_rest.add_rest(&rest);
        }
        let full = bucket.columns.resources.len() >= SEGMENT_ROWS;
        self.buffered += 1;
        if full {
            self.emit_bucket(self.current);
        } else if self.buffered >= BUFFERED_MAX {
            // A file that jumps between days fills many buckets. The fullest frees the most.
            let largest =
                (0..self.buckets.len()).max_by_key(|at| self.buckets[*at].columns.resources.len());
            self.emit_bucket(largest.unwrap_or_default());
        }
        Ok(())
    }

    /// Whether the bill has what was estimated.
    #[cold]
    fn is_billed(&mut self, day: Day, resource: u32) -> bool {
        let (identities, billed) = (self.identities, self.wanted.billed);
        let gives_way = || identities.gives_way(billed, day, ResourceId(resource));
        *self.billed_resources.entry((day, resource)).or_insert_with(gives_way)
    }

    /// States the day of an estimate that is billed, so that older estimates of it do not count
    /// on where all newer ones are billed.
    #[cold]
    fn state_nothing(
        &mut self,
        day: Day,
        batch: &Batch<'_>,
        row: usize,
        resource: u32,
    ) -> Result<(), CellFault> {
        let billing_period =
            self.periods.period(&self.identities.reading.billing_period, batch, row)?;
        let currency = self.currencies[resource as usize];
        self.gathered.totals.entry(ChargeDay { day, currency, billing_period }).or_default();
        Ok(())
    }

    /// Whether the effective cost stands there as the billed one does.
    #[inline]
    fn costs_are_one(&self, batch: &Batch<'_>, row: usize) -> bool {
        let TableReading { billed_cost, effective_cost, .. } = self.identities.reading;
        // A constant has a decimal point, also where the table has commas.
        let is_column = |input: &Input| !matches!(input, Input::Constant(_));
        is_column(billed_cost)
            && is_column(effective_cost)
            && CellValue::of(billed_cost, batch, row).is(CellValue::of(effective_cost, batch, row))
    }

    #[inline]
    fn bucket(&mut self, day: ChargeDay) -> &mut Bucket {
        let fits = |bucket: &Bucket| bucket.day == day;
        if !self.buckets.get(self.current).is_some_and(fits) {
            // Rows of one day mostly come together, so this is rare.
            let next = self.buckets.len();
            self.current = *self.numbers.entry(day).or_insert(next);
            if self.current == next {
                let (columns, totals) = Default::default();
                self.buckets.push(Bucket { day, columns, totals });
            }
            let columns = &mut self.buckets[self.current].columns;
            if columns.resources.capacity() == 0 {
                *columns = self.spare.pop().unwrap_or_default();
            }
        }
        &mut self.buckets[self.current]
    }

    /// Compresses a bucket and hands it on.
    fn emit_bucket(&mut self, at: usize) {
        let bucket = &mut self.buckets[at];
        let mut columns = std::mem::take(&mut bucket.columns);
        if columns.resources.is_empty() {
            return;
        }
        let Columns { resources, billed, effective, details } = &columns;
        for (row, (resource, (billed, effective))) in
            resources.iter().zip(billed.iter().zip(effective)).enumerate()
        {
            let resource = self.digests[*resource as usize];
            let told = self.details.as_ref().map_or(0, |reader| reader.digest(details, row));
            bucket.totals.fingerprint.add_detailed(resource, told, *billed, *effective);
        }
        let charges = segment::ChargeColumns { resources, billed, effective };
        let encoded = match &self.details {
            None => segment::encode(&charges),
            Some(reader) => segment::encode_with(&charges, details, reader.prices()),
        };
        self.buffered -= resources.len();
        bucket.totals.charges += resources.len() as u64;
        bucket.totals.billed += encoded.billed;
        bucket.totals.effective += encoded.effective;
        columns.resources.clear();
        columns.billed.clear();
        columns.effective.clear();
        columns.details.clear();
        self.spare.push(columns);
        // The day's next charge takes other columns.
        self.current = usize::MAX;
        (self.emit)(bucket.day, encoded);
    }

    pub fn finish(mut self) -> GatheredCharges {
        for at in 0..self.buckets.len() {
            self.emit_bucket(at);
        }
        // A bucket whose only rows were set aside states nothing of its day.
        for bucket in self.buckets.into_iter().filter(|bucket| bucket.totals.charges > 0) {
            self.gathered.totals.entry(bucket.day).or_default().merge(&bucket.totals);
        }
        self.gathered
    }

    fn reason(&self, number: u32) -> CellFault {
        let Reason { column, text } = self.identities.reason(number);
        CellFault::new(column, text)
    }

    #[cold]
    fn set_aside(&mut self, batch: &Batch<'_>, row: usize, refusal: CellFault) {
        self.gathered.set_aside_count += 1;
        // A decimal comma decides over the whole table, however many rows were set aside before.
        let kept = &self.gathered.set_aside;
        let is_known = |code| kept.iter().any(|row| row.code == code);
        if kept.len() >= REJECTED_KEPT && (refusal.code == ROW_REJECTED || is_known(refusal.code)) {
            return;
        }
        self.gathered
            .set_aside
            .push(refusal.of_row(batch, row, |column| self.identities.reading.name(column)));
    }
}

impl GatheredCharges {
    pub fn merge(&mut self, other: GatheredCharges) {
        for (key, totals) in other.totals {
            self.totals.entry(key).or_default().merge(&totals);
        }
        self.set_aside.extend(other.set_aside);
        self.set_aside_count += other.set_aside_count;
        self.skipped += other.skipped;
        self.outside_period += other.outside_period;
        self.billed += other.billed;
        self.rounded_ids.extend(other.rounded_ids);
        self.replaced_texts.extend(other.replaced_texts);
        self.further_pieces += other.further_pieces;
    }
}

impl Columns {
    #[inline]
    fn push(&mut self, resource: u32, billed: i64, effective: i64) {
        self.resources.push(resource);
        self.billed.push(billed);
        self.effective.push(effective);
    }

    /// Adds a row that is too large for one charge. Returns how many charges more it became.
    #[cold]
    fn push_pieces(&mut self, resource: u32, pieces: Pieces) -> usize {
        let before = self.resources.len();
        for (billed, effective) in pieces {
            self.push(resource, billed, effective);
        }
        // The details stand with the first charge, and the others have nothing of them.
        let further = self.resources.len() - before - 1;
        (0..further).for_each(|_| self.details.push_nothing_more());
        further
    }
}

/// Places never asked for hold any value.
fn put_at<T: Copy>(values: &mut Vec<T>, at: usize, value: T) {
    if values.len() <= at {
        values.resize(at + 1, value);
    }
    values[at] = value;
}

/// The exact totals of a source by currency, over all its days.
pub fn exact_totals<'t>(
    totals: impl Iterator<Item = (&'t ChargeDay, &'t DayTotals)>,
) -> HashMap<Currency, DayTotals> {
    let mut by_currency: HashMap<Currency, DayTotals> = HashMap::new();
    for (key, day) in totals {
        by_currency.entry(key.currency).or_default().merge(day);
    }
    by_currency
}

/// The source's own total: the rounded charges plus the rests that rounding took.
pub fn exact_text(sum: Sum, rest: &domain::decimal::Exact) -> String {
    let mut exact = rest.clone();
    exact.add_nanos(sum.nanos());
    exact.to_string()
}
