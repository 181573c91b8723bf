//! Money that two sources both state: the same files in both, or two formats of one bill.

use crate::alike::{Comparison, DayCharge, Likeness, compare};
use crate::by_service::same_by_service;
use crate::code::{CHARGES_REPEATED, SUMS_REPEATED};
use crate::evidence::{Evidence, RepeatKind};
use crate::gather::GatheredCharges;
use crate::interner::lock;
use crate::normalize::Registry;
use crate::reread::{CurrencyDay, period_of, read_segment, totals_by_day};
use crate::same_sums::{SameSums, Totals};
use crate::source::Source;
use crate::standing::Standing;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::run::{DayTotals, SourceDay};
use ledger::segment::{NO_HOUR, PriceList};
use ledger::{CollectionId, Reader, StoredSegment};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// A source whose files were collected, beside the others of the ledger.
pub struct CollectedSource<'a, 'r> {
    pub source: &'a Source,
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
        let Source { name, formerly, .. } = self.source;
        for (day, totals) in self.standing.days_of_others(self.ledger, name, period)? {
            let SourceDay { source, day, currency } = day.source_day;
            if self.estimates.contains(source.as_str()) || formerly.contains(&source) {
                continue;
            }
            let days = others.entry(source).or_default();
            days.entry(CurrencyDay { day, currency }).or_default().merge(&totals);
        }
        let mut warnings = Vec::new();
        for (other, days) in &others {
            let evidence = self.expect_other_charges(&own, other, days)?;
            // Both sources would say it, so only the later one does.
            if other < name {
                let same = SameSums::of(&own, days, evidence.different());
                let suspicion =
                    same.map(|same| same.in_words()).or_else(|| evidence.suspicion(&own, days));
                warnings.extend(suspicion.map(|it| warning(name, other, &it)));
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
        let (mut evidence, mut hours_are_known) = (Evidence::default(), true);
        let mut prices = None;
        for (day, totals) in own {
            let Some(of_other) = days.get(day).filter(|it| it.billed == totals.billed) else {
                continue;
            };
            let are_alike = figures(of_other) == figures(totals);
            let prices =
                prices.get_or_insert_with(|| PriceList::of(&lock(self.registry).dictionary));
            let charges = self.charges(day, other, prices)?;
            hours_are_known &= charges.hours_are_known;
            evidence.add(*day, totals, are_alike, self.likeness(&charges, are_alike));
        }
        if evidence.is_enough() {
            return Err(self.refusal(other, &evidence, hours_are_known));
        }
        Ok(evidence)
    }

    fn charges(
        &self,
        day: &CurrencyDay,
        other: &str,
        prices: &PriceList,
    ) -> Result<BothCharges, Diagnostic> {
        let CurrencyDay { day, currency } = *day;
        let place = SourceDay { source: other.to_owned(), day, currency };
        let dictionary = &mut lock(self.registry).dictionary;
        let own = read(&self.ledger.segments_of(self.collection, day, currency)?, prices)?;
        let mut others = read(&self.ledger.segments(&place)?, prices)?;
        let beside = self.standing.segments(&place);
        if let Some(theirs) = self.standing.dictionary().filter(|_| !beside.is_empty()) {
            for mut charge in read(&beside, &PriceList::of(theirs))? {
                charge.resource = dictionary.resource_of(theirs, charge.resource);
                others.push(charge);
            }
        }
        Ok(BothCharges::new(own, others))
    }

    /// Two sources can be two formats of one bill, with other names of services, other rows, and
    /// another effective cost.
    fn likeness(&self, charges: &BothCharges, are_alike: bool) -> Likeness {
        let BothCharges { own, others, .. } = charges;
        if charges.are_of_other_hours() {
            return Likeness::Different;
        }
        let dictionary = &lock(self.registry).dictionary;
        let by = |comparison| compare(comparison, own, others, dictionary);
        if are_alike {
            match (by(Comparison::Whole), by(Comparison::Owners)) {
                (Likeness::Same, _) => return Likeness::Same,
                (same @ Likeness::Compatible(_), _) | (_, same @ Likeness::SameOwners(_)) => {
                    return same;
                }
                _ => {}
            }
        }
        match same_by_service(own, others, dictionary) {
            Some(sums) => Likeness::SameByService(sums),
            None => Likeness::Different,
        }
    }

    fn refusal(&self, other: &str, evidence: &Evidence, hours_are_known: bool) -> Diagnostic {
        let source = &self.source.name;
        let same = match evidence.kind() {
            RepeatKind::Charges => "the same charges",
            RepeatKind::Amounts => "the same amounts in as many charges",
            RepeatKind::Services => "the same billed sum of each service",
        };
        let message = format!(
            "the source '{other}' has {same} of {}: they would count twice",
            evidence.days_in_words()
        );
        let mut hint = Hint::text("leave the charges out of one of the two; if ")
            .then(format!("'{other}' is a former name of '{source}', write "))
            .then(Hint::setting(format!("formerly = [\"{other}\"]")))
            .then(format!(" in [sources.{source}]; if both are owed, write "))
            .then(Hint::setting("repeats = \"count\""))
            .then(format!(" in [sources.{source}] and in [sources.{other}]"));
        if !hours_are_known {
            hint = hint.then(
                "; if each has other hours of the days, let `details` of both keep \"hours\", so \
                 that hours are compared too",
            );
        }
        Diagnostic::new(CHARGES_REPEATED, message).hint(hint)
    }
}

/// The charges of one day in two sources.
struct BothCharges {
    own: Vec<DayCharge>,
    others: Vec<DayCharge>,
    /// Hours are compared only where both sources keep them.
    hours_are_known: bool,
}

impl BothCharges {
    fn new(own: Vec<DayCharge>, others: Vec<DayCharge>) -> BothCharges {
        let keeps = |charges: &[DayCharge]| charges.iter().any(|charge| charge.hour != NO_HOUR);
        let hours_are_known = keeps(&own) && keeps(&others);
        let mut both = BothCharges { own, others, hours_are_known };
        for charge in both.own.iter_mut().chain(&mut both.others) {
            // A day without a time of day begins at midnight.
            if !hours_are_known || charge.hour == NO_HOUR {
                charge.hour = 0;
            }
        }
        both
    }

    /// Whether no hour has charges in both.
    fn are_of_other_hours(&self) -> bool {
        let hours = |charges: &[DayCharge]| -> BTreeSet<u8> {
            charges.iter().map(|charge| charge.hour).collect()
        };
        self.hours_are_known && hours(&self.own).is_disjoint(&hours(&self.others))
    }
}

fn read(segments: &[StoredSegment], prices: &PriceList) -> Result<Vec<DayCharge>, Diagnostic> {
    let mut charges = Vec::new();
    for segment in segments {
        read_segment(&segment.data, prices, segment.billing_period, &mut charges)?;
    }
    Ok(charges)
}

fn warning(source: &str, other: &str, suspicion: &str) -> Diagnostic {
    let message =
        format!("{source}: the source '{other}' has {suspicion}: their money may count twice");
    let hint = Hint::text(
        "see whether both are bills of the same accounts, and leave one of the two out; if both \
         are owed, write ",
    )
    .then(Hint::setting("repeats = \"count\""))
    .then(format!(" in [sources.{source}]"));
    Diagnostic::new(SUMS_REPEATED, message).hint(hint)
}
