//! One day's charges of all sources → balanced entries, exactly.
//!
//! A charge's cost lands in the cell of its resource: one (outcome, service, driver filters). Direct cells are summed;
//! shared charges are split one by one, in integers, once the day's direct costs are known. Nothing here depends on the
//! order of charges, of sources or of threads.
//!
//! Each rule has entries of its own, so that a changed rule takes back and posts anew what it decided and nothing else.

use domain::account::Account;
use domain::catalogue as code;
use domain::decision::{Candidates, Decision, DriverFilter, Outcome, OutcomeId, Target, Verdict, WhenZero};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::entry::{Entry, EntryKind, Posting};
use domain::field::Field;
use domain::money::{Currency, Money, Sum};
use domain::port::RuleFacts;
use domain::run::{DayTotals, SourceDay};
use domain::split::Shares;
use foldhash::{HashMap, HashMapExt};
use ledger::Weights;
use std::collections::BTreeMap;

/// Everybody who can bear cost under a set of outcomes, by number.
#[derive(Default)]
pub struct Targets {
    list: Vec<Target>,
    numbers: HashMap<Target, u32>,
}

impl Targets {
    pub fn new(outcomes: &[Outcome]) -> Targets {
        let mut targets = Targets::default();
        for outcome in outcomes {
            match &outcome.verdict {
                Verdict::Decided { decision: Decision::Assign(target), .. } => {
                    targets.add(target);
                    // A pool shared by all teams knows a team by its name only.
                    targets.add(&Target::team(target.team.clone()));
                }
                Verdict::Decided { decision: Decision::Split(weights), .. } => weights.iter().for_each(|(target, _)| targets.add(target)),
                Verdict::Decided { decision: Decision::ByCost { candidates: Candidates::Listed(listed), .. }, .. } => {
                    listed.iter().for_each(|target| targets.add(target));
                }
                _ => {}
            }
        }
        targets
    }

    fn add(&mut self, target: &Target) {
        if !self.numbers.contains_key(target) {
            self.numbers.insert(target.clone(), self.list.len() as u32);
            self.list.push(target.clone());
        }
    }

    fn number(&self, target: &Target) -> u32 {
        let number = self.numbers.get(target).copied();
        assert!(number.is_some(), "{target:?} bears cost and was never named by an outcome");
        number.unwrap_or_default()
    }
}

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
    shared: Vec<bool>,
    numbers: HashMap<Cell, u32>,
    pub of_resource: Vec<u32>,
    filters: Vec<DriverFilter>,
}

pub const PER_CHARGE: u32 = u32::MAX;

/// Filters that a set of rules can have; more would need wider masks.
const FILTERS_MAX: usize = 64;

impl Cells {
    pub fn new(dictionary: &Dictionary, decisions: &[OutcomeId], outcomes: &[Outcome]) -> Result<Cells, Diagnostic> {
        let mut cells =
            Cells { cells: Vec::new(), shared: Vec::new(), numbers: HashMap::new(), of_resource: Vec::new(), filters: filters(outcomes)? };
        cells.of_resource = Vec::with_capacity(decisions.len());
        for (id, outcome) in decisions.iter().enumerate() {
            let number =
                if *outcome == OutcomeId::PER_CHARGE { PER_CHARGE } else { cells.number(dictionary, ResourceId(id as u32), *outcome, outcomes) };
            cells.of_resource.push(number);
        }
        Ok(cells)
    }

    /// The cell of a resource under an outcome, made if it is new.
    pub fn number(&mut self, dictionary: &Dictionary, resource: ResourceId, outcome: OutcomeId, outcomes: &[Outcome]) -> u32 {
        let filters = self
            .filters
            .iter()
            .enumerate()
            .filter(|(_, filter)| passes(dictionary, resource, filter))
            .fold(0, |bits, (number, _)| bits | 1 << number);
        let cell = Cell { outcome, service: dictionary.dimension(resource, Field::SERVICE_NAME), filters };
        *self.numbers.entry(cell).or_insert_with(|| {
            self.cells.push(cell);
            self.shared.push(decision(outcomes, outcome).is_some_and(Decision::is_shared));
            self.cells.len() as u32 - 1
        })
    }

    pub fn is_shared(&self, cell: u32) -> bool {
        self.shared[cell as usize]
    }

    fn filter_bit(&self, filter: &DriverFilter) -> u64 {
        self.filters.iter().position(|known| known == filter).map_or(0, |number| 1 << number)
    }
}

