//! One day's charges of all sources → balanced entries, exactly.
//!
//! A charge's cost lands in the cell of its resource: one (outcome, service, driver filters). What cells share with
//! others, charge by charge, and what pools and serving teams pass on, is split once the day's direct costs are known
//! (see `distribute`).
//! Nothing here depends on the order of charges, of sources or of threads.
//!
//! Each rule has entries of its own, so that a changed rule takes back and posts anew what it decided and nothing else.

use crate::distribute::Distribution;
use crate::drivers::{Drivers, cost_filters};
use domain::account::Account;
use domain::code;
use domain::decision::{
    Basis, Decision, DriverFilter, Outcome, OutcomeId, Recipient, RuleIndex, Verdict,
};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::entry::{Entry, EntryKind, Posting};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::port::{Allocators, RuleFacts, Rules};
use domain::run::{DayTotals, SourceDay};
use foldhash::{HashMap, HashMapExt};
use ledger::Weights;
use std::collections::BTreeMap;

/// Where a resource's cost lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    pub outcome: OutcomeId,
    pub service: Symbol,
    /// Bit `f`: the resource passes driver filter `f`.
    pub filters: u64,
}

/// Cells by number, and for each resource its number; `PER_CHARGE` marks resources decided charge by charge.
pub struct Cells {
    pub cells: Vec<Cell>,
    /// By cell: whether its charges are split one by one.
    by_charge: Vec<bool>,
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
    ) -> Result<Cells, Diagnostic> {
        let by_charge = |outcome: &Outcome| matches!(&outcome.verdict, Verdict::Decided { decision, .. } if decision.is_split_by_charge());
        let mut cells = Cells {
            cells: Vec::new(),
            by_charge: Vec::new(),
            outcomes_by_charge: outcomes.iter().map(by_charge).collect(),
            numbers: HashMap::new(),
            of_resource: Vec::with_capacity(decisions.len()),
            filters: filters(outcomes)?,
        };
        for (id, outcome) in decisions.iter().enumerate() {
            let number = if *outcome == OutcomeId::PER_CHARGE {
                PER_CHARGE
            } else {
                cells.number(dictionary, ResourceId(id as u32), *outcome)
            };
            cells.of_resource.push(number);
        }
        Ok(cells)
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

fn filters(outcomes: &[Outcome]) -> Result<Vec<DriverFilter>, Diagnostic> {
    let filters: Vec<DriverFilter> = cost_filters(outcomes).into_iter().cloned().collect();
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

/// One source's part of a day, summed into cells.
pub struct DaySlice {
    pub source_day: SourceDay,
    pub totals: DayTotals,
    sums: Vec<CellSum>,
    /// Cell and effective cost of the charges that are split one by one.
    pub by_charge: Vec<(u32, i64)>,
    effective: i128,
    billed: i128,
    charges: u64,
}

#[derive(Clone, Copy, Default)]
struct CellSum {
    billed: i128,
    effective: i128,
}

impl CellSum {
    fn is_zero(self) -> bool {
        self.billed == 0 && self.effective == 0
    }
}

impl DaySlice {
    pub fn new(source_day: SourceDay, totals: DayTotals) -> DaySlice {
        DaySlice {
            source_day,
            totals,
            sums: Vec::new(),
            by_charge: Vec::new(),
            effective: 0,
            billed: 0,
            charges: 0,
        }
    }

    #[inline]
    pub fn add(&mut self, cells: &Cells, cell: u32, billed: i64, effective: i64) {
        let at = cell as usize;
        if self.sums.len() <= at {
            self.sums.resize(cells.cells.len().max(at + 1), CellSum::default());
        }
        self.sums[at].billed += i128::from(billed);
        self.sums[at].effective += i128::from(effective);
        if cells.by_charge[at] {
            self.by_charge.push((cell, effective));
        }
    }

    /// Whether any charge fell into the cell that is split by itself, even if such charges cancel out.
    pub fn has_charges(&self, cell: usize) -> bool {
        self.cost(cell, Basis::Effective) != 0
            || self.by_charge.iter().any(|(at, _)| *at as usize == cell)
    }

    /// What a cell came to.
    pub fn cost(&self, cell: usize, basis: Basis) -> i128 {
        self.sums.get(cell).map_or(0, |sum| match basis {
            Basis::Effective => sum.effective,
            Basis::Billed => sum.billed,
        })
    }

    pub fn add_segment_totals(&mut self, charges: u64, billed: Sum, effective: Sum) {
        self.charges += charges;
        self.billed += billed.nanos();
        self.effective += effective.nanos();
    }

    /// What was read back from the ledger must be what the source's statement says, to the nano.
    fn check(&self) -> Result<(), Diagnostic> {
        let billed: i128 = self.sums.iter().map(|sum| sum.billed).sum();
        let effective: i128 = self.sums.iter().map(|sum| sum.effective).sum();
        let stated =
            (self.totals.charges, self.totals.billed.nanos(), self.totals.effective.nanos());
        if (self.charges, self.billed, self.effective) == stated
            && (billed, effective) == (self.billed, self.effective)
        {
            return Ok(());
        }
        Err(lost(
            &self.source_day,
            "reading the charges back",
            Sum::from_nanos(stated.2),
            Sum::from_nanos(effective),
        ))
    }
}

fn lost(day: &SourceDay, stage: &str, before: Sum, after: Sum) -> Diagnostic {
    Diagnostic::new(
        code::CONSERVATION,
        format!("{} on {}: {before} {} went into {stage} and {after} came out; nothing was posted", day.source, day.day, day.currency),
    )
    .hint("this is a fault of Apportion: keep the ledger file, run `apportion ledger verify`, and report both outputs")
}

/// What a day becomes.
pub struct DayResult {
    pub entries: Vec<(SourceDay, Vec<Entry>)>,
    pub weights: Vec<(Currency, Vec<Weights>)>,
    /// Costs that could not be passed on, and why.
    pub unresolved: Vec<Diagnostic>,
}

/// Everything about a generation that allocation needs.
pub struct Generation<'a> {
    pub dictionary: &'a Dictionary,
    pub cells: &'a Cells,
    pub outcomes: &'a [Outcome],
    pub rules: &'a dyn Rules,
    /// Outcomes of the rules of the later stages, by priority.
    pub later: &'a [OutcomeId],
    pub drivers: &'a Drivers,
    pub allocators: &'a dyn Allocators,
}

impl Generation<'_> {
    pub fn decision(&self, outcome: OutcomeId) -> Option<(RuleIndex, &Decision)> {
        match &self.outcomes.get(outcome.0 as usize)?.verdict {
            Verdict::Decided { rule, decision } => Some((*rule, decision)),
            _ => None,
        }
    }

    pub fn facts(&self, rule: RuleIndex) -> Option<&RuleFacts> {
        self.rules.facts().get(rule.0 as usize)
    }

    /// The pool through which a rule's shared charges go.
    pub fn pool_of(&self, rule: RuleIndex) -> Recipient {
        Recipient::Pool(
            self.facts(rule).map_or_else(String::new, |facts| facts.version.rule.clone()),
        )
    }
}

