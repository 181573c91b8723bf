//! Costs that are passed on: pools that feed pools, teams that serve teams, and teams that serve
//! each other. The figures are worked out by hand. The costs from postings and the costs from
//! charges must agree to the nano.

use crate::derived::derived_costs;
use crate::fakes::{ByService, balances, charges, passing, passing_by, rules, source, try_run};
use domain::axis::Axis;
use domain::driver::Driver;
use domain::driver::bounds::{Bound, Limit};
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostQuestion, DriverFilter};
use domain::driver::plugin::PluginDriver;
use domain::driver::tiers::{Tier, TieredDriver};
use domain::field::Field;
use domain::money::Money;
use domain::period::Period;
use domain::port::{Mutual, RuleFacts, Rules, Stage};
use domain::recipient::Recipient;
use domain::run::RunState;
use domain::spread::{Spread, WhenZero};
use ledger::{Ledger, Reader};
use pipeline::code;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::costs;
use reports::explain::query::{ExplainDepth, ExplainQuery};
use reports::explain::read::explain;
use reports::stored::RulesOf;
use std::collections::BTreeSet;

/// A resource that is explained alone, and a team's service, have the parts that they have among
/// all others. The charges of others are not read for it, unless costs flow together.
fn explained_alone(ledger: &Reader, rules_of: &RulesOf<'_>) {
    let rows = |group_by: Vec<GroupBy>, axis: Axis| {
        let (period, granularity) = (Period::all(), Granularity::Total);
        let query = CostQuery { axis, period, granularity, group_by, filter: Vec::new() };
        let rows = derived_costs(ledger, &query, Some(rules_of)).unwrap().rows;
        rows.into_iter().map(|row| (row.keys, row.currency, row.amount)).collect::<Vec<_>>()
    };
    let explained = |what: &str, service: Option<&str>, axis: Axis| {
        let (depth, period) = (Some(ExplainDepth::Summary), Period::all());
        let (what, service_name) = (what.to_owned(), service.map(str::to_owned));
        explain(ledger, &ExplainQuery { what, service_name, axis, period, depth }, rules_of)
            .unwrap()
    };
    for axis in Axis::ALL {
        let resource = GroupBy::Dimension(Field::RESOURCE_ID);
        let whole = rows(vec![resource, GroupBy::Account, GroupBy::Rule], axis);
        let ids: BTreeSet<&String> = whole.iter().map(|(keys, ..)| &keys[0]).collect();
        let mut alone = Vec::new();
        for id in ids.into_iter().filter(|id| !id.is_empty()) {
            for account in explained(id, None, axis).accounts {
                for rule in account.rules.iter().filter(|rule| !rule.amount.is_zero()) {
                    let name = rule.version.as_ref().map_or_else(String::new, |it| it.rule.clone());
                    let keys = vec![id.clone(), account.account.to_string(), name];
                    alone.push((keys, account.currency, rule.amount));
                }
            }
        }
        alone.sort();
        let named: Vec<_> = whole.iter().filter(|(keys, ..)| !keys[0].is_empty()).collect();
        assert_eq!(alone.iter().collect::<Vec<_>>(), named, "{axis:?}");
        for (keys, currency, amount) in rows(vec![GroupBy::Team, GroupBy::ServiceName], axis) {
            let totals = explained(&keys[0], Some(&keys[1]), axis).totals;
            let total = totals.into_iter().find(|(other, _)| *other == currency);
            assert_eq!(total, Some((currency, amount)), "{keys:?} {axis:?}");
        }
    }
}

fn cascade(team: &str) -> Stage {
    Stage::Cascade(team.into())
}

fn allocated(bill: &str, rules: &ByService) -> Ledger {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = try_run(&mut ledger, vec![source("aws", charges(bill))], rules).unwrap();
    assert_eq!(report.unresolved, Vec::<String>::new());
    agrees(&ledger, rules);
    ledger
}

/// The postings and the charges give the same costs by account, service and rule.
pub fn agrees(ledger: &Reader, rules: &ByService) {
    let rules_of =
        |_: &[RuleFacts], _: &[(String, String)]| Ok(Box::new(rules.clone()) as Box<dyn Rules>);
    for group_by in [
        vec![GroupBy::Account, GroupBy::ServiceName],
        vec![GroupBy::Account, GroupBy::Rule],
        vec![GroupBy::Rule, GroupBy::Source],
    ] {
        let query = CostQuery {
            axis: domain::axis::Axis::Posting,
            period: Period::all(),
            granularity: Granularity::Daily,
            group_by,
            filter: Vec::new(),
        };
        assert_eq!(
            costs(ledger, &query).unwrap().rows,
            derived_costs(ledger, &query, Some(&rules_of)).unwrap().rows
        );
    }
    explained_alone(ledger, &rules_of);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
}

