//! The charges of all sources of some days → balanced entries, exactly.
//!
//! A charge's cost lands in the cell of its resource. Shared charges, pools and serving teams are
//! split once the day's direct costs are known (see `distribute`), since those can be what the
//! shares are in proportion to. Nothing here depends on the order of charges, of sources or of
//! threads.
//!
//! Each rule has entries of its own. A changed rule then takes back and posts anew its own
//! decisions and nothing else.

use crate::day_facts::DayFacts;
use crate::distribute::Distribution;
use crate::inputs::AllocationInputs;
use crate::lines::{ByRule, LineAccount, Lines};
use crate::slice::{CellSum, DaySlice, SideSums, lost};
use crate::turns::DayGroup;
use domain::decision::{Decision, RuleIndex, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::Symbol;
use domain::entry::{Entry, EntryKind};
use domain::money::{Currency, Sum};
use domain::period::Day;
use domain::recipient::Recipient;
use domain::run::SourceDay;
use ledger::Weights;
use std::collections::BTreeMap;

/// A day's entries, and the weights that explain them.
pub struct DayResult {
    pub entries: Vec<(SourceDay, Vec<Entry>)>,
    pub weights: Vec<(Currency, Vec<Weights>)>,
    /// Costs that could not be passed on, and why.
    pub unresolved: Vec<Diagnostic>,
}

/// A day that is to be allocated, with the rules that are in force on it.
pub struct DayCharges<'a> {
    pub day: Day,
    pub inputs: &'a AllocationInputs<'a>,
    pub slices: Vec<DaySlice>,
}

/// Distributes days whose weights hang on each other, and builds their entries; asserts that what
/// went in comes out. One result for each day, in their order.
pub fn allocate_days(days: Vec<DayCharges<'_>>) -> Result<Vec<DayResult>, Diagnostic> {
    let mut results = Vec::new();
    let mut by_currency: BTreeMap<(usize, Currency), DayCharges<'_>> = BTreeMap::new();
    for (number, DayCharges { day, inputs, slices }) in days.into_iter().enumerate() {
        for slice in slices {
            // Before anything is split: a charge that got lost must not be spread over the teams.
            slice.check()?;
            let currency = slice.source_day.currency;
            let charges = || DayCharges { day, inputs, slices: Vec::new() };
            let charges = by_currency.entry((number, currency)).or_insert_with(charges);
            charges.slices.push(slice);
        }
        results.push(DayResult {
            entries: Vec::new(),
            weights: Vec::new(),
            unresolved: Vec::new(),
        });
    }
    let facts = by_currency.iter().map(|((_, currency), charges)| {
        DayFacts::new(charges.inputs, &charges.slices, (charges.day, *currency))
    });
    let mut group = DayGroup::new(facts.collect());
    group.spread_charges()?;
    group.pass_on()?;
    for (((number, currency), charges), distribution) in by_currency.iter().zip(group.days) {
        let Distribution { moves, mut weights, unresolved, .. } = distribution;
        let result = &mut results[*number];
        for (slice, moves) in charges.slices.iter().zip(moves) {
            let entries = entries(charges.inputs, slice, moves)?;
            result.entries.push((slice.source_day.clone(), entries));
        }
        // In a fixed order: the ledger stores weights again only if they differ from those before.
        weights.sort_by_key(|weights| weights.outcome);
        result.weights.push((*currency, weights));
        result.unresolved.extend(unresolved);
    }
    Ok(results)
}

fn entries(
    inputs: &AllocationInputs<'_>,
    slice: &DaySlice,
    moves: ByRule,
) -> Result<Vec<Entry>, Diagnostic> {
    let day = &slice.source_day;
    // Each movement takes from one place and gives to another, so all of them come to nothing.
    let moved: i128 = moves.values().map(Lines::total).sum();
    if moved != 0 {
        return Err(lost(day, "distribution", Sum::ZERO, Sum::from_nanos(moved)));
    }
    let mut entries = Vec::new();
    for (kind, by_rule) in
        [(EntryKind::Collection, collection(inputs, slice)), (EntryKind::Distribution, moves)]
    {
        for (rule, lines) in by_rule {
            entries.extend(lines.entry(inputs, kind, rule, day)?);
        }
    }
    Ok(entries)
}

fn collection(inputs: &AllocationInputs<'_>, slice: &DaySlice) -> ByRule {
    let mut by_rule = ByRule::new();
    // Charges were rounded one by one. This is the part of the day's exact total that they lack.
    let mut rest = CellSum {
        billed: slice.totals.billed_rest.rounded_nanos(),
        effective: SideSums::default(),
    };
    rest.effective.add(slice.totals.effective_rest.rounded_nanos());
    let rounding = by_rule.entry(None).or_default();
    rounding.add_charged(rest);
    rounding.add(LineAccount::Rounding, Symbol::NONE, rest.effective.net());
    // A recipient is looked up once, and not for each of its services.
    let mut by_outcome = vec![Vec::new(); inputs.outcomes.len() + 1];
    for (cell, sum) in inputs.cells.cells.iter().zip(&slice.sums).filter(|(_, sum)| !sum.is_zero())
    {
        let at = (cell.outcome.0 as usize).min(inputs.outcomes.len());
        by_outcome[at].push((cell.service, *sum));
    }
    for (outcome, sums) in inputs.outcomes.iter().map(Some).chain([None]).zip(by_outcome) {
        if sums.is_empty() {
            continue;
        }
        let (to, rule) = match outcome.map(|outcome| &outcome.verdict) {
            Some(Verdict::Decided { rule, decision }) => {
                (collected(inputs, *rule, decision), Some(*rule))
            }
            Some(Verdict::Suspense { rule, .. }) => (LineAccount::Suspense, Some(*rule)),
            Some(Verdict::Unallocated) | None => {
                (LineAccount::Recipient(Recipient::Unallocated), None)
            }
        };
        let lines = by_rule.entry(rule).or_default();
        let services: Vec<(Symbol, SideSums)> =
            sums.iter().map(|(service, sum)| (*service, sum.effective)).collect();
        sums.iter().for_each(|(_, sum)| lines.add_charged(*sum));
        lines.add_services(to, &services);
    }
    by_rule
}

fn collected(inputs: &AllocationInputs<'_>, rule: RuleIndex, decision: &Decision) -> LineAccount {
    match decision {
        Decision::Assign(recipient) => LineAccount::Recipient(recipient.clone()),
        Decision::Exclude { .. } => LineAccount::Excluded,
        Decision::Spread(_) => LineAccount::Recipient(inputs.pool_of(rule)),
    }
}
