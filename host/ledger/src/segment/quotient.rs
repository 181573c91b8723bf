//! The quantity that a cost and a unit price suggest: their quotient, near enough to store only the
//! difference.
//!
//! The quotient is no amount and no quantity. It only has to be the same when it is read as when it
//! was written, so it is made of whole numbers: a division for each price, and a multiplication for
//! each charge.

use domain::figure::ShortFigure;
use domain::terms::UnitPrices;

/// A factor as `multiplier × 2^-shift`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    multiplier: u64,
    shift: u32,
}

/// The costs and the prices of a segment's charges.
pub struct Quotients<'a> {
    /// By row. A cost that suggests nothing is 0.
    pub costs: &'a [i64],
    /// By row, the number among `prices`.
    pub terms: &'a [u32],
    pub prices: &'a [UnitPrices],
}

impl Quotients<'_> {
    pub fn are_there(&self) -> bool {
        !self.costs.is_empty() && self.costs.len() == self.terms.len()
    }

    /// The factor from nanos to the digits of a quantity, for each price.
    pub fn ratios(&self, places: u8) -> Vec<Ratio> {
        if !self.are_there() {
            return Vec::new();
        }
        let ratio = |prices: &UnitPrices| {
            let price = prices.contracted.or(prices.list);
            price.and_then(|price| Ratio::new(price, places)).unwrap_or_default()
        };
        self.prices.iter().map(ratio).collect()
    }

    #[inline]
    pub fn quotient(&self, ratios: &[Ratio], row: usize) -> i64 {
        let ratio = self.terms.get(row).and_then(|terms| ratios.get(*terms as usize));
        match (ratio, self.costs.get(row)) {
            (Some(ratio), Some(cost)) => ratio.of(*cost),
            _ => 0,
        }
    }
}

impl Ratio {
    /// A quantity of `places` places is cost × 10^(places + places of the price − 9) ÷ digits of
    /// the price.
    fn new(price: ShortFigure, places: u8) -> Option<Ratio> {
        let digits = u128::try_from(price.digits).ok().filter(|digits| *digits > 0)?;
        let exponent = i32::from(places) + i32::from(price.places) - 9;
        let power = 10_u128.checked_pow(exponent.unsigned_abs())?;
        let (numerator, denominator) =
            if exponent >= 0 { (power, digits) } else { (1, digits.checked_mul(power)?) };
        // One bit below the top, so that the quotient has as many bits as there can be.
        let raised = numerator.leading_zeros() - 1;
        let quotient = (numerator << raised) / denominator;
        let lowered = (u128::BITS - quotient.leading_zeros()).saturating_sub(63);
        let multiplier = u64::try_from(quotient >> lowered).ok()?;
        Some(Ratio { multiplier, shift: raised.checked_sub(lowered).filter(|shift| *shift > 0)? })
    }

    /// Rounded; 0 where no quantity would fit.
    #[inline]
    fn of(self, cost: i64) -> i64 {
        let product = u128::from(cost.unsigned_abs()) * u128::from(self.multiplier);
        // The product has at most 127 bits, so half of the last place can be added.
        let half = 1_u128.checked_shl(self.shift.wrapping_sub(1)).unwrap_or(0);
        let quotient = (product + half).checked_shr(self.shift).unwrap_or(0);
        match i64::try_from(quotient) {
            Ok(quotient) if cost < 0 => -quotient,
            Ok(quotient) => quotient,
            Err(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(digits: i64, places: u8) -> ShortFigure {
        ShortFigure { digits, places }
    }

    #[test]
    fn a_cost_divided_by_its_price_is_the_quantity() {
        // 1.1136 ÷ 0.0464 = 24, with 0 and with 10 places.
        let of = |price, places, cost| Ratio::new(price, places).map(|ratio| ratio.of(cost));
        assert_eq!(of(price(464, 4), 0, 1_113_600_000), Some(24));
        assert_eq!(of(price(464, 4), 10, 1_113_600_000), Some(240_000_000_000));
        assert_eq!(of(price(464, 4), 0, -1_113_600_000), Some(-24));
        // 4 × 10⁻⁷ a request: 10⁹ requests for 400.
        assert_eq!(of(price(4, 7), 0, 400_000_000_000), Some(1_000_000_000));
        assert_eq!(of(price(0, 0), 0, 1), None);
        assert_eq!(of(price(-1, 0), 0, 1), None);
        // Nothing that could overflow does.
        for price in [price(1, 18), price(i64::MAX, 18), price(1, 0), price(i64::MAX, 0)] {
            for places in [0, 9, 18] {
                for cost in [i64::MIN, -1, 0, 1, i64::MAX] {
                    of(price, places, cost);
                }
            }
        }
        assert_eq!(Ratio::default().of(5), 0);
    }
}
