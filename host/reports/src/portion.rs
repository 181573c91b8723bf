//! The results of a derivation: the charges of one resource in one source-day, and the bearers of
//! their cost.

use crate::bearer::{BearerId, Bearers};
use crate::measure::MeasuredSums;
use domain::charge::ChargeLine;
use domain::decision::OutcomeId;
use domain::diagnostic::Diagnostic;
use domain::dictionary::ResourceId;
use domain::money::Sum;
use domain::period::Day;
use domain::run::{RunId, SourceDay};
use ledger::GenerationId;

/// All charges of one resource and outcome in one source-day.
#[derive(Clone, Copy)]
pub struct Portion<'a> {
    pub source_day: &'a SourceDay,
    /// By the axis: the day of posting, or that of the charges.
    pub day: Day,
    /// Whether its entries take back what was posted before. Amounts then have the other sign.
    pub is_taken_back: bool,
    pub generation: GenerationId,
    /// The run whose weights spread the day.
    pub run: RunId,
    pub resource: ResourceId,
    pub outcome: OutcomeId,
    pub charges: u64,
    /// The charge with the largest cost: an example of what a rule read.
    pub largest: &'a ChargeLine,
    pub effective: Sum,
    /// The metric of the scope, by unit.
    pub measured: &'a MeasuredSums,
    /// Where the collection put all of it: for shared costs, the pool.
    pub collected: BearerId,
    /// Where it stands in the end. By the day of the charge the amounts add up to `effective`; by
    /// the day of posting they are those of the entries. A team that got an
    /// amount by one rule and passed it on by another has both amounts, each with its rule.
    pub borne: &'a [(BearerId, Sum)],
}

/// Takes every portion, with all bearers so far.
pub type PortionSink<'a> = dyn FnMut(&Portion<'_>, &Bearers) -> Result<(), Diagnostic> + 'a;
