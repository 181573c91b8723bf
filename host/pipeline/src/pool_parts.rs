//! Pools that price the same usage divide it: usage is charged once.

use crate::code;
use crate::day_facts::DayFacts;
use domain::decision::{OutcomeId, RuleIndex};
use domain::diagnostic::Diagnostic;
use domain::driver::facts::{Pool, PoolPart, PricedUsage, UsageQuery};
use domain::money::Currency;
use domain::period::Day;
use domain::spread::Spread;
use std::collections::{BTreeMap, BTreeSet};

/// A pool that has its turn.
pub struct TurnPool<'a> {
    /// The number of its day in its group.
    pub at: usize,
    pub outcome: OutcomeId,
    pub rule: RuleIndex,
    pub spread: &'a Spread,
    pub pool: Pool,
}

/// One count of usage by one rule: the rule, the question, and the first day of its window.
type Count = (String, String, Day);

/// Gives each pool its part of the usage that it prices, in proportion to its size. Pools with
/// prices that could mean several currencies are taken out, each with its refusal.
pub fn divide(pools: &mut Vec<TurnPool<'_>>, days: &[DayFacts<'_>]) -> Vec<(usize, Diagnostic)> {
    let mut counts: BTreeMap<Count, Vec<usize>> = BTreeMap::new();
    for (number, TurnPool { at, spread, pool, .. }) in pools.iter().enumerate() {
        // A pool is divided by the first usage that it prices.
        if let Some(usage) = spread.priced().first() {
            counts.entry(count(usage, pool, days[*at].day)).or_default().push(number);
        }
    }
    let (mut refused, mut refusals) = (BTreeSet::new(), Vec::new());
    for numbers in counts.values() {
        let mut by_currency: BTreeMap<Currency, Vec<usize>> = BTreeMap::new();
        for number in numbers.iter().filter(|number| !pools[**number].pool.gross.is_zero()) {
            by_currency.entry(days[pools[*number].at].currency).or_default().push(*number);
        }
        if by_currency.len() > 1 {
            let currencies: Vec<&str> = by_currency.keys().map(Currency::code).collect();
            for number in by_currency.values().flatten() {
                if let Some(refusal) = ambiguous(&pools[*number], days, &currencies) {
                    refused.insert(*number);
                    refusals.push((pools[*number].at, refusal));
                }
            }
        }
        by_currency.into_values().for_each(|numbers| part(pools, numbers, days));
    }
    let mut number = 0;
    pools.retain(|_| {
        number += 1;
        !refused.contains(&(number - 1))
    });
    refusals
}

fn count(usage: &PricedUsage<'_>, pool: &Pool, day: Day) -> Count {
    let UsageQuery { metric, filter, key, window } = usage.query;
    // Windows that move with the day count the day's own usage again and again. They are divided
    // within the day only.
    let from = if window.is_shared() { window.days_for(day).0 } else { day };
    (pool.rule.clone(), format!("{metric} {filter:?} {key:?} {window:?}"), from)
}

fn part(pools: &mut [TurnPool<'_>], mut numbers: Vec<usize>, days: &[DayFacts<'_>]) {
    // The order decides where a rest of a nano goes, so it must be the same in every run: numbers
    // of outcomes follow the order of charges.
    numbers.sort_by_cached_key(|number| {
        let TurnPool { at, spread, .. } = &pools[*number];
        (days[*at].day, spread.describe())
    });
    let whole = numbers.iter().map(|number| pools[*number].pool.gross.nanos()).sum();
    let mut before = 0;
    for number in numbers {
        let pool = &mut pools[number].pool;
        let part = pool.gross.nanos();
        pool.part = PoolPart { before, part, whole };
        before += part;
    }
}

/// Why a price cannot be applied, if its currency is not said and the charges have several.
fn ambiguous(
    pool: &TurnPool<'_>,
    days: &[DayFacts<'_>],
    currencies: &[&str],
) -> Option<Diagnostic> {
    let DayFacts { inputs, day, currency, .. } = &days[pool.at];
    let priced = pool.spread.priced();
    let usage = priced.iter().find(|usage| {
        usage.currency.is_none() && inputs.drivers.is_in_any_currency(usage.query, *day)
    })?;
    let message = format!(
        "{} prices {} at {}, which names no currency, and has charges in {} around {day}: the \
         charges in {currency} stay in the pool",
        pool.pool.rule,
        usage.query.metric,
        usage.prices,
        currencies.join(" and "),
    );
    Some(Diagnostic::new(code::PRICE_CURRENCY, message).hint(format!(
        "write currency: \"{}\" into the rate card; charges in other currencies then go to its \
         remainder",
        currencies.last().unwrap_or(&"USD")
    )))
}
