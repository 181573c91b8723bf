//! Decimal text as a count of small units, so that sums can be compared exactly.

/// `text` in units of 10^-places. It may have an exponent.
pub fn scaled(text: &str, places: i32) -> i128 {
    let (mantissa, exponent) =
        text.split_once(['E', 'e']).map_or((text, 0), |(mantissa, exponent)| {
            (mantissa, exponent.parse().expect("an exponent"))
        });
    let (sign, digits) = mantissa.strip_prefix('-').map_or((1, mantissa), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale: i32 = places + exponent - i32::try_from(fraction.len()).expect("a short fraction");
    let number: i128 = format!("{whole}{fraction}").parse().expect("digits");
    let scale = u32::try_from(scale).expect("no more decimals than the scale has");
    sign * number * 10_i128.pow(scale)
}
