//! Recipients with their exact shares: the answer of a spread, and what a run keeps of it.

use crate::code::{AMOUNT_TOO_LARGE, WEIGHTS_CANCEL};
use crate::diagnostic::Diagnostic;
use crate::driver::facts::{Pool, PoolPart};
use crate::driver::method::RecipientWeights;
use crate::money::{Money, Sum};
use crate::recipient::Recipient;
use crate::split::Shares;
use num_bigint::BigInt;

/// The most nanos by which a share may miss its amount once weights are scaled down to 63 bits: a
/// millionth of the currency's unit.
const MISSED_MAX: u128 = 1_000;

/// Recipients in a fixed order, each with its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub recipients: Vec<Recipient>,
    /// In the order of the recipients.
    pub shares: Shares,
    /// The shares of parts of the other sign than `shares` is for, where the two differ: `shares`
    /// is then for the parts above zero, and these are for those below.
    pub refunds: Option<Shares>,
}

impl Sharing {
    /// Shares in proportion. Nothing where the weights add up to nothing.
    pub(crate) fn of_weights(
        weights: RecipientWeights,
        pool: &Pool,
    ) -> Result<Option<Sharing>, Diagnostic> {
        // Scaled weights of one sign keep their proportion. Those of both can nearly cancel out.
        if weights.iter().any(|(_, weight)| *weight < 0) {
            if let Some(share) = beyond_all(&weights, pool) {
                return Err(cancelling(pool, share));
            }
            if may_miss(&weights, pool) {
                return Err(nearly_nothing(pool));
            }
        }
        Ok(Sharing::in_proportion(weights))
    }

    fn in_proportion(weights: RecipientWeights) -> Option<Sharing> {
        let (recipients, weights): (Vec<Recipient>, Vec<i128>) = weights.into_iter().unzip();
        let shares = Shares::signed(&weights).ok()?;
        Some(Sharing { recipients, shares, refunds: None })
    }

    /// Shares of amounts that add up to the pool's total. `rest` bears what the others leave.
    ///
    /// Amounts are their own weights. Beyond 63 bits the weights are scaled down, and a total close
    /// to zero then turns a lost nano into any amount. So each share is compared with its amount.
    pub(crate) fn of_amounts(
        amounts: RecipientWeights,
        rest: &Recipient,
        pool: &Pool,
    ) -> Result<Option<Sharing>, Diagnostic> {
        let (total, gross) = (pool.total.nanos(), pool.gross.nanos());
        let sizes: i128 = amounts.iter().map(|(_, amount)| amount.abs()).sum();
        let cancels = total == 0 && *rest != pool.stands;
        // By the ratio to the total, a part would give an amount of the other sign a share that is
        // larger than the part. Where parts cancel out, there is no such ratio at all.
        if gross > total.abs() && (sizes > total.abs() || cancels) {
            return Sharing::by_sign(&amounts, rest, pool).map(Some);
        }
        if total == 0 {
            return Ok(None);
        }
        let wanted: Vec<i128> = amounts.iter().map(|(_, amount)| *amount).collect();
        let sharing = Sharing::in_proportion(amounts)
            .filter(|sharing| meets(&sharing.shares, pool.total, &wanted));
        if sharing.is_some() { Ok(sharing) } else { Err(inexact(&wanted, pool)) }
    }

