//! Splitting exactly: the shares add up to the whole, whatever its sign, with no float and no
//! remainder.
//!
//! Share `k` of amount `a` is `trunc(a × c_k / t) − trunc(a × c_(k−1) / t)`, where `c` are the
//! cumulative weights in target order and `t` their total. The differences telescope, so the sum is
//! `a` for every `a` and all weights.

use crate::ratio::multiply_divide;
use num_bigint::BigInt;

/// `trunc(amount × upto / total)`: what all targets up to one get together.
///
/// # Panics
/// Where the total is 0, or the share does not fit 128 bits, as of weights beyond their own total.
#[inline]
pub fn cut(amount: i128, upto: i64, total: i64) -> i128 {
    match amount.checked_mul(i128::from(upto)) {
        Some(product) => product / i128::from(total),
        None => {
            // `BigInt` cuts off towards zero as well, so both ways agree to the nano.
            let cut = BigInt::from(amount) * upto / total;
            i128::try_from(cut).unwrap_or_else(|_| panic!("{amount} × {upto} ÷ {total} fits"))
        }
    }
}

/// Splits what has no sign. Weights that add up to nothing take nothing.
pub fn split(amount: u128, weights: &[u128]) -> Vec<u128> {
    let total: u128 = weights.iter().sum();
    let (mut upto, mut before) = (0, 0);
    let share = |weight: &u128| {
        upto += weight;
        let cut = if total == 0 { 0 } else { multiply_divide(amount, upto, total).0 };
        let share = cut - before;
        before = cut;
        share
    };
    weights.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_whatever_is_shared() {
        // 10/3 and 20/3 are cut off at 3 and 6.
        assert_eq!(split(10, &[1, 1, 1]), [3, 3, 4]);
        assert_eq!(split(1_000_000_000, &[2, 0, 1]), [666_666_666, 0, 333_333_334]);
        assert_eq!(split(7, &[0, 0]), [0, 0]);
        assert_eq!(split(0, &[1, 2]), [0, 0]);
        assert_eq!(split(5, &[]), []);
        // Weights near the largest: 3/7 of 10^18 by Python's Fraction.
        let unit = (1_u128 << 126) / 7;
        assert_eq!(
            split(10_u128.pow(18), &[3 * unit, 4 * unit]),
            [428_571_428_571_428_571, 571_428_571_428_571_429]
        );
    }

    #[test]
    fn a_cut_beyond_128_bits_is_exact() {
        // By Python: int(Fraction(10**37 * 7, 9)).
        let expect = 7_777_777_777_777_777_777_777_777_777_777_777_777;
        let (upto, total) = (7_000_000_000_000_000_000, 9_000_000_000_000_000_000);
        assert_eq!(cut(10_i128.pow(37), upto, total), expect);
        assert_eq!(cut(-(10_i128.pow(37)), upto, total), -expect);
        assert_eq!(cut(-7, 1, 2), -3);
    }
}
