//! Quantities and unit prices: exact decimals as a source gave them, cheap where they are short.
//!
//! Amounts are rounded to nanos, because the ledger balances in nanos. Quantities and prices are
//! never rounded: a request costs 4 × 10⁻⁷, and a month has 10¹⁵ bytes. Nearly all fit 64 bits.

use crate::decimal::{POWERS as POWERS_OF_TEN, digits};
use exact::decimal::{Decimal, shortest};
use std::fmt;

/// The most digits behind the point of a short figure. Each product of two short figures fits 128
/// bits.
pub const PLACES_MAX: u8 = 18;

/// Longer exponents only appear in hostile input, and would make one cell cost gigabytes.
const EXPONENT_MAX: u32 = 400;

const POWERS: [i128; 28] = {
    let mut powers = [1_i128; 28];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// `digits × 10^-places`, with at most [`PLACES_MAX`] places.
#[derive(Clone, Copy, Debug)]
pub struct ShortFigure {
    pub digits: i64,
    pub places: u8,
}

/// An exact decimal of any length.
#[derive(Clone, Debug)]
pub enum Figure {
    Short(ShortFigure),
    /// What does not fit the short form.
    Long(Decimal),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a decimal number")]
pub struct NotAFigure(String);

impl ShortFigure {
    /// Reads up to 18 digits with a sign and a point, without allocation. Other spellings are for
    /// [`Figure::parse`].
    #[inline]
    pub fn parse(text: &[u8]) -> Option<ShortFigure> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        // A point is the nineteenth byte.
        if unsigned.is_empty() || unsigned.len() > 19 {
            return None;
        }
        let point = unsigned.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = match point {
            None => (unsigned, &[][..]),
            // A point at the start or at the end is unusual.
            Some(at) if at == 0 || at + 1 == unsigned.len() => return None,
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
        };
        if whole.len() > 18 {
            return None;
        }
        // At most 18 digits, which fit.
        let value = digits(whole)? * POWERS_OF_TEN.get(fraction.len())? + digits(fraction)?;
        let digits = i64::try_from(value).ok()?;
        let places = fraction.len();
        Some(ShortFigure { digits: if negative { -digits } else { digits }, places: places as u8 })
    }

    /// The value in units of 10⁻¹⁸: equal for equal values, whatever their zeros at the end.
    #[inline]
    pub fn units(self) -> i128 {
        // It fits: 2⁶³ × 10¹⁸ is below 2¹²³. A check would cost more than the product.
        i128::from(self.digits).wrapping_mul(power(PLACES_MAX.saturating_sub(self.places)))
    }

    /// The same value with so many places, where that fits.
    #[inline]
    pub fn with_places(self, places: u8) -> Option<ShortFigure> {
        let more = places.checked_sub(self.places)?;
        let digits = self.digits.checked_mul(i64::try_from(power(more)).ok()?)?;
        Some(ShortFigure { digits, places })
    }

    /// The product in nanos, rounded half-even, where an amount can hold it.
    #[inline]
    pub fn product_nanos(self, other: ShortFigure) -> Option<i64> {
        // Two numbers of 64 bits have a product of 128.
        let product = i128::from(self.digits).wrapping_mul(i128::from(other.digits));
        let places = self.places + other.places;
        if places <= 9 {
            return i64::try_from(product.checked_mul(power(9 - places))?).ok();
        }
        let divisor = power(places - 9);
        // Dividing 64 bits is several times faster.
        let magnitudes = (u64::try_from(product.unsigned_abs()), u64::try_from(divisor));
        match magnitudes {
            (Ok(magnitude), Ok(divisor)) => {
                let (quotient, rest) = (magnitude / divisor, magnitude % divisor);
                let twice = u128::from(rest) * 2;
                let half = u128::from(divisor);
                let away = twice > half || twice == half && quotient & 1 == 1;
                let rounded = i64::try_from(quotient + u64::from(away)).ok()?;
                Some(if product < 0 { -rounded } else { rounded })
            }
            _ => {
                let (quotient, rest) = (product / divisor, product % divisor);
                let step = step(quotient & 1 == 1, rest, divisor);
                i64::try_from(quotient + i128::from(step)).ok()
            }
        }
    }

    pub fn decimal(self) -> Decimal {
        Decimal::from_scaled(self.digits.into(), self.places.into())
    }
}

/// What half-even rounding adds to a quotient that was cut.
fn step(is_odd: bool, rest: i128, divisor: i128) -> i32 {
    let twice = rest.unsigned_abs() * 2;
    let away = twice > divisor.unsigned_abs() || twice == divisor.unsigned_abs() && is_odd;
    match away {
        true if rest < 0 => -1,
        true => 1,
        false => 0,
    }
}

#[inline]
fn power(exponent: u8) -> i128 {
    POWERS.get(usize::from(exponent)).copied().unwrap_or(i128::MAX)
}

impl PartialEq for ShortFigure {
    #[inline]
    fn eq(&self, other: &ShortFigure) -> bool {
        match self.places == other.places {
            true => self.digits == other.digits,
            false => self.units() == other.units(),
        }
    }
}

impl Eq for ShortFigure {}

impl fmt::Display for ShortFigure {
    /// Plain, without zeros that say nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shortest(self.digits.into(), self.places.into()))
    }
}

