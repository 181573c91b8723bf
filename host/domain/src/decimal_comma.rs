//! Numbers with a decimal comma: `1.234,56`, `12,5`, `1 234,56`.

/// The same number in the spelling that [`crate::decimal::parse`] reads. Nothing where the text is
/// no number with a decimal comma: `3.75` is none, and `1.234` is more than a thousand.
pub fn with_point(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'+' | b'-') => text.split_at(1),
        _ => ("", text),
    };
    let (number, exponent) = rest.split_at(rest.find(['e', 'E']).unwrap_or(rest.len()));
    let (whole, fraction) = match number.split_once(',') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = ungrouped(whole)?;
    if !fraction.is_none_or(are_digits) || !is_exponent(exponent) {
        return None;
    }
    // A point without a digit in front of it or behind it is read too, but never one on its own.
    if digits.is_empty() && fraction.is_none_or(str::is_empty) {
        return None;
    }
    let point = if fraction.is_some() { "." } else { "" };
    Some([sign, &digits, point, fraction.unwrap_or_default(), exponent].concat().into_bytes())
}

/// The digits in front of the comma, without what groups thousands.
fn ungrouped(whole: &str) -> Option<String> {
    let Some(mark) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return Some(whole.to_owned());
    };
    if !GROUPING.contains(&mark) {
        return None;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let (first, others) = groups.split_first()?;
    let is_first = (1..=3).contains(&first.len()) && are_digits(first) && !first.starts_with('0');
    let are_others = others.iter().all(|group| group.len() == 3 && are_digits(group));
    (is_first && are_others).then(|| groups.concat())
}

/// The point, the space, and the spaces that do not break a line.
const GROUPING: [char; 4] = ['.', ' ', '\u{A0}', '\u{202F}'];

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_exponent(text: &str) -> bool {
    match text.strip_prefix(['e', 'E']) {
        None => text.is_empty(),
        Some(power) => {
            let power = power.strip_prefix(['+', '-']).unwrap_or(power);
            !power.is_empty() && are_digits(power)
        }
    }
}

/// Whether a text can only be a number with a decimal comma. `1,234` may have a grouping comma, so
/// it is not counted.
pub fn is_certain(text: &[u8]) -> bool {
    let Some(comma) = text.iter().rposition(|byte| *byte == b',') else { return false };
    if with_point(text).is_none() {
        return false;
    }
    let digits = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let (whole, fraction) = (&text[..comma], digits(&text[comma..]));
    let is_grouped = whole.trim_ascii().iter().any(|byte| matches!(byte, b'.' | b' ' | 0x80..));
    let leads = whole.iter().find(|byte| byte.is_ascii_digit());
    fraction != 3 || is_grouped || digits(whole) > 3 || leads.is_none_or(|digit| *digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal;

    #[test]
    fn numbers_with_a_decimal_comma_are_read() {
        for (text, nanos) in [
            ("12,5", 12_500_000_000_i64),
            ("1.234,56", 1_234_560_000_000),
            ("1.234", 1_234_000_000_000),
            ("-1.234.567,8", -1_234_567_800_000_000),
            ("+0,000000001", 1),
            ("1 234,5", 1_234_500_000_000),
            ("1\u{A0}234,5", 1_234_500_000_000),
            ("1\u{202F}234", 1_234_000_000_000),
            (" 7 ", 7_000_000_000),
            ("1234,5", 1_234_500_000_000),
            (",5", 500_000_000),
            ("5,", 5_000_000_000),
            ("1,5E-08", 15),
            ("0", 0),
        ] {
            let spelled = with_point(text.as_bytes()).unwrap_or_default();
            assert_eq!(decimal::parse(&spelled).map(|amount| amount.nanos), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_could_be_another_number_is_refused() {
        for text in [
            "3.75",
            "0.123",
            "1.2345",
            "1234.567",
            "1.23,4",
            "1,2,3",
            "1.234.56",
            ".5",
            ",",
            "-",
            "",
            "1.234 567",
            "1,5e",
            "1'234,5",
            "--1",
            "1,-5",
            "abc",
            "1. 234",
            "12,5 EUR",
            ".234",
        ] {
            assert_eq!(with_point(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_comma_that_can_only_be_a_decimal_comma_is_told_from_one_that_groups() {
        for text in ["12,5", "1.234,56", "0,123", "1234,567", "1.234,567", "-,5", "1,2345", "5,"] {
            assert!(is_certain(text.as_bytes()), "{text}");
        }
        for text in ["1,234", "-12,345", "1,234.5", "1,234,567", "12.5", "1.234", "a,b", "", ","] {
            assert!(!is_certain(text.as_bytes()), "{text}");
        }
    }
}
