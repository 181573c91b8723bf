//! Decimals of any length: each digit that is read is kept, and sums and products stay exact.

use num_bigint::{BigInt, BigUint, Sign};
use std::cmp::Ordering;
use std::fmt;

/// Sources write floats at most, and a double ends at 10^±324: no source can make a plugin count
/// zeros.
const EXPONENT_MAX: u32 = 400;

/// A quotient that never ends is cut here, unless more digits stand there already.
const QUOTIENT_PLACES: u32 = 18;

/// An exact decimal number: `digits × 10^-scale`.
#[derive(Clone, Debug, Default)]
pub struct Decimal {
    digits: BigInt,
    scale: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a number")]
pub struct NotADecimal(String);

impl Decimal {
    pub fn zero() -> Decimal {
        Decimal::default()
    }

    /// `value × 10^-scale`
    pub fn from_scaled(value: i128, scale: u32) -> Decimal {
        Decimal { digits: BigInt::from(value), scale }
    }

    /// Reads `12`, `-0.5` and `1.25e-7`; `NaN` and `+Inf` are no numbers.
    pub fn parse(text: &str) -> Result<Decimal, NotADecimal> {
        Decimal::read(text.trim().as_bytes(), EXPONENT_MAX)
            .ok_or_else(|| NotADecimal(text.chars().take(60).collect()))
    }

    /// Reads a decimal without spaces around it. An exponent beyond `exponent_max` is refused: a
    /// few characters must not cost gigabytes.
    pub fn read(text: &[u8], exponent_max: u32) -> Option<Decimal> {
        let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?.parse().ok()?),
            None => (text, 0_i64),
        };
        if exponent.unsigned_abs() > u64::from(exponent_max) {
            return None;
        }
        let (sign, unsigned) = match mantissa {
            [b'-', rest @ ..] => (Sign::Minus, rest),
            [b'+', rest @ ..] => (Sign::Plus, rest),
            _ => (Sign::Plus, mantissa),
        };
        let (whole, fraction) = match unsigned.iter().position(|byte| *byte == b'.') {
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
            None => (unsigned, &[][..]),
        };
        let digits = [whole, fraction].concat();
        // `BigUint` would also read underscores and a sign.
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let digits = BigInt::from_biguint(sign, BigUint::parse_bytes(&digits, 10)?);
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        Some(match u32::try_from(scale) {
            Ok(scale) => Decimal { digits, scale },
            // Zeros are written out here. `exponent_max` bounds their number.
            Err(_) if scale < 0 => {
                Decimal { digits: digits * ten(u32::try_from(-scale).ok()?), scale: 0 }
            }
            Err(_) => return None,
        })
    }

    pub fn is_zero(&self) -> bool {
        self.digits == BigInt::ZERO
    }

    pub fn is_negative(&self) -> bool {
        self.digits.sign() == Sign::Minus
    }

    pub fn add(&mut self, other: &Decimal) {
        self.reach(other.scale);
        // With equal scales no product has to be made.
        if other.scale == self.scale {
            self.digits += &other.digits;
        } else {
            self.digits += other.digits_at(self.scale);
        }
    }

    pub fn subtract(&mut self, other: &Decimal) {
        self.reach(other.scale);
        self.digits -= other.digits_at(self.scale);
    }

    pub fn product(&self, other: &Decimal) -> Decimal {
        Decimal { digits: &self.digits * &other.digits, scale: self.scale + other.scale }
    }

    pub fn times(mut self, factor: u32) -> Decimal {
        self.digits *= factor;
        self
    }

    /// A quotient that may never end is rounded half-even behind 18 digits, or behind as many as
    /// stand there already.
    ///
    /// # Panics
    /// Where the divisor is 0.
    pub fn over(mut self, divisor: u32) -> Decimal {
        self.reach(QUOTIENT_PLACES);
        let (digits, _) = divided_half_even(&self.digits, &BigInt::from(divisor));
        Decimal { digits, scale: self.scale }
    }

    /// The GiB of so many bytes, exactly: 2⁻³⁰ is 5³⁰ × 10⁻³⁰.
    pub fn gib(self) -> Decimal {
        Decimal { digits: self.digits * BigInt::from(5).pow(30), scale: self.scale + 30 }
    }

    /// The nearest whole number of `10^-places`, half-even, where it fits 128 bits, and what is
    /// left of the value.
    pub fn rounded(&self, places: u32) -> (Option<i128>, Decimal) {
        if self.scale <= places {
            return (i128::try_from(self.digits_at(places)).ok(), Decimal::zero());
        }
        let (nearest, rest) = divided_half_even(&self.digits, &ten(self.scale - places));
        (i128::try_from(nearest).ok(), Decimal { digits: rest, scale: self.scale })
    }

    /// The value in units of `10^-places`, where it is a whole number of them and fits 128 bits.
    pub fn in_units(&self, places: u32) -> Option<i128> {
        let (units, rest) = self.rounded(places);
        units.filter(|_| rest.is_zero())
    }

    /// Makes room for so many digits behind the point.
    fn reach(&mut self, scale: u32) {
        if scale > self.scale {
            (self.digits, self.scale) = (self.digits_at(scale), scale);
        }
    }

    /// The digits with at least as many places behind the point as there are.
    fn digits_at(&self, scale: u32) -> BigInt {
        &self.digits * ten(scale - self.scale)
    }
}

