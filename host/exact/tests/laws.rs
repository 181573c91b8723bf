//! Laws of numbers and days as properties. The hand-written readers are held against `chrono` and
//! `num-bigint`.

use chrono::{DateTime, NaiveDate};
use exact::day::{Day, read_date};
use exact::decimal::{Decimal, shortest};
use exact::moment;
use exact::ratio::multiply_divide;
use exact::split::{cut, split};
use num_bigint::BigInt;
use proptest::prelude::*;

fn weights() -> impl Strategy<Value = Vec<u128>> {
    let weight =
        prop_oneof![Just(0_u128), 1_u128..100, 1_u128..u128::from(u64::MAX), Just(1 << 120)];
    prop::collection::vec(weight, 1..12)
}

/// Texts that look like dates, right and wrong.
fn dates() -> impl Strategy<Value = String> {
    let near = (0_u32..=10_000, 0_u32..=13, 0_u32..=32)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    prop_oneof![4 => near, 1 => "[-0-9+ ]{10}", 1 => any::<String>()]
}

fn decimals() -> impl Strategy<Value = (String, BigInt, u32)> {
    (any::<bool>(), "[0-9]{0,50}", "[0-9]{0,50}", -300_i64..=300)
        .prop_filter("a digit", |(_, whole, fraction, _)| whole.len() + fraction.len() > 0)
        .prop_map(|(is_negative, whole, fraction, exponent)| {
            let sign = if is_negative { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction}e{exponent}");
            let mut digits = format!("{sign}{whole}{fraction}").parse::<BigInt>().expect("digits");
            let scale = fraction.len() as i64 - exponent;
            if scale < 0 {
                digits *= BigInt::from(10).pow(scale.unsigned_abs() as u32);
            }
            (text, digits, scale.max(0) as u32)
        })
}

proptest! {
    #[test]
    fn the_reader_of_dates_is_that_of_chrono(text in dates()) {
        let four_digits = text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
        });
        let expect = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        let expect = expect.filter(|_| four_digits && !text.starts_with("0000"));
        prop_assert_eq!(read_date(text.as_bytes()), expect.map(Day::from));
    }

    #[test]
    fn days_are_those_of_chrono(days in -800_000_i32..4_000_000, months in -3000_i32..3000) {
        let midnight = DateTime::from_timestamp(i64::from(days) * 86_400, 0);
        let date = midnight.expect("in range").date_naive();
        let day = Day::from_epoch(days);
        if (719_163 + days) > 365 && days < 2_932_897 {
            prop_assert_eq!(day.to_string(), date.to_string());
            prop_assert_eq!(day.to_string().parse(), Ok(day));
        }
        prop_assert_eq!(day.week_start().epoch_days().rem_euclid(7), 4);
        prop_assert!((0..7).contains(&(days - day.week_start().epoch_days())));
        let (year, month, _) = day.civil();
        let moved = day.month_plus(months).civil();
        prop_assert_eq!(moved.0 * 12 + moved.1 as i32, year * 12 + month as i32 + months);
        prop_assert_eq!(moved.2, 1);
    }

    #[test]
    fn points_in_time_come_back(at_ms in -62_135_596_800_000_i64..253_402_300_800_000) {
        prop_assert_eq!(moment::seconds(&moment::text(at_ms)), Ok(at_ms.div_euclid(1000)));
        let (text, day) = (moment::text(at_ms), Day::of_instant(at_ms).to_string());
        prop_assert_eq!(text.get(..10), Some(day.as_str()));
    }

    #[test]
    fn decimals_are_those_of_big_numbers(left in decimals(), right in decimals()) {
        let number = |text: &str| Decimal::parse(text).expect("a decimal");
        let (a, b) = (number(&left.0), number(&right.0));
        let scale = left.2.max(right.2);
        let at = |(_, digits, own): &(String, BigInt, u32)| {
            digits * BigInt::from(10).pow(scale - own)
        };
        let shown = |digits: BigInt, scale: u32| number(&format!("{digits}e-{scale}"));
        let (mut sum, mut difference) = (a.clone(), a.clone());
        sum.add(&b);
        difference.subtract(&b);
        prop_assume!(scale <= 350);
        prop_assert_eq!(&sum, &shown(at(&left) + at(&right), scale));
        prop_assert_eq!(&difference, &shown(at(&left) - at(&right), scale));
        prop_assert_eq!(a.cmp(&b), at(&left).cmp(&at(&right)));
        prop_assert_eq!(number(&sum.to_string()), sum);
        let product = a.product(&b);
        prop_assert_eq!(&product, &b.product(&a));
        let differ = a.is_negative() != b.is_negative();
        prop_assert_eq!(product.is_negative(), differ && !product.is_zero());
    }

    #[test]
    fn a_rounded_decimal_and_its_rest_are_the_whole(left in decimals(), places in 0_u32..40) {
        let number = Decimal::parse(&left.0).expect("a decimal");
        let (nearest, mut rest) = number.rounded(places);
        if let Some(nearest) = nearest {
            let mut twice = rest.clone().times(2);
            if twice.is_negative() {
                twice = Decimal::zero().product(&twice);
            }
            prop_assert!(twice <= Decimal::from_scaled(1, places));
            rest.add(&Decimal::from_scaled(nearest, places));
            prop_assert_eq!(rest, number);
        }
    }

    #[test]
    fn a_scaled_integer_is_shown_like_a_decimal(value: i128, scale in 0_usize..60) {
        let decimal = Decimal::from_scaled(value, scale as u32);
        prop_assert_eq!(shortest(value, scale), decimal.to_string());
    }

    #[test]
    fn a_product_divided_is_that_of_big_numbers(a: u128, b: u128, divisor in 1_u128..) {
        let (b, divisor) = (b.min(divisor), b.max(divisor));
        let (quotient, rest) = multiply_divide(a, b, divisor);
        prop_assert_eq!(BigInt::from(quotient) * divisor + rest, BigInt::from(a) * b);
        prop_assert!(rest < divisor);
    }

    #[test]
    fn both_ways_into_a_split_are_one(
        amount in 0..i128::MAX,
        weights in prop::collection::vec(0_u32..1000, 1..12),
    ) {
        let total: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
        prop_assume!(total > 0);
        let mut upto = 0;
        let cuts: Vec<i128> = weights.iter().map(|weight| {
            let before = cut(amount, upto, total);
            upto += i64::from(*weight);
            cut(amount, upto, total) - before
        }).collect();
        let wide: Vec<u128> = weights.iter().map(|weight| u128::from(*weight)).collect();
        let shares = split(amount.unsigned_abs(), &wide);
        let shares: Vec<i128> = shares.into_iter().map(|share| share as i128).collect();
        prop_assert_eq!(shares, cuts);
    }

    #[test]
    fn a_split_conserves_and_gives_nothing_for_nothing(amount: u64, weights in weights()) {
        let shares = split(u128::from(amount), &weights);
        let total: u128 = weights.iter().sum();
        let whole = if total == 0 { 0 } else { u128::from(amount) };
        prop_assert_eq!(shares.iter().sum::<u128>(), whole);
        for (weight, share) in weights.iter().zip(&shares) {
            prop_assert!(*weight > 0 || *share == 0);
            // Each share is its exact part, or a unit beside it.
            let part = multiply_divide(u128::from(amount), *weight, total.max(1)).0;
            prop_assert!(share.abs_diff(part) <= 1);
        }
    }
}
