//! Charges that two tables of a source both have: the same file twice, or exports that overlap.
//!
//! A day counts as repeated if two tables have the same charges of it, in whatever spelling. Their
//! sum would be money that nobody is owed, and nothing in the tables tells which of them to leave
//! out.

use crate::alike::{Comparison, DayCharge, Likeness, compare};
use crate::code::{CHARGES_REPEATED, SUMS_REPEATED};
use crate::evidence::Evidence;
use crate::gather::GatheredCharges;
use crate::interner::lock;
use crate::reread::{CurrencyDay, ReadTable, Rereading, totals_by_day};
use crate::same_sums::{SameSums, Totals};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::money::Sum;
use domain::run::DayTotals;
use foldhash::{HashMap, HashMapExt};
use std::collections::{BTreeMap, BTreeSet};

/// Charges of a table that are compared at once. With 32 bytes each, two tables take 64 MiB.
const CHARGES_AT_ONCE: u64 = 1 << 20;
/// Charges of a day that are kept for the next table. There may be a file for each hour.
const CHARGES_KEPT: usize = 1 << 12;

/// The days of the tables that were read so far.
pub struct TableDays {
    tables: Vec<TableCharges>,
    /// Tables, by their days with the number of charges and the sums.
    seen: HashMap<(CurrencyDay, u64, Sum, Sum), Vec<usize>>,
    /// The same by the billed sum alone.
    sums: HashMap<(CurrencyDay, Sum), Vec<usize>>,
}

struct TableCharges {
    read: ReadTable,
    totals: Totals,
    /// Days that were read a second time.
    charges: BTreeMap<CurrencyDay, Vec<DayCharge>>,
}

impl TableDays {
    pub fn new() -> TableDays {
        TableDays { tables: Vec::new(), seen: HashMap::new(), sums: HashMap::new() }
    }

    /// Notes the days of a table. Refuses the source if a table before has the same charges, and
    /// returns a warning for each one with the same sums of days.
    ///
    /// Equal numbers and sums are only a suspicion. On it, both tables are read again.
    pub fn note(
        &mut self,
        source: &str,
        rereading: &Rereading<'_, '_>,
        read: ReadTable,
        gathered: &GatheredCharges,
    ) -> Result<Vec<Diagnostic>, Diagnostic> {
        let own = self.tables.len();
        let mut suspects: BTreeMap<usize, Vec<(CurrencyDay, DayTotals)>> = BTreeMap::new();
        let totals = totals_by_day(gathered);
        for (day, totals) in &totals {
            let of_sum = self.sums.entry((*day, totals.billed)).or_default();
            for before in &*of_sum {
                suspects.entry(*before).or_default();
            }
            of_sum.push(own);
            let key = (*day, totals.charges, totals.billed, totals.effective);
            let seen = self.seen.entry(key).or_default();
            for before in &*seen {
                suspects.entry(*before).or_default().push((*day, totals.clone()));
            }
            seen.push(own);
        }
        self.tables.push(TableCharges { read, totals, charges: BTreeMap::new() });
        let mut warnings = Vec::new();
        for (before, days) in suspects {
            let (evidence, renamed) = self.evidence(rereading, before, own, &days)?;
            let (table, other) = (&self.tables[own], &self.tables[before]);
            if evidence.is_enough() {
                return Err(refusal(source, table.name(), other.name(), &evidence));
            }
            let same = SameSums::of(&table.totals, &other.totals, evidence.different());
            let suspicion = same
                .map(|same| same.in_words())
                .or_else(|| evidence.suspicion(&table.totals, &other.totals))
                .or_else(|| renamed_services(&renamed));
            let names = (table.name(), other.name());
            warnings.extend(suspicion.map(|suspicion| warning(source, names, &suspicion)));
        }
        Ok(warnings)
    }