/// Distributes a day and builds its entries; asserts that what went in comes out.
pub fn allocate_day(
    generation: &Generation<'_>,
    slices: Vec<DaySlice>,
) -> Result<DayResult, Diagnostic> {
    let mut by_currency: BTreeMap<Currency, Vec<DaySlice>> = BTreeMap::new();
    for slice in slices {
        slice.check()?;
        by_currency.entry(slice.source_day.currency).or_default().push(slice);
    }
    let mut result = DayResult { entries: Vec::new(), weights: Vec::new(), unresolved: Vec::new() };
    for (currency, slices) in by_currency {
        let mut distribution = Distribution::new(generation, &slices, currency);
        distribution.spread_charges()?;
        distribution.pass_on()?;
        let Distribution { moves, mut weights, unresolved, .. } = distribution;
        for (slice, moves) in slices.iter().zip(moves) {
            let entries = entries(generation, slice, moves)?;
            result.entries.push((slice.source_day.clone(), entries));
        }
        weights.sort_by_key(|weights| weights.outcome);
        result.weights.push((currency, weights));
        result.unresolved.extend(unresolved);
    }
    Ok(result)
}

/// Accounts of one source-day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum To {
    Provider,
    Prepaid,
    Rounding,
    Excluded,
    Suspense,
    Recipient(Recipient),
}

/// Amounts by account and service.
#[derive(Default)]
pub struct Lines {
    sums: BTreeMap<(To, Symbol), i128>,
}

/// What a source-day becomes, by the rule that has a say in it.
pub type ByRule = BTreeMap<Option<RuleIndex>, Lines>;

impl Lines {
    fn add(&mut self, to: To, service: Symbol, nanos: i128) {
        if nanos != 0 {
            *self.sums.entry((to, service)).or_default() += nanos;
        }
    }

    /// Takes from one and gives to the other.
    pub fn pass(&mut self, from: &Recipient, to: &Recipient, service: Symbol, nanos: i128) {
        self.add(To::Recipient(from.clone()), service, -nanos);
        self.add(To::Recipient(to.clone()), service, nanos);
    }

