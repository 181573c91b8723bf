//! The answers to what drivers ask of one day, and of the days around it.

use crate::inputs::AllocationInputs;
use crate::slice::DaySlice;
use domain::decision::{Decision, Verdict};
use domain::diagnostic::Diagnostic;
use domain::driver::facts::{
    Basis, CostBasis, CostGap, CostQuestion, DriverFilter, Facts, PluginCall, UsageQuery, Window,
};
use domain::money::Currency;
use domain::period::Day;
use domain::port::AllocatorCall;
use domain::recipient::{Recipient, Target};
use domain::usage::Quantity;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Cost by team.
type CostByTeam = BTreeMap<String, i128>;

/// The direct costs of a day.
#[derive(Default)]
struct DirectCosts {
    by_team: CostByTeam,
    gaps: Vec<CostGap>,
}

/// One day in one currency, over all its sources.
pub struct DayFacts<'a> {
    pub inputs: &'a AllocationInputs<'a>,
    pub slices: &'a [DaySlice],
    pub day: Day,
    pub currency: Currency,
    /// Kept because every day of a window asks every other day for the same.
    direct: RefCell<BTreeMap<(DriverFilter, Basis), Rc<DirectCosts>>>,
    /// The amounts that came to teams or left them so far, by team and filters. Nothing where no
    /// rule weighs by them.
    moved: Option<BTreeMap<(String, u64), i128>>,
}

impl<'a> DayFacts<'a> {
    pub fn new(
        inputs: &'a AllocationInputs<'a>,
        slices: &'a [DaySlice],
        (day, currency): (Day, Currency),
    ) -> DayFacts<'a> {
        let direct = RefCell::default();
        DayFacts { inputs, slices, day, currency, direct, moved: None }
    }

    /// Keeps from now on what teams bear.
    pub fn keep_moves(&mut self) {
        self.moved.get_or_insert_default();
    }

    /// Notes that an amount of charges with these filters came to a recipient, or left it.
    pub fn note(&mut self, recipient: &Recipient, filters: u64, nanos: i128) {
        if let (Some(moved), Some(target)) = (&mut self.moved, recipient.target()) {
            *moved.entry((target.team.clone(), filters)).or_default() += nanos;
        }
    }

    fn costs(&self, filter: &DriverFilter, basis: CostBasis) -> CostByTeam {
        let mut costs = self.direct(filter, basis.of_charges()).by_team.clone();
        if basis == CostBasis::Allocated {
            let bit = self.inputs.cells.filter_bit(filter);
            let moved = self.moved.iter().flatten();
            // The empty filter has no bit, and passes all.
            for ((team, _), nanos) in moved.filter(|((_, filters), _)| filters & bit == bit) {
                *costs.entry(team.clone()).or_default() += nanos;
            }
            // A team that passed on all that it had bears nothing.
            costs.retain(|_, nanos| *nanos != 0);
        }
        costs
    }

    /// Only assigned charges are direct costs. Shared ones are still on their way.
    fn direct(&self, filter: &DriverFilter, basis: Basis) -> Rc<DirectCosts> {
        let key = (filter.clone(), basis);
        if let Some(known) = self.direct.borrow().get(&key) {
            return Rc::clone(known);
        }
        let AllocationInputs { cells, outcomes, .. } = self.inputs;
        // The empty filter has no bit, since all cells pass it.
        let bit = cells.filter_bit(filter);
        let mut direct = DirectCosts::default();
        for (number, cell) in cells.cells.iter().enumerate() {
            if let Some(Verdict::Decided { decision: Decision::Assign(recipient), .. }) =
                outcomes.get(cell.outcome.0 as usize).map(|it| &it.verdict)
                && let Some(target) = recipient.target()
                && (filter.is_empty() || cell.filters & bit != 0)
            {
                let sum: i128 = self.slices.iter().map(|slice| slice.cost(number, basis)).sum();
                if sum != 0 {
                    *direct.by_team.entry(target.team.clone()).or_default() += sum;
                }
                let unknown = self.slices.iter().map(|it| (it, it.unknown(number, basis)));
                direct.gaps.extend(unknown.filter(|(_, charges)| *charges > 0).map(
                    |(slice, charges)| CostGap {
                        day: self.day,
                        source: slice.source_day.source.clone(),
                        team: target.team.clone(),
                        charges,
                    },
                ));
            }
        }
        let direct = Rc::new(direct);
        self.direct.borrow_mut().insert(key, Rc::clone(&direct));
        direct
    }
}

/// A day among the days of its windows.
pub struct WindowFacts<'b, 'a> {
    pub days: &'b [DayFacts<'a>],
    /// The number of the day that asks.
    pub at: usize,
}

impl<'a> WindowFacts<'_, 'a> {
    fn day(&self) -> &DayFacts<'a> {
        &self.days[self.at]
    }

    /// The days of a window around the day that asks.
    fn within(&self, window: Window) -> impl Iterator<Item = &DayFacts<'a>> {
        let DayFacts { day, currency, .. } = self.day();
        let (from, end) = window.days_for(*day);
        self.days
            .iter()
            .filter(move |facts| facts.currency == *currency && (from..end).contains(&facts.day))
    }
}

impl Facts for WindowFacts<'_, '_> {
    fn currency(&self) -> &str {
        self.day().currency.code()
    }

    fn team_costs(&self, question: &CostQuestion) -> CostByTeam {
        let CostQuestion { filter, basis, window } = question;
        let mut costs = CostByTeam::new();
        for facts in self.within(*window) {
            for (team, nanos) in facts.costs(filter, *basis) {
                *costs.entry(team).or_default() += nanos;
            }
        }
        costs
    }

    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> CostByTeam {
        self.day().direct(filter, basis).by_team.clone()
    }

    fn cost_gaps(&self, CostQuestion { filter, basis, window }: &CostQuestion) -> Vec<CostGap> {
        let days = self.within(*window);
        days.flat_map(|day| day.direct(filter, basis.of_charges()).gaps.clone()).collect()
    }

    fn usage(&self, query: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>> {
        let DayFacts { inputs, day, currency, .. } = self.day();
        inputs.drivers.by_key(query, *day, *currency)
    }

    fn team(&self, name: &str) -> Option<Target> {
        let DayFacts { inputs, day, .. } = self.day();
        inputs.rules.team(name, *day)
    }

    fn cell(&self, table: &str, key: &[String]) -> Option<String> {
        let DayFacts { inputs, day, .. } = self.day();
        inputs.rules.cell(table, key, *day)
    }

    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        let DayFacts { inputs, day, currency, .. } = self.day();
        inputs.allocators.weights(&AllocatorCall {
            plugin: call.plugin,
            config: call.config,
            rule: &call.pool.rule,
            day: *day,
            currency: *currency,
            total: call.pool.total,
            targets: call.targets,
            usage: inputs.drivers.of_day(call.metrics, *day, *currency),
        })
    }
}
