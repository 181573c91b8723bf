//! Cells: the charges of a day that share decision, service and driver filters are one sum.

use domain::code;
use domain::decision::{Outcome, OutcomeId};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::driver::facts::DriverFilter;
use domain::field::Field;
use domain::spread::Spread;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeSet;

/// Where a resource's cost lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    pub outcome: OutcomeId,
    pub service: Symbol,
    /// Bit `f`: the resource passes driver filter `f`.
    pub filters: u64,
}

/// Cells by number, and for each resource its number; `PER_CHARGE` marks resources decided charge
/// by charge.
pub struct Cells {
    pub cells: Vec<Cell>,
    /// By cell: whether its charges are split one by one.
    pub by_charge: Vec<bool>,
    /// The same by outcome.
    outcomes_by_charge: Vec<bool>,
    numbers: HashMap<Cell, u32>,
    pub of_resource: Vec<u32>,
    filters: Vec<DriverFilter>,
}

pub const PER_CHARGE: u32 = u32::MAX;

/// Filters that a set of rules can have; more would need wider masks.
const FILTERS_MAX: usize = 64;

impl Cells {
    pub fn new(
        dictionary: &Dictionary,
        decisions: &[OutcomeId],
        outcomes: &[Outcome],
        filters: &[DriverFilter],
    ) -> Cells {
        let by_charge =
            |outcome: &Outcome| outcome.spread().is_some_and(|spread| !spread.needs_total());
        let mut cells = Cells {
            cells: Vec::new(),
            by_charge: Vec::new(),
            outcomes_by_charge: outcomes.iter().map(by_charge).collect(),
            numbers: HashMap::new(),
            of_resource: Vec::with_capacity(decisions.len()),
            filters: filters.to_vec(),
        };
        // Once for each resource: a charge then finds its cell by the number of its resource.
        for (id, outcome) in decisions.iter().enumerate() {
            let number = if *outcome == OutcomeId::PER_CHARGE {
                PER_CHARGE
            } else {
                cells.number(dictionary, ResourceId(id as u32), *outcome)
            };
            cells.of_resource.push(number);
        }
        cells
    }

    /// The cell of a resource under an outcome, made if it is new.
    pub fn number(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        outcome: OutcomeId,
    ) -> u32 {
        let filters = self
            .filters
            .iter()
            .enumerate()
            .filter(|(_, filter)| passes(dictionary, resource, filter))
            .fold(0, |bits, (number, _)| bits | 1 << number);
        let cell =
            Cell { outcome, service: dictionary.dimension(resource, Field::SERVICE_NAME), filters };
        *self.numbers.entry(cell).or_insert_with(|| {
            self.cells.push(cell);
            self.by_charge
                .push(self.outcomes_by_charge.get(outcome.0 as usize).copied().unwrap_or(false));
            self.cells.len() as u32 - 1
        })
    }

    pub fn filter_bit(&self, filter: &DriverFilter) -> u64 {
        self.filters.iter().position(|known| known == filter).map_or(0, |number| 1 << number)
    }
}

/// The `by_cost` filters of all outcomes, each once. A window can reach over days with other rules,
/// so the filters are those of all rules of a run.
pub fn filters<'a>(
    outcomes: impl Iterator<Item = &'a Outcome>,
) -> Result<Vec<DriverFilter>, Diagnostic> {
    let costs = outcomes.filter_map(Outcome::spread).flat_map(Spread::team_costs);
    let filters = costs.map(|costs| &costs.filter).filter(|filter| !filter.is_empty());
    let distinct: BTreeSet<&DriverFilter> = filters.collect();
    let filters: Vec<DriverFilter> = distinct.into_iter().cloned().collect();
    if filters.len() > FILTERS_MAX {
        return Err(Diagnostic::new(
            code::RULE_DECISION,
            format!(
                "the rules use {} different `by_cost` filters; {FILTERS_MAX} are possible",
                filters.len()
            ),
        )
        .hint(
            "let rules share filters, or list the teams: `by_cost([\"payments\", \"search\"])`",
        ));
    }
    Ok(filters)
}

fn passes(dictionary: &Dictionary, resource: ResourceId, filter: &DriverFilter) -> bool {
    filter.iter().all(|(key, value)| match (key.strip_prefix("tag:"), Field::by_name(key)) {
        (Some(tag), _) => dictionary.tag_text(resource, tag) == value,
        (None, Some(field)) => dictionary.dimension_text(resource, field) == value,
        (None, None) => false,
    })
}
