//! Costs that cancel out within one rule, source and day: both parts are posted, passed on and
//! corrected, so breakdowns are the same by the day of posting and by the day of the charge.

use crate::fakes::{ByService, charges, passing, rules, source, try_run, usage_source};
use crate::fakes::{passing_by, used_by_team};
use domain::axis::Axis;
use domain::charge::RawCharge;
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostBasis, CostQuestion, DriverFilter, Window};
use domain::driver::rate_card::{Price, RateCard, UnitPrice};
use domain::field::Field;
use domain::money::Sum;
use domain::period::{Month, Period};
use domain::port::{RuleFacts, Rules, Stage};
use domain::recipient::Recipient;
use domain::spread::Spread;
use ledger::listing::EntryFilter;
use ledger::{Ledger, Reader};
use pipeline::source::{RepeatPolicy, Source};
use proptest::prelude::*;
use reports::costs::query::{CostQuery, Granularity};
use reports::costs::read::{CostTable, costs_with_rules};

/// A charge of [`charges`] with an environment and a region, where they have a name.
fn charge(line: &str, environment: &str, region: &str) -> RawCharge {
    let mut charge = charges(line).remove(0);
    charge
        .tags
        .extend((!environment.is_empty()).then(|| ("environment".into(), environment.into())));
    let region_id = Field::by_name("region_id").unwrap();
    charge.dimensions.extend((!region.is_empty()).then(|| (region_id, region.into())));
    charge
}

fn asked(
    ledger: &Reader,
    rules: &ByService,
    (axis, period): (Axis, Period),
    group_by: &[&str],
) -> CostTable {
    let rules_of =
        |_: &[RuleFacts], _: &[(String, String)]| Ok(Box::new(rules.clone()) as Box<dyn Rules>);
    let query = CostQuery {
        axis,
        period,
        granularity: Granularity::Daily,
        group_by: group_by.iter().map(|name| name.parse().unwrap()).collect(),
        filter: Vec::new(),
    };
    costs_with_rules(ledger, &query, &rules_of).unwrap()
}