impl Figure {
    /// Reads every spelling that amounts have. `NaN` and infinities are no numbers.
    pub fn parse(text: &[u8]) -> Result<Figure, NotAFigure> {
        if let Some(short) = ShortFigure::parse(text) {
            return Ok(Figure::Short(short));
        }
        let value = Decimal::read(text.trim_ascii(), EXPONENT_MAX).ok_or_else(|| {
            NotAFigure(String::from_utf8_lossy(text.get(..60).unwrap_or(text)).into_owned())
        })?;
        Ok(Figure::from(value))
    }

    /// `value × 10^-scale`, as columnar files store decimals.
    pub fn from_scaled(value: i128, scale: u32) -> Figure {
        match (i64::try_from(value), u8::try_from(scale)) {
            (Ok(digits), Ok(places)) if places <= PLACES_MAX => {
                Figure::Short(ShortFigure { digits, places })
            }
            _ => Figure::from(Decimal::from_scaled(value, scale)),
        }
    }

    pub fn short(&self) -> Option<ShortFigure> {
        match self {
            Figure::Short(short) => Some(*short),
            Figure::Long(_) => None,
        }
    }

    pub fn decimal(&self) -> Decimal {
        match self {
            Figure::Short(short) => short.decimal(),
            Figure::Long(value) => value.clone(),
        }
    }
}

/// In the short form if that holds the value. So equal values have the same form.
impl From<Decimal> for Figure {
    fn from(value: Decimal) -> Figure {
        let Some(mut digits) = value.in_units(u32::from(PLACES_MAX)) else {
            return Figure::Long(value);
        };
        let mut places = PLACES_MAX;
        while places > 0 && digits % 10 == 0 {
            digits /= 10;
            places -= 1;
        }
        match i64::try_from(digits) {
            Ok(digits) => Figure::Short(ShortFigure { digits, places }),
            Err(_) => Figure::Long(value),
        }
    }
}

/// A sum of figures without an end: exact, and without allocation where it is small.
#[derive(Clone, Debug, Default)]
pub struct FigureSum {
    /// In 10⁻¹⁸.
    units: i128,
    long: Decimal,
}

impl FigureSum {
    #[inline]
    pub fn add_short(&mut self, figure: ShortFigure) {
        match self.units.checked_add(figure.units()) {
            Some(units) => self.units = units,
            None => self.long.add(&figure.decimal()),
        }
    }

    pub fn add(&mut self, figure: &Figure) {
        match figure {
            Figure::Short(short) => self.add_short(*short),
            Figure::Long(value) => self.long.add(value),
        }
    }

    /// Adds an amount.
    pub fn add_nanos(&mut self, nanos: i128) {
        self.long.add(&Decimal::from_scaled(nanos, 9));
    }

    pub fn add_sum(&mut self, other: &FigureSum) {
        self.long.add(&other.value());
    }

    pub fn value(&self) -> Decimal {
        let mut value = Decimal::from_scaled(self.units, u32::from(PLACES_MAX));
        value.add(&self.long);
        value
    }
}

