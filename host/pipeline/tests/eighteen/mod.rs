//! The cases that no system we studied passes, with the tests that prove each. Tests that have no
//! other place are here.
//!
//! | case | proved by |
//! |---|---|
//! | 1 a negative weight, under each declared policy | `domain::spread::a_negative_weight_is_zero_or_kept_or_stops_it`, `a_negative_weight_takes_the_money_where_its_policy_says` |
//! | 2 weights that cancel out, are all zero or unknown: the pool stays, and is seen | `domain::spread::weights_that_add_up_to_nothing_follow_the_declared_policy`, `run::a_pool_without_drivers_stays_visible_or_is_shared_evenly_as_declared` |
//! | 3 a refund is split into the exact negatives | `domain::laws::a_negative_amount_splits_into_the_exact_negatives`, `a_refund_takes_back_what_was_shared_to_the_nano` |
//! | 4 a filtered view shows the rows of the whole | `a_filtered_view_shows_the_rows_of_the_whole_one` |
//! | 5 a rule comes and goes: the balances are back, and the history has both | `a_rule_that_comes_and_goes_leaves_balances_and_two_runs` |
//! | 6 a late change of a closed month | `ledger::settle::a_closed_month_does_not_move_and_its_corrections_land_in_the_next_open_one`, `report::corrections_of_a_closed_month_stand_on_other_days_and_add_up_to_the_same` |
//! | 7 the same again posts nothing | `run::the_same_again_posts_nothing_and_a_change_posts_the_difference` |
//! | 8 a cascade of three, and a circle | `stages::a_cascade_of_three_ends_with_the_last`, `stages::teams_that_serve_each_other_are_solved_as_a_whole`, `stages::a_circle_without_an_end_is_named_and_nothing_moves` |
//! | 9 labels that look alike stay distinct | `labels_that_would_be_the_same_when_sanitized_stay_distinct` |
//! | 10 a cent over seven, five over three, yen and dinars | `a_cent_over_seven_and_five_over_three`, `domain::money::payable_rounding_is_half_even` |
//! | 11 a load balancer without pods once, a pod behind two pays each once | `a_load_balancer_without_pods_counts_once_and_a_pod_behind_two_pays_each_once` |
//! | 12 an overcommitted node | `an_overcommitted_node_costs_what_it_costs` |
//! | 13 the worked vectors of Kubernetes | `cli::usage::split_cost_allocation_of_a_node_gives_the_documented_totals`, `cli::usage::a_node_of_the_bill_is_shared_by_what_the_cluster_says` |
//! | 14 effective and prepaid are what was billed | `a_month_of_commitments_is_billed_effective_and_prepaid` |
//! | 15 taxes, credits, refunds and fees: the provider's own total | `outside::real_bills`, `taxes_credits_and_refunds_add_up_to_the_invoice` |
//! | 16 a failing source loses only what is its own, as a gap | `run::a_failing_source_is_left_out_whole_and_the_others_go_on`, `cli::usage::gaps_are_shown_as_gaps_and_unknown_metrics_are_named` |
//! | 17 plugins that loop, hunger or reach out are stopped, the others go on | `plugin_host::hostile`, `plugin_host::loading::a_power_that_is_not_granted_is_refused_with_the_lines_to_add` |
//! | 18 a rule that fails on one charge | `run::excluded_and_failed_charges_have_accounts_of_their_own`, `rule_engine::bad_input::one_charge_in_a_million` |

use crate::fakes::{
    ByService, balances, charges, passing_by, rules, source, try_run, usage_source,
};
use crate::stages::standing;
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostQuestion, DriverFilter, UsageQuery, Window};
use domain::driver::usage::{Unknown, UsageDriver};
use domain::field::Field;
use domain::period::Period;
use domain::port::Stage;
use domain::spread::{Spread, WhenNegative};
use ledger::Ledger;
use reports::costs::filter::CostFilter;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::costs;

fn allocated(bill: &str, rules: &ByService) -> Ledger {
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![source("aws", charges(bill))], rules).unwrap();
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
    ledger
}

fn by_cost() -> Spread {
    Spread::new(Driver::Cost(CostDriver {
        among: Candidates::AllTeams,
        costs: CostQuestion::direct(DriverFilter::new()),
    }))
}

#[test]
fn a_negative_weight_takes_the_money_where_its_policy_says() {
    // a costs 100 and b −20, since its credits are larger than its costs.
    let bill = "2026-03-01 web a 100\n2026-03-01 web b -20\n2026-03-01 idle - 100";
    let under = |policy: WhenNegative| {
        let mut rules = rules();
        passing_by(
            &mut rules,
            "pools/idle",
            Stage::Distribution,
            Spread { when_negative: policy, ..by_cost() },
        );
        standing(&allocated(bill, &rules))
    };
    assert_eq!(under(WhenNegative::Zero), ["a 200.000000000", "b -20.000000000"]);
    // 100 × 100/80 and 100 × −20/80.
    assert_eq!(under(WhenNegative::Keep), ["a 225.000000000", "b -45.000000000"]);
    assert_eq!(
        under(WhenNegative::Stay),
        ["a 100.000000000", "b -20.000000000", "pool/pools/idle 100.000000000"]
    );
}

