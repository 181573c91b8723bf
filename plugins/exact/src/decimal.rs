//! Decimals of any length: what is read is kept digit by digit, and what is added up stays exact.

use std::cmp::Ordering;
use std::fmt;

/// Digits are kept in groups of nine, the largest power of ten in 32 bits.
const GROUP: u64 = 1_000_000_000;
const GROUP_DIGITS: usize = 9;
/// Beyond a double's range in either direction, so that no source can make us count zeros.
const EXPONENT_MAX: i32 = 400;

/// An exact decimal number.
#[derive(Clone, Debug, Default)]
pub struct Decimal {
    is_negative: bool,
    /// Lowest first.
    groups: Vec<u32>,
    /// How many of them stand behind the point.
    behind: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADecimal(String);

impl Decimal {
    pub fn zero() -> Decimal {
        Decimal::default()
    }

    /// Reads `12`, `-0.5` and `1.25e-7`; `NaN` and `+Inf` are no numbers.
    pub fn parse(text: &str) -> Result<Decimal, NotADecimal> {
        read(text.trim()).ok_or_else(|| NotADecimal(text.chars().take(60).collect()))
    }

    pub fn is_zero(&self) -> bool {
        self.groups.iter().all(|group| *group == 0)
    }

    pub fn is_negative(&self) -> bool {
        self.is_negative && !self.is_zero()
    }

    pub fn add(&mut self, other: &Decimal) {
        self.reach(other.behind);
        let shift = self.behind - other.behind;
        if self.is_negative == other.is_negative {
            add_groups(&mut self.groups, &other.groups, shift);
        } else if self.is_smaller(other, shift) {
            let mut groups = vec![0; shift];
            groups.extend_from_slice(&other.groups);
            subtract_groups(&mut groups, &self.groups, 0);
            (self.groups, self.is_negative) = (groups, other.is_negative);
        } else {
            subtract_groups(&mut self.groups, &other.groups, shift);
        }
    }

    pub fn subtract(&mut self, other: &Decimal) {
        self.is_negative = !self.is_negative;
        self.add(other);
        self.is_negative = !self.is_negative;
    }

    /// What the two make, exactly.
    pub fn product(&self, other: &Decimal) -> Decimal {
        let mut groups = vec![0_u32; self.groups.len() + other.groups.len()];
        for (shift, factor) in self.groups.iter().enumerate() {
            let mut carry = 0_u64;
            for (at, group) in groups.iter_mut().enumerate().skip(shift) {
                let Some(digits) = other.groups.get(at - shift) else {
                    // Nothing was added here yet, and what is carried is below a group.
                    *group = carry as u32;
                    break;
                };
                let sum = u64::from(*digits) * u64::from(*factor) + u64::from(*group) + carry;
                *group = (sum % GROUP) as u32;
                carry = sum / GROUP;
            }
        }
        Decimal {
            is_negative: self.is_negative != other.is_negative,
            groups,
            behind: self.behind + other.behind,
        }
    }

    pub fn times(mut self, factor: u32) -> Decimal {
        let mut carry = 0_u64;
        for group in &mut self.groups {
            let product = u64::from(*group) * u64::from(factor) + carry;
            *group = (product % GROUP) as u32;
            carry = product / GROUP;
        }
        while carry > 0 {
            self.groups.push((carry % GROUP) as u32);
            carry /= GROUP;
        }
        self
    }

    /// A quotient that may never end is rounded half-even behind 18 digits, or behind as many as stand there already.
    ///
    /// # Panics
    /// Where the divisor is 0.
    pub fn over(mut self, divisor: u32) -> Decimal {
        self.reach(2);
        let mut rest = 0_u64;
        for group in self.groups.iter_mut().rev() {
            let dividend = rest * GROUP + u64::from(*group);
            *group = (dividend / u64::from(divisor)) as u32;
            rest = dividend % u64::from(divisor);
        }
        let is_odd = self.groups.first().is_some_and(|group| group % 2 == 1);
        if rest * 2 > u64::from(divisor) || (rest * 2 == u64::from(divisor) && is_odd) {
            add_groups(&mut self.groups, &[1], 0);
        }
        self
    }

    /// The GiB that so many bytes are, exactly: 2⁻³⁰ is 5³⁰ × 10⁻³⁰.
    pub fn gib(self) -> Decimal {
        const FIVE_TO_TEN: u32 = 9_765_625;
        let mut whole =
            self.times(FIVE_TO_TEN).times(FIVE_TO_TEN).times(FIVE_TO_TEN).times(1_000_000);
        // Thirty digits are four groups but for six digits.
        whole.behind += 4;
        whole
    }

