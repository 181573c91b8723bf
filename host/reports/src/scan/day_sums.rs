//! One source-day's charges while they are summed into portions.

use crate::bearer::BearerId;
use crate::measure::MeasuredSums;
use crate::passing::{RulePassage, StoredStations};
use domain::charge::ChargeLine;
use domain::decision::OutcomeId;
use domain::flow::station::CHARGES;
use domain::recipient::Recipient;
use domain::run::RunId;
use ledger::Weights;
use std::collections::HashMap;
use std::rc::Rc;

/// The fate of all charges of one outcome on one day.
pub struct Fate<'w> {
    pub collected: BearerId,
    /// The recipient that has them, if it may pass them on.
    pub stands: Option<Rc<Recipient>>,
    /// Nothing where the collecting account keeps them.
    pub passage: Option<RulePassage<'w>>,
    /// Whether each charge is split by itself.
    pub by_charge: bool,
}

impl Fate<'_> {
    /// Whether its charges flow without those of others: nobody passes them on, or each is split by
    /// itself and then stays.
    pub fn is_alone(&self, stations: &StoredStations<'_>) -> bool {
        match (&self.passage, &self.stands) {
            (Some(passage), _) => self.by_charge && passage.is_final(),
            (None, Some(stands)) => stations.next(stands, CHARGES).is_none(),
            (None, None) => true,
        }
    }

    /// The charges stay in the account that they were collected into.
    pub fn stays(collected: BearerId) -> Self {
        Fate { collected, stands: None, passage: None, by_charge: false }
    }
}

/// A portion while its charges are summed.
pub struct OpenPortion {
    pub resource: u32,
    pub outcome: OutcomeId,
    pub fate: usize,
    pub charges: u64,
    pub largest: ChargeLine,
    pub effective: i128,
    /// The shares of each recipient, where charges are split one by one.
    pub shares: Vec<i128>,
    pub measured: MeasuredSums,
}

/// One source-day while its charges are summed.
pub struct DaySums<'w> {
    pub run: RunId,
    pub weights: &'w [Weights],
    pub stations: &'w StoredStations<'w>,
    pub fates: Vec<Fate<'w>>,
    pub fate_of: HashMap<OutcomeId, usize>,
    pub open: Vec<OpenPortion>,
    /// Portions of resources that are decided charge by charge.
    pub per_charge: HashMap<(u32, OutcomeId), usize>,
}

impl<'w> DaySums<'w> {
    pub fn new(
        run: RunId,
        weights: &'w [Weights],
        stations: &'w StoredStations<'w>,
    ) -> DaySums<'w> {
        DaySums {
            run,
            weights,
            stations,
            fates: Vec::new(),
            fate_of: HashMap::new(),
            open: Vec::new(),
            per_charge: HashMap::new(),
        }
    }

    pub fn add(&mut self, at: usize, line: &ChargeLine) {
        let open = &mut self.open[at];
        open.charges += 1;
        open.effective += i128::from(line.effective_cost.nanos());
        if line.effective_cost.nanos().unsigned_abs()
            > open.largest.effective_cost.nanos().unsigned_abs()
        {
            open.largest = line.clone();
        }
        let fate = &self.fates[open.fate];
        if let (true, Some(passage)) = (fate.by_charge, &fate.passage) {
            passage.split_charge(line.effective_cost, &mut open.shares);
        }
    }
}
