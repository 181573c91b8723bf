//! Exact amounts: `Money` is one amount, `Sum` a total of many.

use exact::decimal::shortest;
use std::fmt;
use std::str::FromStr;

/// Nanos in one currency unit: every stored amount is a whole number of 10⁻⁹ units.
pub const NANOS_PER_UNIT: i64 = 1_000_000_000;

/// A three-letter currency code, upper case, such as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a currency code of three letters")]
pub struct NotACurrency(pub String);

impl Currency {
    /// Reads a code in any case. Only three ASCII letters are a currency.
    pub fn parse(text: &[u8]) -> Result<Currency, NotACurrency> {
        match <[u8; 3]>::try_from(text.trim_ascii()) {
            Ok(code) if code.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Currency(code.map(|letter| letter.to_ascii_uppercase())))
            }
            _ => Err(NotACurrency(String::from_utf8_lossy(text).into_owned())),
        }
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    pub fn bytes(&self) -> [u8; 3] {
        self.0
    }

    /// Decimals of a payable amount, as ISO 4217 gives them.
    pub fn payable_decimals(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;
    fn from_str(text: &str) -> Result<Currency, NotACurrency> {
        Currency::parse(text.as_bytes())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One amount: a signed count of nanos. Reaches ±9.2 billion units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Money(i64);

impl Money {
    pub const ZERO: Money = Money(0);

    pub const fn from_nanos(nanos: i64) -> Money {
        Money(nanos)
    }

    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sum::from(*self).fmt(f)
    }
}

/// A total of amounts in nanos. It has 128 bits, so no number of rows that a machine can hold
/// overflows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Sum(i128);

impl Sum {
    /// The largest amount, of either sign, that an account gets from a rule for one service on one
    /// day: 100 postings, or 922 thousand million units.
    ///
    /// A day of the largest estates fits in the smallest currencies. A price for the wrong unit
    /// does not, and would otherwise fill the memory with postings.
    pub const POSTED_MAX: Sum = Sum(100 * i64::MAX as i128);

    pub const ZERO: Sum = Sum(0);

    pub const fn from_nanos(nanos: i128) -> Sum {
        Sum(nanos)
    }

    pub const fn nanos(self) -> i128 {
        self.0
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether the ledger can hold it as one line of an entry.
    pub fn can_be_posted(self) -> bool {
        (-Sum::POSTED_MAX.0..=Sum::POSTED_MAX.0).contains(&self.0)
    }

    /// Cuts the total into amounts that each fit a posting. `None` if the ledger cannot hold it.
    pub fn amounts(self) -> Option<impl Iterator<Item = Money>> {
        let mut rest = self.0;
        self.can_be_posted().then_some(std::iter::from_fn(move || {
            let part = rest.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX));
            rest -= part;
            (part != 0).then(|| Money(i64::try_from(part).unwrap_or_default()))
        }))
    }

    /// Its part of a whole in percent, with two places, rounded half away from zero. Nothing of a
    /// whole that is zero.
    pub fn percent_of(self, whole: Sum) -> Option<String> {
        let doubled = self.0.checked_mul(20_000)?.checked_div(whole.0)?;
        let hundredths = (doubled + doubled.signum()) / 2;
        let sign = if hundredths < 0 { "-" } else { "" };
        let hundredths = hundredths.unsigned_abs();
        Some(format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100))
    }

    /// The shortest exact decimal text.
    pub fn plain(self) -> String {
        shortest(self.0, 9)
    }

    /// Rounds half-even to `decimals` places, as decimal text with exactly so many places.
    pub fn rounded_text(self, decimals: u32) -> String {
        let decimals = decimals.min(9);
        let rounded = self.rounded_units(decimals);
        let sign = if self.0 < 0 && rounded != 0 { "-" } else { "" };
        let scale = 10_u128.pow(decimals);
        if decimals == 0 {
            return format!("{sign}{rounded}");
        }
        format!("{sign}{}.{:0width$}", rounded / scale, rounded % scale, width = decimals as usize)
    }
}

impl Sum {
    /// Its size in the last of `decimals` places, rounded half-even.
    fn rounded_units(self, decimals: u32) -> u128 {
        let unit = unit_of(decimals).unsigned_abs();
        let (quotient, rest) = (self.0.unsigned_abs() / unit, self.0.unsigned_abs() % unit);
        let up = match (rest * 2).cmp(&unit) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => quotient & 1,
            std::cmp::Ordering::Greater => 1,
        };
        quotient + up
    }

    /// Rounds half-even to `decimals` places.
    pub fn rounded(self, decimals: u32) -> Sum {
        let size = self.rounded_units(decimals).cast_signed() * unit_of(decimals);
        Sum(if self.0 < 0 { -size } else { size })
    }

    /// Rounds the parts of a total to `decimals` places, so that they add up to the total as it was
    /// rounded: all are rounded down, and the largest remainders get a unit more. Of equal ones the
    /// first get it.
    pub fn rounded_parts(parts: &[Sum], total: Sum, decimals: u32) -> Vec<Sum> {
        let unit = unit_of(decimals);
        let mut rounded: Vec<i128> = parts.iter().map(|part| part.0.div_euclid(unit)).collect();
        let missing = total.0.div_euclid(unit) - rounded.iter().sum::<i128>();
        let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
        by_remainder.sort_by_key(|at| std::cmp::Reverse(parts[*at].0.rem_euclid(unit)));
        for at in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
            rounded[at] += 1;
        }
        rounded.into_iter().map(|units| Sum(units * unit)).collect()
    }
}

/// The nanos of a unit in the last of `decimals` places.
fn unit_of(decimals: u32) -> i128 {
    10_i128.pow(9 - decimals.min(9))
}