impl PartialEq for FigureSum {
    fn eq(&self, other: &FigureSum) -> bool {
        self.value() == other.value()
    }
}

impl Eq for FigureSum {}

impl PartialEq for Figure {
    fn eq(&self, other: &Figure) -> bool {
        match (self, other) {
            (Figure::Short(left), Figure::Short(right)) => left == right,
            (left, right) => left.decimal() == right.decimal(),
        }
    }
}

impl Eq for Figure {}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Short(short) => short.fmt(f),
            Figure::Long(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(text: &str) -> Figure {
        Figure::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_spelling_is_read_and_no_digit_is_lost() {
        for (text, shown, is_short) in [
            ("0", "0", true),
            ("-0.0", "0", true),
            ("24.0000000000", "24", true),
            ("-0.0416666667", "-0.0416666667", true),
            ("1e15", "1000000000000000", true),
            ("5E-06", "0.000005", true),
            (" 7 ", "7", true),
            (".5", "0.5", true),
            ("5.", "5", true),
            ("999999999999999999", "999999999999999999", true),
            ("0.000000000000000001", "0.000000000000000001", true),
            ("9223372036854775807", "9223372036854775807", true),
            ("9999999999999999999", "9999999999999999999", false),
            ("1000000000000000000000", "1000000000000000000000", false),
            ("0.0000000000000000001", "0.0000000000000000001", false),
            ("123456789012345.678901234567891", "123456789012345.678901234567891", false),
        ] {
            let read = figure(text);
            assert_eq!(read.to_string(), shown, "{text}");
            assert_eq!(read.short().is_some(), is_short, "{text}");
            assert_eq!(figure(shown), read, "{text}");
        }
        for text in ["", "-", ".", "NaN", "inf", "1,5", "1.2.3", "--1", "1e", "0x1", "1e401"] {
            assert_eq!(Figure::parse(text.as_bytes()), Err(NotAFigure(text.into())));
        }
    }

    /// By hand: 24 × 0.0464 = 1.1136. The last two are ties: 0.5 and 1.5 nanos.
    #[test]
    fn a_product_is_rounded_half_even_to_nanos() {
        for (quantity, price, nanos) in [
            ("24", "0.0464", Some(1_113_600_000)),
            ("-24.0", "0.0464", Some(-1_113_600_000)),
            ("1000000000000000", "0.0000000000004", Some(400_000_000_000)),
            ("0.000000000000000001", "0.000000000000000001", Some(0)),
            ("999999999999999999", "999999999999999999", None),
            ("9223372036.854775807", "1", Some(i64::MAX)),
            ("0.5", "0.000000001", Some(0)),
            ("1.5", "0.000000001", Some(2)),
            ("-1.5", "0.000000001", Some(-2)),
            ("-0.5000000001", "0.000000001", Some(-1)),
        ] {
            let of = |text: &str| figure(text).short().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(of(quantity).product_nanos(of(price)), nanos, "{quantity} × {price}");
        }
    }

    #[test]
    fn sums_are_exact_over_any_distance() {
        let mut sum = FigureSum::default();
        for text in ["999999999999999999", "1e30", "0.000000000000000001", "-1e30", "1.5"] {
            sum.add(&figure(text));
        }
        (0..400).for_each(|_| sum.add(&figure("999999999999999999")));
        sum.add_nanos(-500_000_000);
        // 401 × 999,999,999,999,999,999 + 1 + 10⁻¹⁸.
        assert_eq!(sum.value().to_string(), "400999999999999999600.000000000000000001");
    }

    #[test]
    fn equal_values_are_equal_whatever_their_zeros() {
        let of = |text: &str| figure(text).short().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(of("1.50"), of("1.5"));
        assert_eq!(of("1.50").units(), 1_500_000_000_000_000_000);
        assert_eq!(of("1.5").with_places(3).map(|figure| figure.digits), Some(1500));
        assert_eq!(of("1.5").with_places(0), None);
        assert_eq!(Figure::from_scaled(150, 2), figure("1.5"));
        assert_eq!(Figure::from_scaled(10_i128.pow(30), 30), figure("1"));
    }
}