fn filters(outcomes: &[Outcome]) -> Result<Vec<DriverFilter>, Diagnostic> {
    let mut filters: Vec<DriverFilter> = Vec::new();
    for outcome in outcomes {
        if let Verdict::Decided { decision: Decision::ByCost { filter, .. }, .. } = &outcome.verdict
            && !filter.is_empty()
            && !filters.contains(filter)
        {
            filters.push(filter.clone());
        }
    }
    if filters.len() > FILTERS_MAX {
        return Err(Diagnostic::new(
            code::RULE_DECISION,
            format!("the rules use {} different `by_cost` filters; {FILTERS_MAX} are possible", filters.len()),
        )
        .hint("let rules share filters, or list the teams: `by_cost([\"payments\", \"search\"])`"));
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

fn decision(outcomes: &[Outcome], outcome: OutcomeId) -> Option<&Decision> {
    match &outcomes.get(outcome.0 as usize)?.verdict {
        Verdict::Decided { decision, .. } => Some(decision),
        _ => None,
    }
}

/// One source's part of a day, summed into cells.
pub struct DaySlice {
    pub source_day: SourceDay,
    pub totals: DayTotals,
    sums: Vec<CellSum>,
    shared: Vec<(u32, i64)>,
    effective: i128,
    billed: i128,
    charges: u64,
}

#[derive(Clone, Copy, Default)]
struct CellSum {
    billed: i128,
    effective: i128,
}

impl DaySlice {
    pub fn new(source_day: SourceDay, totals: DayTotals) -> DaySlice {
        DaySlice { source_day, totals, sums: Vec::new(), shared: Vec::new(), effective: 0, billed: 0, charges: 0 }
    }

    #[inline]
    pub fn add(&mut self, cells: &Cells, cell: u32, billed: i64, effective: i64) {
        let at = cell as usize;
        if self.sums.len() <= at {
            self.sums.resize(cells.cells.len().max(at + 1), CellSum::default());
        }
        self.sums[at].billed += i128::from(billed);
        self.sums[at].effective += i128::from(effective);
        if cells.is_shared(cell) {
            self.shared.push((cell, effective));
        }
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
        let stated = (self.totals.charges, self.totals.billed.nanos(), self.totals.effective.nanos());
        if (self.charges, self.billed, self.effective) == stated && (billed, effective) == (self.billed, self.effective) {
            return Ok(());
        }
        Err(lost(&self.source_day, "reading the charges back", Sum::from_nanos(stated.2), Sum::from_nanos(effective)))
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
}

/// Everything about a generation that allocation needs.
pub struct Generation<'a> {
    pub dictionary: &'a Dictionary,
    pub cells: &'a Cells,
    pub targets: &'a Targets,
    pub outcomes: &'a [Outcome],
    pub rules: &'a [RuleFacts],
}

/// Distributes a day and builds its entries; asserts that what went in comes out.
pub fn allocate_day(generation: &Generation<'_>, slices: Vec<DaySlice>) -> Result<DayResult, Diagnostic> {
    let mut by_currency: BTreeMap<Currency, Vec<DaySlice>> = BTreeMap::new();
    for slice in slices {
        slice.check()?;
        by_currency.entry(slice.source_day.currency).or_default().push(slice);
    }
    let mut result = DayResult { entries: Vec::new(), weights: Vec::new() };
    for (currency, slices) in by_currency {
        let spreads = spreads(generation, &slices);
        for slice in &slices {
            let entries = entries(generation, slice, &spreads)?;
            result.entries.push((slice.source_day.clone(), entries));
        }
        result.weights.push((currency, weights(generation.outcomes, &spreads)));
    }
    Ok(result)
}

/// How a shared outcome is spread on this day; no shares: it stays in its pool.
pub struct Spread {
    pub targets: Vec<Target>,
    pub shares: Option<Shares>,
}

fn spreads(generation: &Generation<'_>, slices: &[DaySlice]) -> HashMap<OutcomeId, Spread> {
    let mut spreads = HashMap::new();
    let used = |cell: usize| slices.iter().any(|slice| slice.shared_in(cell));
    for (number, cell) in generation.cells.cells.iter().enumerate() {
        if !generation.cells.shared[number] || spreads.contains_key(&cell.outcome) || !used(number) {
            continue;
        }
        if let Some(decision) = decision(generation.outcomes, cell.outcome) {
            spreads.insert(cell.outcome, spread(generation, slices, decision));
        }
    }
    spreads
}

impl DaySlice {
    /// Whether any shared charge fell into the cell, even if such charges cancel out.
    fn shared_in(&self, cell: usize) -> bool {
        self.sums.get(cell).is_some_and(|sum| sum.effective != 0) || self.shared.iter().any(|(at, _)| *at as usize == cell)
    }
}

fn spread(generation: &Generation<'_>, slices: &[DaySlice], decision: &Decision) -> Spread {
    match decision {
        Decision::Split(weights) => {
            let numbers: Vec<i128> = weights.iter().map(|(_, weight)| i128::from(*weight)).collect();
            Spread { targets: weights.iter().map(|(target, _)| target.clone()).collect(), shares: Shares::new(&numbers).ok() }
        }
        Decision::ByCost { candidates, filter, when_zero } => {
            let direct = direct_costs(generation, slices, filter);
            let targets = match candidates {
                Candidates::Listed(targets) => targets.clone(),
                Candidates::AllTeams => direct.keys().map(|team| Target::team(*team)).collect(),
            };
            let numbers: Vec<i128> = targets.iter().map(|target| direct.get(target.team.as_str()).copied().unwrap_or(0)).collect();
            let even = || (*when_zero == WhenZero::Even).then(|| Shares::new(&vec![1; targets.len()]).ok()).flatten();
            let shares = Shares::new(&numbers).ok().or_else(even);
            Spread { targets, shares }
        }
        Decision::Assign(_) | Decision::Exclude { .. } => Spread { targets: Vec::new(), shares: None },
    }
}

/// Direct cost of the day by team, over all sources, through a filter.
fn direct_costs<'a>(generation: &Generation<'a>, slices: &[DaySlice], filter: &DriverFilter) -> BTreeMap<&'a str, i128> {
    let bit = generation.cells.filter_bit(filter);
    let mut direct = BTreeMap::new();
    for (number, cell) in generation.cells.cells.iter().enumerate() {
        if let Some(Decision::Assign(target)) = decision(generation.outcomes, cell.outcome)
            && (filter.is_empty() || cell.filters & bit != 0)
        {
            let sum: i128 = slices.iter().filter_map(|slice| slice.sums.get(number)).map(|sum| sum.effective).sum();
            if sum != 0 {
                *direct.entry(target.team.as_str()).or_default() += sum;
            }
        }
    }
    direct
}

