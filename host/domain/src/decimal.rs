//! Decimal text → nanos and the exact rest, for every spelling that real bills use.
//!
//! A row keeps its amount rounded half-even to nanos. The difference to the exact value is added up
//! per batch in an [`Exact`]. So a batch ties out to its source to the last digit, however many
//! digits the source writes. The usual spelling is read here without allocation; every other one is
//! read by [`exact::decimal`].

use exact::decimal::Decimal;
use std::fmt;

/// An amount: the nearest whole number of nanos, and the rest of the exact value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedAmount {
    pub nanos: i64,
    pub rest: Rest,
}

/// Exact value minus rounded value, smaller than one nano.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// In units of 10⁻³⁷: 28 digits beyond the nano. 10¹⁰ rows of at most half a nano each still
    /// fit 128 bits.
    Fine(i128),
    /// More digits than that.
    Long(Box<Decimal>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAmount {
    #[error("the amount is empty")]
    Empty,
    #[error("'{0}' is not a decimal number")]
    NotANumber(String),
    #[error("'{0}' is beyond ±9223372036 currency units, the largest amount of one charge")]
    TooLarge(String),
    /// Of a row, which may be some charges. Its reader knows how many.
    #[error("'{0}' is larger than any amount")]
    BeyondCharges(String),
}

const FINE_DIGITS: usize = 28;
/// Digits behind the point of [`Rest::Fine`].
const FINE_SCALE: u32 = 9 + FINE_DIGITS as u32;
/// Longer exponents only appear in hostile input, and would make one cell cost gigabytes.
const EXPONENT_MAX: u32 = 10_000;

/// Reads `1`, `-0.5`, `+1.50`, `1E-8`, ` 0.00 ` and any number of digits. No separators, no
/// currency signs.
#[inline]
pub fn parse(text: &[u8]) -> Result<ParsedAmount, NotAnAmount> {
    match parse_plain(text) {
        Some((nanos, rest)) => Ok(ParsedAmount { nanos, rest: Rest::Fine(rest) }),
        None => parse_any(text),
    }
}

/// The common case without allocation: sign, up to 9 digits, point, up to 18 digits.
#[inline]
pub fn parse_plain(text: &[u8]) -> Option<(i64, i128)> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut whole: u64 = 0;
    let mut at = 0;
    while let Some(byte) = digits.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        whole = whole * 10 + u64::from(digit);
        at += 1;
        if at > 9 {
            return None;
        }
    }
    if at == 0 {
        return None;
    }
    let mut nanos = whole * 1_000_000_000;
    let mut rest: i128 = 0;
    match digits.get(at..) {
        None | Some([]) => {}
        Some([b'.', fraction @ ..]) => {
            let (value, below) = parse_fraction(fraction)?;
            nanos += value;
            rest = below;
        }
        Some(_) => return None,
    }
    let nanos = i64::try_from(nanos).ok()?;
    if rest != 0 {
        return Some(round_fine(negative, nanos, rest));
    }
    Some((if negative { -nanos } else { nanos }, 0))
}

