//! `bounded`: what single recipients bear at least and at most, over any driver that weighs.

use super::facts::Pool;
use super::method::{DriverAnswer, RecipientWeights, add_amount};
use crate::money::{Money, Sum};
use crate::recipient::Recipient;
use crate::split::Shares;
use exact::decimal::shortest;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    pub recipient: Recipient,
    pub at_least: Option<Limit>,
    pub at_most: Option<Limit>,
}

/// A part of a pool's total of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    Amount(Money),
    /// In millionths of the total.
    Part(u32),
}

impl Limit {
    fn nanos_of(self, size: i128) -> i128 {
        match self {
            Limit::Amount(amount) => i128::from(amount.nanos()).max(0),
            Limit::Part(millionths) => size * i128::from(millionths) / 1_000_000,
        }
    }

    /// Whether every total makes this more than the other one. Amounts and parts can only be
    /// compared on the day.
    fn exceeds(self, other: Limit) -> bool {
        match (self, other) {
            (Limit::Amount(one), Limit::Amount(other)) => one > other,
            (Limit::Part(one), Limit::Part(other)) => one > other,
            (Limit::Amount(_), Limit::Part(_)) | (Limit::Part(_), Limit::Amount(_)) => false,
        }
    }

    fn describe(self) -> String {
        match self {
            Limit::Amount(amount) => amount.to_string(),
            Limit::Part(millionths) => format!("{}%", shortest(millionths.into(), 4)),
        }
    }
}

impl Bound {
    /// Whether no amount can be within it.
    pub fn is_impossible(&self) -> bool {
        self.at_least.zip(self.at_most).is_some_and(|(least, most)| least.exceeds(most))
    }

    pub fn describe(&self) -> String {
        let least = self.at_least.map(|least| format!(" at least {}", least.describe()));
        let most = self.at_most.map(|most| format!(" at most {}", most.describe()));
        let (least, most) = (least.unwrap_or_default(), most.unwrap_or_default());
        format!("{}{least}{most}", self.recipient.describe())
    }
}

/// One recipient's place between its bounds.
struct BoundedShare {
    recipient: Recipient,
    weight: i128,
    floor: i128,
    cap: i128,
    /// Nothing until it is settled.
    amount: Option<i128>,
}

/// Shares by weight, and then moves shares that are out of bounds to their bounds, until all are
/// within.
///
/// A part that all caps together leave over stays in the pool. Floors that are more than the total
/// are paid in proportion.
pub(crate) fn bounded(weights: RecipientWeights, bounds: &[Bound], pool: &Pool) -> DriverAnswer {
    // A refund keeps to the same bounds with the other sign.
    let (size, sign) = (pool.total.nanos().abs(), pool.total.nanos().signum());
    let mut shares = unsettled(weights, bounds, size);
    let floors: i128 = shares.iter().map(|share| share.floor).sum();
    if floors > size {
        let floors = shares.into_iter().map(|share| (share.recipient, share.floor * sign));
        return DriverAnswer::Weights(floors.collect());
    }
    while shares.iter().any(|share| share.amount.is_none()) {
        settle_a_round(&mut shares, size);
    }
    let given: i128 = shares.iter().filter_map(|share| share.amount).sum();
    let mut amounts: RecipientWeights = shares
        .into_iter()
        .map(|share| (share.recipient, share.amount.unwrap_or(0) * sign))
        .collect();
    if given < size {
        add_amount(&mut amounts, &pool.stands, (size - given) * sign);
    }
    DriverAnswer::Amounts { amounts, rest: pool.stands.clone() }
}

/// All with a weight or a bound. A recipient without a bound is between nothing and everything.
fn unsettled(weights: RecipientWeights, bounds: &[Bound], size: i128) -> Vec<BoundedShare> {
    let share = |recipient: Recipient, weight: i128| BoundedShare {
        recipient,
        // Scripts cannot set bounds where negative weights are kept.
        weight: weight.max(0),
        floor: 0,
        cap: size,
        amount: None,
    };
    let mut shares: Vec<BoundedShare> =
        weights.into_iter().map(|(recipient, weight)| share(recipient, weight)).collect();
    for bound in bounds {
        if !shares.iter().any(|share| share.recipient == bound.recipient) {
            shares.push(share(bound.recipient.clone(), 0));
        }
        for share in shares.iter_mut().filter(|share| share.recipient == bound.recipient) {
            // A part of a small total can cross a fixed amount. The floor counts then.
            share.floor = bound.at_least.map_or(0, |limit| limit.nanos_of(size));
            share.cap = bound.at_most.map_or(size, |limit| limit.nanos_of(size)).max(share.floor);
        }
    }
    shares
}

/// Settles the shares on one side of their bounds; the others get their new shares in the next
/// round.
///
/// Raising shares to floors takes from the others, and lowering shares to caps gives to them. If
/// the floors take more than the caps give, a share below its floor can only fall further, so it is
/// settled for good. Otherwise the same holds for the caps. So no settled share must ever be opened
/// again, and there are no more rounds than recipients.
fn settle_a_round(shares: &mut [BoundedShare], size: i128) {
    let settled: i128 = shares.iter().filter_map(|share| share.amount).sum();
    let weights: Vec<i128> =
        shares.iter().map(|share| if share.amount.is_none() { share.weight } else { 0 }).collect();
    let mut by_weight = vec![0; shares.len()];
    // Open shares without any weight get nothing by weight. Their floors still hold.
    if let Ok(weights) = Shares::new(&weights) {
        weights.split(Sum::from_nanos(size - settled), |target, part| {
            by_weight[target] = part.nanos()
        });
    }
    let open = shares.iter().zip(&by_weight).filter(|(share, _)| share.amount.is_none());
    let excess: i128 = open.map(|(share, part)| (*part).clamp(share.floor, share.cap) - part).sum();
    let open = shares.iter_mut().zip(&by_weight).filter(|(share, _)| share.amount.is_none());
    for (share, part) in open {
        let within = (*part).clamp(share.floor, share.cap);
        if excess == 0 || (excess > 0 && within > *part) || (excess < 0 && within < *part) {
            share.amount = Some(within);
        }
    }
}