/// Teams and pools with their amounts, over all services.
pub fn standing(ledger: &Reader) -> Vec<String> {
    let query = CostQuery {
        axis: domain::axis::Axis::Posting,
        period: Period::all(),
        granularity: Granularity::Total,
        group_by: vec![GroupBy::Team],
        filter: Vec::new(),
    };
    costs(ledger, &query)
        .unwrap()
        .rows
        .iter()
        .map(|row| format!("{} {}", row.keys[0], row.amount.rounded_text(9)))
        .collect()
}

#[test]
fn a_pool_that_charges_were_sent_to_is_spread() {
    let mut rules = rules();
    passing(&mut rules, "pools/idle", Stage::Distribution, &[("a", 1), ("b", 3)]);
    let ledger = allocated("2026-03-01 idle - 100\n2026-03-01 web a 10", &rules);
    assert_eq!(standing(&ledger), ["a 35.000000000", "b 75.000000000"]);
}

#[test]
fn pools_feed_pools_and_serving_teams_pass_on_whatever_came_to_them() {
    let mut rules = rules();
    // The rules are stated in the wrong order on purpose. A pool that feeds another one comes
    // first, whatever its priority.
    passing(&mut rules, "cascade/platform", cascade("platform"), &[("a", 1), ("b", 1)]);
    passing(&mut rules, "pools/system", Stage::Distribution, &[("platform", 1), ("b", 1)]);
    passing(&mut rules, "pools/idle", Stage::Distribution, &[("pool pools/system", 40), ("a", 60)]);
    let ledger =
        allocated("2026-03-01 idle - 100\n2026-03-01 web platform 30\n2026-03-01 web a 10", &rules);
    // idle 100: a 60, system 40. system 40: platform 20, b 20. platform 30 + 20: a 25, b 25.
    assert_eq!(standing(&ledger), ["a 95.000000000", "b 45.000000000"]);
    let passed =
        balances(&ledger).into_iter().filter(|line| line.contains("platform")).collect::<Vec<_>>();
    assert_eq!(
        passed,
        [
            "team/platform idle -20.000000000",
            "team/platform idle 20.000000000",
            "team/platform web -30.000000000",
            "team/platform web 30.000000000"
        ]
    );
}

#[test]
fn a_cascade_of_three_ends_with_the_last() {
    let mut rules = rules();
    passing(&mut rules, "cascade/one", cascade("one"), &[("two", 1)]);
    passing(&mut rules, "cascade/two", cascade("two"), &[("three", 1)]);
    let ledger =
        allocated("2026-03-01 web one 10\n2026-03-01 web two 5\n2026-03-01 web three 1", &rules);
    assert_eq!(standing(&ledger), ["three 16.000000000"]);
}

#[test]
fn teams_that_serve_each_other_are_solved_as_a_whole() {
    let mut rules = rules();
    passing(&mut rules, "cascade/it", cascade("it"), &[("hr", 40), ("a", 60)]);
    passing(&mut rules, "cascade/hr", cascade("hr"), &[("it", 20), ("b", 80)]);
    let ledger = allocated("2026-03-01 web it 23\n2026-03-01 web hr 46", &rules);
    // With x = 23 + 0.2y and y = 46 + 0.4x: x = 32.2/0.92 = 35, y = 60. a = 0.6 × 35 = 21, b = 0.8
    // × 60 = 48.
    assert_eq!(standing(&ledger), ["a 21.000000000", "b 48.000000000"]);
}

#[test]
fn step_down_passes_on_in_order_and_gives_nothing_back() {
    let mut rules = rules();
    passing(&mut rules, "cascade/it", cascade("it"), &[("hr", 40), ("a", 60)]);
    passing(&mut rules, "cascade/hr", cascade("hr"), &[("it", 20), ("b", 80)]);
    rules.facts.iter_mut().for_each(|facts| facts.mutual = Mutual::StepDown);
    let ledger = allocated("2026-03-01 web it 23\n2026-03-01 web hr 46", &rules);
    // The team `it` comes first: hr gets 9.2, and a gets 13.8. Then hr has 55.2. Its share for `it`
    // goes to b, the only other target.
    assert_eq!(standing(&ledger), ["a 13.800000000", "b 55.200000000"]);
}

