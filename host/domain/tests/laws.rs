//! Laws of the domain as properties: each holds for every input that can be drawn.

use domain::account::Account;
use domain::decimal::{self, Exact};
use domain::diagnostic::Diagnostic;
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{
    Basis, CostQuestion, DriverFilter, Facts, PluginCall, Pool, UsageQuery, Window,
};
use domain::driver::rate_card::{Price, RateCard, UnitPrice};
use domain::driver::usage::{Unknown, UsageDriver};
use domain::entry::{Entry, EntryKind, Posting};
use domain::flow::passage::{FlowSink, Passage};
use domain::flow::queue::{Queue, Queues, WaitingAmount};
use domain::flow::station::{CHARGES, Stations};
use domain::money::{Currency, Money, Sum};
use domain::period::{DateOrder, Day, parse_instant};
use domain::recipient::Recipient;
use domain::run::Fingerprint;
use domain::sharing::Sharing;
use domain::split::{AllZero, Shares};
use domain::spread::{Spread, WhenNegative, share};
use domain::usage::Quantity;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A day of nothing but costs.
struct CostDay(BTreeMap<String, i128>);

impl Facts for CostDay {
    fn currency(&self) -> &str {
        "USD"
    }
    fn team_costs(&self, _: &CostQuestion) -> BTreeMap<String, i128> {
        self.0.clone()
    }
    fn direct_costs(&self, _: &DriverFilter, _: Basis) -> BTreeMap<String, i128> {
        self.0.clone()
    }
    fn usage(&self, _: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>> {
        None
    }
    fn cell(&self, _: &str, _: &[String]) -> Option<String> {
        None
    }
    fn plugin(&self, _: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        Ok(Vec::new())
    }
}

fn weights() -> impl Strategy<Value = Vec<i128>> {
    let weight = prop_oneof![
        Just(0_i128),
        -100_i128..100,
        1_i128..i128::from(u64::MAX),
        Just(i128::MAX / 4)
    ];
    prop::collection::vec(weight, 1..12)
}

fn sum(nanos: impl Into<i128>) -> Sum {
    Sum::from_nanos(nanos.into())
}

fn split(shares: &Shares, amount: Sum) -> Vec<i128> {
    let mut split = Vec::new();
    shares.split(amount, |_, share| split.push(share.nanos()));
    split
}

/// A day that prices usage at one for each unit, and otherwise knows nothing.
struct PricedDay(BTreeMap<String, Quantity>);

impl Facts for PricedDay {
    fn currency(&self) -> &str {
        "USD"
    }
    fn team_costs(&self, _: &CostQuestion) -> BTreeMap<String, i128> {
        BTreeMap::new()
    }
    fn direct_costs(&self, _: &DriverFilter, _: Basis) -> BTreeMap<String, i128> {
        BTreeMap::new()
    }
    fn usage(&self, _: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>> {
        Some(self.0.iter().map(|(team, used)| (vec![team.clone()], *used)).collect())
    }
    fn cell(&self, _: &str, _: &[String]) -> Option<String> {
        None
    }
    fn plugin(&self, _: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        Ok(Vec::new())
    }
}

/// A unit of usage costs one, and the rest is the platform's.
fn card_at_one() -> Spread {
    let query = UsageQuery {
        metric: "m".into(),
        filter: DriverFilter::new(),
        key: vec!["team".into()],
        window: Window::DAY,
    };
    let usage = UsageDriver {
        query,
        among: Candidates::AllTeams,
        recipients: BTreeMap::new(),
        table: None,
        unknown: Unknown::Ignore,
    };
    let prices = vec![Price { upto: None, price: UnitPrice(10_i128.pow(18)) }];
    let remainder = Recipient::team("platform");
    Spread::new(Driver::RateCard(RateCard { usage, prices, remainder, currency: None }))
}

/// Each share with the service of its part, and with its taker.
#[derive(Default)]
struct Moves(Vec<(String, usize, i128)>);

impl FlowSink<u32> for Moves {
    fn leave(&mut self, _: &WaitingAmount<'_, u32>) {}
    fn arrive(&mut self, waiting: &WaitingAmount<'_, u32>, taker: usize, share: Sum) {
        self.0.push((waiting.service.to_owned(), taker, share.nanos()));
    }
}

/// Amounts by service and taker.
type LinesByTaker = BTreeMap<(String, usize), i128>;

/// Passes amounts of services on by a spread. The amount of each service and taker.
fn passed(
    spread: &Spread,
    parts: &[(u8, i64)],
    day: &PricedDay,
) -> Option<(Sharing, LinesByTaker)> {
    let mut queue = Queue::default();
    let services: Vec<String> = (0..4).map(|number| format!("s{number}")).collect();
    let stands = Recipient::Pool("p".into());
    for (number, (service, nanos)) in (0..).zip(parts) {
        queue.push(WaitingAmount {
            from: Rc::new(stands.clone()),
            service: services[usize::from(*service)].as_str(),
            part: number,
            amount: sum(*nanos),
        });
    }
    let gross = sum(queue.gross());
    let pool = Pool { gross, ..Pool::new(stands, "p", sum(queue.total())) };
    let sharing = share(spread, &pool, day).unwrap()?;
    let mut moves = Moves::default();
    let stations = Stations::default();
    Passage::new(&sharing, CHARGES, &stations).pass(queue, &mut Queues::new(0), &mut moves);
    let mut lines = LinesByTaker::new();
    for (service, taker, nanos) in moves.0 {
        *lines.entry((service, taker)).or_default() += nanos;
    }
    lines.retain(|_, nanos| *nanos != 0);
    Some((sharing, lines))
}

proptest! {
    /// Whatever the parts of a pool add up to, the price is met to the nano, every service is
    /// passed on as a whole, and no line is larger than all parts and prices together.
    #[test]
    fn prices_are_met_whatever_the_parts_of_a_pool_cancel_out(
        parts in prop::collection::vec((0_u8..4, -10_000_000_000_i64..10_000_000_000), 1..8),
        near in any::<bool>(),
        usage in prop::collection::vec(0_i128..20_000_000_000, 1..4),
        turned in any::<prop::sample::Index>(),
    ) {
        let mut parts = parts;
        if near {
            // All but a nano is taken back.
            let total: i64 = parts.iter().map(|(_, nanos)| nanos).sum();
            parts.push((0, 1 - total));
        }
        let named = usage.iter().enumerate().map(|(at, used)| (format!("t{at}"), Quantity(*used)));
        let day = PricedDay(named.collect());
        let Some((sharing, lines)) = passed(&card_at_one(), &parts, &day) else { return Ok(()) };
        let gross: i128 = parts.iter().map(|(_, nanos)| i128::from(*nanos).abs()).sum();
        let bound = gross + 2 * usage.iter().sum::<i128>();
        for ((service, taker), nanos) in &lines {
            prop_assert!(nanos.abs() <= bound, "{} {}: {} > {}", service, taker, nanos, bound);
        }
        for service in 0_u8..4 {
            let whole: i128 = parts
                .iter()
                .filter(|(of, _)| *of == service)
                .map(|(_, nanos)| i128::from(*nanos))
                .sum();
            let name = format!("s{service}");
            let given: i128 =
                lines.iter().filter(|((of, _), _)| *of == name).map(|(_, nanos)| nanos).sum();
            prop_assert_eq!(given, whole, "{}", name);
        }
        for (taker, recipient) in sharing.recipients.iter().enumerate() {
            let Some(target) = recipient.target() else { continue };
            if let Some(used) = day.0.get(&target.team) {
                let given: i128 =
                    lines.iter().filter(|((_, to), _)| *to == taker).map(|(_, nanos)| nanos).sum();
                prop_assert_eq!(given, used.0, "{}", &target.team);
            }
        }
        let at = turned.index(parts.len());
        parts.rotate_left(at);
        prop_assert_eq!(passed(&card_at_one(), &parts, &day).map(|(_, lines)| lines), Some(lines));
    }

    /// Negative weights either give shares within the pool and all weights together, or stop.
    #[test]
    fn kept_negative_weights_never_give_more_than_there_is(
        amount in -1_000_000_000_000_i64..1_000_000_000_000,
        weights in prop::collection::vec(-1_000_000_000_i128..1_000_000_000, 2..6),
    ) {
        let day = CostDay(
            weights.iter().enumerate().map(|(at, weight)| (format!("t{at}"), *weight)).collect(),
        );
        let costs = CostQuestion::direct(DriverFilter::new());
        let driver = Driver::Cost(CostDriver { among: Candidates::AllTeams, costs });
        let spread = Spread { when_negative: WhenNegative::Keep, ..Spread::new(driver) };
        let pool = Pool::new(Recipient::Pool("p".into()), "p", sum(amount));
        if let Ok(Some(sharing)) = share(&spread, &pool, &day) {
            let bound = i128::from(amount).abs() + weights.iter().map(|it| it.abs()).sum::<i128>();
            let given = split(&sharing.shares, sum(amount));
            prop_assert_eq!(given.iter().sum::<i128>(), i128::from(amount));
            for share in given {
                // A cut can add a nano.
                prop_assert!(share.abs() <= bound + 1, "{} > {}", share, bound);
            }
        }
    }

    #[test]
    fn a_split_conserves_any_amount_under_any_weights(amount: i64, weights in weights()) {
        match Shares::new(&weights) {
            Err(AllZero) => prop_assert!(weights.iter().all(|weight| *weight <= 0)),
            Ok(shares) => {
                let split = split(&shares, sum(amount));
                for (weight, share) in weights.iter().zip(&split) {
                    prop_assert!(*weight > 0 || *share == 0, "a weight of {} got {}", weight, share);
                    prop_assert!(*share == 0 || (*share < 0) == (amount < 0), "{} of {}", share, amount);
                }
                prop_assert_eq!(split.iter().sum::<i128>(), i128::from(amount));
            }
        }
    }

    #[test]
    fn a_split_is_the_truncated_cumulative_share(amount: i64, weights in prop::collection::vec(-1_000_000_i128..1_000_000, 1..8)) {
        let total: i128 = weights.iter().sum();
        prop_assume!(total != 0);
        let mut cumulative = 0;
        let expected: Vec<i128> = weights.iter().map(|weight| {
            let before = i128::from(amount) * cumulative / total;
            cumulative += weight;
            i128::from(amount) * cumulative / total - before
        }).collect();
        prop_assert_eq!(split(&Shares::signed(&weights).unwrap(), sum(amount)), expected);
    }

    #[test]
    fn the_shares_of_parts_add_up_to_the_shares_of_the_whole(parts in prop::collection::vec(any::<i64>(), 1..10), weights in weights()) {
        if let Ok(shares) = Shares::signed(&weights) {
            let mut added = vec![0; weights.len()];
            let mut running = shares.running();
            for part in &parts {
                let mut given = 0;
                running.split(sum(*part), |target, share| {
                    added[target] += share.nanos();
                    given += share.nanos();
                });
                prop_assert_eq!(given, i128::from(*part));
            }
            prop_assert_eq!(added, split(&shares, parts.iter().map(|part| sum(*part)).sum()));
        }
    }

    #[test]
    fn a_negative_amount_splits_into_the_exact_negatives(amount in 0..=i64::MAX, weights in weights()) {
        if let Ok(shares) = Shares::signed(&weights) {
            let negated: Vec<i128> = split(&shares, sum(amount)).iter().map(|share| -share).collect();
            prop_assert_eq!(split(&shares, sum(-amount)), negated);
        }
    }

    #[test]
    fn stored_shares_come_back(weights in weights()) {
        if let Ok(shares) = Shares::signed(&weights) {
            prop_assert_eq!(Shares::cumulated(shares.cumulative().to_vec(), shares.total()), Ok(shares));
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

    /// Seconds 60 are left out: `chrono` knows them as a leap second, and the day is the same.
    #[test]
    fn the_day_of_a_point_in_time_is_that_of_chrono(
        date in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
        clock in "[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,12})?",
        zone in prop_oneof![Just("Z".to_owned()), "[-+](0[0-9]|1[0-7]):[0-5][0-9]"],
        separator in "[Tt ]",
    ) {
        let text = format!("{date}{separator}{clock}{zone}");
        let expect = chrono::DateTime::parse_from_rfc3339(&text).ok();
        let expect = expect.map(|at| Day::from(at.naive_utc().date()));
        // `chrono` has no midnight that ends a day.
        prop_assume!(!clock.starts_with("24:00:00"));
        prop_assert_eq!(parse_instant(text.as_bytes(), DateOrder::Iso).ok(), expect);
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