    /// Makes room for so many groups behind the point.
    fn reach(&mut self, behind: usize) {
        if let Some(missing) = behind.checked_sub(self.behind) {
            self.groups.splice(0..0, std::iter::repeat_n(0, missing));
            self.behind = behind;
        }
    }

    /// Whether its amount is below that of one that stands `shift` groups higher.
    fn is_smaller(&self, other: &Decimal, shift: usize) -> bool {
        let length = self.groups.len().max(other.groups.len() + shift);
        let mine = |at: usize| self.groups.get(at).copied().unwrap_or(0);
        let theirs = |at: usize| {
            at.checked_sub(shift).and_then(|at| other.groups.get(at)).copied().unwrap_or(0)
        };
        let first_difference =
            (0..length).rev().map(|at| mine(at).cmp(&theirs(at))).find(|order| order.is_ne());
        first_difference == Some(Ordering::Less)
    }
}

fn read(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, "0"), |(mantissa, exponent)| (mantissa, exponent));
    let exponent: i32 =
        exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= EXPONENT_MAX)?;
    let (is_negative, digits) = match mantissa.as_bytes() {
        [b'-', ..] => (true, mantissa.get(1..)?),
        [b'+', ..] => (false, mantissa.get(1..)?),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if all.is_empty() || !all.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // How many digits stand behind the point; it is moved to the next whole group, or to the end.
    let behind = i32::try_from(fraction.len()).ok()? - exponent;
    let behind = match usize::try_from(behind) {
        Ok(behind) => behind,
        Err(_) => {
            all.extend(std::iter::repeat_n(b'0', behind.unsigned_abs() as usize));
            0
        }
    };
    let groups_behind = behind.div_ceil(GROUP_DIGITS);
    all.extend(std::iter::repeat_n(b'0', groups_behind * GROUP_DIGITS - behind));
    let group =
        |digits: &[u8]| digits.iter().fold(0, |group, digit| group * 10 + u32::from(digit - b'0'));
    let groups = all.rchunks(GROUP_DIGITS).map(group).collect();
    Some(Decimal { is_negative, groups, behind: groups_behind })
}

/// Adds groups that stand `shift` places higher.
fn add_groups(groups: &mut Vec<u32>, others: &[u32], shift: usize) {
    if groups.len() < others.len() + shift {
        groups.resize(others.len() + shift, 0);
    }
    let mut carry = 0_u64;
    for (at, group) in groups.iter_mut().enumerate().skip(shift) {
        let other = others.get(at - shift).copied().unwrap_or(0);
        if carry == 0 && at - shift >= others.len() {
            break;
        }
        let sum = u64::from(*group) + u64::from(other) + carry;
        *group = (sum % GROUP) as u32;
        carry = sum / GROUP;
    }
    if carry > 0 {
        groups.push(carry as u32);
    }
}

/// Takes off groups that stand `shift` places higher and are not more than there is.
fn subtract_groups(groups: &mut [u32], others: &[u32], shift: usize) {
    let mut borrow = 0_u64;
    for (at, group) in groups.iter_mut().enumerate().skip(shift) {
        let other = u64::from(others.get(at - shift).copied().unwrap_or(0)) + borrow;
        let had = u64::from(*group);
        borrow = u64::from(had < other);
        *group = (had + borrow * GROUP - other) as u32;
    }
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
        let mut difference = self.clone();
        difference.subtract(other);
        match (difference.is_zero(), difference.is_negative) {
            (true, _) => Ordering::Equal,
            (false, true) => Ordering::Less,
            (false, false) => Ordering::Greater,
        }
    }
}

impl fmt::Display for Decimal {
    /// Without zeros that say nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (behind, whole) = self.groups.split_at(self.behind.min(self.groups.len()));
        let text = |groups: &[u32]| {
            groups.iter().rev().map(|group| format!("{group:09}")).collect::<String>()
        };
        let whole = text(whole);
        // A number such as 10⁻²⁰ has fewer groups than places behind the point.
        let behind = format!("{:0>width$}", text(behind), width = self.behind * GROUP_DIGITS);
        let (whole, behind) = (whole.trim_start_matches('0'), behind.trim_end_matches('0'));
        let sign = if self.is_negative() { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        if behind.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{behind}")
        }
    }
}

impl fmt::Display for NotADecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not a number", self.0)
    }
}

impl std::error::Error for NotADecimal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
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
}
