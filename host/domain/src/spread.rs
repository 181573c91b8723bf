//! From a rule's spread and the facts of a day to exact shares. A pure function: who asks brings the facts.
//!
//! Weights are whole numbers of any size. Where the pool's total decides (tiers, prices, bounds), the weights are the
//! amounts themselves: they add up to the total, so each recipient gets exactly its amount.

use crate::decision::{
    Basis, Bound, Candidates, Driver, DriverFilter, Limit, Price, Recipient, Spread, Target, Tier,
    Unknown, UsageDriver,
};
use crate::decision::{WhenNegative, WhenZero};
use crate::diagnostic::Diagnostic;
use crate::money::Sum;
use crate::split::Shares;
use crate::usage::Quantity;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What is being shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where it stands; what is not shared stays there.
    pub stands: Recipient,
    pub rule: String,
    /// Of the day, over all sources.
    pub total: Sum,
}

/// What a spread can ask of a day.
pub trait Facts {
    /// Direct cost by team, in nanos.
    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> BTreeMap<String, i128>;
    /// Usage of the window by the value of the driver's key; under the empty text what lacks the key.
    fn usage(&self, driver: &UsageDriver) -> BTreeMap<String, Quantity>;
    /// Whether a team that usage names can be charged.
    fn knows_team(&self, _team: &str) -> bool {
        true
    }
    /// The first cell behind a key of a lookup table.
    fn cell(&self, table: &str, key: &str) -> Option<String>;
    /// One weight for each target, from an allocator plugin.
    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic>;
}

/// One question to an allocator plugin.
#[derive(Debug)]
pub struct PluginCall<'a> {
    pub plugin: &'a str,
    pub config: &'a str,
    pub pool: &'a Pool,
    pub targets: &'a [Target],
    pub metrics: &'a [String],
}

/// Recipients in a fixed order, and their shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub recipients: Vec<Recipient>,
    pub shares: Shares,
}

impl Sharing {
    /// Those that get more than nothing.
    pub fn takers(&self) -> Vec<Recipient> {
        self.recipients
            .iter()
            .zip(self.shares.weights())
            .filter(|(_, weight)| *weight != 0)
            .map(|(recipient, _)| recipient.clone())
            .collect()
    }
}

type Weighted = Vec<(Recipient, i128)>;

/// How the pool is shared; nothing where it stays as it is, by the rule's declared policy.
pub fn share(
    spread: &Spread,
    pool: &Pool,
    facts: &dyn Facts,
) -> Result<Option<Sharing>, Diagnostic> {
    let base = base(&spread.by, pool, facts)?;
    let weights = match base {
        Base::Amounts(amounts) => Some(amounts),
        Base::Weights(weights) => match policed(weights, spread) {
            Policed::Shared(weights) if spread.bounds.is_empty() => Some(weights),
            Policed::Shared(weights) => Some(bounded(weights, &spread.bounds, pool)),
            Policed::Stay => None,
            Policed::Zero(weights) => match &spread.when_zero {
                WhenZero::Stay => None,
                WhenZero::Even => {
                    Some(weights.into_iter().map(|(recipient, _)| (recipient, 1)).collect())
                }
                WhenZero::Spread(fallback) => return share(fallback, pool, facts),
            },
        },
    };
    let Some(weights) = weights else { return Ok(None) };
    let (recipients, weights): (Vec<Recipient>, Vec<i128>) = weights.into_iter().unzip();
    Ok(Shares::signed(&weights).ok().map(|shares| Sharing { recipients, shares }))
}

/// All that may get a share today, whatever the pool's total is.
pub fn recipients(
    spread: &Spread,
    pool: &Pool,
    facts: &dyn Facts,
) -> Result<Vec<Recipient>, Diagnostic> {
    let teams = |among: &Candidates| {
        let direct = facts.direct_costs(&DriverFilter::new(), Basis::Effective);
        targets(among, direct.keys(), pool).into_iter().map(Recipient::Team).collect::<Vec<_>>()
    };
    let mut all: Vec<Recipient> = match &spread.by {
        Driver::Fixed(weights) => weights.iter().map(|(recipient, _)| recipient.clone()).collect(),
        Driver::Cost { among, .. } | Driver::Plugin { among, .. } => teams(among),
        Driver::Usage(usage) => {
            used(usage, facts).into_iter().map(|(recipient, _)| recipient).collect()
        }
        Driver::RateCard { usage, remainder, .. } => used(usage, facts)
            .into_iter()
            .map(|(recipient, _)| recipient)
            .chain([remainder.clone()])
            .collect(),
        Driver::Tiers(tiers) => {
            let parts = tiers
                .iter()
                .map(|tier| recipients(&tier.spread, pool, facts))
                .collect::<Result<Vec<_>, _>>()?;
            parts.into_iter().flatten().collect()
        }
    };
    if let WhenZero::Spread(fallback) = &spread.when_zero {
        all.extend(recipients(fallback, pool, facts)?);
    }
    all.extend(spread.bounds.iter().map(|bound| bound.recipient.clone()));
    Ok(all)
}