pub(crate) const POWERS: [u64; 19] = {
    let mut powers = [1_u64; 19];
    let mut exponent = 1;
    while exponent < 19 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// Up to 18 digits as a number, eight of them at a time. Nothing where a byte is no digit.
#[inline]
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    let (eights, rest) = text.as_chunks::<8>();
    let mut value = 0_u64;
    for eight in eights {
        value = value * 100_000_000 + eight_digits(*eight)?;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

/// Eight bytes as one word: each step joins neighbors, from digits to pairs to fours to eight.
#[inline]
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    const UPPER: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    let word = u64::from_le_bytes(bytes);
    // The upper half of a digit's byte is 3, and is still 3 with six more. A byte that carries into
    // the next one has another upper half itself.
    let six_more = word.wrapping_add(0x0606_0606_0606_0606);
    if word & UPPER | (six_more & UPPER) >> 4 != 0x3333_3333_3333_3333 {
        return None;
    }
    let pairs = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(2_561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    Some((fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32)
}

/// By the number of digits under the nano, what one of the last of them is in 10⁻³⁷.
const FINE: [i128; 10] = {
    let mut units = [0_i128; 10];
    let mut digits = 0;
    while digits < 10 {
        units[digits] = 10_i128.pow((FINE_DIGITS - digits) as u32);
        digits += 1;
    }
    units
};

/// Up to 18 decimals as nanos and 10⁻³⁷ below.
#[inline]
fn parse_fraction(fraction: &[u8]) -> Option<(u64, i128)> {
    if fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let value = digits(fraction)?;
    if fraction.len() <= 9 {
        return Some((value * POWERS[9 - fraction.len()], 0));
    }
    let below_digits = fraction.len() - 9;
    // FOCUS asks for ten decimals or more: dividing by a constant is several times faster.
    if below_digits == 1 {
        return Some((value / 10, i128::from(value % 10) * FINE[1]));
    }
    let scale = POWERS[below_digits];
    Some((value / scale, i128::from(value % scale) * FINE[below_digits]))
}

/// Rounds half-even; `below` is the positive part under the nano, in 10⁻³⁷.
fn round_fine(negative: bool, nanos: i64, below: i128) -> (i64, i128) {
    const ONE: i128 = 10_i128.pow(FINE_DIGITS as u32);
    let up = match (below * 2).cmp(&ONE) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => nanos & 1 == 1,
        std::cmp::Ordering::Greater => true,
    };
    let (nanos, rest) = if up { (nanos + 1, below - ONE) } else { (nanos, below) };
    if negative { (-nanos, -rest) } else { (nanos, rest) }
}

/// Reads `value × 10^-scale`, as columnar files store decimals.
#[inline]
pub fn from_scaled(value: i128, scale: u32) -> Result<ParsedAmount, NotAnAmount> {
    let small = u64::try_from(value.unsigned_abs()).ok().filter(|_| (9..=18).contains(&scale));
    if let Some(magnitude) = small {
        let below_digits = scale as usize - 9;
        // FOCUS asks for ten decimals or more: dividing by a constant is several times faster.
        let (whole, below) = match below_digits {
            1 => (magnitude / 10, magnitude % 10),
            _ => (magnitude / POWERS[below_digits], magnitude % POWERS[below_digits]),
        };
        if let Ok(nanos) = i64::try_from(whole) {
            if below == 0 {
                return Ok(ParsedAmount {
                    nanos: if value < 0 { -nanos } else { nanos },
                    rest: Rest::Fine(0),
                });
            }
            let fine = i128::from(below) * FINE[below_digits];
            let (nanos, rest) = round_fine(value < 0, nanos, fine);
            return Ok(ParsedAmount { nanos, rest: Rest::Fine(rest) });
        }
    }
    rounded(&Decimal::from_scaled(value, scale))
        .ok_or_else(|| NotAnAmount::TooLarge(format!("{value}E-{scale}")))
}

/// Every spelling, with as many digits as there are.
fn parse_any(text: &[u8]) -> Result<ParsedAmount, NotAnAmount> {
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Err(NotAnAmount::Empty);
    }
    let exact =
        Decimal::read(trimmed, EXPONENT_MAX).ok_or_else(|| NotAnAmount::NotANumber(shown(text)))?;
    rounded(&exact).ok_or_else(|| NotAnAmount::TooLarge(shown(text)))
}

/// Reads an amount of any size: nanos and the rest that they cannot hold.
pub fn parse_wide(text: &[u8]) -> Result<(i128, Rest), NotAnAmount> {
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Err(NotAnAmount::Empty);
    }
    let exact =
        Decimal::read(trimmed, EXPONENT_MAX).ok_or_else(|| NotAnAmount::NotANumber(shown(text)))?;
    wide(&exact).ok_or_else(|| NotAnAmount::BeyondCharges(shown(text)))
}

/// As [`parse_wide`], of `value × 10^-scale`.
pub fn wide_from_scaled(value: i128, scale: u32) -> Result<(i128, Rest), NotAnAmount> {
    if let Ok(parsed) = from_scaled(value, scale) {
        return Ok((parsed.nanos.into(), parsed.rest));
    }
    wide(&Decimal::from_scaled(value, scale))
        .ok_or_else(|| NotAnAmount::BeyondCharges(format!("{value}E-{scale}")))
}

