//! The answers to what drivers ask of one day.

use crate::inputs::AllocationInputs;
use crate::slice::DaySlice;
use domain::decision::{Decision, Verdict};
use domain::diagnostic::Diagnostic;
use domain::driver::facts::{Basis, DriverFilter, Facts, PluginCall, UsageQuery};
use domain::money::Currency;
use domain::period::Day;
use domain::port::AllocatorCall;
use domain::recipient::Target;
use domain::usage::Quantity;
use std::collections::BTreeMap;

/// One day in one currency, over all its sources.
pub struct DayFacts<'a> {
    pub inputs: &'a AllocationInputs<'a>,
    pub slices: &'a [DaySlice],
    pub day: Day,
    pub currency: Currency,
}

impl Facts for DayFacts<'_> {
    /// Only assigned charges are direct costs. Shared ones are still on their way.
    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> BTreeMap<String, i128> {
        let AllocationInputs { cells, outcomes, .. } = self.inputs;
        // The empty filter has no bit, since all cells pass it.
        let bit = cells.filter_bit(filter);
        let mut direct = BTreeMap::new();
        for (number, cell) in cells.cells.iter().enumerate() {
            if let Some(Verdict::Decided { decision: Decision::Assign(recipient), .. }) =
                outcomes.get(cell.outcome.0 as usize).map(|it| &it.verdict)
                && let Some(target) = recipient.target()
                && (filter.is_empty() || cell.filters & bit != 0)
            {
                let sum: i128 = self.slices.iter().map(|slice| slice.cost(number, basis)).sum();
                if sum != 0 {
                    *direct.entry(target.team.clone()).or_default() += sum;
                }
            }
        }
        direct
    }

    fn usage(&self, query: &UsageQuery) -> BTreeMap<String, Quantity> {
        self.inputs.drivers.by_key(query, self.day, self.currency)
    }

    fn team(&self, name: &str) -> Option<Target> {
        self.inputs.rules.team(name, self.day)
    }

    fn cell(&self, table: &str, key: &str) -> Option<String> {
        self.inputs.rules.cell(table, key, self.day)
    }

    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        self.inputs.allocators.weights(&AllocatorCall {
            plugin: call.plugin,
            config: call.config,
            rule: &call.pool.rule,
            day: self.day,
            currency: self.currency,
            total: call.pool.total,
            targets: call.targets,
            usage: self.inputs.drivers.of_day(call.metrics, self.day, self.currency),
        })
    }
}