/// The weights that cannot be derived from the rules alone, to be kept for later explanation.
fn weights(outcomes: &[Outcome], spreads: &HashMap<OutcomeId, Spread>) -> Vec<Weights> {
    let mut weights: Vec<Weights> = spreads
        .iter()
        .filter(|(outcome, _)| matches!(decision(outcomes, **outcome), Some(Decision::ByCost { .. })))
        .filter_map(|(outcome, spread)| {
            let shares = spread.shares.as_ref()?;
            Some(Weights { outcome: *outcome, targets: spread.targets.clone(), shares: shares.cumulative().collect(), total: shares.total() })
        })
        .collect();
    weights.sort_by_key(|weights| weights.outcome);
    weights
}

/// The lines of one entry, summed by what they say; all of them are of one rule, or of none.
#[derive(Default)]
struct Lines {
    sums: HashMap<(To, Symbol), i128>,
}

/// An account without its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum To {
    Provider,
    Prepaid,
    Rounding,
    /// The number of the target.
    Team(u32),
    Pool,
    Excluded,
    Unallocated,
    Suspense,
}

/// Entries of one kind by the number of their rule.
type ByRule = BTreeMap<Option<u32>, Lines>;

impl Lines {
    fn add(&mut self, to: To, service: Symbol, nanos: i128) {
        if nanos != 0 {
            *self.sums.entry((to, service)).or_default() += nanos;
        }
    }

    /// The source's side of a cost: what it invoices, and what of that is used at another time.
    fn add_charged(&mut self, sum: CellSum) {
        self.add(To::Provider, Symbol::NONE, -sum.billed);
        self.add(To::Prepaid, Symbol::NONE, sum.billed - sum.effective);
    }

