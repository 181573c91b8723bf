//! A rule's spread and the facts of a day become exact shares. A pure function: its caller brings
//! the facts.
//!
//! Weights are whole numbers of any size. Where the pool's total decides (tiers, prices, bounds),
//! the weights are the amounts themselves: they add up to the total, so each recipient gets exactly
//! its amount.

use crate::diagnostic::Diagnostic;
use crate::driver::Driver;
use crate::driver::bounds::{Bound, bounded};
use crate::driver::even::even_weights;
use crate::driver::facts::{CostBasis, CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use crate::driver::fixed::FixedDriver;
use crate::driver::method::{DriverAnswer, RecipientWeights, team_names};
use crate::recipient::Recipient;
use crate::sharing::Sharing;
use std::collections::HashMap;

/// How a pool is shared on a day.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    pub by: Driver,
    pub when_zero: WhenZero,
    pub when_negative: WhenNegative,
    /// The least and the most that single recipients bear.
    pub bounds: Vec<Bound>,
}

/// The rule for a pool whose weights add up to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum WhenZero {
    /// It stays in the pool, visible.
    #[default]
    Stay,
    Even,
    /// Another spread takes its place.
    Spread(Box<Spread>),
}

/// The rule for a negative weight, such as that of a team with larger credits than costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum WhenNegative {
    /// It counts as zero.
    #[default]
    Zero,
    /// It takes a share of the other sign: of 100 by 100 : −20, the shares are 125 and −25.
    Keep,
    /// The pool stays where it is.
    Stay,
}

impl Spread {
    pub fn new(by: Driver) -> Spread {
        Spread {
            by,
            when_zero: WhenZero::default(),
            when_negative: WhenNegative::default(),
            bounds: Vec::new(),
        }
    }

    pub fn fixed(weights: Vec<(Recipient, u64)>) -> Spread {
        Spread::new(Driver::Fixed(FixedDriver { weights }))
    }

    fn fallback(&self) -> Option<&Spread> {
        match &self.when_zero {
            WhenZero::Spread(fallback) => Some(fallback),
            WhenZero::Stay | WhenZero::Even => None,
        }
    }

    /// The teams that it names, whatever the day is like.
    pub fn teams(&self) -> Vec<&str> {
        let mut teams = self.by.method().teams();
        teams.extend(self.fallback().into_iter().flat_map(Spread::teams));
        teams.extend(team_names(self.bounds.iter().map(|bound| &bound.recipient)));
        teams
    }

    /// Whether the day's total of the pool decides over the shares, and not only over the amounts.
    ///
    /// Charges are then not split one by one, but as the total that they add up to.
    pub fn needs_total(&self) -> bool {
        let needs = |spread: &Spread| spread.by.method().needs_total();
        needs(self) || !self.bounds.is_empty() || self.fallback().is_some_and(Spread::needs_total)
    }

    /// The usage that it looks at, with all that may take its place.
    pub fn usages(&self) -> Vec<MetricWindow<'_>> {
        let mut usages = self.by.method().usages();
        usages.extend(self.fallback().into_iter().flat_map(Spread::usages));
        usages
    }

    /// The costs that it looks at, with all that may take its place.
    pub fn team_costs(&self) -> Vec<&CostQuestion> {
        let mut costs = self.by.method().team_costs();
        costs.extend(self.fallback().into_iter().flat_map(Spread::team_costs));
        costs
    }

    /// Whether it weighs by what teams bear when its turn comes.
    pub fn weighs_allocated(&self) -> bool {
        self.team_costs().iter().any(|costs| costs.basis == CostBasis::Allocated)
    }

    /// Whether it weighs by a cost that is a detail of charges.
    pub fn weighs_details(&self) -> bool {
        self.team_costs().iter().any(|costs| costs.basis.of_charges().detail().is_some())
    }

    /// The usage that it charges at a price, with all that may take its place.
    pub fn priced(&self) -> Vec<PricedUsage<'_>> {
        let mut priced = self.by.method().priced();
        priced.extend(self.fallback().into_iter().flat_map(Spread::priced));
        priced
    }

    /// Whether it, or a spread that may take its place, gives amounts.
    pub fn gives_amounts(&self) -> bool {
        self.by.gives_amounts() || self.fallback().is_some_and(Spread::gives_amounts)
    }

    /// Whether it, or a spread that may take its place, has bounds.
    pub fn has_bounds(&self) -> bool {
        !self.bounds.is_empty() || self.fallback().is_some_and(Spread::has_bounds)
    }

    /// Whether it, or a spread that may take its place, keeps negative weights.
    pub fn keeps_negative(&self) -> bool {
        self.when_negative == WhenNegative::Keep
            || self.fallback().is_some_and(Spread::keeps_negative)
    }

    /// As a person would say it, for findings, the functions' page and reports.
    pub fn describe(&self) -> String {
        let mut words = vec![self.by.method().describe()];
        words.extend(self.bounds.iter().map(Bound::describe));
        match &self.when_zero {
            WhenZero::Stay => {}
            WhenZero::Even => words.push("when_zero even".into()),
            WhenZero::Spread(fallback) => words.push(format!("when_zero {}", fallback.describe())),
        }
        match self.when_negative {
            WhenNegative::Zero => {}
            WhenNegative::Keep => words.push("when_negative keep".into()),
            WhenNegative::Stay => words.push("when_negative stay".into()),
        }
        words.join(" ")
    }
}

