//! Sums with amounts, exact.

use exact::decimal::Decimal;

/// The product of two decimals, such as `6.035e-7` and `0.02`; nothing where one is no decimal.
pub fn product(left: &str, right: &str) -> Option<String> {
    Some(Decimal::parse(left).ok()?.product(&Decimal::parse(right).ok()?).to_string())
}

/// The sum of decimals; nothing where one is no decimal.
pub fn sum<'a>(amounts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut sum = Decimal::zero();
    for amount in amounts {
        sum.add(&Decimal::parse(amount).ok()?);
    }
    Some(sum.to_string())
}
