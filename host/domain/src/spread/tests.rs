//! Shares of a day, worked out by hand.

use super::*;
use crate::code::AMOUNT_TOO_LARGE;
use crate::driver::bounds::Limit;
use crate::driver::candidates::Candidates;
use crate::driver::cost::CostDriver;
use crate::driver::facts::{Basis, DriverFilter, PluginCall, UsageQuery, Window};
use crate::driver::plugin::PluginDriver;
use crate::driver::rate_card::{Price, RateCard, UnitPrice};
use crate::driver::tiers::{Tier, TieredDriver};
use crate::driver::usage::{Unknown, UsageDriver};
use crate::money::{Money, Sum};
use crate::recipient::Target;
use crate::usage::Quantity;
use std::collections::BTreeMap;

/// Costs and usage by name, as a test gives them.
#[derive(Default)]
struct Day {
    costs: Vec<(&'static str, i128)>,
    usage: Vec<(&'static str, i128)>,
}

impl Facts for Day {
    fn currency(&self) -> &str {
        "USD"
    }
    fn team_costs(&self, _: &CostQuestion) -> BTreeMap<String, i128> {
        self.direct_costs(&DriverFilter::new(), Basis::Effective)
    }
    fn direct_costs(&self, _: &DriverFilter, _: Basis) -> BTreeMap<String, i128> {
        self.costs.iter().map(|(team, cost)| ((*team).to_owned(), *cost)).collect()
    }
    fn usage(&self, _: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>> {
        let values = |keys: &str| keys.split('/').map(str::to_owned).collect();
        Some(self.usage.iter().map(|(keys, value)| (values(keys), Quantity(*value))).collect())
    }
    fn cell(&self, table: &str, key: &[String]) -> Option<String> {
        let team = match key.join("/").as_str() {
            "shop" | "eu/shop" => "payments",
            "us/shop" => "retail",
            _ => return None,
        };
        (table == "namespaces").then(|| team.to_owned())
    }
    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        Ok(call.targets.iter().map(|target| target.team.len() as u64).collect())
    }
}

const UNIT: i128 = 1_000_000_000;

fn pool(total: i128) -> Pool {
    Pool::new(Recipient::Pool("shared/p".into()), "shared/p", Sum::from_nanos(total))
}

fn name(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Team(target) => target.team.clone(),
        Recipient::Pool(rule) => format!("pool {rule}"),
        Recipient::Unallocated => "unallocated".into(),
    }
}

/// `team amount` of each in nanos; nothing where all stays.
fn shared(spread: &Spread, total: i128, day: &Day) -> Vec<String> {
    let sharing = share(spread, &pool(total), day).unwrap_or_else(|finding| panic!("{finding}"));
    let mut shares = Vec::new();
    if let Some(sharing) = sharing {
        sharing.shares.split(Sum::from_nanos(total), |at, part| {
            shares.push(format!("{} {}", name(&sharing.recipients[at]), part.nanos()))
        });
    }
    shares
}

fn by_cost() -> Spread {
    Spread::new(Driver::Cost(CostDriver {
        among: Candidates::AllTeams,
        costs: CostQuestion::direct(DriverFilter::new()),
    }))
}

fn usage() -> UsageDriver {
    UsageDriver {
        query: UsageQuery {
            metric: "m".into(),
            filter: DriverFilter::new(),
            key: vec!["team".into()],
            window: Window::DAY,
        },
        among: Candidates::AllTeams,
        recipients: BTreeMap::new(),
        table: None,
        unknown: Unknown::To(Recipient::Unallocated),
    }
}

fn fixed(weights: &[(&str, u64)]) -> Spread {
    Spread::fixed(weights.iter().map(|(team, weight)| (Recipient::team(*team), *weight)).collect())
}

#[test]
fn a_negative_weight_is_zero_or_kept_or_stops_it() {
    let day = Day { costs: vec![("a", 100), ("b", -20)], ..Day::default() };
    let with = |when_negative| Spread { when_negative, ..by_cost() };
    assert_eq!(shared(&with(WhenNegative::Zero), 100, &day), ["a 100", "b 0"]);
    assert_eq!(shared(&with(WhenNegative::Keep), 100, &day), ["a 125", "b -25"]);
    assert_eq!(shared(&with(WhenNegative::Stay), 100, &day), Vec::<String>::new());
    // A refund is the exact negative of the cost.
    assert_eq!(shared(&with(WhenNegative::Zero), -100, &day), ["a -100", "b 0"]);
    assert_eq!(shared(&with(WhenNegative::Keep), -100, &day), ["a -125", "b 25"]);
}

#[test]
fn weights_that_add_up_to_nothing_follow_the_declared_policy() {
    let cancelling = Day { costs: vec![("a", 10), ("b", -10)], ..Day::default() };
    assert_eq!(shared(&by_cost(), 100, &cancelling), ["a 100", "b 0"]);
    let keep = |when_zero| Spread { when_negative: WhenNegative::Keep, when_zero, ..by_cost() };
    assert_eq!(shared(&keep(WhenZero::Stay), 100, &cancelling), Vec::<String>::new());
    assert_eq!(shared(&keep(WhenZero::Even), 101, &cancelling), ["a 50", "b 51"]);
    assert_eq!(
        shared(&keep(WhenZero::Spread(Box::new(fixed(&[("c", 1)])))), 100, &cancelling),
        ["c 100"]
    );
    assert_eq!(shared(&by_cost(), 100, &Day::default()), Vec::<String>::new());
    let even = Spread { when_zero: WhenZero::Even, ..by_cost() };
    assert_eq!(
        shared(&even, 100, &Day::default()),
        Vec::<String>::new(),
        "nobody is there to share with"
    );
}

#[test]
fn usage_finds_its_team_by_map_by_table_or_by_itself() {
    let day =
        Day { usage: vec![("", 1), ("__idle__", 2), ("shop", 3), ("blog", 4)], ..Day::default() };
    let plain = Spread::new(Driver::Usage(usage()));
    assert_eq!(shared(&plain, 100, &day), ["__idle__ 20", "blog 40", "shop 30", "unallocated 10"]);
    let recipients =
        BTreeMap::from([("__idle__".to_owned(), Recipient::Pool("shared/idle".into()))]);
    let mapped = UsageDriver { recipients, table: Some("namespaces".into()), ..usage() };
    assert_eq!(
        shared(&Spread::new(Driver::Usage(mapped.clone())), 100, &day),
        ["payments 30", "pool shared/idle 20", "unallocated 50"]
    );
    let ignored = UsageDriver { unknown: Unknown::Ignore, ..mapped.clone() };
    assert_eq!(
        shared(&Spread::new(Driver::Usage(ignored)), 100, &day),
        ["payments 60", "pool shared/idle 40"]
    );
    let listed = UsageDriver {
        among: Candidates::Listed(vec![Target::team("payments"), Target::team("x")]),
        ..mapped
    };
    assert_eq!(shared(&Spread::new(Driver::Usage(listed)), 100, &day), ["payments 100", "x 0"]);
}

#[test]
fn usage_of_two_clusters_is_looked_up_by_both_keys() {
    let usage_of = vec![
        ("eu/shop", 10),
        ("us/shop", 20),
        ("eu/__idle__", 30),
        ("us/__idle__", 25),
        ("eu/blog", 5),
        ("/shop", 10),
    ];
    let day = Day { usage: usage_of, ..Day::default() };
    let to = |name: &str, pool: &str| (name.to_owned(), Recipient::Pool(pool.into()));
    let mut by_both = UsageDriver {
        recipients: BTreeMap::from([to("eu/__idle__", "idle/eu"), to("__idle__", "idle/rest")]),
        table: Some("namespaces".into()),
        ..usage()
    };
    by_both.query.key = vec!["cluster".into(), "namespace".into()];
    assert_eq!(
        by_both.words(),
        "m key cluster, namespace table namespaces __idle__ → the pool \
        idle/rest eu/__idle__ → the pool idle/eu"
    );
    // Nobody knows whose shop it is without its cluster.
    assert_eq!(
        shared(&Spread::new(Driver::Usage(by_both)), 100, &day),
        ["payments 10", "retail 20", "pool idle/eu 30", "pool idle/rest 25", "unallocated 15"]
    );
}

#[test]
fn a_rate_card_charges_the_price_and_the_rest_is_the_remainders() {
    let day = Day { usage: vec![("a", 1500 * UNIT), ("b", UNIT / 2)], ..Day::default() };
    let price =
        |upto: Option<i128>, price| Price { upto: upto.map(Quantity), price: UnitPrice(price) };
    // 0.01 for the first thousand, then 0.005: a pays 10 + 2.50, b half a cent.
    let prices = vec![price(Some(1000 * UNIT), 10_i128.pow(16)), price(None, 5 * 10_i128.pow(15))];
    let card = Spread::new(Driver::RateCard(RateCard {
        usage: usage(),
        prices,
        remainder: Recipient::team("platform"),
        currency: None,
    }));
    assert_eq!(
        shared(&card, 100 * UNIT, &day),
        ["a 12500000000", "b 5000000", "platform 87495000000"]
    );
    assert_eq!(
        shared(&card, 10 * UNIT, &day),
        ["a 12500000000", "b 5000000", "platform -2505000000"]
    );
    assert_eq!(shared(&card, -UNIT, &day), ["a 12500000000", "b 5000000", "platform -13505000000"]);
    assert_eq!(shared(&card, 0, &day), Vec::<String>::new());
}

/// A unit of usage costs one.
fn card_at_one() -> Spread {
    Spread::new(Driver::RateCard(RateCard {
        usage: usage(),
        prices: vec![Price { upto: None, price: UnitPrice(10_i128.pow(18)) }],
        remainder: Recipient::team("platform"),
        currency: None,
    }))
}

#[test]
fn a_price_is_met_as_far_as_the_ledger_can_hold_it() {
    let used = |units: &[(&'static str, i128)]| Day { usage: units.to_vec(), ..Day::default() };
    let hundred = 100 * UNIT;
    let card = card_at_one();
    assert_eq!(
        shared(&card, hundred, &used(&[("a", 10_i128.pow(10) * UNIT)])),
        ["a 10000000000000000000", "platform -9999999900000000000"]
    );
    let most = 922_337_203_685_477_580_700;
    assert_eq!(
        shared(&card, hundred, &used(&[("a", most)])),
        ["a 922337203685477580700", "platform -922337203585477580700"]
    );
    // 20 · 10⁹ and seven nanos. Weights of 63 bits are tenths of these amounts, without the
    // seven nanos: a gets 3/4 of all, and so five of them.
    assert_eq!(
        shared(&card, 20 * 10_i128.pow(18) + 7, &used(&[("a", 15 * 10_i128.pow(18))])),
        ["a 15000000000000000005", "platform 5000000000000000002"]
    );
}

#[test]
fn an_amount_that_the_ledger_cannot_hold_is_refused_with_its_figures() {
    let ledger = "and the ledger holds at most 922337203685.4775807";
    let exactly = "and the ledger holds such shares exactly up to 9223372036.854775807";
    let huge = 10_i128.pow(19) * UNIT;
    let beyond = format!(
        "shared/p charges a 10000000000000000000 for 10000000000000000000 of m at 1, {ledger}"
    );
    let tiered = Spread::new(Driver::Tiers(TieredDriver {
        tiers: vec![Tier { upto: None, spread: card_at_one() }],
    }));
    for (spread, total, usage, expect) in [
        (card_at_one(), 100 * UNIT, vec![("a", huge)], beyond.clone()),
        (tiered, 100 * UNIT, vec![("a", huge)], beyond),
        (
            card_at_one(),
            100 * UNIT,
            vec![("a", 922_337_203_685_477_580_701)],
            format!(
                "shared/p charges a 922337203685.477580701 for 922337203685.477580701 of m at \
                 1, {ledger}"
            ),
        ),
        (
            card_at_one(),
            100 * UNIT,
            vec![("a", 900 * 10_i128.pow(18)), ("b", 900 * 10_i128.pow(18))],
            format!(
                "shared/p prices m at 1, which leaves -1799999999900 of 100 to platform, \
                 {ledger}"
            ),
        ),
        (
            card_at_one(),
            100_123_456_789,
            vec![("a", 10_i128.pow(19))],
            format!(
                "shared/p shares 100.123456789 in amounts of both signs up to 10000000000, \
                 {exactly}"
            ),
        ),
    ] {
        let day = Day { usage, ..Day::default() };
        let refused = share(&spread, &pool(total), &day).map_err(|refusal| {
            assert!(refusal.hint.is_some(), "{refusal}");
            (refusal.code, refusal.message)
        });
        assert_eq!(refused, Err((AMOUNT_TOO_LARGE, expect)));
    }
}

#[test]
fn tiers_share_slice_by_slice_a_refund_too() {
    let tier = |upto: Option<i64>, spread| Tier { upto: upto.map(Money::from_nanos), spread };
    let tiers = vec![
        tier(Some(60), fixed(&[("a", 1), ("b", 1)])),
        tier(Some(80), by_cost()),
        tier(None, fixed(&[("b", 1)])),
    ];
    let tiered = Spread::new(Driver::Tiers(TieredDriver { tiers }));
    assert_eq!(shared(&tiered, 100, &Day::default()), ["a 30", "b 50", "pool shared/p 20"]);
    assert_eq!(shared(&tiered, -100, &Day::default()), ["a -30", "b -50", "pool shared/p -20"]);
    assert_eq!(shared(&tiered, 10, &Day::default()), ["a 5", "b 5"]);
}

#[test]
fn bounds_hold_and_the_others_share_the_rest() {
    let bound = |team: &str, at_least: Option<i64>, at_most: Option<i64>| Bound {
        recipient: Recipient::team(team),
        at_least: at_least.map(|nanos| Limit::Amount(Money::from_nanos(nanos))),
        at_most: at_most.map(|nanos| Limit::Amount(Money::from_nanos(nanos))),
    };
    let with = |bounds: Vec<Bound>| Spread { bounds, ..fixed(&[("a", 50), ("b", 30), ("c", 20)]) };
    assert_eq!(
        shared(&with(vec![bound("a", None, Some(20))]), 100, &Day::default()),
        ["a 20", "b 48", "c 32"]
    );
    assert_eq!(
        shared(&with(vec![bound("c", Some(60), None)]), 100, &Day::default()),
        ["a 25", "b 15", "c 60"]
    );
    assert_eq!(
        shared(
            &with(vec![bound("a", None, Some(20)), bound("c", Some(60), None)]),
            100,
            &Day::default()
        ),
        ["a 20", "b 20", "c 60"]
    );
    assert_eq!(
        shared(&with(vec![bound("d", Some(10), None)]), 100, &Day::default()),
        ["a 45", "b 27", "c 18", "d 10"]
    );
    let all_capped = with(["a", "b", "c"].map(|team| bound(team, None, Some(20))).to_vec());
    assert_eq!(
        shared(&all_capped, 100, &Day::default()),
        ["a 20", "b 20", "c 20", "pool shared/p 40"]
    );
    let too_much = with(vec![bound("a", Some(100), None), bound("b", Some(300), None)]);
    assert_eq!(shared(&too_much, 100, &Day::default()), ["a 25", "b 75", "c 0"]);
    assert_eq!(
        shared(&with(vec![bound("a", None, Some(20))]), -100, &Day::default()),
        ["a -20", "b -48", "c -32"]
    );
    let parts = Bound { at_most: Some(Limit::Part(400_000)), ..bound("a", None, None) };
    assert_eq!(shared(&with(vec![parts]), 100, &Day::default()), ["a 40", "b 36", "c 24"]);
}

#[test]
fn a_plugin_weighs_and_the_host_splits() {
    let day = Day { costs: vec![("aa", 1), ("b", 1)], ..Day::default() };
    let by = Driver::Plugin(PluginDriver {
        plugin: "by-length".into(),
        config: "{}".into(),
        among: Candidates::AllTeams,
        metrics: Vec::new(),
    });
    assert_eq!(shared(&Spread::new(by), 100, &day), ["aa 66", "b 34"]);
}
