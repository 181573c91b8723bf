//! Exact sums: quantities as Kubernetes writes them, decimal texts, and shares that add up.

/// Billionths, in which cores and amounts are counted.
pub const NANOS: u128 = 1_000_000_000;
pub const GIB: u128 = 1 << 30;

/// Digits behind the point of prices and weights: 0.00005479452 has eleven.
const PRICE_DIGITS: u32 = 12;

/// A quantity such as `100m`, `1.5`, `128Mi`, `1G`, `1e3` in billionths. What is finer counts as one more, as Kubernetes does it.
pub fn quantity(text: &str) -> Result<u128, String> {
    let wrong = || format!("'{text}' is no quantity");
    let number = text.strip_prefix('+').unwrap_or(text);
    if number.starts_with('-') {
        return Err(format!("'{text}' is below zero"));
    }
    let digits_end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    let (digits, suffix) = number.split_at(digits_end);
    let (mantissa, places) = mantissa(digits).ok_or_else(wrong)?;
    let (binary, exponent) = unit(suffix).ok_or_else(wrong)?;
    // mantissa × binary × 10^(exponent - places + 9)
    let scale = exponent - i64::from(places) + 9;
    let value = mantissa.checked_mul(binary).ok_or_else(|| format!("'{text}' is too large"))?;
    let power = |power: u64| u32::try_from(power).ok().and_then(|power| 10_u128.checked_pow(power));
    if scale >= 0 {
        let larger = power(scale.unsigned_abs()).and_then(|power| value.checked_mul(power));
        return if value == 0 {
            Ok(0)
        } else {
            larger.ok_or_else(|| format!("'{text}' is too large"))
        };
    }
    // Beyond 38 digits nothing is left but the one that is rounded up to.
    Ok(power(scale.unsigned_abs())
        .map_or_else(|| u128::from(value > 0), |power| value.div_ceil(power)))
}

/// Digits without their point, and how many stand behind it.
fn mantissa(digits: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let value = format!("{whole}{fraction}").parse().ok()?;
    Some((value, u32::try_from(fraction.len()).ok()?))
}

/// A suffix as a factor and a power of ten.
fn unit(suffix: &str) -> Option<(u128, i64)> {
    let binary = |power: u32| Some((1_u128 << (10 * power), 0));
    match suffix {
        "n" => Some((1, -9)),
        "u" => Some((1, -6)),
        "m" => Some((1, -3)),
        "" => Some((1, 0)),
        "k" => Some((1, 3)),
        "M" => Some((1, 6)),
        "G" => Some((1, 9)),
        "T" => Some((1, 12)),
        "P" => Some((1, 15)),
        "E" => Some((1, 18)),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let is_number =
                (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            Some((1, if is_number { exponent.parse().ok()? } else { return None }))
        }
    }
}

/// A price or weight in its finest unit, 10⁻¹². Never rounded: what has more digits is refused.
pub fn price(text: &str) -> Result<u128, String> {
    let wrong = || {
        format!(
            "'{text}' is no decimal number from 0 with at most {PRICE_DIGITS} digits behind the point, such as \"0.192\""
        )
    };
    if text.is_empty()
        || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        || text.len() > 24
    {
        return Err(wrong());
    }
    let (value, places) = mantissa(text).ok_or_else(wrong)?;
    let missing = PRICE_DIGITS.checked_sub(places).ok_or_else(wrong)?;
    value.checked_mul(10_u128.pow(missing)).ok_or_else(wrong)
}

/// `a × b ÷ divisor` and what is left of it; for `b` up to the divisor, which is below 2^127.
pub fn multiply_divide(a: u128, b: u128, divisor: u128) -> (u128, u128) {
    assert!(divisor > 0 && b <= divisor && divisor < 1 << 127, "the quotient fits");
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    // By hand, bit by bit: the product may have 255 bits.
    for bit in (0..128 - a.leading_zeros()).rev() {
        (quotient, rest) = (quotient << 1, rest << 1);
        if rest >= divisor {
            (quotient, rest) = (quotient + 1, rest - divisor);
        }
        if a >> bit & 1 == 1 {
            rest += b;
            if rest >= divisor {
                (quotient, rest) = (quotient + 1, rest - divisor);
            }
        }
    }
    (quotient, rest)
}

/// `value ÷ divisor`, half to even.
pub fn divide(value: u128, divisor: u128) -> u128 {
    round(value / divisor, value % divisor, divisor)
}