#[test]
fn a_refund_takes_back_what_was_shared_to_the_nano() {
    let mut rules = rules();
    rules.split = vec![("a", 1), ("b", 1), ("c", 1)];
    let ledger = allocated(
        "2026-03-01 support - 0.000000010\n2026-03-01 support - -0.000000010\n2026-03-01 web a 1",
        &rules,
    );
    assert_eq!(standing(&ledger), ["a 1.000000000"]);
}

#[test]
fn a_filtered_view_shows_the_rows_of_the_whole_one() {
    let mut rules = rules();
    rules.split = vec![("a", 1), ("b", 1)];
    let bill = "2026-03-01 web a 30\n2026-03-01 web b 10\n2026-03-01 tax - 4\n2026-03-01 support - 0.000000003\n2026-03-02 web a 1";
    let ledger = allocated(bill, &rules);
    let groups = [
        vec![GroupBy::Team, GroupBy::ServiceName],
        vec![GroupBy::Team, GroupBy::Dimension(Field::RESOURCE_ID)],
    ];
    for group_by in groups {
        let query = CostQuery {
            axis: domain::axis::Axis::Posting,
            period: Period::all(),
            granularity: Granularity::Daily,
            group_by,
            filter: Vec::new(),
        };
        let whole = costs(&ledger, &query).unwrap().rows;
        for team in ["a", "b"] {
            let of_team: Vec<_> = whole.iter().filter(|row| row.keys[0] == team).cloned().collect();
            let filtered =
                CostQuery { filter: vec![CostFilter::of(GroupBy::Team, team)], ..query.clone() };
            assert_eq!(costs(&ledger, &filtered).unwrap().rows, of_team, "{team}");
            assert!(!of_team.is_empty());
        }
    }
}

#[test]
fn a_rule_that_comes_and_goes_leaves_balances_and_two_runs() {
    let bill = "2026-03-01 support - 10\n2026-03-01 idle - 12\n2026-03-01 web a 3";
    let mut ledger = allocated(bill, &rules());
    let before = balances(&ledger);
    let mut more = rules();
    more.generation = "second".into();
    passing_by(&mut more, "pools/idle", Stage::Distribution, by_cost());
    try_run(&mut ledger, vec![], &more).unwrap();
    assert_ne!(balances(&ledger), before);
    try_run(&mut ledger, vec![], &rules()).unwrap();
    assert_eq!(balances(&ledger), before);
    let history = pipeline::history::history(&ledger, None).unwrap();
    let used: Vec<_> = history.iter().map(|used| (used.generation.as_str(), used.runs)).collect();
    assert_eq!(used.iter().map(|(_, runs)| runs).sum::<u64>(), 3, "{used:?}");
    assert!(used.contains(&("first", 2)) && used.contains(&("second", 1)), "{used:?}");
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
}

#[test]
fn labels_that_would_be_the_same_when_sanitized_stay_distinct() {
    let mut bill = charges("2026-03-01 web a 1\n2026-03-01 web a 2\n2026-03-01 web a 4");
    for (charge, key) in bill.iter_mut().zip([
        "app.kubernetes.io/name",
        "app_kubernetes_io_name",
        "app-kubernetes-io-name",
    ]) {
        charge.tags.push((key.into(), "shop".into()));
    }
    let mut ledger = Ledger::in_memory().unwrap();
    try_run(&mut ledger, vec![source("aws", bill)], &rules()).unwrap();
    for (key, amount) in [
        ("app.kubernetes.io/name", "1.00"),
        ("app_kubernetes_io_name", "2.00"),
        ("app-kubernetes-io-name", "4.00"),
    ] {
        let query = CostQuery {
            axis: domain::axis::Axis::Posting,
            period: Period::all(),
            granularity: Granularity::Total,
            group_by: vec![GroupBy::Tag(key.into())],
            filter: vec![CostFilter::of(GroupBy::Tag(key.into()), "shop")],
        };
        let rows = costs(&ledger, &query).unwrap().rows;
        assert_eq!(
            rows.iter().map(|row| row.amount.rounded_text(2)).collect::<Vec<_>>(),
            [amount],
            "{key}"
        );
    }
}

#[test]
fn a_cent_over_seven_and_five_over_three() {
    let mut rules = rules();
    rules.split = ["a", "b", "c", "d", "e", "f", "g"].map(|team| (team, 1)).to_vec();
    // ⌊10000000 k/7⌋: 1428571, 2857142, 4285714, 5714285, 7142857, 8571428, 10000000.
    let expected = [
        "a 0.001428571",
        "b 0.001428571",
        "c 0.001428572",
        "d 0.001428571",
        "e 0.001428572",
        "f 0.001428571",
        "g 0.001428572",
    ];
    assert_eq!(standing(&allocated("2026-03-01 support - 0.01", &rules)), expected);
    rules.split = ["a", "b", "c"].map(|team| (team, 1)).to_vec();
    // ⌊50000000 k/3⌋: 16666666, 33333333, 50000000.
    assert_eq!(
        standing(&allocated("2026-03-01 support - 0.05", &rules)),
        ["a 0.016666666", "b 0.016666667", "c 0.016666667"]
    );
}