    fn entry(self, generation: &Generation<'_>, kind: EntryKind, rule: Option<u32>, day: &SourceDay) -> Result<Option<Entry>, Diagnostic> {
        let rule = rule.and_then(|rule| generation.rules.get(rule as usize)).map(|rule| &rule.version);
        let name = || rule.map_or_else(String::new, |rule| rule.rule.clone());
        let mut postings = Vec::with_capacity(self.sums.len());
        for ((to, service), nanos) in self.sums {
            let account = match to {
                To::Provider => Account::Provider(day.source.clone()),
                To::Prepaid => Account::Prepaid(day.source.clone()),
                To::Rounding => Account::Rounding(day.source.clone()),
                To::Team(number) => Account::Team(generation.targets.list[number as usize].team.clone()),
                To::Pool => Account::Pool(name()),
                To::Excluded => Account::Excluded(name()),
                To::Unallocated => Account::Unallocated,
                To::Suspense => Account::Suspense,
            };
            let target = match to {
                To::Team(number) => Some(generation.targets.list[number as usize].clone()),
                _ => None,
            };
            // What a source charged is the same, whatever the rules say.
            let rule = if matches!(to, To::Provider | To::Prepaid | To::Rounding) { None } else { rule };
            let service_name = (service != Symbol::NONE).then(|| generation.dictionary.text(service).to_owned());
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
        Entry::new(kind, &day.source, day.day, day.currency, postings)
            .map(Some)
            .map_err(|error| Diagnostic::new(code::CONSERVATION, error.to_string()).hint("this is a fault of Apportion; nothing was posted"))
    }
}

fn entries(generation: &Generation<'_>, slice: &DaySlice, spreads: &HashMap<OutcomeId, Spread>) -> Result<Vec<Entry>, Diagnostic> {
    let day = &slice.source_day;
    let distribution = distribution_lines(generation, slice, spreads);
    let spread: i128 = distribution.values().flat_map(|lines| lines.sums.values()).sum();
    if spread != 0 {
        return Err(lost(day, "distribution", Sum::ZERO, Sum::from_nanos(spread)));
    }
    let mut entries = Vec::new();
    for (kind, by_rule) in [(EntryKind::Collection, collection_lines(generation, slice)), (EntryKind::Distribution, distribution)] {
        for (rule, lines) in by_rule {
            entries.extend(lines.entry(generation, kind, rule, day)?);
        }
    }
    Ok(entries)
}

fn collection_lines(generation: &Generation<'_>, slice: &DaySlice) -> ByRule {
    let mut by_rule = ByRule::new();
    let rest = CellSum { billed: slice.totals.billed_rest.rounded_nanos(), effective: slice.totals.effective_rest.rounded_nanos() };
    let rounding = by_rule.entry(None).or_default();
    rounding.add_charged(rest);
    rounding.add(To::Rounding, Symbol::NONE, rest.effective);
    for (cell, sum) in generation.cells.cells.iter().zip(&slice.sums) {
        let (to, rule) = match generation.outcomes.get(cell.outcome.0 as usize).map(|outcome| &outcome.verdict) {
            Some(Verdict::Decided { rule, decision: Decision::Assign(target) }) => (To::Team(generation.targets.number(target)), Some(rule.0)),
            Some(Verdict::Decided { rule, decision: Decision::Exclude { .. } }) => (To::Excluded, Some(rule.0)),
            Some(Verdict::Decided { rule, .. }) => (To::Pool, Some(rule.0)),
            Some(Verdict::Suspense { rule, .. }) => (To::Suspense, Some(rule.0)),
            Some(Verdict::Unallocated) | None => (To::Unallocated, None),
        };
        let lines = by_rule.entry(rule).or_default();
        lines.add_charged(*sum);
        lines.add(to, cell.service, sum.effective);
    }
    by_rule
}

/// Splits every shared charge, one by one: what a drill-down derives for a charge is what was posted for it.
fn distribution_lines(generation: &Generation<'_>, slice: &DaySlice, spreads: &HashMap<OutcomeId, Spread>) -> ByRule {
    let cells = &generation.cells.cells;
    let spread_of: Vec<Option<&Spread>> = cells.iter().map(|cell| spreads.get(&cell.outcome)).collect();
    let mut by_cell: Vec<Vec<i128>> = vec![Vec::new(); cells.len()];
    for (cell, amount) in &slice.shared {
        if let Some(Spread { shares: Some(shares), .. }) = spread_of[*cell as usize] {
            let sums = &mut by_cell[*cell as usize];
            if sums.is_empty() {
                sums.resize(shares.len(), 0);
            }
            shares.split(Money::from_nanos(*amount), |target, share| sums[target] += i128::from(share.nanos()));
        }
    }
    let mut by_rule = ByRule::new();
    for ((cell, sums), spread) in cells.iter().zip(&by_cell).zip(&spread_of) {
        let verdict = generation.outcomes.get(cell.outcome.0 as usize).map(|outcome| &outcome.verdict);
        if let (Some(spread), Some(Verdict::Decided { rule, .. })) = (spread, verdict) {
            let lines = by_rule.entry(Some(rule.0)).or_default();
            for (target, nanos) in spread.targets.iter().zip(sums) {
                lines.add(To::Team(generation.targets.number(target)), cell.service, *nanos);
                lines.add(To::Pool, cell.service, -*nanos);
            }
        }
    }
    by_rule
}
