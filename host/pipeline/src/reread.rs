//! A second look at a table: its charges of some days, each with its hour.
//!
//! Stored charges may have no hours. The hours of a resource that always costs the same are equal
//! charges, and may stand in files of their own.

use crate::alike::DayCharge;
use crate::columns::TableReading;
use crate::gather::{ChargeDay, GatheredCharges, Gatherer, WantedDays};
use crate::interner::Secrets;
use crate::normalize::{Identities, Registry};
use decode::{Scan, ShortRows};
use domain::charge::KeptDetails;
use domain::diagnostic::Diagnostic;
use domain::dictionary::ResourceId;
use domain::field::Field;
use domain::mapping::Mapping;
use domain::money::Currency;
use domain::period::{Day, Period};
use domain::port::GrantedTable;
use domain::run::DayTotals;
use domain::text_form::DecimalMark;
use ledger::segment::{self, Details, EncodedSegment, NO_HOUR, PriceList, SegmentCharges};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// A day in one currency, over all billing periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CurrencyDay {
    pub day: Day,
    pub currency: Currency,
}

impl CurrencyDay {
    fn of(day: &ChargeDay) -> CurrencyDay {
        CurrencyDay { day: day.day, currency: day.currency }
    }
}

/// A table that was read, and how.
pub struct ReadTable {
    pub table: GrantedTable,
    pub mapping: Mapping,
    pub decimal_mark: DecimalMark,
}

/// What tables of a source are read by.
pub struct Rereading<'a, 'r> {
    pub registry: &'a Mutex<Registry<'r>>,
    pub dimensions: &'a [Field],
    pub secrets: Secrets,
    pub wanted: WantedDays<'a>,
}

impl Rereading<'_, '_> {
    /// The charges of some days of a table.
    pub fn charges(
        &self,
        of: &ReadTable,
        days: &BTreeSet<CurrencyDay>,
    ) -> Result<BTreeMap<CurrencyDay, Vec<DayCharge>>, Diagnostic> {
        let hours = KeptDetails { hours: true, ..KeptDetails::NONE };
        let reading = TableReading::new(&of.mapping, self.dimensions, hours)?;
        let scan = Scan::open(&of.table, &reading.wanted(), ShortRows::Filled)?;
        let reading = reading.with_decimal_mark(of.decimal_mark);
        let identities = Identities::new(&reading, self.registry);
        let mut segments = Vec::new();
        let mut emit = |day: ChargeDay, segment: EncodedSegment| {
            if days.contains(&CurrencyDay::of(&day)) {
                segments.push((day, segment));
            }
        };
        let mut gatherer = Gatherer::new(&identities, self.secrets, self.wanted, &mut emit);
        let mut worker = scan.worker();
        while worker.next(&mut |batch| {
            reading.lay_out(batch, |batch| gatherer.take(batch));
            Ok(())
        })? {}
        gatherer.finish();
        let mut charges: BTreeMap<CurrencyDay, Vec<DayCharge>> = BTreeMap::new();
        for (day, segment) in segments {
            let of_day = charges.entry(CurrencyDay::of(&day)).or_default();
            read_with_hours(&segment.data, day.billing_period, of_day)?;
        }
        Ok(charges)
    }
}

/// Adds the charges of a segment whose only details are hours.
fn read_with_hours(
    data: &[u8],
    billing_period: Option<Day>,
    into: &mut Vec<DayCharge>,
) -> Result<(), Diagnostic> {
    let (mut charges, mut details) = (SegmentCharges::default(), Details::default());
    segment::decode_with(data, &PriceList::default(), &mut charges, &mut details)?;
    // A day without a time of day begins at midnight.
    into.extend(day_charges(&charges, &details.hours, billing_period).map(|charge| {
        let hour = if charge.hour == NO_HOUR { 0 } else { charge.hour };
        DayCharge { hour, ..charge }
    }));
    Ok(())
}

/// Adds the charges of a stored segment. Their hour is [`NO_HOUR`] where none is kept.
pub fn read_segment(
    data: &[u8],
    prices: &PriceList,
    billing_period: Option<Day>,
    into: &mut Vec<DayCharge>,
) -> Result<(), Diagnostic> {
    let (mut charges, mut details) = (SegmentCharges::default(), Details::default());
    segment::decode_with(data, prices, &mut charges, &mut details)?;
    into.extend(day_charges(&charges, &details.hours, billing_period));
    Ok(())
}

fn day_charges<'c>(
    charges: &'c SegmentCharges,
    hours: &'c [u8],
    billing_period: Option<Day>,
) -> impl Iterator<Item = DayCharge> + 'c {
    let amounts = charges.billed.iter().zip(&charges.effective);
    let rows = charges.resources.iter().zip(amounts).enumerate();
    rows.map(move |(row, (resource, (billed, effective)))| DayCharge {
        resource: ResourceId(*resource),
        billing_period,
        hour: hours.get(row).copied().unwrap_or(NO_HOUR),
        billed: *billed,
        effective: *effective,
    })
}

/// The totals of days that cost something, over all billing periods.
pub fn totals_by_day(gathered: &GatheredCharges) -> BTreeMap<CurrencyDay, DayTotals> {
    let mut days: BTreeMap<CurrencyDay, DayTotals> = BTreeMap::new();
    for (day, totals) in &gathered.totals {
        days.entry(CurrencyDay::of(day)).or_default().merge(totals);
    }
    // Charges of nothing cost nothing when they are counted twice.
    days.retain(|_, totals| !totals.billed.is_zero() || !totals.effective.is_zero());
    days
}

/// The days from the first to the last one.
pub fn period_of<'d>(days: impl Iterator<Item = &'d CurrencyDay>) -> Option<Period> {
    let (mut first, mut last) = (None, None);
    for CurrencyDay { day, .. } in days {
        first = Some(first.map_or(*day, |first: Day| first.min(*day)));
        last = Some(last.map_or(*day, |last: Day| last.max(*day)));
    }
    Period::new(first?, last?.plus(1)).ok()
}