/// A spread by the share that each team has of a resource.
fn of_resource(resource: &str) -> Spread {
    Spread::new(Driver::Usage(UsageDriver {
        query: UsageQuery {
            metric: "share".into(),
            filter: DriverFilter::from([("resource_id".into(), resource.into())]),
            key: vec!["team".into()],
            window: Window::DAY,
        },
        among: Candidates::AllTeams,
        recipients: Default::default(),
        table: None,
        unknown: Unknown::Ignore,
    }))
}

#[test]
fn a_load_balancer_without_pods_counts_once_and_a_pod_behind_two_pays_each_once() {
    let shared = |resource: &str, usage: &str| {
        let mut rules = rules();
        passing_by(&mut rules, "pools/idle", Stage::Distribution, of_resource(resource));
        let mut ledger = Ledger::in_memory().unwrap();
        let sources =
            vec![source("aws", charges("2026-03-01 idle - 0.6")), usage_source("cluster", usage)];
        try_run(&mut ledger, sources, &rules).unwrap();
        standing(&ledger)
    };
    let usage = "2026-03-01 share 1 - team=a resource_id=lb-1\n2026-03-01 share 1 - team=a resource_id=lb-2\n2026-03-01 share 1 - team=b resource_id=lb-2";
    assert_eq!(shared("lb-0", usage), ["pool/pools/idle 0.600000000"]);
    assert_eq!(shared("lb-1", usage), ["a 0.600000000"]);
    assert_eq!(shared("lb-2", usage), ["a 0.300000000", "b 0.300000000"]);
}

#[test]
fn an_overcommitted_node_costs_what_it_costs() {
    let mut rules = rules();
    passing_by(&mut rules, "pools/idle", Stage::Distribution, of_resource("i-1"));
    let mut ledger = Ledger::in_memory().unwrap();
    // The pods have 1.6 of the node. All of them are scaled down alike, and nothing is idle.
    let usage = "2026-03-01 share 1.2 - team=a resource_id=i-1\n2026-03-01 share 0.4 - team=b resource_id=i-1\n2026-03-01 share 0 - team=idle resource_id=i-1";
    try_run(
        &mut ledger,
        vec![source("aws", charges("2026-03-01 idle - 4.608")), usage_source("cluster", usage)],
        &rules,
    )
    .unwrap();
    assert_eq!(standing(&ledger), ["a 3.456000000", "b 1.152000000"]);
}

#[test]
fn a_month_of_commitments_is_billed_effective_and_prepaid() {
    // 300 up front for the month of March, ten a day; 29 days are covered, the last is unused.
    // Columns: effective, billed.
    let mut bill = "2026-03-01 commit - 0 300\n".to_owned();
    for day in 2..=30 {
        bill += &format!("2026-03-{day:02} compute a 10 0\n");
    }
    bill += "2026-03-31 unused - 10 0\n2026-03-31 compute b 7 7\n";
    let ledger = allocated(&bill, &rules());
    let lines = balances(&ledger);
    // Billed 307; effective 290 + 10 + 7 = 307, so nothing of the prepayment is left at the end of
    // the month.
    assert_eq!(lines.iter().filter(|line| line.starts_with("prepaid")).count(), 0, "{lines:?}");
    assert!(lines.contains(&"provider/aws - -307.000000000".to_owned()), "{lines:?}");
    let half = allocated(
        &bill.lines().take(15).map(|line| format!("{line}\n")).collect::<String>(),
        &rules(),
    );
    // After fourteen covered days 140 of 300 have been used up.
    assert!(
        balances(&half).contains(&"prepaid/aws - 160.000000000".to_owned()),
        "{:?}",
        balances(&half)
    );
}

#[test]
fn taxes_credits_and_refunds_add_up_to_the_invoice() {
    // 120 of usage, a fee of 5, credits of 20, a refund of 12.5 and tax of 17.57: the provider's
    // invoice says 110.07.
    let bill = "
        2026-03-01 compute a 90
        2026-03-01 compute b 30
        2026-03-01 support - 5
        2026-03-01 compute a -20
        2026-03-01 compute b -12.5
        2026-03-01 tax - 17.57
    ";
    let ledger = allocated(bill, &rules());
    assert!(
        balances(&ledger).contains(&"provider/aws - -110.070000000".to_owned()),
        "{:?}",
        balances(&ledger)
    );
    // Tax by 70 to 17.5, a fifth for b: 14.056 and 3.514. Support by 60 to 40: 3 and 2.
    assert_eq!(standing(&ledger), ["a 87.056000000", "b 23.014000000"]);
}