/// Every breakdown by the day of posting is the one by the day of the charge, to the nano.
fn axes_agree(ledger: &Reader, rules: &ByService) {
    let dimensions = Field::default_dimensions();
    let names = dimensions.iter().map(|field| field.name());
    let named = ["team", "account", "rule", "source", "environment", "application", "cost_center"];
    let mut breakdowns: Vec<Vec<&str>> = names.chain(named).map(|name| vec![name]).collect();
    breakdowns.push(vec!["tag:team"]);
    breakdowns.push(vec!["account", "rule", "source", "tag:environment", "region_id"]);
    for group_by in breakdowns {
        let [posted, charged] = [Axis::Posting, Axis::Charge]
            .map(|axis| asked(ledger, rules, (axis, Period::all()), &group_by));
        assert_eq!(posted.rows, charged.rows, "by {group_by:?}");
    }
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

fn by_environment(ledger: &Reader, rules: &ByService, axis: Axis, month: &str) -> Vec<String> {
    let period = month.parse::<Month>().unwrap().period();
    let rows = asked(ledger, rules, (axis, period), &["team", "environment"]).rows;
    rows.iter().map(|row| format!("{} {}", row.keys.join(","), row.amount.plain())).collect()
}

fn entries(ledger: &Reader) -> Vec<String> {
    let entries = ledger.entries(&EntryFilter::of(Period::all()), None, 99).unwrap();
    let line = |stored: ledger::StoredEntry| {
        let postings = stored.entry.postings().iter();
        let postings = postings
            .map(|posting| format!("{} {}", posting.account, Sum::from(posting.amount).plain()))
            .collect::<Vec<_>>();
        let (entry, kind) = (&stored.entry, stored.entry.kind().name());
        format!("{} {kind}: {}", entry.posting_day(), postings.join(", "))
    };
    entries.into_iter().map(line).collect()
}

fn bill(amounts: &[(&str, &str, &str)]) -> Vec<Source> {
    let charge = |(line, environment, region): &(&str, &str, &str)| {
        charge(&format!("2026-03-01 {line}"), environment, region)
    };
    vec![source("aws", amounts.iter().map(charge).collect())]
}

#[test]
fn a_day_whose_costs_cancel_out_is_posted_once_and_shows_both_parts() {
    let (mut ledger, rules) = (Ledger::in_memory().unwrap(), rules());
    let charges = [("web a 30", "prod", ""), ("web a -30", "", "")];
    let report = try_run(&mut ledger, bill(&charges), &rules).unwrap();
    assert_eq!(report.entries_posted, 1);
    assert_eq!(entries(&ledger), ["2026-03-01 collection: team/a -30, team/a 30"]);
    for axis in Axis::ALL {
        assert_eq!(by_environment(&ledger, &rules, axis, "2026-03"), ["a, -30", "a,prod 30"]);
    }
    axes_agree(&ledger, &rules);
    let report = try_run(&mut ledger, bill(&charges), &rules).unwrap();
    assert_eq!((report.entries_posted, report.entries_reversed), (0, 0));
}

/// Costs of nothing are no parts, and a bill can owe money for them: 20 are billed, and not used
/// yet.
#[test]
fn a_prepaid_day_names_the_rule_only_for_costs_that_cancel_out() {
    let (mut ledger, rules) = (Ledger::in_memory().unwrap(), rules());
    try_run(&mut ledger, bill(&[("web a 0 20", "prod", "")]), &rules).unwrap();
    assert_eq!(entries(&ledger), ["2026-03-01 collection: provider/aws -20, prepaid/aws 20"]);
    let charges = [("web a 0 20", "prod", ""), ("web a 5", "prod", ""), ("web a -5", "lab", "")];
    try_run(&mut ledger, bill(&charges), &rules).unwrap();
    assert_eq!(by_environment(&ledger, &rules, Axis::Posting, "2026-03"), ["a,lab -5", "a,prod 5"]);
    axes_agree(&ledger, &rules);
}

/// March is closed with 30 and -30. Then the credit is -20: April gets 10 of it, and takes back the
/// other credit. Then all is as it was.
#[test]
fn a_correction_takes_back_both_parts_and_leaves_the_closed_month_as_it_is() {
    let (mut ledger, rules) = (Ledger::in_memory().unwrap(), rules());
    let with_credit = |credit: &str| {
        let credit = format!("web a {credit}");
        bill(&[("web a 30", "prod", ""), (&credit, "lab", "")])
    };
    let march = ["a,lab -30", "a,prod 30"];
    try_run(&mut ledger, with_credit("-30"), &rules).unwrap();
    ledger.close_period("2026-03".parse().unwrap(), 1, "booked").unwrap();
    let posted = |ledger: &Ledger, month| by_environment(ledger, &rules, Axis::Posting, month);
    assert_eq!(posted(&ledger, "2026-03"), march);
    try_run(&mut ledger, with_credit("-20"), &rules).unwrap();
    assert_eq!(posted(&ledger, "2026-03"), march);
    assert_eq!(posted(&ledger, "2026-04"), ["a,lab 10"]);
    let charged = by_environment(&ledger, &rules, Axis::Charge, "2026-03");
    assert_eq!(charged, ["a,lab -20", "a,prod 30"]);
    try_run(&mut ledger, with_credit("-30"), &rules).unwrap();
    assert_eq!(posted(&ledger, "2026-03"), march);
    assert_eq!(posted(&ledger, "2026-04"), Vec::<String>::new());
    assert_eq!(by_environment(&ledger, &rules, Axis::Charge, "2026-03"), march);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

/// A pool of 30 and -30 by 1 : 3, of which the serving team passes its quarter on to `c`.
#[test]
fn parts_that_cancel_out_go_through_pools_and_serving_teams() {
    let mut rules = rules();
    passing(&mut rules, "pools/idle", Stage::Distribution, &[("ops", 1), ("b", 3)]);
    passing(&mut rules, "cascade/ops", Stage::Cascade("ops".into()), &[("c", 1)]);
    let cancelled = [("idle - 30", "prod", ""), ("idle - -30", "lab", "")];
    let expect =
        ["b,lab -22.5", "b,prod 22.5", "c,lab -7.5", "c,prod 7.5"].map(str::to_owned).to_vec();
    // Alone, and beside a source with costs that do not cancel out.
    let mut alone = Ledger::in_memory().unwrap();
    try_run(&mut alone, bill(&cancelled), &rules).unwrap();
    assert_eq!(
        entries(&alone),
        [
            "2026-03-01 collection: pool/pools/idle -30, pool/pools/idle 30",
            "2026-03-01 distribution: team/b -22.5, team/b 22.5, team/ops -7.5, team/ops 7.5, \
             pool/pools/idle -30, pool/pools/idle 30",
            "2026-03-01 distribution: team/c -7.5, team/c 7.5, team/ops -7.5, team/ops 7.5",
        ]
    );
    let mut beside = Ledger::in_memory().unwrap();
    let mut sources = bill(&cancelled);
    sources.push(source("gcp", vec![charge("2026-03-01 idle - 8", "stage", "")]));
    try_run(&mut beside, sources, &rules).unwrap();
    let stage = ["b,stage 6", "c,stage 2"].map(str::to_owned);
    let mut both = [&expect[..], &stage].concat();
    both.sort();
    for (ledger, expect) in [(alone, expect), (beside, both)] {
        for axis in Axis::ALL {
            assert_eq!(by_environment(&ledger, &rules, axis, "2026-03"), expect);
        }
        axes_agree(&ledger, &rules);
    }
}

/// Every kind of rule, with pools and serving teams behind them.
fn every_rule(window: Window) -> ByService {
    let mut rules = ByService { reads_amount: true, ..rules() };
    rules.tax.filter = DriverFilter::from([("region_id".into(), "north".into())]);
    let costs = CostQuestion { filter: DriverFilter::new(), basis: CostBasis::Allocated, window };
    let by_cost = Driver::Cost(CostDriver { among: Candidates::AllTeams, costs });
    rules.fee = Spread::new(by_cost);
    rules.split = vec![("a", 3), ("ops", 2), ("c", 2)];
    rules.gateway = Some(RateCard {
        usage: used_by_team("req", window),
        prices: vec![Price { upto: None, price: UnitPrice(10_i128.pow(17)) }],
        remainder: Recipient::Pool("pools/idle".into()),
        currency: None,
    });
    passing(&mut rules, "pools/idle", Stage::Distribution, &[("ops", 1), ("b", 3)]);
    let served = Driver::Cost(CostDriver {
        among: Candidates::AllTeams,
        costs: CostQuestion::direct(DriverFilter::new()),
    });
    passing_by(&mut rules, "cascade/ops", Stage::Cascade("ops".into()), Spread::new(served));
    rules
}

const SERVICES: [&str; 11] =
    ["web", "web", "tax", "support", "big", "broken", "fee", "gateway", "idle", "ours", "other"];

/// A charge, and where its opposite is: in which environment and region, or none.
fn drawn() -> impl Strategy<Value = (bool, Vec<RawCharge>)> {
    let place = (0..3_usize, 0..2_usize);
    let amount = prop::sample::select(vec!["30", "-30", "7.000000003", "19.99", "0.333333334"]);
    let service = prop::sample::select(SERVICES.to_vec());
    let team = prop::sample::select(vec!["a", "b", "ops", "-"]);
    let what = (any::<bool>(), 1..4_u32, service, team, amount);
    (what, place.clone(), prop::option::weighted(0.7, place)).prop_map(
        |((is_aws, day, service, team, amount), first, second)| {
            let other =
                amount.strip_prefix('-').map_or_else(|| format!("-{amount}"), str::to_owned);
            let made = |amount: &str, (environment, region): (usize, usize)| {
                let line = format!("2026-03-{day:02} {service} {team} {amount}");
                charge(&line, ["prod", "lab", ""][environment], ["north", ""][region])
            };
            let second = second.map(|place| made(&other, place));
            (is_aws, [made(amount, first)].into_iter().chain(second).collect())
        },
    )
}

fn sources(drawn: &[(bool, Vec<RawCharge>)]) -> Vec<Source> {
    let of = |name: &str, aws: bool| {
        let own = drawn.iter().filter(|(is_aws, _)| *is_aws == aws);
        let charges = own.flat_map(|(_, charges)| charges.clone()).collect();
        Source { repeats: RepeatPolicy::Count, ..source(name, charges) }
    };
    let usage = "2026-03-01 req 30 1 team=a\n2026-03-03 req 90 1 team=b";
    vec![of("aws", true), of("gcp", false), usage_source("meter", usage)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn breakdowns_by_posting_are_those_by_charge_while_no_month_is_closed(
        bills in prop::collection::vec(prop::collection::vec(drawn(), 0..14), 1..4),
        is_month in any::<bool>(),
    ) {
        let mut ledger = Ledger::in_memory().unwrap();
        let mut rules = every_rule(if is_month { Window::Month } else { Window::DAY });
        for (number, drawn) in bills.iter().enumerate() {
            rules.generation = format!("generation {number}");
            rules.split[0].1 += number as u64;
            try_run(&mut ledger, sources(drawn), &rules).unwrap();
            axes_agree(&ledger, &rules);
            let again = try_run(&mut ledger, sources(drawn), &rules).unwrap();
            prop_assert_eq!((again.entries_posted, again.entries_reversed), (0, 0));
        }
    }
}