impl From<Money> for Sum {
    fn from(money: Money) -> Sum {
        Sum(i128::from(money.0))
    }
}

impl std::ops::Add for Sum {
    type Output = Sum;
    fn add(self, other: Sum) -> Sum {
        Sum(self.0 + other.0)
    }
}

impl std::ops::Sub for Sum {
    type Output = Sum;
    fn sub(self, other: Sum) -> Sum {
        Sum(self.0 - other.0)
    }
}

impl std::ops::Neg for Sum {
    type Output = Sum;
    fn neg(self) -> Sum {
        Sum(-self.0)
    }
}

impl std::ops::AddAssign for Sum {
    fn add_assign(&mut self, other: Sum) {
        self.0 += other.0;
    }
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Sum>>(totals: I) -> Sum {
        totals.fold(Sum::ZERO, |left, right| left + right)
    }
}

/// Nine decimals, always: `12.340000000`.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.rounded_text(9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nine_decimals_and_the_sign() {
        assert_eq!(Money::from_nanos(-1).to_string(), "-0.000000001");
        assert_eq!(Money::from_nanos(12_340_000_000).to_string(), "12.340000000");
        assert_eq!(Money::from_nanos(i64::MIN).to_string(), "-9223372036.854775808");
    }

    #[test]
    fn payable_rounding_is_half_even() {
        let text = |nanos: i128, decimals| Sum::from_nanos(nanos).rounded_text(decimals);
        assert_eq!(text(5_000_000, 2), "0.00");
        assert_eq!(text(15_000_000, 2), "0.02");
        assert_eq!(text(-15_000_000, 2), "-0.02");
        assert_eq!(text(-4_000_000, 2), "0.00");
        assert_eq!(text(2_500_000_000, 0), "2");
        assert_eq!(text(1_234_500_000, 3), "1.234");
    }

    #[test]
    fn rounded_parts_add_up_to_the_rounded_total() {
        let parts = |nanos: &[i128], decimals| -> Vec<String> {
            let parts: Vec<Sum> = nanos.iter().map(|nanos| Sum::from_nanos(*nanos)).collect();
            let total = parts.iter().copied().sum::<Sum>().rounded(decimals);
            let parts = Sum::rounded_parts(&parts, total, decimals);
            assert_eq!(parts.iter().copied().sum::<Sum>(), total, "{nanos:?}");
            parts.iter().map(|part| part.rounded_text(decimals)).collect()
        };
        assert_eq!(parts(&[178_605_000_000, 3_645_000_000], 2), ["178.61", "3.64"]);
        // 100 in seven: those that are a nano short are the last to get a cent.
        let seventh = 14_285_714_286;
        let sevenths = [seventh - 1, seventh, seventh, seventh - 1, seventh, seventh, seventh];
        assert_eq!(
            parts(&sevenths, 2),
            ["14.28", "14.29", "14.29", "14.28", "14.29", "14.29", "14.28"]
        );
        assert_eq!(parts(&[-5_000_000, -5_000_000, 10_000_000], 2), ["0.00", "-0.01", "0.01"]);
        assert_eq!(parts(&[400_000_000, 400_000_000, 400_000_000], 0), ["1", "0", "0"]);
        assert_eq!(parts(&[-1, 1], 2), ["0.00", "0.00"]);
        assert_eq!(parts(&[], 2), Vec::<String>::new());
    }

    #[test]
    fn parts_in_percent_are_rounded_and_have_a_sign() {
        let of = |part: i128, whole: i128| Sum::from_nanos(part).percent_of(Sum::from_nanos(whole));
        for (part, whole, expect) in [
            (1, 3, Some("33.33")),
            (2, 3, Some("66.67")),
            (-1, 8, Some("-12.50")),
            (-1, -4, Some("25.00")),
            // 0.005 % is rounded away from zero, and less is nothing.
            (1, 20_000, Some("0.01")),
            (-1, 20_000, Some("-0.01")),
            (-1, 20_001, Some("0.00")),
            (3, 1, Some("300.00")),
            (1, 0, None),
        ] {
            assert_eq!(of(part, whole).as_deref(), expect, "{part} of {whole}");
        }
    }

    #[test]
    fn a_total_beyond_one_posting_is_cut_in_several() {
        let total = Sum::from_nanos(3 * i128::from(i64::MAX) - 5);
        let parts = |total: Sum| total.amounts().map(Iterator::collect::<Vec<Money>>);
        let three = parts(total).unwrap_or_default();
        assert_eq!(three.len(), 3);
        assert_eq!(three.into_iter().map(Sum::from).sum::<Sum>(), total);
        assert_eq!(parts(Sum::ZERO), Some(Vec::new()));
    }

    #[test]
    fn a_total_beyond_a_hundred_postings_is_none() {
        let most = Sum::from_nanos(922_337_203_685_477_580_700);
        assert_eq!(Sum::POSTED_MAX, most);
        assert_eq!(most.plain(), "922337203685.4775807");
        for (total, postings) in [
            (most, Some(100)),
            (-most, Some(100)),
            (most + Sum::from_nanos(1), None),
            (-most - Sum::from_nanos(1), None),
            (Sum::from_nanos(i128::MIN), None),
        ] {
            assert_eq!(total.amounts().map(Iterator::count), postings, "{total:?}");
        }
    }

    #[test]
    fn currencies_are_three_letters() {
        assert_eq!(Currency::parse(b"usd").map(|currency| currency.to_string()), Ok("USD".into()));
        assert_eq!(Currency::parse(b"MC"), Err(NotACurrency("MC".into())));
        assert_eq!(Currency::parse(b"U$D"), Err(NotACurrency("U$D".into())));
    }
}