#[test]
fn a_circle_without_an_end_is_named_and_nothing_moves() {
    let mut rules = rules();
    passing(&mut rules, "cascade/it", cascade("it"), &[("hr", 1)]);
    passing(&mut rules, "cascade/hr", cascade("hr"), &[("it", 1)]);
    let mut ledger = Ledger::in_memory().unwrap();
    let bill = charges("2026-03-01 web it 23\n2026-03-02 web hr 46");
    let report = try_run(&mut ledger, vec![source("aws", bill)], &rules).unwrap();
    assert_eq!(report.state, RunState::Incomplete);
    let [finding] = report.unresolved.as_slice() else { panic!("{:?}", report.unresolved) };
    assert!(
        finding.contains(code::RULE_CIRCLE.text()) && finding.contains("cascade/it, cascade/hr"),
        "{finding}"
    );
    assert_eq!(standing(&ledger), ["hr 46.000000000", "it 23.000000000"]);
    agrees(&ledger, &rules);
}

#[test]
fn a_pool_whose_rule_is_not_there_keeps_its_cost_visibly() {
    let ledger = allocated("2026-03-01 idle - 100", &rules());
    assert_eq!(standing(&ledger), ["pool/pools/idle 100.000000000"]);
}

#[test]
fn a_serving_team_does_not_share_with_itself_but_keeps_what_it_lists() {
    let by_cost = || {
        Spread::new(Driver::Cost(CostDriver {
            among: Candidates::AllTeams,
            costs: CostQuestion::direct(DriverFilter::new()),
        }))
    };
    let mut shared = rules();
    passing_by(&mut shared, "cascade/it", cascade("it"), by_cost());
    let bill = "2026-03-01 web it 30\n2026-03-01 web a 20\n2026-03-01 web b 10";
    assert_eq!(standing(&allocated(bill, &shared)), ["a 40.000000000", "b 20.000000000"]);
    let mut kept = rules();
    passing(&mut kept, "cascade/it", cascade("it"), &[("it", 1), ("a", 2)]);
    assert_eq!(
        standing(&allocated(bill, &kept)),
        ["a 40.000000000", "b 10.000000000", "it 10.000000000"]
    );
}

#[test]
fn charges_are_split_one_by_one_and_pools_as_one_amount() {
    let mut rules = rules();
    rules.split = vec![("a", 1), ("b", 1), ("c", 1)];
    let many: String = (0..10).map(|_| "2026-03-01 support - 0.000000005\n").collect();
    let ledger = allocated(&many, &rules);
    // Each five nanos by thirds: ⌊5/3⌋ = 1, ⌊10/3⌋ − 1 = 2, 5 − 3 = 2; ten times.
    assert_eq!(standing(&ledger), ["a 0.000000010", "b 0.000000020", "c 0.000000020"]);
    let mut pooled = self::rules();
    passing(&mut pooled, "pools/idle", Stage::Distribution, &[("a", 1), ("b", 1), ("c", 1)]);
    let many: String = (0..10).map(|_| "2026-03-01 idle - 0.000000005\n").collect();
    // Fifty as one: ⌊50/3⌋ = 16, ⌊100/3⌋ − 16 = 17, 50 − 33 = 17.
    assert_eq!(
        standing(&allocated(&many, &pooled)),
        ["a 0.000000016", "b 0.000000017", "c 0.000000017"]
    );
}