/// `a × b ÷ divisor`, half to even, within the bounds of `multiply_divide`.
pub fn scaled(a: u128, b: u128, divisor: u128) -> u128 {
    let (quotient, rest) = multiply_divide(a, b, divisor);
    round(quotient, rest, divisor)
}

fn round(quotient: u128, rest: u128, divisor: u128) -> u128 {
    let up = match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient & 1,
        std::cmp::Ordering::Greater => 1,
    };
    quotient + up
}

/// Splits a total so that the parts add up to it: what rounding down leaves goes to the largest remainders, the first first.
pub fn split(total: u128, weights: &[u128]) -> Vec<u128> {
    let sum: u128 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let (mut parts, mut rests): (Vec<u128>, Vec<(u128, usize)>) = (Vec::new(), Vec::new());
    for (at, weight) in weights.iter().enumerate() {
        let (part, rest) = multiply_divide(total, *weight, sum);
        parts.push(part);
        rests.push((rest, at));
    }
    rests.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let left = total - parts.iter().sum::<u128>();
    for (_, at) in rests.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[*at] += 1;
    }
    parts
}

/// Billionths as the shortest decimal text.
pub fn decimal(nanos: u128) -> String {
    let text = format!("{}.{:09}", nanos / NANOS, nanos % NANOS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        for (text, nanos) in [
            ("100m", 100_000_000),
            ("1.5", 1_500_000_000),
            ("128Mi", 134_217_728 * NANOS),
            ("1G", NANOS * NANOS),
            ("1e3", 1000 * NANOS),
            ("1E3", 1000 * NANOS),
            ("12E", 12_000_000_000_000_000_000 * NANOS),
            ("2k", 2000 * NANOS),
            ("0", 0),
            ("+0.1", 100_000_000),
            (".5Ki", 512 * NANOS),
            ("5.", 5 * NANOS),
            ("1500u", 1_500_000),
            ("7n", 7),
            ("1e-3", 1_000_000),
            ("1.25Gi", 1_342_177_280 * NANOS),
            // Finer than a billionth: rounded up.
            ("0.1n", 1),
            ("1e-99", 1),
            ("0e999", 0),
        ] {
            assert_eq!(quantity(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "", ".", "m", "1.2.3", "1 Gi", "12GB", "1e", "1e3.5", "1e+", "0x10", "١", "1ki",
            "1e9999",
        ] {
            assert_eq!(quantity(text), Err(format!("'{text}' is no quantity")), "{text}");
        }
        assert_eq!(quantity("-1"), Err("'-1' is below zero".into()));
        assert_eq!(quantity("1e99"), Err("'1e99' is too large".into()));
        assert_eq!(
            quantity("99999999999999999999999Ei"),
            Err("'99999999999999999999999Ei' is too large".into())
        );
    }

    #[test]
    fn prices_are_never_rounded() {
        assert_eq!(price("0.00005479452"), Ok(54_794_520));
        assert_eq!(price("35"), Ok(35_000_000_000_000));
        for text in
            ["", ".", "-1", "1e3", "0,1", "0.0000000000001", "1 ", "9999999999999999999999999"]
        {
            assert!(
                price(text).is_err_and(
                    |error| error.starts_with(&format!("'{text}' is no decimal number"))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn shares_add_up_whatever_is_shared() {
        assert_eq!(split(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(split(NANOS, &[2, 0, 1]), [666_666_667, 0, 333_333_333]);
        assert_eq!(split(7, &[0, 0]), [0, 0]);
        assert_eq!(split(0, &[1, 2]), [0, 0]);
        // Weights near the largest: 3/7 and 4/7 of 10^18 by Python's Fraction.
        let unit = (1_u128 << 126) / 7;
        assert_eq!(
            split(10_u128.pow(18), &[3 * unit, 4 * unit]),
            [428_571_428_571_428_571, 571_428_571_428_571_429]
        );
    }

    #[test]
    fn halves_go_to_the_even_neighbor() {
        for (value, expect) in [(25, 2), (35, 4), (26, 3), (24, 2), (0, 0)] {
            assert_eq!(divide(value, 10), expect, "{value}");
            assert_eq!(scaled(value, 1, 10), expect, "{value}");
        }
        assert_eq!(
            [0, 1, 1_500_000_000, 10_000_000_000].map(decimal),
            ["0", "0.000000001", "1.5", "10"]
        );
    }
}