enum Base {
    Weights(Weighted),
    /// They add up to the pool's total.
    Amounts(Weighted),
}

fn base(driver: &Driver, pool: &Pool, facts: &dyn Facts) -> Result<Base, Diagnostic> {
    Ok(match driver {
        Driver::Fixed(weights) => Base::Weights(
            weights
                .iter()
                .map(|(recipient, weight)| (recipient.clone(), i128::from(*weight)))
                .collect(),
        ),
        Driver::Cost { among, filter, basis } => {
            let direct = facts.direct_costs(filter, *basis);
            let targets = targets(among, direct.keys(), pool);
            let weight = |target: Target| {
                let cost = direct.get(&target.team).copied().unwrap_or(0);
                (Recipient::Team(target), cost)
            };
            Base::Weights(targets.into_iter().map(weight).collect())
        }
        Driver::Usage(usage) => Base::Weights(
            used(usage, facts)
                .into_iter()
                .map(|(recipient, quantity)| (recipient, quantity.0))
                .collect(),
        ),
        Driver::Tiers(tiers) => Base::Amounts(tiered(tiers, pool, facts)?),
        Driver::RateCard { usage, prices, remainder } => {
            Base::Amounts(priced(usage, prices, remainder, pool, facts))
        }
        Driver::Plugin { plugin, config, among, metrics } => {
            let direct = facts.direct_costs(&DriverFilter::new(), Basis::Effective);
            let targets = targets(among, direct.keys(), pool);
            let weights =
                facts.plugin(&PluginCall { plugin, config, pool, targets: &targets, metrics })?;
            Base::Weights(
                targets
                    .into_iter()
                    .map(Recipient::Team)
                    .zip(weights.into_iter().map(i128::from))
                    .collect(),
            )
        }
    })
}

/// A team does not share its own cost with itself, unless the rule lists it.
fn targets<'a>(
    among: &Candidates,
    known: impl Iterator<Item = &'a String>,
    pool: &Pool,
) -> Vec<Target> {
    match among {
        Candidates::Listed(targets) => targets.clone(),
        Candidates::AllTeams => known
            .map(|team| Target::team(team.as_str()))
            .filter(|target| !is_own(pool, target))
            .collect(),
    }
}

fn is_own(pool: &Pool, target: &Target) -> bool {
    matches!(&pool.stands, Recipient::Team(own) if own.team == target.team)
}

enum Policed {
    Shared(Weighted),
    Zero(Weighted),
    Stay,
}

fn policed(mut weights: Weighted, spread: &Spread) -> Policed {
    let is_negative = |(_, weight): &(Recipient, i128)| *weight < 0;
    match spread.when_negative {
        WhenNegative::Stay if weights.iter().any(is_negative) => return Policed::Stay,
        WhenNegative::Stay | WhenNegative::Zero => {
            weights.iter_mut().for_each(|(_, weight)| *weight = (*weight).max(0))
        }
        WhenNegative::Keep => {}
    }
    let total = weights.iter().fold(0_i128, |total, (_, weight)| total.saturating_add(*weight));
    if total > 0 { Policed::Shared(weights) } else { Policed::Zero(weights) }
}

/// Usage by recipient, in a fixed order.
fn used(driver: &UsageDriver, facts: &dyn Facts) -> Vec<(Recipient, Quantity)> {
    let mut by_recipient: BTreeMap<Recipient, Quantity> = BTreeMap::new();
    for (value, quantity) in facts.usage(driver) {
        if let Some(recipient) = recipient(driver, &value, facts) {
            let sum = by_recipient.entry(recipient).or_default();
            sum.0 = sum.0.saturating_add(quantity.0);
        }
    }
    match &driver.among {
        Candidates::AllTeams => by_recipient.into_iter().collect(),
        Candidates::Listed(targets) => {
            let of_team = |target: &Target| {
                let quantities =
                    by_recipient.iter().filter(|(recipient, _)| matches!(recipient, Recipient::Team(known) if known.team == target.team));
                Quantity(
                    quantities.fold(0_i128, |sum, (_, quantity)| sum.saturating_add(quantity.0)),
                )
            };
            targets
                .iter()
                .map(|target| (Recipient::Team(target.clone()), of_team(target)))
                .collect()
        }
    }
}

