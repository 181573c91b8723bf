//! Estimates that cannot be matched with their bill, as warnings: as long as they count beside it,
//! and when they give way unmatched.

use crate::code::ESTIMATES_UNMATCHED;
use crate::source::Source;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::hint::Hint;
use domain::money::{Currency, Sum};
use domain::period::Day;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct UnmatchedEstimates {
    /// Those that count beside a bill which has no such dimension on their day.
    beside: BTreeMap<Currency, Tally>,
    /// Those of days that were settled without them.
    at_the_end: BTreeMap<Currency, Tally>,
}

#[derive(Default)]
struct Tally {
    days: BTreeSet<Day>,
    charges: u64,
    billed: Sum,
    dimensions: BTreeSet<&'static str>,
}

impl UnmatchedEstimates {
    pub fn count_beside(&mut self, currency: Currency, day: Day, field: Field, billed: Sum) {
        let tally = self.beside.entry(currency).or_default();
        tally.count(day, 1, billed);
        tally.dimensions.insert(field.name());
    }

    pub fn count_at_the_end(&mut self, currency: Currency, day: Day, charges: u64, billed: Sum) {
        if charges > 0 {
            self.at_the_end.entry(currency).or_default().count(day, charges, billed);
        }
    }

    pub fn warnings(&self, source: &Source) -> Vec<Diagnostic> {
        let Some(accrual) = &source.accrues_for else { return Vec::new() };
        let (name, bill) = (&source.name, &accrual.bill);
        let setting = |line: &str| Hint::setting(line).then(format!(" in [sources.{name}]"));
        let beside = self.beside.iter().map(|(currency, tally)| {
            let dimensions: Vec<&str> = tally.dimensions.iter().copied().collect();
            let message = format!(
                "{name}: '{bill}' has charges of {}, and none with {}: {} ({} {currency} \
                 billed) will count beside them until they are settled",
                tally.days(),
                dimensions.join(" or "),
                tally.estimates(),
                tally.billed
            );
            let hint =
                Hint::text("if both are of the same cost, match them by another dimension: ")
                    .then(setting("accrues_by = [\"service_name\"]"));
            Diagnostic::new(ESTIMATES_UNMATCHED, message).hint(hint)
        });
        // Without such days, estimates are meant to give way to the bill as a whole.
        let is_told = accrual.settled_after_days > 0;
        let at_the_end = self.at_the_end.iter().filter(|_| is_told).map(|(currency, tally)| {
            let message = format!(
                "{name}: '{bill}' has nothing of {} of {}, {} {currency} billed; they were taken \
                 back, since it has charges of these days for {} days",
                tally.estimates(),
                tally.days(),
                tally.billed,
                accrual.settled_after_days
            );
            let longer = format!("settled_after_days = {}", accrual.settled_after_days + 7);
            let hint = Hint::text(
                "see whether both name the same things alike; if the bill takes longer, write ",
            )
            .then(setting(&longer));
            Diagnostic::new(ESTIMATES_UNMATCHED, message).hint(hint)
        });
        beside.chain(at_the_end).collect()
    }
}

impl Tally {
    fn count(&mut self, day: Day, charges: u64, billed: Sum) {
        self.days.insert(day);
        self.charges += charges;
        self.billed += billed;
    }

    fn estimates(&self) -> String {
        match self.charges {
            1 => "1 estimate".into(),
            charges => format!("{charges} estimates"),
        }
    }

    fn days(&self) -> String {
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) if first != last => {
                format!("{} days from {first} to {last}", self.days.len())
            }
            (day, _) => day.map(Day::to_string).unwrap_or_default(),
        }
    }
}