fn ten(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

/// The nearest quotient by a divisor above 0, half to even, and what is left: at most half the
/// divisor, of either sign.
fn divided_half_even(value: &BigInt, divisor: &BigInt) -> (BigInt, BigInt) {
    let (mut quotient, mut rest) = (value / divisor, value % divisor);
    let is_odd = quotient.bit(0);
    let away = match (rest.magnitude() * 2_u32).cmp(divisor.magnitude()) {
        Ordering::Less => false,
        Ordering::Equal => is_odd,
        Ordering::Greater => true,
    };
    // The value's own sign decides: its quotient can be 0, which has none.
    if away && value.sign() == Sign::Minus {
        (quotient, rest) = (quotient - 1, rest + divisor);
    } else if away {
        (quotient, rest) = (quotient + 1, rest - divisor);
    }
    (quotient, rest)
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        // `1.50` and `1.5` are one number, so digits alone are not compared.
        let scale = self.scale.max(other.scale);
        self.digits_at(scale).cmp(&other.digits_at(scale))
    }
}

impl fmt::Display for Decimal {
    /// Plain, without zeros that say nothing: `0`, `-0.0000000004`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.magnitude().to_string();
        f.write_str(&plain(self.is_negative(), &digits, self.scale as usize))
    }
}

/// `value × 10^-scale`, plain, without zeros that say nothing.
pub fn shortest(value: i128, scale: usize) -> String {
    plain(value < 0, &value.unsigned_abs().to_string(), scale)
}

