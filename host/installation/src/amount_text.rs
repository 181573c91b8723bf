//! Amounts and counts as people read them.

use domain::money::{Currency, Sum};

/// `12345.60` as `12,345.60`.
pub fn grouped(amount: &str) -> String {
    let (sign, digits) = amount.strip_prefix('-').map_or(("", amount), |digits| ("-", digits));
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

/// As many decimals as the amount has, and no fewer than the currency is paid with. A plan hides
/// no nano.
pub fn decimals(currency: Currency, amount: Sum) -> u32 {
    let mut decimals = 9;
    let mut nanos = amount.nanos();
    while decimals > currency.payable_decimals() && nanos % 10 == 0 {
        nanos /= 10;
        decimals -= 1;
    }
    decimals
}

/// An amount with its currency in front.
pub fn money(currency: Currency, amount: Sum) -> String {
    format!("{currency} {}", grouped(&amount.rounded_text(decimals(currency, amount))))
}

/// Amounts of several currencies, with commas between.
pub fn moneys(amounts: &[(Currency, Sum)]) -> String {
    amounts
        .iter()
        .map(|(currency, amount)| money(*currency, *amount))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A count with its thing: `1 charge`, `2 charges`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (plain, expect) in [
            ("0.00", "0.00"),
            ("999", "999"),
            ("1000.5", "1,000.5"),
            ("-1234567.89", "-1,234,567.89"),
        ] {
            assert_eq!(grouped(plain), expect);
        }
    }
}
