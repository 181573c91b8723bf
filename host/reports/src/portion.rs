//! The results of a derivation: the charges of one resource in one source-day, and the bearers of
//! their cost.

use crate::bearer::{BearerId, Bearers};
use crate::measure::MeasuredSums;
use domain::charge::ChargeLine;
use domain::decision::OutcomeId;
use domain::diagnostic::Diagnostic;
use domain::dictionary::ResourceId;
use domain::money::Sum;
use domain::run::{RunId, SourceDay};
use ledger::GenerationId;

/// All charges of one resource and outcome in one source-day.
pub struct Portion<'a> {
    pub source_day: &'a SourceDay,
    pub generation: GenerationId,
    /// The run whose weights spread the day.
    pub run: RunId,
    pub resource: ResourceId,
    pub outcome: OutcomeId,
    pub charges: u64,
    /// The charge with the largest cost: an example of what a rule read.
    pub largest: ChargeLine,
    pub effective: Sum,
    /// The metric of the scope, by unit.
    pub measured: &'a MeasuredSums,
    /// Where the collection put all of it: for shared costs, the pool.
    pub collected: BearerId,
    /// Where it stands in the end, with amounts that add up to `effective`. A team that got an
    /// amount by one rule and passed it on by another has both amounts, each with its rule.
    pub borne: &'a [(BearerId, Sum)],
}

/// Takes every portion, with all bearers so far.
pub type PortionSink<'a> = dyn FnMut(&Portion<'_>, &Bearers) -> Result<(), Diagnostic> + 'a;