    /// Shares of a pool that has parts above and below zero. Each part gives each recipient its
    /// amount by the part's size, and all that is left of it to `rest`.
    ///
    /// No share is larger than its part and the amounts together.
    fn by_sign(
        amounts: &RecipientWeights,
        rest: &Recipient,
        pool: &Pool,
    ) -> Result<Sharing, Diagnostic> {
        let (total, gross) = (pool.total.nanos(), pool.gross.nanos());
        let above = PoolPart { before: 0, part: (gross + total) / 2, whole: gross };
        let (mut costs, mut refunds) = (Vec::new(), Vec::new());
        for (recipient, amount) in amounts.iter().filter(|(recipient, _)| recipient != rest) {
            costs.push((recipient.clone(), above.of(*amount)));
            refunds.push(amount - above.of(*amount));
        }
        let given = |nanos: &[i128]| nanos.iter().sum::<i128>();
        let (of_costs, of_refunds) =
            (costs.iter().map(|(_, nanos)| *nanos).sum::<i128>(), given(&refunds));
        costs.push((rest.clone(), above.part - of_costs));
        refunds.push(total - above.part - of_refunds);
        let (recipients, costs): (Vec<Recipient>, Vec<i128>) = costs.into_iter().unzip();
        let shares = |wanted: &[i128]| {
            let whole = Sum::from_nanos(given(wanted));
            let shares = Shares::signed(wanted).ok().filter(|shares| meets(shares, whole, wanted));
            shares.ok_or_else(|| inexact(wanted, pool))
        };
        Ok(Sharing { recipients, shares: shares(&costs)?, refunds: Some(shares(&refunds)?) })
    }

    /// The shares of a part of this amount.
    pub fn shares_of(&self, part: Sum) -> &Shares {
        let refunds = self.refunds.as_ref().filter(|_| part.nanos() < 0);
        refunds.unwrap_or(&self.shares)
    }

    /// Each recipient with its weight.
    pub fn weighted(&self) -> impl Iterator<Item = (&Recipient, i64)> {
        self.recipients.iter().zip(self.shares.weights())
    }

    /// The recipients that get more than nothing.
    pub fn takers(&self) -> Vec<Recipient> {
        self.weighted()
            .filter(|(_, weight)| *weight != 0 || self.refunds.is_some())
            .map(|(recipient, _)| recipient.clone())
            .collect()
    }
}

fn meets(shares: &Shares, total: Sum, wanted: &[i128]) -> bool {
    let mut is_met = true;
    shares.split(total, |target, share| {
        is_met &= share.nanos().abs_diff(wanted[target]) <= MISSED_MAX
    });
    is_met
}

/// A share that is larger than the pool and all weights together. Negative weights are money, such
/// as credits, so the two can be compared.
fn beyond_all(weights: &RecipientWeights, pool: &Pool) -> Option<Sum> {
    let sum: i128 = weights.iter().map(|(_, weight)| weight).sum();
    let sizes = weights.iter().map(|(_, weight)| BigInt::from(weight.abs())).sum::<BigInt>();
    let largest = weights.iter().map(|(_, weight)| *weight).max_by_key(|weight| weight.abs())?;
    if sum == 0 {
        return None;
    }
    let share = BigInt::from(largest) * pool.total.nanos() / sum;
    let all = sizes + pool.total.nanos().abs();
    // A share beyond 128 bits is beyond all for sure.
    let is_beyond = *share.magnitude() > *all.magnitude();
    is_beyond.then(|| Sum::from_nanos(i128::try_from(share).unwrap_or(i128::MAX)))
}

fn cancelling(pool: &Pool, share: Sum) -> Diagnostic {
    let message = format!(
        "{} shares {} by weights of both signs that nearly cancel out: one share would be {}, \
         which is more than the pool and all weights together",
        pool.rule,
        pool.total.plain(),
        share.plain()
    );
    Diagnostic::new(WEIGHTS_CANCEL, message)
        .hint("write when_negative: \"zero\" or \"stay\" in the rule")
}

/// Whether a share can miss by too much, because sums on the way do not fit the 63 bits of stored
/// weights. The total has lost up to one unit of the scale, and each cut up to two. The first
/// changes a share by its size over the total, the others by the pool over the total.
fn may_miss(weights: &[(Recipient, i128)], pool: &Pool) -> bool {
    let (mut sum, mut most) = (0_i128, 0_u128);
    for (_, weight) in weights {
        sum = sum.saturating_add(*weight);
        most = most.max(sum.unsigned_abs());
    }
    let stored_max = u128::from(i64::MAX.unsigned_abs());
    // The scale is a power of ten, so it is less than ten times of what would do.
    let scale = (most / stored_max + 1).saturating_mul(10);
    let total = sum.unsigned_abs().max(1);
    let largest = pool.total.nanos().unsigned_abs().saturating_mul(most / total + 1);
    let missed = largest.saturating_mul(3).saturating_mul(scale);
    most > stored_max && missed > total.saturating_mul(MISSED_MAX)
}