/// How the pool is shared. Nothing where it stays as it is, by the rule's declared policy.
pub fn share(
    spread: &Spread,
    pool: &Pool,
    facts: &dyn Facts,
) -> Result<Option<Sharing>, Diagnostic> {
    match weights(spread, pool, facts)?.map(|answer| placed(answer, facts)) {
        None => Ok(None),
        Some(DriverAnswer::Weights(weights)) => Sharing::of_weights(weights, pool),
        Some(DriverAnswer::Amounts { amounts, rest }) => Sharing::of_amounts(amounts, &rest, pool),
    }
}

fn placed(answer: DriverAnswer, facts: &dyn Facts) -> DriverAnswer {
    match answer {
        DriverAnswer::Weights(weights) => DriverAnswer::Weights(with_cost_centers(weights, facts)),
        DriverAnswer::Amounts { amounts, rest } => DriverAnswer::Amounts {
            amounts: with_cost_centers(amounts, facts),
            rest: with_cost_center(rest, facts),
        },
    }
}

/// The same with the cost centers that the teams have on the day. A cost center that the rule names
/// stays.
fn with_cost_centers(weights: RecipientWeights, facts: &dyn Facts) -> RecipientWeights {
    let mut placed = RecipientWeights::new();
    let mut places: HashMap<Recipient, usize> = HashMap::new();
    for (recipient, weight) in weights {
        let recipient = with_cost_center(recipient, facts);
        // A rule can name a team with its cost center and without it.
        match places.get(&recipient).and_then(|place| placed.get_mut(*place)) {
            Some((_, sum)) => *sum += weight,
            None => {
                places.insert(recipient.clone(), placed.len());
                placed.push((recipient, weight));
            }
        }
    }
    placed
}

fn with_cost_center(mut recipient: Recipient, facts: &dyn Facts) -> Recipient {
    if let Some(target) = recipient.target_mut().filter(|target| target.cost_center.is_none()) {
        target.cost_center = facts.team(&target.team).and_then(|team| team.cost_center);
    }
    recipient
}

/// The weights, or the amounts within the bounds. Bounds hold for the weights of a fallback too.
fn weights(
    spread: &Spread,
    pool: &Pool,
    facts: &dyn Facts,
) -> Result<Option<DriverAnswer>, Diagnostic> {
    let own = match spread.by.method().weigh(pool, facts)? {
        // Scripts cannot set bounds for amounts.
        amounts @ DriverAnswer::Amounts { .. } => return Ok(Some(amounts)),
        DriverAnswer::Weights(weights) => weights,
    };
    let Some(own) = spread.when_negative.applied(own) else { return Ok(None) };
    let chosen = match &spread.when_zero {
        _ if total(&own) > 0 => own,
        WhenZero::Stay => return Ok(None),
        WhenZero::Even => even_weights(own),
        WhenZero::Spread(fallback) => match weights(fallback, pool, facts)? {
            Some(DriverAnswer::Weights(weights)) => weights,
            // Scripts cannot set bounds for these either.
            amounts_or_nothing => return Ok(amounts_or_nothing),
        },
    };
    let is_bounded = !spread.bounds.is_empty() && total(&chosen) > 0;
    Ok(Some(match is_bounded {
        true => bounded(chosen, &spread.bounds, pool),
        false => DriverAnswer::Weights(chosen),
    }))
}

fn total(weights: &RecipientWeights) -> i128 {
    weights.iter().map(|(_, weight)| weight).sum()
}

/// All that may get a share today, whatever the pool's total is.
pub fn recipients(
    spread: &Spread,
    pool: &Pool,
    facts: &dyn Facts,
) -> Result<Vec<Recipient>, Diagnostic> {
    let mut all = spread.by.method().recipients(pool, facts)?;
    if let Some(fallback) = spread.fallback() {
        all.extend(recipients(fallback, pool, facts)?);
    }
    all.extend(spread.bounds.iter().map(|bound| bound.recipient.clone()));
    Ok(all.into_iter().map(|recipient| with_cost_center(recipient, facts)).collect())
}

impl WhenNegative {
    /// The weights that count, or nothing where the pool stays.
    fn applied(self, mut weights: RecipientWeights) -> Option<RecipientWeights> {
        match self {
            WhenNegative::Stay if weights.iter().any(|(_, weight)| *weight < 0) => return None,
            WhenNegative::Stay | WhenNegative::Zero => {
                weights.iter_mut().for_each(|(_, weight)| *weight = (*weight).max(0))
            }
            WhenNegative::Keep => {}
        }
        Some(weights)
    }
}

#[cfg(test)]
mod tests;
