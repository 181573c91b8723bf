//! Estimates that count until the bill comes, each by itself: an estimate gives way to the part of
//! the bill that it estimates. What is left gives way when the day is settled.
//!
//! To take estimates back, their day is stated without them. The run then reverses the postings
//! of that day like any others. If the bill takes its charges back, they count again.

use crate::billed_days::BilledDays;
use crate::interner::lock;
use crate::normalize::Registry;
use crate::progress::Progress;
use crate::source::{Accrual, Source};
use crate::standing::Standing;
use crate::unmatched::UnmatchedEstimates;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::money::Sum;
use domain::period::{Day, Period};
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use domain::terms::TermsId;
use ledger::segment::{EncodedSegment, PriceList, SegmentPart};
use ledger::{Reader, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Bills first: once they are collected, it is known which estimates count.
pub fn in_order(sources: &[Source]) -> impl Iterator<Item = &Source> {
    let accrues = |source: &&Source| source.accrues_for.is_some();
    sources.iter().filter(move |source| !accrues(source)).chain(sources.iter().filter(accrues))
}

/// The names of sources that estimate.
pub fn estimates<'s>(sources: &[&'s Source]) -> impl Iterator<Item = &'s str> {
    let estimating = sources.iter().filter(|source| source.accrues_for.is_some());
    estimating.flat_map(|source| source.names())
}

/// A source before it is collected, beside the bill that it may estimate.
pub struct BesideBill<'a, 'r> {
    pub source: &'a Source,
    pub standing: &'a Standing<'a>,
    pub registry: &'a Mutex<Registry<'r>>,
    /// The days that the source is asked for. Without a period, it is asked for everything.
    pub asked: Option<Period>,
    pub today: Day,
}

/// The estimates that a bill left of a source.
#[derive(Default)]
pub struct Remainder {
    pub billed: BilledDays,
    /// Days that have other estimates now.
    pub changed: Vec<SourceDay>,
    /// Days that have fewer estimates now.
    pub days_taken_back: u64,
    pub warnings: Vec<Diagnostic>,
}

/// The estimates of a day that still count.
#[derive(Default)]
struct DayRemainder {
    segments: Vec<EncodedSegment>,
    totals: DayTotals,
    lacks_some: bool,
}