/// Nothing beyond 128 bits of nanos.
fn wide(exact: &Decimal) -> Option<(i128, Rest)> {
    let (nanos, rest) = exact.rounded(9);
    let rest = match rest.in_units(FINE_SCALE) {
        Some(fine) => Rest::Fine(fine),
        None => Rest::Long(Box::new(rest)),
    };
    Some((nanos?, rest))
}

/// The nearest whole number of nanos of a value of any size, half-even; nothing beyond 128 bits.
/// This is for quantities, whose sums promise nothing below a nano.
pub fn parse_nanos(text: &[u8]) -> Result<Option<i128>, NotAnAmount> {
    if let Some((nanos, _)) = parse_plain(text) {
        return Ok(Some(i128::from(nanos)));
    }
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Err(NotAnAmount::Empty);
    }
    let exact =
        Decimal::read(trimmed, EXPONENT_MAX).ok_or_else(|| NotAnAmount::NotANumber(shown(text)))?;
    Ok(exact.rounded(9).0)
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned()
}

/// Nothing where the amount does not fit a row.
fn rounded(exact: &Decimal) -> Option<ParsedAmount> {
    let (nanos, rest) = exact.rounded(9);
    let nanos = i64::try_from(nanos?).ok()?;
    let rest = match rest.in_units(FINE_SCALE) {
        Some(fine) => Rest::Fine(fine),
        None => Rest::Long(Box::new(rest)),
    };
    Some(ParsedAmount { nanos, rest })
}

/// An exact decimal of any length, added up from nanos and rests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exact {
    /// In 10⁻³⁷, kept within ±one unit so that it cannot overflow.
    fine: i128,
    nanos: i128,
    long: Option<Decimal>,
}

impl Exact {
    #[inline]
    pub fn add_fine(&mut self, rest: i128) {
        self.fine += rest;
        if self.fine.unsigned_abs() > u128::MAX / 8 {
            self.carry();
        }
    }

    pub fn add_nanos(&mut self, nanos: i128) {
        self.nanos += nanos;
    }

    pub fn add_rest(&mut self, rest: &Rest) {
        match rest {
            Rest::Fine(fine) => self.add_fine(*fine),
            Rest::Long(rest) => self.add_long(rest),
        }
    }

    pub fn add(&mut self, other: &Exact) {
        self.nanos += other.nanos;
        self.add_fine(other.fine);
        if let Some(long) = &other.long {
            self.add_long(long);
        }
    }

    pub fn is_zero(&self) -> bool {
        self.value().is_zero()
    }

    /// The nearest whole number of nanos, half-even.
    pub fn rounded_nanos(&self) -> i128 {
        self.value().rounded(9).0.unwrap_or_default()
    }

    fn carry(&mut self) {
        const ONE: i128 = 10_i128.pow(FINE_DIGITS as u32);
        self.nanos += self.fine / ONE;
        self.fine %= ONE;
    }

    fn add_long(&mut self, value: &Decimal) {
        self.long.get_or_insert_default().add(value);
    }

    fn value(&self) -> Decimal {
        let mut value = Decimal::from_scaled(self.nanos, 9);
        value.add(&Decimal::from_scaled(self.fine, FINE_SCALE));
        if let Some(long) = &self.long {
            value.add(long);
        }
        value
    }
}