    /// What speaks for the same charges, and for the same under other names of services.
    fn evidence(
        &mut self,
        rereading: &Rereading<'_, '_>,
        before: usize,
        own: usize,
        days: &[(CurrencyDay, DayTotals)],
    ) -> Result<(Evidence, Evidence), Diagnostic> {
        let (mut evidence, mut renamed) = (Evidence::default(), Evidence::default());
        let mut rest = days;
        while !rest.is_empty() && !evidence.is_enough() {
            let mut charges = 0;
            let fit = rest.iter().take_while(|(_, totals)| {
                charges += totals.charges;
                charges <= CHARGES_AT_ONCE
            });
            let (part, later) = rest.split_at(fit.count().max(1));
            let wanted: BTreeSet<CurrencyDay> = part.iter().map(|(day, _)| *day).collect();
            self.tables[before].read_again(rereading, &wanted)?;
            self.tables[own].read_again(rereading, &wanted)?;
            let registry = lock(rereading.registry);
            for (day, totals) in part {
                let (left, right) = (self.tables[before].of(day), self.tables[own].of(day));
                let by = |comparison| compare(comparison, left, right, &registry.dictionary);
                let likeness = by(Comparison::Whole);
                if likeness == Likeness::Different {
                    renamed.add(*day, totals, true, by(Comparison::ButServices));
                }
                evidence.add(*day, totals, true, likeness);
            }
            for at in [before, own] {
                self.tables[at].charges.retain(|_, charges| charges.len() <= CHARGES_KEPT);
            }
            rest = later;
        }
        Ok((evidence, renamed))
    }
}

impl TableCharges {
    fn name(&self) -> &str {
        &self.read.table.name
    }

    fn of(&self, day: &CurrencyDay) -> &[DayCharge] {
        self.charges.get(day).map_or(&[], Vec::as_slice)
    }

    fn read_again(
        &mut self,
        rereading: &Rereading<'_, '_>,
        days: &BTreeSet<CurrencyDay>,
    ) -> Result<(), Diagnostic> {
        let missing: BTreeSet<CurrencyDay> =
            days.iter().filter(|day| !self.charges.contains_key(day)).copied().collect();
        if !missing.is_empty() {
            self.charges.extend(rereading.charges(&self.read, &missing)?);
        }
        Ok(())
    }
}

fn refusal(source: &str, table: &str, before: &str, evidence: &Evidence) -> Diagnostic {
    let (mut charges, mut day, mut billed) = (0, String::new(), String::new());
    if let Some((of, count, sum)) = evidence.first() {
        (charges, day, billed) = (*count, of.day.to_string(), format!("{sum} {}", of.currency));
    }
    let charges = match charges {
        1 => "the same charge".to_owned(),
        count => format!("the same {count} charges"),
    };
    let others = match evidence.days().saturating_sub(1) {
        0 => String::new(),
        1 => ", and the same charges of another day".to_owned(),
        count => format!(", and the same charges of {count} other days"),
    };
    Diagnostic::new(
        CHARGES_REPEATED,
        format!(
            "{table} and {before} both have {charges} of {day}, {billed} billed{others}: they \
             would count twice"
        ),
    )
    .hint(
        Hint::text(format!(
            "leave one of the two out of the paths of the source '{source}'; if both are owed, \
             write "
        ))
        .then(Hint::setting("repeats = \"count\""))
        .then(format!(" in [sources.{source}]")),
    )
}

/// Charges of several amounts that differ in the names of their services alone.
fn renamed_services(renamed: &Evidence) -> Option<String> {
    let days = renamed.is_enough().then(|| renamed.days_in_words())?;
    Some(format!("the same amounts in as many charges of {days}, under other names of services"))
}

fn warning(source: &str, (table, before): (&str, &str), suspicion: &str) -> Diagnostic {
    let message = format!("{table} and {before} have {suspicion}: their money may count twice");
    let hint = Hint::text(format!(
        "see whether both are one bill, such as by the hour and by the day, and leave one of the \
         two out of the paths of the source '{source}'; if both are owed, write "
    ))
    .then(Hint::setting("repeats = \"count\""))
    .then(format!(" in [sources.{source}]"));
    Diagnostic::new(SUMS_REPEATED, message).hint(hint)
}
