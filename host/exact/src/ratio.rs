//! Products, quotients and rounding of whole numbers, exact at any size.

use num_bigint::BigUint;
use std::cmp::Ordering;

/// `a × b ÷ divisor` and what is left of it.
///
/// # Panics
/// Where the divisor is 0, or the quotient does not fit 128 bits. It fits where `b` is at most the
/// divisor.
pub fn multiply_divide(a: u128, b: u128, divisor: u128) -> (u128, u128) {
    assert!(divisor > 0, "nothing is divided by 0");
    // Big numbers allocate. A product that fits does without them.
    if let Some(product) = a.checked_mul(b) {
        return (product / divisor, product % divisor);
    }
    let (product, divisor) = (BigUint::from(a) * b, BigUint::from(divisor));
    let fits = |number: BigUint| {
        u128::try_from(number).unwrap_or_else(|_| panic!("{a} × {b} ÷ {divisor} fits 128 bits"))
    };
    (fits(&product / &divisor), fits(&product % &divisor))
}

/// `value ÷ divisor`, half to even.
pub fn divide(value: u128, divisor: u128) -> u128 {
    half_even(value / divisor, value % divisor, divisor)
}

/// `a × b ÷ divisor`, half to even; it panics where `multiply_divide` does.
pub fn scaled(a: u128, b: u128, divisor: u128) -> u128 {
    let (quotient, rest) = multiply_divide(a, b, divisor);
    half_even(quotient, rest, divisor)
}

/// Rounds a quotient by its rest.
pub fn half_even(quotient: u128, rest: u128, divisor: u128) -> u128 {
    // Twice the rest could be beyond 128 bits.
    let up = match rest.cmp(&(divisor - rest)) {
        Ordering::Less => 0,
        Ordering::Equal => quotient & 1,
        Ordering::Greater => 1,
    };
    quotient + up
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbor() {
        for (value, expect) in [(25, 2), (35, 4), (26, 3), (24, 2), (0, 0)] {
            assert_eq!(divide(value, 10), expect, "{value}");
            assert_eq!(scaled(value, 1, 10), expect, "{value}");
        }
    }

    #[test]
    fn a_product_beyond_128_bits_is_exact() {
        // By Python: divmod(10**38 * 3**78, 3**79).
        let (power, divisor) = (10_u128.pow(38), 3_u128.pow(79));
        let expect = (33_333_333_333_333_333_333_333_333_333_333_333_333, 3_u128.pow(78));
        assert_eq!(multiply_divide(power, 3_u128.pow(78), divisor), expect);
        assert_eq!(multiply_divide(u128::MAX, u128::MAX, u128::MAX), (u128::MAX, 0));
        assert_eq!(multiply_divide(u128::MAX, 0, 7), (0, 0));
    }
}
