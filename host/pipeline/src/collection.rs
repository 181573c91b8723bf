//! The collection of one source while it goes on.

use crate::accrual::Remainder;
use crate::feed::FeedEnd;
use crate::gather::WantedDays;
use crate::interner::Secrets;
use crate::normalize::Registry;
use crate::other_sources::CollectedSource;
use crate::progress::Progress;
use crate::reread::Rereading;
use crate::source::Source;
use crate::standing::Standing;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::period::Period;
use domain::port::UnknownDays;
use ledger::{Attempt, AttemptFailure, CollectionId, Transaction};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// The collection of one source, with all that it needs.
pub struct Collection<'a, 'r, 't, 'l> {
    pub source: &'a Source,
    /// The days that it is asked for. Without a period, it is asked for everything.
    pub period: Option<Period>,
    /// When the run began.
    pub at_ms: i64,
    /// The estimates that still count, of a source that estimates.
    pub estimated: Remainder,
    pub standing: &'a Standing<'a>,
    /// The sources that estimate.
    pub estimates: &'a BTreeSet<&'a str>,
    pub transaction: &'t mut Transaction<'l>,
    pub registry: &'a Mutex<Registry<'r>>,
    pub dimensions: &'a [Field],
    pub threads: usize,
    pub secrets: Secrets,
    pub progress: &'t mut dyn FnMut(Progress),
}

impl<'r> Collection<'_, 'r, '_, '_> {
    /// The days that it was asked for.
    pub fn days(&self) -> Period {
        self.period.unwrap_or_else(Period::all)
    }

    /// The days whose charges are wanted.
    pub fn wanted(&self) -> WantedDays<'_> {
        WantedDays { period: self.days(), billed: &self.estimated.billed }
    }

    pub fn rereading(&self) -> Rereading<'_, 'r> {
        Rereading {
            registry: self.registry,
            dimensions: self.dimensions,
            secrets: self.secrets,
            wanted: self.wanted(),
        }
    }

    pub fn beside_others(&self, collection: CollectionId) -> CollectedSource<'_, 'r> {
        CollectedSource {
            source: self.source,
            estimates: self.estimates,
            collection,
            ledger: self.transaction,
            standing: self.standing,
            registry: self.registry,
        }
    }

    /// Notes the attempt, even if nothing else of it is kept.
    pub fn note(
        &mut self,
        kept: Option<CollectionId>,
        ended: &FeedEnd,
        unknown: Vec<UnknownDays>,
    ) -> Result<(), Diagnostic> {
        let (source, plugin) = (self.source.name.as_str(), self.source.collector.identity());
        let failure = ended.outcome.as_ref().err().map(AttemptFailure::from);
        let without_state = ended.without_state && failure.is_none();
        let attempt =
            Attempt { period: self.period, tries: ended.tries, without_state, failure, unknown };
        self.transaction.note_attempt(source, plugin, kept, &attempt)?;
        self.transaction.note_cost(Some(source), plugin, &ended.cost)
    }
}
