//! Laws of the domain as properties: each holds for every input that can be drawn.

use domain::account::Account;
use domain::decimal::{self, Exact};
use domain::entry::{Entry, EntryKind, Posting};
use domain::money::{Currency, Money, Sum};
use domain::period::Day;
use domain::run::Fingerprint;
use domain::split::{AllZero, Shares};
use proptest::prelude::*;

fn weights() -> impl Strategy<Value = Vec<i128>> {
    let weight = prop_oneof![Just(0_i128), -100_i128..100, 1_i128..i128::from(u64::MAX), Just(i128::MAX / 4)];
    prop::collection::vec(weight, 1..12)
}

proptest! {
    #[test]
    fn a_split_conserves_any_amount_under_any_weights(amount: i64, weights in weights()) {
        match Shares::new(&weights) {
            Err(AllZero) => prop_assert!(weights.iter().all(|weight| *weight <= 0)),
            Ok(shares) => {
                let mut total = Sum::ZERO;
                shares.split(Money::from_nanos(amount), |target, share| {
                    total += Sum::from(share);
                    assert!(weights[target] > 0 || share == Money::ZERO, "a weight of {} got {share}", weights[target]);
                    assert!(share == Money::ZERO || (share.nanos() < 0) == (amount < 0), "{share} of {amount}");
                });
                prop_assert_eq!(total, Sum::from(Money::from_nanos(amount)));
            }
        }
    }

    #[test]
    fn a_split_is_the_truncated_cumulative_share(amount: i64, weights in prop::collection::vec(0_i128..1_000_000, 1..8)) {
        let total: i128 = weights.iter().sum();
        prop_assume!(total > 0);
        let mut cumulative = 0;
        let expected: Vec<i64> = weights.iter().map(|weight| {
            let before = i128::from(amount) * cumulative / total;
            cumulative += weight;
            (i128::from(amount) * cumulative / total - before) as i64
        }).collect();
        let mut got = Vec::new();
        Shares::new(&weights).unwrap().split(Money::from_nanos(amount), |_, share| got.push(share.nanos()));
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn a_negative_amount_splits_into_the_exact_negatives(amount in 0..=i64::MAX, weights in weights()) {
        if let Ok(shares) = Shares::new(&weights) {
            let mut positive = Vec::new();
            shares.split(Money::from_nanos(amount), |_, share| positive.push(-share.nanos()));
            let mut negative = Vec::new();
            shares.split(Money::from_nanos(-amount), |_, share| negative.push(share.nanos()));
            prop_assert_eq!(positive, negative);
        }
    }

    #[test]
    fn an_amount_is_rounded_value_plus_rest(sign in "[-+]?", whole in "[0-9]{1,9}", fraction in "[0-9]{0,60}", exponent in -5_i32..0) {
        let text = format!("{sign}{whole}.{fraction}E{exponent}");
        let parsed = decimal::parse(text.as_bytes()).unwrap();
        let mut sum = Exact::default();
        sum.add_nanos(i128::from(parsed.nanos));
        sum.add_rest(&parsed.rest);
        prop_assert_eq!(sum.to_string(), text.parse::<Exact>().unwrap().to_string());
        let mut rest = Exact::default();
        rest.add_rest(&parsed.rest);
        prop_assert!(rest.rounded_nanos().abs() <= 1);
    }

    #[test]
    fn the_fast_and_the_general_reader_agree(text in "-?[0-9]{1,9}(\\.[0-9]{1,18})?") {
        let fast = decimal::parse(text.as_bytes()).unwrap();
        let general = decimal::parse(format!("{text}E0").as_bytes()).unwrap();
        prop_assert_eq!(fast, general);
    }

    #[test]
    fn only_balanced_entries_exist_and_reversals_cancel_them(amounts in prop::collection::vec(-1_000_000_i64..1_000_000, 2..20), slip in -1_i64..=1) {
        let total: i64 = amounts.iter().sum();
        let posting = |account: Account, amount: i64| Posting { account, target: None, rule: None, service_name: None, amount: Money::from_nanos(amount) };
        let mut postings: Vec<Posting> = amounts.iter().enumerate().map(|(at, amount)| posting(Account::Team(format!("team-{at}")), *amount)).collect();
        postings.push(posting(Account::Provider("aws".into()), -total + slip));
        let entry = Entry::new(EntryKind::Collection, "aws", Day::from_epoch(20_000), Currency::parse(b"USD").unwrap(), postings);
        if slip != 0 {
            prop_assert!(entry.is_err());
        } else if let Ok(entry) = entry {
            let reversal = entry.reversal();
            let both: Sum = entry.postings().iter().chain(reversal.postings()).filter(|posting| posting.account == entry.postings()[0].account).map(|posting| Sum::from(posting.amount)).sum();
            prop_assert_eq!(both, Sum::ZERO);
        }
    }

    #[test]
    fn the_order_of_charges_is_irrelevant_to_the_fingerprint(mut charges in prop::collection::vec((any::<u128>(), any::<i64>(), any::<i64>()), 0..20), change in any::<i64>()) {
        let fingerprint = |charges: &[(u128, i64, i64)]| {
            let mut fingerprint = Fingerprint::default();
            charges.iter().for_each(|(resource, billed, effective)| fingerprint.add(*resource, *billed, *effective));
            fingerprint
        };
        let before = fingerprint(&charges);
        charges.reverse();
        prop_assert_eq!(fingerprint(&charges), before);
        if let Some(charge) = charges.first_mut() && change != 0 {
            charge.1 = charge.1.wrapping_add(change);
            prop_assert_ne!(fingerprint(&charges), before);
        }
    }
}