fn recipient(driver: &UsageDriver, value: &str, facts: &dyn Facts) -> Option<Recipient> {
    let named = match (driver.recipients.get(value), &driver.table) {
        _ if value.is_empty() => None,
        (Some(recipient), _) => Some(recipient.clone()),
        (None, Some(table)) => facts.cell(table, value).map(Recipient::team),
        (None, None) => Some(Recipient::team(value)),
    };
    let is_known = |recipient: &Recipient| {
        recipient.target().is_none_or(|target| facts.knows_team(&target.team))
    };
    named.filter(is_known).or_else(|| match &driver.unknown {
        Unknown::To(recipient) => Some(recipient.clone()),
        Unknown::Ignore => None,
    })
}

fn add(amounts: &mut Weighted, recipient: &Recipient, amount: i128) {
    match amounts.iter_mut().find(|(known, _)| known == recipient) {
        Some((_, sum)) => *sum += amount,
        None => amounts.push((recipient.clone(), amount)),
    }
}

/// Each slice of the total is shared by its tier. A refund goes through the tiers as the cost would have.
fn tiered(tiers: &[Tier], pool: &Pool, facts: &dyn Facts) -> Result<Weighted, Diagnostic> {
    let (size, sign) = (pool.total.nanos().abs(), pool.total.nanos().signum());
    let mut amounts = Weighted::new();
    let mut from = 0;
    for tier in tiers {
        let upto = tier.upto.map_or(size, |upto| i128::from(upto.nanos()).min(size)).max(from);
        let slice = Pool { total: Sum::from_nanos((upto - from) * sign), ..pool.clone() };
        from = upto;
        if slice.total.is_zero() {
            continue;
        }
        match share(&tier.spread, &slice, facts)? {
            Some(sharing) => sharing.shares.split(slice.total, |target, share| {
                add(&mut amounts, &sharing.recipients[target], share.nanos())
            }),
            None => add(&mut amounts, &pool.stands, slice.total.nanos()),
        }
    }
    if from < size {
        add(&mut amounts, &pool.stands, (size - from) * sign);
    }
    Ok(amounts)
}

/// Each recipient's usage at the price of its tier; the rest of the pool, which may be negative, to `remainder`.
fn priced(
    driver: &UsageDriver,
    prices: &[Price],
    remainder: &Recipient,
    pool: &Pool,
    facts: &dyn Facts,
) -> Weighted {
    let mut amounts = Weighted::new();
    let mut rest = pool.total.nanos();
    for (recipient, quantity) in used(driver, facts) {
        let amount = price_of(quantity, prices);
        rest -= amount;
        add(&mut amounts, &recipient, amount);
    }
    add(&mut amounts, remainder, rest);
    amounts
}

/// In nanos, rounded half-even.
fn price_of(quantity: Quantity, prices: &[Price]) -> i128 {
    let mut from = 0;
    let mut amount = BigInt::ZERO;
    for price in prices {
        let upto = price.upto.map_or(quantity.0, |upto| upto.0.min(quantity.0)).max(from);
        amount += BigInt::from(upto - from) * price.price.0;
        from = upto;
    }
    // Billionths of a unit times 10⁻¹⁸ of a currency.
    divided_half_even(&amount, &BigInt::from(10_u64.pow(18)))
}

fn divided_half_even(amount: &BigInt, unit: &BigInt) -> i128 {
    let (size, negative) = (
        BigInt::from_biguint(Sign::Plus, amount.magnitude().clone()),
        amount.sign() == Sign::Minus,
    );
    let (quotient, rest) = (&size / unit, &size % unit);
    let quotient = i128::try_from(quotient).unwrap_or(i128::MAX / 2);
    let doubled: BigInt = rest * 2;
    let up = match doubled.cmp(unit) {
        Ordering::Less => 0,
        Ordering::Equal => quotient & 1,
        Ordering::Greater => 1,
    };
    if negative { -(quotient + up) } else { quotient + up }
}

