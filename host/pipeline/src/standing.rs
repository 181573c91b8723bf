//! The statements that stand before a collection, which its own are compared with.
//!
//! A run finds them in its own ledger. A rehearsal collects into an empty ledger, and is compared
//! with the ledger that a run would go into. That one is only read.

use domain::diagnostic::Diagnostic;
use domain::run::{DayTotals, DeliveryDay, SourceDay};
use ledger::{Reader, Restated};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The other ledger of a rehearsal, beside the one that is written.
#[derive(Default)]
pub struct Standing<'a> {
    other: Option<&'a Reader>,
    /// Statements of the other ledger that a run would have replaced by now.
    replaced: RefCell<BTreeSet<DeliveryDay>>,
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

    /// Another source that states the same charges of a day.
    pub fn source_of_same(
        &self,
        own: &Reader,
        day: &SourceDay,
        totals: &DayTotals,
    ) -> Result<Option<String>, Diagnostic> {
        let mut same = own.statements_of_same(day, totals)?;
        let others = self.read(|other| other.statements_of_same(day, totals)).unwrap_or_default();
        same.extend(others.into_iter().filter(|day| self.stands(day)));
        Ok(same.into_iter().map(|day| day.source_day.source).min())
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
