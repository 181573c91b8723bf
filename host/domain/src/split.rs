//! Weights to split money by, as they are stored, and the splitting of amounts that come in parts.
//!
//! Where a share begins and ends is the rule of [`exact::split`]: cumulative, cut off towards zero,
//! without remainder. [`RunningSplit`] splits an amount part by part: the parts' shares add up to
//! the shares of the whole, to the nano. So a total can be looked into part by part without leaving
//! a remainder anywhere.

use crate::money::Sum;
use exact::split::cut;

/// Cumulative weights, checked: their total is above zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    upto: Vec<i64>,
    total: i64,
}

/// The weights add up to nothing, so there is nobody to share with. The rule's policy says what
/// happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the weights add up to nothing")]
pub struct AllZero;

impl Shares {
    /// Negative weights count as zero.
    pub fn new(weights: &[i128]) -> Result<Shares, AllZero> {
        Shares::signed(&weights.iter().map(|weight| (*weight).max(0)).collect::<Vec<_>>())
    }

    /// A weight of another sign than the total takes a share of the other sign: 100 by 100 : −20 is
    /// 125 and −25.
    ///
    /// Sums that do not fit 63 bits are all scaled down by the same power of ten. Only the sums
    /// lose digits, so each share misses by at most two units of that power, whatever their number.
    pub fn signed(weights: &[i128]) -> Result<Shares, AllZero> {
        let mut sum = 0_i128;
        let mut cumulate = |weight: &i128| {
            sum = sum.checked_add(*weight)?;
            Some(sum)
        };
        let Some(sums) = weights.iter().map(&mut cumulate).collect::<Option<Vec<i128>>>() else {
            // Ten digits less make room for as many weights as there can be recipients.
            let smaller: Vec<i128> =
                weights.iter().map(|weight| weight / 10_i128.pow(10)).collect();
            return Shares::signed(&smaller);
        };
        let most = sums.iter().map(|sum| sum.unsigned_abs()).max().unwrap_or(0);
        let mut scale = 1_i128;
        // The smallest number has no counterpart, and negative totals are turned below.
        while most / scale.unsigned_abs() > i64::MAX.unsigned_abs().into() {
            scale *= 10;
        }
        let upto: Vec<i64> =
            sums.iter().map(|sum| i64::try_from(sum / scale).unwrap_or_default()).collect();
        let total = upto.last().copied().unwrap_or(0);
        Shares::cumulated(upto, total)
    }

    /// Rebuilds shares from their [`Shares::cumulative`] weights and their [`Shares::total`].
    pub fn cumulated(mut upto: Vec<i64>, total: i64) -> Result<Shares, AllZero> {
        // The weights may come from a damaged ledger, where the last sum is not the total.
        if total == 0 || upto.last() != Some(&total) {
            return Err(AllZero);
        }
        // Shares go by ratios, which stay the same when all signs turn. With a total above zero, an
        // amount keeps its sign where the weight is positive.
        if total < 0 {
            upto.iter_mut().for_each(|weight| *weight = -*weight);
        }
        Ok(Shares { upto, total: total.abs() })
    }

    pub fn len(&self) -> usize {
        self.upto.len()
    }

    pub fn is_empty(&self) -> bool {
        self.upto.is_empty()
    }

    /// Cumulative weights, as the ledger stores them.
    pub fn cumulative(&self) -> &[i64] {
        &self.upto
    }

    pub fn total(&self) -> i64 {
        self.total
    }

    /// Each target's weight in order.
    pub fn weights(&self) -> impl Iterator<Item = i64> {
        let before = std::iter::once(0).chain(self.upto.iter().copied());
        self.upto.iter().zip(before).map(|(upto, before)| upto - before)
    }

    /// Calls `take(k, share)` for each target in order, zero shares included.
    pub fn split(&self, amount: Sum, take: impl FnMut(usize, Sum)) {
        self.running().split(amount, take);
    }

    /// Adds each target's share of an amount to its sum.
    #[inline]
    pub fn add(&self, amount: i64, sums: &mut [i128]) {
        let (amount, mut before) = (i128::from(amount), 0);
        for (upto, sum) in self.upto.iter().zip(sums) {
            // The rule of `exact::split::cut`, where two factors of 63 bits are known to fit 127.
            let reached = amount * i128::from(*upto) / i128::from(self.total);
            *sum += reached - before;
            before = reached;
        }
    }

    /// Splits an amount that comes in parts.
    pub fn running(&self) -> RunningSplit<'_> {
        RunningSplit { shares: self, amount: 0, given: vec![0; self.upto.len()] }
    }
}

/// The shares given so far of an amount that comes in parts.
#[derive(Clone, Debug)]
pub struct RunningSplit<'a> {
    shares: &'a Shares,
    amount: i128,
    given: Vec<i128>,
}

impl RunningSplit<'_> {
    /// Adds a part and calls `take(k, share)` for each target in order. A share can be a nano more
    /// or less than if the part were split alone.
    pub fn split(&mut self, part: Sum, mut take: impl FnMut(usize, Sum)) {
        self.amount += part.nanos();
        let mut before = 0;
        for (target, (upto, given)) in self.shares.upto.iter().zip(&mut self.given).enumerate() {
            // Cut anew from the whole amount so far: cuts of single parts would add up to less.
            let reached = cut(self.amount, *upto, self.shares.total);
            let due = reached - before;
            before = reached;
            take(target, Sum::from_nanos(due - *given));
            *given = due;
        }
    }
}
