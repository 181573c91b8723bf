//! Splitting an amount exactly: the shares add up to the whole, whatever its sign, with no float and no remainder.
//!
//! Share `k` of amount `a` is `trunc(a × c_k / t) − trunc(a × c_(k−1) / t)`, where `c` are the cumulative weights in
//! target order and `t` their total. The differences telescope, so the sum is `a` for every `a` and every weights.

use crate::money::Money;

/// Cumulative weights, checked: at least one is positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    cuts: Vec<Cut>,
    total: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    upto: u64,
    /// ⌊upto × 2⁶⁴ / total⌋: turns the 128-bit division of each charge into a multiplication.
    inverse: u128,
}

/// No weight is positive: there is nobody to share with, by the rule's declared policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no weight is positive")]
pub struct AllZero;

impl Shares {
    /// Negative weights count as zero. Totals beyond 63 bits are scaled down by a power of ten, the same for all weights.
    pub fn new(weights: &[i128]) -> Result<Shares, AllZero> {
        let positive = |weight: &i128| (*weight).max(0);
        let mut scale = 1_i128;
        let mut total = weights.iter().map(positive).fold(0_i128, i128::saturating_add);
        while total > i128::from(i64::MAX) {
            scale *= 10;
            total = weights.iter().map(|weight| positive(weight) / scale).sum();
        }
        let total = u64::try_from(total).unwrap_or_default();
        if total == 0 {
            return Err(AllZero);
        }
        let mut upto = 0_u64;
        let cuts = weights
            .iter()
            .map(|weight| {
                upto += u64::try_from(positive(weight) / scale).unwrap_or_default();
                Cut { upto, inverse: (u128::from(upto) << 64) / u128::from(total) }
            })
            .collect();
        Ok(Shares { cuts, total })
    }

    pub fn len(&self) -> usize {
        self.cuts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Cumulative weights, as they are stored for later derivation.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> {
        self.cuts.iter().map(|cut| cut.upto)
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// Calls `take(k, share)` for each target in order, zero shares included.
    #[inline]
    pub fn split(&self, amount: Money, mut take: impl FnMut(usize, Money)) {
        let magnitude = amount.nanos().unsigned_abs();
        let mut before = 0_u64;
        for (target, cut) in self.cuts.iter().enumerate() {
            let upto = self.cut(magnitude, *cut);
            let share = (upto - before) as i64;
            before = upto;
            take(target, Money::from_nanos(if amount.nanos() < 0 { share.wrapping_neg() } else { share }));
        }
    }

    /// ⌊magnitude × cut.upto / total⌋ exactly: the estimate by the inverse is at most a few too small.
    #[inline]
    fn cut(&self, magnitude: u64, cut: Cut) -> u64 {
        let whole = if cut.inverse >> 64 == 0 { 0 } else { magnitude };
        let mut quotient = whole + ((u128::from(magnitude) * (cut.inverse & u128::from(u64::MAX))) >> 64) as u64;
        let mut rest = u128::from(magnitude) * u128::from(cut.upto) - u128::from(quotient) * u128::from(self.total);
        while rest >= u128::from(self.total) {
            quotient += 1;
            rest -= u128::from(self.total);
        }
        quotient
    }
}
