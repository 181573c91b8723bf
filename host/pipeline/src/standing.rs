//! The statements that stand before a collection, which its own are compared with.
//!
//! A run finds them in its own ledger. A rehearsal collects into an empty ledger, and is compared
//! with the ledger that a run would go into. That one is only read.

use domain::diagnostic::Diagnostic;
use domain::dictionary::Dictionary;
use domain::period::{Day, Period};
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use ledger::{Reader, Restated, StoredSegment};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// The other ledger of a rehearsal, beside the one that is written.
#[derive(Default)]
pub struct Standing<'a> {
    other: Option<&'a Reader>,
    /// Statements of the other ledger that a run would have replaced by now.
    replaced: RefCell<BTreeSet<DeliveryDay>>,
    /// That of the other ledger, once it was asked for.
    dictionary: OnceCell<Option<Dictionary>>,
    /// Why the other ledger could not be read to the end.
    fault: RefCell<Option<Diagnostic>>,
}

impl<'a> Standing<'a> {
    pub fn of(other: Option<&'a Reader>) -> Standing<'a> {
        Standing { other, ..Standing::default() }
    }

    /// Why the other ledger could not be read to the end. What was compared is worth nothing then.
    pub fn fault(self) -> Option<Diagnostic> {
        self.fault.into_inner()
    }

    /// The state that a source's collector left in its last collection.
    pub fn state(&self, own: &Reader, source: &str) -> Result<Option<String>, Diagnostic> {
        let state = self.read(|other| other.state(source)).flatten();
        state.map_or_else(|| own.state(source), |state| Ok(Some(state)))
    }

    /// The current statements of a source that have charges, ordered by day.
    pub fn statements(
        &self,
        own: &Reader,
        source: &str,
    ) -> Result<Vec<(DeliveryDay, DayTotals)>, Diagnostic> {
        let mut statements = own.statements(source)?;
        let others = self.read(|other| other.statements(source)).unwrap_or_default();
        statements.extend(others.into_iter().filter(|(day, _)| self.stands(day)));
        statements.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(statements)
    }

    /// The last statements that were collected from a source which estimates. A rehearsal asks
    /// before it collects the source itself.
    pub fn collected_statements(
        &self,
        own: &Reader,
        source: &str,
    ) -> Result<Vec<(DeliveryDay, DayTotals)>, Diagnostic> {
        match self.other {
            None => own.collected_statements(source),
            // Without its dictionary nobody can tell what its charges are of.
            Some(_) if self.dictionary().is_none() => Ok(Vec::new()),
            Some(_) => {
                Ok(self.read(|other| other.collected_statements(source)).unwrap_or_default())
            }
        }
    }

    /// The charges of such a statement, by the numbers of the other ledger if there is one.
    pub fn collected_segments(
        &self,
        own: &Reader,
        day: &DeliveryDay,
    ) -> Result<Vec<StoredSegment>, Diagnostic> {
        match self.other {
            None => own.collected_segments(day),
            Some(_) => Ok(self.read(|other| other.collected_segments(day)).unwrap_or_default()),
        }
    }

    /// The time of the first run that had charges of a source, by day.
    pub fn first_stated(
        &self,
        own: &Reader,
        source: &str,
    ) -> Result<BTreeMap<Day, i64>, Diagnostic> {
        let mut first = own.first_stated(source)?;
        // The other ledger is older than what is collected now.
        first.extend(self.read(|other| other.first_stated(source)).unwrap_or_default());
        Ok(first)
    }

    /// The days of all other sources as they are stated now, a line for each billing period.
    pub fn days_of_others(
        &self,
        own: &Reader,
        source: &str,
        period: Period,
    ) -> Result<Vec<(DeliveryDay, DayTotals)>, Diagnostic> {
        let mut days = own.days_of_others(source, period)?;
        let others = self.read(|other| other.days_of_others(source, period)).unwrap_or_default();
        days.extend(others.into_iter().filter(|(day, _)| self.stands(day)));
        Ok(days)
    }

    /// The charges of a source-day in the other ledger. Their resources are those of its
    /// dictionary.
    pub fn segments(&self, source_day: &SourceDay) -> Vec<StoredSegment> {
        let mut segments = self.read(|other| other.segments(source_day)).unwrap_or_default();
        segments.retain(|segment| {
            let billing_period = segment.billing_period;
            self.stands(&DeliveryDay { source_day: source_day.clone(), billing_period })
        });
        segments
    }

    /// The dictionary of the other ledger.
    pub fn dictionary(&self) -> Option<&Dictionary> {
        self.dictionary.get_or_init(|| self.read(Reader::dictionary)).as_ref()
    }

    /// How a statement of the own ledger compares with that of the ledger that a run would go into.
    pub fn compare(&self, own: Restated, day: &DeliveryDay, totals: &DayTotals) -> Restated {
        if self.other.is_none() || !self.replaced.borrow_mut().insert(day.clone()) {
            return own;
        }
        match self.read(|other| other.statement(day)).flatten() {
            Some(before) if before.are_of_the_charges_of(totals) => Restated::Unchanged,
            Some(_) => Restated::Changed,
            None => own,
        }
    }

    fn stands(&self, day: &DeliveryDay) -> bool {
        !self.replaced.borrow().contains(day)
    }

    fn read<T>(&self, read: impl FnOnce(&Reader) -> Result<T, Diagnostic>) -> Option<T> {
        match read(self.other?) {
            Ok(found) => Some(found),
            Err(fault) => {
                self.fault.borrow_mut().get_or_insert(fault);
                None
            }
        }
    }
}
