//! Quantities as Kubernetes writes them, and prices as the settings write them, in whole numbers.

use exact::decimal::plain;

/// Billionths, in which cores and amounts are counted.
pub const NANOS: u128 = 1_000_000_000;
pub const GIB: u128 = 1 << 30;

/// Digits behind the point of prices and weights: 0.00005479452 has eleven.
const PRICE_DIGITS: u32 = 12;

/// A quantity such as `100m`, `1.5`, `128Mi`, `1G` or `1e3` in billionths. A finer quantity is
/// rounded up, as Kubernetes does.
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
    // A power above 10³⁸ is more than any value, so the quotient is rounded up to one.
    Ok(power(scale.unsigned_abs())
        .map_or_else(|| u128::from(value > 0), |power| value.div_ceil(power)))
}

/// Digits without their point, and the number of digits behind it.
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

/// A price or weight in units of 10⁻¹². It is never rounded: more digits are refused.
pub fn price(text: &str) -> Result<u128, String> {
    let wrong = || {
        format!(
            "'{text}' is no decimal number from 0 with at most {PRICE_DIGITS} digits behind the \
             point, such as \"0.192\""
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

/// Billionths as the shortest decimal text.
pub fn decimal(nanos: u128) -> String {
    plain(false, &nanos.to_string(), 9)
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
    fn billionths_are_shown_without_zeros_at_the_end() {
        assert_eq!(
            [0, 1, 1_500_000_000, 10_000_000_000].map(decimal),
            ["0", "0.000000001", "1.5", "10"]
        );
        assert_eq!(decimal(u128::MAX), "340282366920938463463374607431.768211455");
    }
}