impl BesideBill<'_, '_> {
    /// Takes back the estimates that are billed by now.
    pub fn take_back(
        &self,
        transaction: &mut Transaction<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Remainder, Diagnostic> {
        let Some(accrual) = &self.source.accrues_for else { return Ok(Remainder::default()) };
        let days = |of: &DeliveryDay| of.source_day.day;
        let (mut current, mut collected) = (BTreeMap::new(), Vec::new());
        let mut own_days = BTreeSet::new();
        for name in self.source.names() {
            // What the source stated anew by its present name was taken back under the old one.
            let is_open = |(of, _): &(DeliveryDay, DayTotals)| !own_days.contains(&days(of));
            let stated = self.standing.statements(transaction, name)?;
            current.extend(stated.into_iter().filter(is_open));
            let before = self.standing.collected_statements(transaction, name)?;
            collected.extend(before.into_iter().filter(is_open));
            own_days.extend(collected.iter().map(|(of, _)| days(of)));
        }
        let (stated, all) = (
            current.keys().map(days).collect(),
            collected.iter().map(|(of, _)| days(of)).collect(),
        );
        let billed = self.billed_days(transaction, accrual, (&stated, &all))?;
        let mut remainder = Remainder::default();
        let (mut restated, mut unmatched) = (Vec::new(), UnmatchedEstimates::default());
        let mut fewer = BTreeSet::new();
        for (day, collected) in collected {
            let stated = current.get(&day);
            let charge_day = day.source_day.day;
            let is_settled = billed.is_settled(charge_day);
            // Most days are long settled, or are not billed at all.
            let is_done = match is_settled {
                true => stated.is_none(),
                false if billed.has(charge_day) => false,
                false => stated.is_some_and(|stated| stated.are_of_the_charges_of(&collected)),
            };
            if is_done {
                continue;
            }
            let mut left =
                self.left_of(transaction, &billed, (&day, &collected), &mut unmatched)?;
            if is_settled {
                let DayTotals { charges, billed, .. } = left.totals;
                unmatched.count_at_the_end(day.source_day.currency, charge_day, charges, billed);
                left = DayRemainder::default();
            }
            let before = stated.cloned().unwrap_or_default();
            if before.are_of_the_charges_of(&left.totals) {
                continue;
            }
            if left.totals.charges < before.charges {
                fewer.insert(day.source_day.clone());
            }
            remainder.changed.push(day.source_day.clone());
            restated.push((day, left));
        }
        // A day has a statement for each billing period.
        remainder.changed.dedup();
        remainder.days_taken_back = fewer.len() as u64;
        if !restated.is_empty() {
            self.restate(transaction, &restated)?;
        }
        if remainder.days_taken_back > 0 {
            let (bill, days) = (accrual.bill.clone(), remainder.days_taken_back);
            progress(Progress::TakenBack { name: self.source.name.clone(), bill, days });
        }
        (remainder.billed, remainder.warnings) = (billed, unmatched.warnings(self.source));
        Ok(remainder)
    }

    /// The days of the bill on which estimates stand or may be collected.
    fn billed_days(
        &self,
        ledger: &Reader,
        accrual: &Accrual,
        (stated, collected): (&BTreeSet<Day>, &BTreeSet<Day>),
    ) -> Result<BilledDays, Diagnostic> {
        // A statement without charges is a day taken back. It neither bills nor estimates.
        let (mut bill, mut first) = (BTreeSet::new(), BTreeMap::<Day, i64>::new());
        for name in accrual.names() {
            let statements = self.standing.statements(ledger, name)?;
            bill.extend(statements.into_iter().map(|(day, _)| day.source_day));
            for (day, at_ms) in self.standing.first_stated(ledger, name)? {
                first.entry(day).and_modify(|first| *first = at_ms.min(*first)).or_insert(at_ms);
            }
        }
        let days_until = i32::try_from(accrual.settled_after_days).unwrap_or(i32::MAX);
        let mut billed = BilledDays::new(accrual.by.clone());
        for source_day in bill {
            let day = source_day.day;
            let since = first.get(&day).map(|at_ms| Day::of_instant(*at_ms));
            let is_settled = since.is_none_or(|since| since.plus(days_until) <= self.today);
            billed.add(day, is_settled);
            let is_asked = self.asked.is_none_or(|asked| asked.contains(day));
            // Of settled days it decides only over a warning.
            let is_open = !is_settled && (is_asked || collected.contains(&day));
            if is_open || stated.contains(&day) {
                self.note_values(ledger, &source_day, &mut billed)?;
            }
        }
        Ok(billed)
    }

    /// Notes what a day of the bill is of.
    fn note_values(
        &self,
        ledger: &Reader,
        source_day: &SourceDay,
        billed: &mut BilledDays,
    ) -> Result<(), Diagnostic> {
        for segment in ledger.segments(source_day)? {
            billed.note(source_day.day, &segment.data, &lock(self.registry).dictionary)?;
        }
        if let Some(dictionary) = self.standing.dictionary() {
            for segment in self.standing.segments(source_day) {
                billed.note(source_day.day, &segment.data, dictionary)?;
            }
        }
        Ok(())
    }

    /// The estimates of a day that the bill does not have.
    fn left_of(
        &self,
        ledger: &Reader,
        billed: &BilledDays,
        (day, collected): (&DeliveryDay, &DayTotals),
        unmatched: &mut UnmatchedEstimates,
    ) -> Result<DayRemainder, Diagnostic> {
        let mut left = DayRemainder::default();
        let segments = self.standing.collected_segments(ledger, day)?;
        let mut registry = lock(self.registry);
        let theirs = self.standing.dictionary();
        let dictionary = theirs.unwrap_or(&registry.dictionary);
        let prices = PriceList::of(dictionary);
        let SourceDay { day: charge_day, currency, .. } = day.source_day;
        let mut parts = Vec::new();
        for segment in &segments {
            let part = SegmentPart::read(&segment.data, &prices, |resource| {
                !billed.has_value_of(charge_day, dictionary, ResourceId(resource))
            })?;
            left.count(&part, dictionary);
            let is_open = !billed.is_settled(charge_day);
            for (resource, amount) in part.resources.iter().zip(&part.billed).filter(|_| is_open) {
                let lacking = billed.lacking(charge_day, dictionary, ResourceId(*resource));
                if let Some(field) = lacking {
                    let amount = Sum::from_nanos((*amount).into());
                    unmatched.count_beside(currency, charge_day, field, amount);
                }
            }
            parts.push(part);
        }
        if !left.lacks_some {
            // All of them: their rests count too.
            left.totals = collected.clone();
        }
        for mut part in parts.into_iter().filter(|part| !part.resources.is_empty()) {
            if let Some(theirs) = theirs {
                // A rehearsal only compares, so details can stay where they are.
                part.details.clear();
                for resource in &mut part.resources {
                    let id = ResourceId(*resource);
                    *resource = registry.dictionary.resource_of(theirs, id).0;
                }
            }
            left.segments.push(part.encode(&prices));
        }
        Ok(left)
    }

    fn restate(
        &self,
        transaction: &mut Transaction<'_>,
        days: &[(DeliveryDay, DayRemainder)],
    ) -> Result<(), Diagnostic> {
        for name in self.source.names() {
            let of_name = days.iter().filter(|(day, _)| day.source_day.source == name);
            let id = transaction.begin_source(name, self.source.collector.identity())?;
            for (day, left) in of_name {
                for segment in &left.segments {
                    transaction.add_segment(id, day, segment)?;
                }
                let restated = transaction.restate(id, day, &left.totals)?;
                self.standing.compare(restated, day, &left.totals);
            }
            transaction.keep_source(None)?;
        }
        Ok(())
    }
}

impl DayRemainder {
    fn count(&mut self, part: &SegmentPart, dictionary: &Dictionary) {
        self.lacks_some |= part.lacks_some;
        let totals = &mut self.totals;
        for (row, resource) in part.resources.iter().enumerate() {
            let (billed, effective) = (part.billed[row], part.effective[row]);
            let terms = part.details.terms.get(row).copied().unwrap_or_default();
            let told = part.details.digest(row, dictionary.terms_digest(TermsId(terms)));
            let digest = dictionary.digest(ResourceId(*resource));
            totals.fingerprint.add_detailed(digest, told, billed, effective);
            totals.charges += 1;
            totals.billed += Sum::from_nanos(billed.into());
            totals.effective += Sum::from_nanos(effective.into());
        }
    }
}