/// One recipient's place between its bounds.
struct Held {
    recipient: Recipient,
    weight: i128,
    floor: i128,
    cap: i128,
    amount: Option<i128>,
}

/// Shares by weight, then holds those that are out of bounds to them and shares the rest anew, until all are within.
/// What all caps together leave over stays in the pool; floors beyond the total are paid in proportion.
fn bounded(weights: Weighted, bounds: &[Bound], pool: &Pool) -> Weighted {
    let (size, sign) = (pool.total.nanos().abs(), pool.total.nanos().signum());
    let mut held: Vec<Held> = weights
        .into_iter()
        .map(|(recipient, weight)| Held {
            recipient,
            weight: weight.max(0),
            floor: 0,
            cap: size,
            amount: None,
        })
        .collect();
    for bound in bounds {
        if !held.iter().any(|held| held.recipient == bound.recipient) {
            held.push(Held {
                recipient: bound.recipient.clone(),
                weight: 0,
                floor: 0,
                cap: size,
                amount: None,
            });
        }
        for held in held.iter_mut().filter(|held| held.recipient == bound.recipient) {
            held.floor = bound.at_least.map_or(0, |limit| limit_of(limit, size));
            held.cap = bound.at_most.map_or(size, |limit| limit_of(limit, size)).max(held.floor);
        }
    }
    let floors: i128 = held.iter().map(|held| held.floor).sum();
    if floors > size {
        held.iter_mut().for_each(|held| held.weight = held.floor);
        return held.into_iter().map(|held| (held.recipient, held.weight * sign)).collect();
    }
    while held.iter().any(|held| held.amount.is_none()) {
        settle_a_round(&mut held, size);
    }
    let given: i128 = held.iter().filter_map(|held| held.amount).sum();
    let mut amounts: Weighted =
        held.into_iter().map(|held| (held.recipient, held.amount.unwrap_or(0) * sign)).collect();
    if given < size {
        add(&mut amounts, &pool.stands, (size - given) * sign);
    }
    amounts
}

/// Either the floors or the caps are too much for this round's shares: those on the heavier side are settled.
fn settle_a_round(held: &mut [Held], size: i128) {
    let settled: i128 = held.iter().filter_map(|held| held.amount).sum();
    let weights: Vec<i128> =
        held.iter().map(|held| if held.amount.is_none() { held.weight } else { 0 }).collect();
    let mut shares = vec![0; held.len()];
    if let Ok(by_weight) = Shares::new(&weights) {
        by_weight
            .split(Sum::from_nanos(size - settled), |target, share| shares[target] = share.nanos());
    }
    let open = held.iter().zip(&shares).filter(|(held, _)| held.amount.is_none());
    let excess: i128 = open.map(|(held, share)| (*share).clamp(held.floor, held.cap) - share).sum();
    for (held, share) in held.iter_mut().zip(&shares).filter(|(held, _)| held.amount.is_none()) {
        let within = (*share).clamp(held.floor, held.cap);
        if excess == 0 || (excess > 0 && within > *share) || (excess < 0 && within < *share) {
            held.amount = Some(within);
        }
    }
}