/// Plain decimal text without superfluous zeros: `0`, `-0.0000000004`.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl std::str::FromStr for Exact {
    type Err = NotAnAmount;
    fn from_str(text: &str) -> Result<Exact, NotAnAmount> {
        let value = Decimal::read(text.trim().as_bytes(), EXPONENT_MAX)
            .ok_or_else(|| NotAnAmount::NotANumber(text.into()))?;
        Ok(Exact { long: Some(value), ..Exact::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact_of(text: &str) -> (i64, String) {
        let parsed = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut exact = Exact::default();
        exact.add_nanos(i128::from(parsed.nanos));
        exact.add_rest(&parsed.rest);
        (parsed.nanos, exact.to_string())
    }

    #[test]
    fn reads_every_spelling_and_keeps_every_digit() {
        for (text, nanos, exact) in [
            ("0", 0, "0"),
            ("-0", 0, "0"),
            ("+1.50", 1_500_000_000, "1.5"),
            ("1E-8", 10, "0.00000001"),
            ("5e-06", 5_000, "0.000005"),
            ("7.340032e+07", 73_400_320_000_000_000, "73400320"),
            (" 0.00 ", 0, "0"),
            (".5", 500_000_000, "0.5"),
            ("5.", 5_000_000_000, "5"),
            ("0.0000000005", 0, "0.0000000005"),
            ("0.0000000015", 2, "0.0000000015"),
            ("-0.0000000015", -2, "-0.0000000015"),
            ("-0.00000000051", -1, "-0.00000000051"),
            ("0.0000000072922557592391990000", 7, "0.000000007292255759239199"),
            ("2.5893953072562468e-05", 25_894, "0.000025893953072562468"),
            ("9223372036.854775807", i64::MAX, "9223372036.854775807"),
            ("000000000012.5", 12_500_000_000, "12.5"),
        ] {
            assert_eq!(exact_of(text), (nanos, exact.to_string()), "{text}");
        }
        let long = format!("0.{}1", "0".repeat(3000));
        assert_eq!(exact_of(&long), (0, long));
    }

    #[test]
    fn digits_are_read_at_every_length_and_nothing_else_is_a_digit() {
        let text = b"987654321012345678";
        for length in 0..=text.len() {
            let plain = text[..length].iter().fold(0, |sum, byte| sum * 10 + u64::from(byte - 48));
            assert_eq!(digits(&text[..length]), Some(plain), "{length}");
            for at in 0..length {
                for byte in (0..=255).filter(|byte: &u8| !byte.is_ascii_digit()) {
                    let mut text = *text;
                    text[at] = byte;
                    assert_eq!(digits(&text[..length]), None, "{byte} at {at} of {length}");
                }
            }
        }
        assert_eq!(digits(b"000000000000000009"), Some(9));
        assert_eq!(digits(b"999999999999999999"), Some(999_999_999_999_999_999));
    }

    #[test]
    fn a_scaled_integer_is_the_same_as_its_text() {
        for value in [
            0_i128,
            1,
            -1,
            15,
            -15,
            25,
            4_999_999_999,
            -5_000_000_000,
            123_456_789_012_345_678,
            i128::from(i64::MIN),
            7 << 70,
        ] {
            for scale in [0_u32, 2, 9, 10, 11, 18, 19, 28, 38] {
                assert_eq!(
                    from_scaled(value, scale).ok(),
                    parse(format!("{value}E-{scale}").as_bytes()).ok(),
                    "{value}E-{scale}"
                );
            }
        }
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in [
            "1,000.5",
            "$1",
            "abc",
            "1.2.3",
            "--1",
            "1e",
            ".",
            "-",
            "NaN",
            "inf",
            "0x10",
            "1e99999999",
        ] {
            assert!(
                matches!(parse(text.as_bytes()), Err(NotAnAmount::NotANumber(_))),
                "{text}: {:?}",
                parse(text.as_bytes())
            );
        }
        assert_eq!(parse(b"  "), Err(NotAnAmount::Empty));
        assert_eq!(parse(b"9223372036.9"), Err(NotAnAmount::TooLarge("9223372036.9".into())));
    }

    #[test]
    fn a_batch_ties_out_where_a_128_bit_decimal_rounds() {
        // 1000000 + 2 × 0.000000007292255759239199, summed by hand.
        let mut exact = Exact::default();
        for text in ["1000000", "0.000000007292255759239199", "0.000000007292255759239199"] {
            let parsed = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
            exact.add_nanos(i128::from(parsed.nanos));
            exact.add_rest(&parsed.rest);
        }
        assert_eq!(exact.to_string(), "1000000.000000014584511518478398");
        assert_eq!(
            "1000000.000000014584511518478398".parse::<Exact>().map(|exact| exact.rounded_nanos()),
            Ok(1_000_000_000_000_015)
        );
    }
}