fn nearly_nothing(pool: &Pool) -> Diagnostic {
    let message = format!(
        "{} shares {} by weights of both signs, and the ledger holds such weights up to {}",
        pool.rule,
        pool.total.plain(),
        Sum::from(Money::from_nanos(i64::MAX)).plain()
    );
    Diagnostic::new(AMOUNT_TOO_LARGE, message)
        .hint("write when_negative: \"zero\" or \"stay\" in the rule")
}

fn inexact(amounts: &[i128], pool: &Pool) -> Diagnostic {
    let largest = amounts.iter().copied().max_by_key(|amount| amount.unsigned_abs());
    let message = format!(
        "{} shares {} in amounts of both signs up to {}, and the ledger holds such shares exactly \
         up to {}",
        pool.rule,
        pool.total.plain(),
        Sum::from_nanos(largest.unwrap_or(0)).plain(),
        Sum::from(Money::from_nanos(i64::MAX)).plain()
    );
    Diagnostic::new(AMOUNT_TOO_LARGE, message).hint(
        "prices that take far more than there is leave an amount of the other sign: mend the price \
         in the rule, or the quantities in their source",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 10^20 + 7 nanos, 49 recipients bear 10^18 + 99 each, and the last one the rest. Sums are
    /// scaled by 100, so a share misses by less than 200 nanos.
    #[test]
    fn large_amounts_of_many_recipients_are_met() {
        let total = 10_i128.pow(20) + 7;
        let each = 10_i128.pow(18) + 99;
        let wanted: Vec<i128> =
            std::iter::repeat_n(each, 49).chain([51 * 10_i128.pow(18) + 7 - 49 * 99]).collect();
        assert_eq!(wanted.iter().sum::<i128>(), total);
        let shares = Shares::signed(&wanted).unwrap();
        let mut given = Vec::new();
        shares.split(Sum::from_nanos(total), |_, share| given.push(share.nanos()));
        assert_eq!(given.iter().sum::<i128>(), total);
        for (given, wanted) in given.iter().zip(&wanted) {
            assert!(given.abs_diff(*wanted) < 200, "{given} for {wanted}");
        }
    }

    #[test]
    fn weights_beyond_128_bits_keep_their_proportion() {
        let shares = Shares::signed(&[i128::MAX, i128::MAX, i128::MAX]).unwrap();
        let mut given = Vec::new();
        shares.split(Sum::from_nanos(300), |_, share| given.push(share.nanos()));
        assert_eq!(given, [100, 100, 100]);
    }

    /// By hand: 10^10 and -9,999,999,999.499999993 units add up to 500,000,007 nanos, so a pool of
    /// one unit is shared as 10^28 / 500000007 nanos, which the scaled weights miss by far.
    #[test]
    fn weights_that_nearly_cancel_out_are_refused_where_digits_are_lost() {
        let pool = |total: i128| {
            Pool::new(Recipient::Pool("shared/tax".into()), "shared/tax", Sum::from_nanos(total))
        };
        let weights = |second: i128| {
            RecipientWeights::from([
                (Recipient::team("a"), 10_i128.pow(19)),
                (Recipient::team("b"), second),
            ])
        };
        let refused =
            Sharing::of_weights(weights(-9_999_999_999_499_999_993), &pool(10_i128.pow(9)));
        let finding = refused.unwrap_err().to_string();
        assert!(finding.contains("shared/tax shares 1 by weights of both signs"), "{finding}");
        // A small refund beside large costs loses nothing that counts.
        let shared = Sharing::of_weights(weights(-10_i128.pow(12)), &pool(10_i128.pow(9)));
        assert!(shared.is_ok_and(|sharing| sharing.is_some()));
    }
}