fn limit_of(limit: Limit, size: i128) -> i128 {
    match limit {
        Limit::Amount(amount) => i128::from(amount.nanos()).max(0),
        Limit::Part(millionths) => size * i128::from(millionths) / 1_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Tier, UnitPrice, Window};
    use crate::money::Money;

    /// Costs and usage by name, as a test gives them.
    #[derive(Default)]
    struct Day {
        costs: Vec<(&'static str, i128)>,
        usage: Vec<(&'static str, i128)>,
    }

    impl Facts for Day {
        fn direct_costs(&self, _: &DriverFilter, _: Basis) -> BTreeMap<String, i128> {
            self.costs.iter().map(|(team, cost)| ((*team).to_owned(), *cost)).collect()
        }
        fn usage(&self, _: &UsageDriver) -> BTreeMap<String, Quantity> {
            self.usage.iter().map(|(key, value)| ((*key).to_owned(), Quantity(*value))).collect()
        }
        fn cell(&self, table: &str, key: &str) -> Option<String> {
            (table == "namespaces" && key == "shop").then(|| "payments".to_owned())
        }
        fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
            Ok(call.targets.iter().map(|target| target.team.len() as u64).collect())
        }
    }

    const UNIT: i128 = 1_000_000_000;

    fn pool(total: i128) -> Pool {
        Pool {
            stands: Recipient::Pool("shared/p".into()),
            rule: "shared/p".into(),
            total: Sum::from_nanos(total),
        }
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
        let sharing =
            share(spread, &pool(total), day).unwrap_or_else(|finding| panic!("{finding}"));
        let mut shares = Vec::new();
        if let Some(sharing) = sharing {
            sharing.shares.split(Sum::from_nanos(total), |at, part| {
                shares.push(format!("{} {}", name(&sharing.recipients[at]), part.nanos()))
            });
        }
        shares
    }

    fn by_cost() -> Spread {
        Spread::new(Driver::Cost {
            among: Candidates::AllTeams,
            filter: DriverFilter::new(),
            basis: Basis::Effective,
        })
    }

    fn usage() -> UsageDriver {
        UsageDriver {
            metric: "m".into(),
            filter: DriverFilter::new(),
            key: "team".into(),
            among: Candidates::AllTeams,
            recipients: BTreeMap::new(),
            table: None,
            unknown: Unknown::To(Recipient::Unallocated),
            window: Window::Days(1),
        }
    }

    fn fixed(weights: &[(&str, u64)]) -> Spread {
        Spread::new(Driver::Fixed(
            weights.iter().map(|(team, weight)| (Recipient::team(*team), *weight)).collect(),
        ))
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
        let day = Day {
            usage: vec![("", 1), ("__idle__", 2), ("shop", 3), ("blog", 4)],
            ..Day::default()
        };
        let plain = Spread::new(Driver::Usage(usage()));
        assert_eq!(
            shared(&plain, 100, &day),
            ["__idle__ 20", "blog 40", "shop 30", "unallocated 10"]
        );
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
    fn a_rate_card_charges_the_price_and_the_rest_is_the_remainders() {
        let day = Day { usage: vec![("a", 1500 * UNIT), ("b", UNIT / 2)], ..Day::default() };
        let price =
            |upto: Option<i128>, price| Price { upto: upto.map(Quantity), price: UnitPrice(price) };
        // 0.01 for the first thousand, then 0.005: a pays 10 + 2.50, b half a cent.
        let prices =
            vec![price(Some(1000 * UNIT), 10_i128.pow(16)), price(None, 5 * 10_i128.pow(15))];
        let card = Spread::new(Driver::RateCard {
            usage: usage(),
            prices,
            remainder: Recipient::team("platform"),
        });
        assert_eq!(
            shared(&card, 100 * UNIT, &day),
            ["a 12500000000", "b 5000000", "platform 87495000000"]
        );
        assert_eq!(
            shared(&card, 10 * UNIT, &day),
            ["a 12500000000", "b 5000000", "platform -2505000000"]
        );
        assert_eq!(
            shared(&card, -UNIT, &day),
            ["a 12500000000", "b 5000000", "platform -13505000000"]
        );
        assert_eq!(shared(&card, 0, &day), Vec::<String>::new());
        assert_eq!(
            price_of(Quantity(1), &[price(None, 5 * 10_i128.pow(17))]),
            0,
            "half a nano goes to the even neighbour"
        );
        assert_eq!(price_of(Quantity(3), &[price(None, 5 * 10_i128.pow(17))]), 2);
        assert_eq!(
            price_of(Quantity(10_i128.pow(27)), &[price(None, 10_i128.pow(18))]),
            10_i128.pow(27),
            "beyond 128 bits on the way"
        );
    }

    #[test]
    fn tiers_share_slice_by_slice_a_refund_too() {
        let tier = |upto: Option<i64>, spread| Tier { upto: upto.map(Money::from_nanos), spread };
        let tiers = vec![
            tier(Some(60), fixed(&[("a", 1), ("b", 1)])),
            tier(Some(80), by_cost()),
            tier(None, fixed(&[("b", 1)])),
        ];
        let tiered = Spread::new(Driver::Tiers(tiers));
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
        let with =
            |bounds: Vec<Bound>| Spread { bounds, ..fixed(&[("a", 50), ("b", 30), ("c", 20)]) };
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
        let by = Driver::Plugin {
            plugin: "by-length".into(),
            config: "{}".into(),
            among: Candidates::AllTeams,
            metrics: Vec::new(),
        };
        assert_eq!(shared(&Spread::new(by), 100, &day), ["aa 66", "b 34"]);
    }
}
