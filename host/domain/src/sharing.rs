//! Recipients with their exact shares: the answer of a spread, and what a run keeps of it.

use crate::code::AMOUNT_TOO_LARGE;
use crate::diagnostic::Diagnostic;
use crate::driver::facts::Pool;
use crate::driver::method::RecipientWeights;
use crate::money::{Money, Sum};
use crate::recipient::Recipient;
use crate::split::Shares;

/// The most nanos by which a share may miss its amount once weights are scaled down to 63 bits: a
/// millionth of the currency's unit.
const MISSED_MAX: u128 = 1_000;

/// Recipients in a fixed order, each with its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub recipients: Vec<Recipient>,
    /// In the order of the recipients.
    pub shares: Shares,
}

impl Sharing {
    /// Shares in proportion. Nothing where the weights add up to nothing.
    pub(crate) fn of_weights(weights: RecipientWeights) -> Option<Sharing> {
        let (recipients, weights): (Vec<Recipient>, Vec<i128>) = weights.into_iter().unzip();
        Shares::signed(&weights).ok().map(|shares| Sharing { recipients, shares })
    }

    /// Shares of amounts that add up to the pool's total. Nothing where that is zero.
    ///
    /// Amounts are their own weights. Beyond 63 bits the weights are scaled down, and a total close
    /// to zero then turns a lost nano into any amount. So each share is compared with its amount.
    pub(crate) fn of_amounts(
        amounts: RecipientWeights,
        pool: &Pool,
    ) -> Result<Option<Sharing>, Diagnostic> {
        if pool.total.is_zero() {
            return Ok(None);
        }
        let wanted: Vec<i128> = amounts.iter().map(|(_, amount)| *amount).collect();
        let sharing = Sharing::of_weights(amounts);
        let is_met = sharing.as_ref().is_some_and(|sharing| {
            let mut is_met = true;
            sharing.shares.split(pool.total, |target, share| {
                is_met &= share.nanos().abs_diff(wanted[target]) <= MISSED_MAX
            });
            is_met
        });
        if is_met { Ok(sharing) } else { Err(inexact(&wanted, pool)) }
    }

    /// Each recipient with its weight.
    pub fn weighted(&self) -> impl Iterator<Item = (&Recipient, i64)> {
        self.recipients.iter().zip(self.shares.weights())
    }

    /// The recipients that get more than nothing.
    pub fn takers(&self) -> Vec<Recipient> {
        self.weighted()
            .filter(|(_, weight)| *weight != 0)
            .map(|(recipient, _)| recipient.clone())
            .collect()
    }
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
}