#[test]
fn tiers_and_bounds_hold_to_the_cent_over_all_services() {
    let even = |teams: &[&str]| {
        Spread::fixed(teams.iter().map(|team| (Recipient::team(*team), 1)).collect())
    };
    let tiers = vec![
        Tier { upto: Some(Money::from_nanos(60_000_000_000)), spread: even(&["a", "b"]) },
        Tier { upto: None, spread: even(&["c"]) },
    ];
    let bound = Bound {
        recipient: Recipient::team("a"),
        at_least: None,
        at_most: Some(Limit::Amount(Money::from_nanos(10_000_000_000))),
    };
    let mut tiered = rules();
    passing_by(
        &mut tiered,
        "pools/idle",
        Stage::Distribution,
        Spread::new(Driver::Tiers(TieredDriver { tiers })),
    );
    assert_eq!(
        standing(&allocated("2026-03-01 idle - 100", &tiered)),
        ["a 30.000000000", "b 30.000000000", "c 40.000000000"]
    );
    let mut bounded = rules();
    passing_by(
        &mut bounded,
        "pools/idle",
        Stage::Distribution,
        Spread { bounds: vec![bound.clone()], ..even(&["a", "b", "c"]) },
    );
    assert_eq!(
        standing(&allocated("2026-03-01 idle - 100", &bounded)),
        ["a 10.000000000", "b 45.000000000", "c 45.000000000"]
    );
    // Nobody has direct costs, so that the fallback shares. The bound holds for it too.
    let mut fallback = rules();
    passing_by(
        &mut fallback,
        "pools/idle",
        Stage::Distribution,
        Spread {
            bounds: vec![bound],
            when_zero: WhenZero::Spread(Box::new(even(&["a", "b", "c"]))),
            ..Spread::fixed(vec![(Recipient::team("a"), 0)])
        },
    );
    assert_eq!(
        standing(&allocated("2026-03-01 idle - 100", &fallback)),
        ["a 10.000000000", "b 45.000000000", "c 45.000000000"]
    );
}

#[test]
fn a_pool_that_hangs_on_its_total_cannot_stand_in_a_circle() {
    let bound = Bound {
        recipient: Recipient::team("a"),
        at_least: None,
        at_most: Some(Limit::Part(500_000)),
    };
    let mut rules = rules();
    let weights = vec![(Recipient::team("hr"), 1), (Recipient::team("a"), 1)];
    passing_by(
        &mut rules,
        "cascade/it",
        cascade("it"),
        Spread { bounds: vec![bound], ..Spread::fixed(weights) },
    );
    passing(&mut rules, "cascade/hr", cascade("hr"), &[("it", 20), ("b", 80)]);
    let mut ledger = Ledger::in_memory().unwrap();
    let report =
        try_run(&mut ledger, vec![source("aws", charges("2026-03-01 web it 23"))], &rules).unwrap();
    assert!(
        report.unresolved[0].contains("cascade/it shares by the total of its pool"),
        "{:?}",
        report.unresolved
    );
    rules.facts.iter_mut().for_each(|facts| facts.mutual = Mutual::StepDown);
    assert_eq!(
        standing(&allocated("2026-03-01 web it 20", &rules)),
        ["a 10.000000000", "b 10.000000000"]
    );
}

#[test]
fn a_rule_that_asks_a_missing_plugin_posts_nothing() {
    let mut rules = rules();
    let by = Driver::Plugin(PluginDriver {
        plugin: "by-mood".into(),
        config: "{}".into(),
        among: Candidates::AllTeams,
        metrics: Vec::new(),
    });
    passing_by(&mut rules, "pools/idle", Stage::Distribution, Spread::new(by));
    let mut ledger = Ledger::in_memory().unwrap();
    let refused =
        try_run(&mut ledger, vec![source("aws", charges("2026-03-01 idle - 100"))], &rules);
    assert_eq!(
        refused.map(|_| ()).map_err(|finding| finding.code),
        Err(domain::code::PLUGIN_NOT_FOUND)
    );
    assert_eq!(balances(&ledger), Vec::<String>::new());
}

#[test]
fn the_order_of_charges_does_not_matter_to_any_stage() {
    let mut rules = rules();
    passing(&mut rules, "pools/idle", Stage::Distribution, &[("it", 3), ("a", 4)]);
    passing(&mut rules, "cascade/it", cascade("it"), &[("hr", 1), ("a", 2), ("b", 4)]);
    passing(&mut rules, "cascade/hr", cascade("hr"), &[("it", 2), ("b", 5)]);
    let lines: Vec<String> = (0..40_u32)
        .map(|n| {
            format!(
                "2026-03-0{} {} {} {}.{:09}",
                1 + n % 3,
                ["idle", "web", "support", "tax"][n as usize % 4],
                ["it", "hr", "a", "b"][n as usize / 3 % 4],
                n * 7 % 13,
                n * 123_457
            )
        })
        .collect();
    let backwards: Vec<String> = lines.iter().rev().cloned().collect();
    let (forth, back) =
        (allocated(&lines.join("\n"), &rules), allocated(&backwards.join("\n"), &rules));
    assert_eq!(balances(&forth), balances(&back));
    assert!(
        standing(&forth).iter().all(|line| line.starts_with("a ") || line.starts_with("b ")),
        "{:?}",
        standing(&forth)
    );
}
