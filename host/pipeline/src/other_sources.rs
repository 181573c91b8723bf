//! Money that two sources both state: the same files in both, or two formats of one bill.

use crate::alike::{Comparison, DayCharge, Likeness, compare};
use crate::code::{CHARGES_REPEATED, SUMS_REPEATED};
use crate::gather::GatheredCharges;
use crate::interner::lock;
use crate::normalize::Registry;
use crate::repeats::Evidence;
use crate::reread::{CurrencyDay, period_of, read_segment, totals_by_day};
use crate::same_sums::{SameSums, Totals};
use crate::standing::Standing;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::run::{DayTotals, SourceDay};
use ledger::{CollectionId, Reader};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// A source whose files were collected, beside the others of the ledger.
pub struct CollectedSource<'a, 'r> {
    pub name: &'a str,
    /// Sources that estimate. An estimate may be right, and gives way to its bill.
    pub estimates: &'a BTreeSet<&'a str>,
    pub collection: CollectionId,
    pub ledger: &'a Reader,
    pub standing: &'a Standing<'a>,
    pub registry: &'a Mutex<Registry<'r>>,
}

impl CollectedSource<'_, '_> {
    /// Refuses the source if another one has the same charges of a day. Returns a warning for each
    /// one that has the same sums of days.
    pub fn expect_no_repeats(
        &self,
        gathered: &GatheredCharges,
    ) -> Result<Vec<Diagnostic>, Diagnostic> {
        let own = totals_by_day(gathered);
        let Some(period) = period_of(own.keys()) else { return Ok(Vec::new()) };
        let mut others: BTreeMap<String, Totals> = BTreeMap::new();
        for (day, totals) in self.standing.days_of_others(self.ledger, self.name, period)? {
            let SourceDay { source, day, currency } = day.source_day;
            if self.estimates.contains(source.as_str()) {
                continue;
            }
            let days = others.entry(source).or_default();
            days.entry(CurrencyDay { day, currency }).or_default().merge(&totals);
        }
        let mut warnings = Vec::new();
        for (other, days) in &others {
            let evidence = self.expect_other_charges(&own, other, days)?;
            // Both sources would say it, so only the later one does.
            if other.as_str() < self.name {
                let same = SameSums::of(&own, days, evidence.different());
                warnings.extend(same.map(|same| warning(self.name, other, &same)));
            }
        }
        Ok(warnings)
    }

    fn expect_other_charges(
        &self,
        own: &Totals,
        other: &str,
        days: &Totals,
    ) -> Result<Evidence, Diagnostic> {
        let figures = |totals: &DayTotals| (totals.charges, totals.billed, totals.effective);
        let mut evidence = Evidence::default();
        for (day, totals) in own {
            if days.get(day).is_none_or(|of_other| figures(of_other) != figures(totals)) {
                continue;
            }
            evidence.add(*day, totals, self.likeness(day, other)?);
            if evidence.is_enough() {
                return Err(refusal(self.name, other, day, totals, evidence.is_certain()));
            }
        }
        Ok(evidence)
    }

    fn likeness(&self, day: &CurrencyDay, other: &str) -> Result<Likeness, Diagnostic> {
        let CurrencyDay { day, currency } = *day;
        let place = SourceDay { source: other.to_owned(), day, currency };
        let read = |segments: Vec<ledger::StoredSegment>| -> Result<Vec<DayCharge>, Diagnostic> {
            let mut charges = Vec::new();
            for segment in segments {
                read_segment(&segment.data, segment.billing_period, &mut charges)?;
            }
            Ok(charges)
        };
        let own = read(self.ledger.segments_of(self.collection, day, currency)?)?;
        let mut others = read(self.ledger.segments(&place)?)?;
        let dictionary = &mut lock(self.registry).dictionary;
        let mut beside = read(self.standing.segments(&place))?;
        if let Some(theirs) = self.standing.dictionary().filter(|_| !beside.is_empty()) {
            for charge in &mut beside {
                charge.resource = dictionary.resource_of(theirs, charge.resource);
            }
            others.append(&mut beside);
        }
        Ok(match compare(Comparison::Whole, &own, &others, dictionary) {
            Likeness::Same => Likeness::Same,
            _ => compare(Comparison::Owners, &own, &others, dictionary),
        })
    }
}

fn refusal(
    source: &str,
    other: &str,
    day: &CurrencyDay,
    totals: &DayTotals,
    is_certain: bool,
) -> Diagnostic {
    let same = match (is_certain, totals.charges) {
        (true, _) => "exactly the same charges".to_owned(),
        (false, charges) => format!("the same amounts in {charges} charges"),
    };
    let message = format!(
        "the source '{other}' has {same} of {}, {} {} billed: they would count twice",
        day.day, totals.billed, day.currency
    );
    let hint = Hint::text("leave the files out of one of the two; if both are owed, write ")
        .then(Hint::setting("repeats = \"count\""))
        .then(format!(" in [sources.{source}] and in [sources.{other}]"));
    Diagnostic::new(CHARGES_REPEATED, message).hint(hint)
}

fn warning(source: &str, other: &str, same: &SameSums) -> Diagnostic {
    let SameSums { days, first, last } = same;
    let message = format!(
        "{source}: the source '{other}' has the same billed sum of {days} days, from {first} to \
         {last}: their money may count twice"
    );
    let hint = Hint::text(
        "see whether both are bills of the same accounts, and leave one of the two out; if both \
         are owed, write ",
    )
    .then(Hint::setting("repeats = \"count\""))
    .then(format!(" in [sources.{source}]"));
    Diagnostic::new(SUMS_REPEATED, message).hint(hint)
}