/// `digits × 10^-scale` without zeros that say nothing.
pub fn plain(is_negative: bool, digits: &str, scale: usize) -> String {
    // One digit more than there are places, so that `.5` becomes `0.5`.
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if is_negative { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_read_is_what_is_written() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("00012.500", "12.5"),
            ("1.25e-7", "0.000000125"),
            ("1e+21", "1000000000000000000000"),
            ("-4.9e-324", &format!("-0.{}49", "0".repeat(323))),
            ("0.30000000000000004", "0.30000000000000004"),
            ("110803796232.74686", "110803796232.74686"),
            (".5", "0.5"),
            ("7.", "7"),
        ] {
            assert_eq!(number(text).to_string(), shown, "{text}");
        }
        for text in ["", "NaN", "+Inf", "-", ".", "1e", "1e999", "1,5", "0x10", "１", "--1", "1 2"]
        {
            assert_eq!(Decimal::parse(text), Err(NotADecimal(text.into())));
        }
    }

    #[test]
    fn sums_are_exact_over_any_distance() {
        // By Python's Decimal with enough digits.
        for (first, second, sum, difference) in [
            ("0.1", "0.2", "0.3", "-0.1"),
            ("999999999.999999999", "0.000000001", "1000000000", "999999999.999999998"),
            (
                "1e20",
                "1e-20",
                "100000000000000000000.00000000000000000001",
                "99999999999999999999.99999999999999999999",
            ),
            ("-5", "3", "-2", "-8"),
            ("3", "-5", "-2", "8"),
            ("-3.5", "3.5", "0", "-7"),
            ("1.000000001", "1", "2.000000001", "0.000000001"),
            (
                "17179869184",
                "0.00000000000000000000000000000012",
                "17179869184.00000000000000000000000000000012",
                "17179869183.99999999999999999999999999999988",
            ),
        ] {
            let (mut added, mut taken) = (number(first), number(first));
            added.add(&number(second));
            taken.subtract(&number(second));
            assert_eq!(
                (added.to_string().as_str(), taken.to_string().as_str()),
                (sum, difference),
                "{first} and {second}"
            );
        }
    }

    #[test]
    fn products_are_exact() {
        // By Python's Decimal with enough digits.
        for (left, right, expect) in [
            ("6.035e-7", "0.02", "0.00000001207"),
            ("12.345678901", "3.00", "37.037036703"),
            ("-7", "0.01", "-0.07"),
            ("-0", "5", "0"),
            ("1e3", "2.5", "2500"),
            ("1e-200", "-1e-200", &format!("-0.{}1", "0".repeat(399))),
            (
                "999999999999999999.999999999",
                "999999999999999999.999999999",
                "999999999999999999999999998000000000.000000000000000001",
            ),
        ] {
            assert_eq!(
                number(left).product(&number(right)).to_string(),
                expect,
                "{left} × {right}"
            );
            assert_eq!(
                number(right).product(&number(left)).to_string(),
                expect,
                "{right} × {left}"
            );
        }
    }

    #[test]
    fn quotients_round_half_even_behind_eighteen_digits() {
        assert_eq!(number("5").times(300).over(3_600).to_string(), "0.416666666666666667");
        assert_eq!(number("86.4").times(300).over(3_600).to_string(), "7.2");
        assert_eq!(number("-1").over(3).to_string(), "-0.333333333333333333");
        assert_eq!(number("0.000000000000000001").over(2).to_string(), "0");
        assert_eq!(number("0.000000000000000003").over(2).to_string(), "0.000000000000000002");
        assert_eq!(number("4294967295").times(u32::MAX).to_string(), "18446744065119617025");
        // Nineteen digits stand there already: 0.2000000000000000005 is a tie, and goes to the even
        // digit.
        assert_eq!(number("0.4000000000000000001").over(2).to_string(), "0.2");
    }

    #[test]
    fn bytes_become_gib_exactly() {
        assert_eq!(number("1073741824").gib().to_string(), "1");
        assert_eq!(number("1").gib().to_string(), "0.000000000931322574615478515625");
        assert_eq!(
            number("61847529062.39999").gib().to_string(),
            "57.5999999999999906867742538452148437500".trim_end_matches('0')
        );
    }

    #[test]
    fn order_is_that_of_the_numbers() {
        let mut numbers = ["2", "-1", "0.5", "1e-20", "-1e-20", "10"].map(number);
        numbers.sort();
        assert_eq!(
            numbers.map(|number| number.to_string()).join(" "),
            "-1 -0.00000000000000000001 0.00000000000000000001 0.5 2 10"
        );
        assert_eq!(number("1.50"), number("1.5"));
    }

    #[test]
    fn huge_numbers_are_numbers() {
        for text in ["1e40", "-1e40", "1e400", "1e-400"] {
            assert_eq!(number(&number(text).to_string()), number(text), "{text}");
        }
        assert_eq!(number("1e40").rounded(9), (None, Decimal::zero()));
        assert_eq!(number("1e28").rounded(9), (Some(10_i128.pow(37)), Decimal::zero()));
        let long = format!("0.{}1", "0".repeat(3000));
        assert_eq!(number(&long).to_string(), long);
        for text in ["1e401", "1e-401", "1e99999999999999999999", "1_000", "1e1_0"] {
            assert_eq!(Decimal::parse(text), Err(NotADecimal(text.into())));
        }
        assert_eq!(Decimal::read(b"1e401", 10_000), Some(number("1e400").times(10)));
    }

    #[test]
    fn rounding_is_half_even_and_loses_nothing() {
        for (text, places, nearest, rest) in [
            ("0.5", 0, 0, "0.5"),
            ("1.5", 0, 2, "-0.5"),
            ("-1.5", 0, -2, "0.5"),
            ("-2.5", 0, -2, "-0.5"),
            ("-0.4", 0, 0, "-0.4"),
            ("2.51", 1, 25, "0.01"),
            ("7", 2, 700, "0"),
        ] {
            assert_eq!(number(text).rounded(places), (Some(nearest), number(rest)), "{text}");
        }
        assert_eq!(number("0.25").in_units(2), Some(25));
        assert_eq!(number("0.250").in_units(2), Some(25));
        assert_eq!(number("0.25").in_units(1), None);
    }
}