    /// What the provider is owed, and what of it is paid for later days.
    fn add_charged(&mut self, sum: CellSum) {
        self.add(To::Provider, Symbol::NONE, -sum.billed);
        self.add(To::Prepaid, Symbol::NONE, sum.billed - sum.effective);
    }

    fn entry(
        self,
        generation: &Generation<'_>,
        kind: EntryKind,
        rule: Option<RuleIndex>,
        day: &SourceDay,
    ) -> Result<Option<Entry>, Diagnostic> {
        let rule = rule.and_then(|rule| generation.facts(rule)).map(|facts| &facts.version);
        let name = || rule.map_or_else(String::new, |rule| rule.rule.clone());
        let mut postings = Vec::with_capacity(self.sums.len());
        for ((to, service), nanos) in self.sums {
            let account = match &to {
                To::Provider => Account::Provider(day.source.clone()),
                To::Prepaid => Account::Prepaid(day.source.clone()),
                To::Rounding => Account::Rounding(day.source.clone()),
                To::Excluded => Account::Excluded(name()),
                To::Suspense => Account::Suspense,
                To::Recipient(recipient) => Account::of(recipient),
            };
            // What a source charged is the same, whatever the rules say.
            let rule =
                if matches!(to, To::Provider | To::Prepaid | To::Rounding) { None } else { rule };
            let target = match to {
                To::Recipient(Recipient::Team(target)) => Some(target),
                _ => None,
            };
            let service_name =
                (service != Symbol::NONE).then(|| generation.dictionary.text(service).to_owned());
            postings.extend(Sum::from_nanos(nanos).amounts().map(|amount| Posting {
                account: account.clone(),
                target: target.clone(),
                rule: rule.cloned(),
                service_name: service_name.clone(),
                amount,
            }));
        }
        if postings.is_empty() {
            return Ok(None);
        }
        Entry::new(kind, &day.source, day.day, day.currency, postings).map(Some).map_err(|error| {
            Diagnostic::new(code::CONSERVATION, error.to_string())
                .hint("this is a fault of Apportion; nothing was posted")
        })
    }
}

fn entries(
    generation: &Generation<'_>,
    slice: &DaySlice,
    moves: ByRule,
) -> Result<Vec<Entry>, Diagnostic> {
    let day = &slice.source_day;
    let moved: i128 = moves.values().flat_map(|lines| lines.sums.values()).sum();
    if moved != 0 {
        return Err(lost(day, "distribution", Sum::ZERO, Sum::from_nanos(moved)));
    }
    let mut entries = Vec::new();
    for (kind, by_rule) in
        [(EntryKind::Collection, collection(generation, slice)), (EntryKind::Distribution, moves)]
    {
        for (rule, lines) in by_rule {
            entries.extend(lines.entry(generation, kind, rule, day)?);
        }
    }
    Ok(entries)
}

fn collection(generation: &Generation<'_>, slice: &DaySlice) -> ByRule {
    let mut by_rule = ByRule::new();
    let rest = CellSum {
        billed: slice.totals.billed_rest.rounded_nanos(),
        effective: slice.totals.effective_rest.rounded_nanos(),
    };
    let rounding = by_rule.entry(None).or_default();
    rounding.add_charged(rest);
    rounding.add(To::Rounding, Symbol::NONE, rest.effective);
    for (cell, sum) in
        generation.cells.cells.iter().zip(&slice.sums).filter(|(_, sum)| !sum.is_zero())
    {
        let (to, rule) = match generation
            .outcomes
            .get(cell.outcome.0 as usize)
            .map(|outcome| &outcome.verdict)
        {
            Some(Verdict::Decided { rule, decision }) => {
                (collected(generation, *rule, decision), Some(*rule))
            }
            Some(Verdict::Suspense { rule, .. }) => (To::Suspense, Some(*rule)),
            Some(Verdict::Unallocated) | None => (To::Recipient(Recipient::Unallocated), None),
        };
        let lines = by_rule.entry(rule).or_default();
        lines.add_charged(*sum);
        lines.add(to, cell.service, sum.effective);
    }
    by_rule
}

fn collected(generation: &Generation<'_>, rule: RuleIndex, decision: &Decision) -> To {
    match decision {
        Decision::Assign(recipient) => To::Recipient(recipient.clone()),
        Decision::Exclude { .. } => To::Excluded,
        Decision::Spread(_) => To::Recipient(generation.pool_of(rule)),
    }
}
