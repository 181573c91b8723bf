//! Pools that are shared by contracted or list cost, which charges need not say.

use super::{bill, charges};
use crate::fakes::{ByService, balances, over_stored, rules, source, try_run};
use crate::stages::{agrees, standing};
use domain::charge::KeptDetails;
use domain::driver::facts::{CostBasis, CostQuestion, DriverFilter, Window};
use domain::field::Field;
use domain::period::Period;
use domain::port::Rules;
use domain::run::RunState;
use domain::spread::WhenZero;
use domain::tag::TagSchema;
use ledger::Ledger;
use pipeline::plan::{PlanOptions, plan};
use pipeline::report::RunReport;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// By effective cost a and b are 10 and 90; by contracted cost 30 and 10, by list cost 20 and 60.
/// The list cost of the second charge of a is quantity × price.
const BILL: &str = "
    2026-03-02 compute a 4 10 30 - - - - Hours -
    2026-03-02 storage a 6 - 0 2.5 - 4 - Hours -
    2026-03-02 compute b 90 60 10 - - - - Hours -
    2026-03-02 tax - 100 - - - - - - Hours -
";

fn weighing(basis: CostBasis, window: Window) -> ByService {
    let tax = CostQuestion { filter: DriverFilter::new(), basis, window };
    ByService { tax, ..rules() }
}

fn ran(ledger: &mut Ledger, bill_of: &str, rules: &ByService) -> RunReport {
    let sources = vec![bill(KeptDetails::default(), bill_of)];
    let report = try_run(ledger, sources, rules).unwrap();
    agrees(ledger, rules);
    report
}

fn shared(bill_of: &str, rules: &ByService) -> (RunReport, Vec<String>) {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = ran(&mut ledger, bill_of, rules);
    let standing = standing(&ledger);
    (report, standing)
}

#[test]
fn each_basis_has_weights_of_its_own() {
    for (basis, a, b) in [
        // 10 : 90, 30 : 10 and 20 : 60 of 100.
        (CostBasis::Direct, "20.000000000", "180.000000000"),
        (CostBasis::Billed, "20.000000000", "180.000000000"),
        (CostBasis::Contracted, "85.000000000", "115.000000000"),
        (CostBasis::List, "35.000000000", "165.000000000"),
    ] {
        let (report, standing) = shared(BILL, &weighing(basis, Window::DAY));
        assert_eq!((report.state, report.unresolved), (RunState::Complete, Vec::new()));
        assert_eq!(standing, [format!("a {a}"), format!("b {b}")], "{basis:?}");
    }
}

fn finding(basis: &str, gap: &str) -> String {
    format!(
        "R213: shared/tax shares by {basis}, and {gap}: the cost stays in its pool, because \
         unknown is not zero\n"
    )
}

#[test]
fn one_unknown_cost_leaves_the_pool_where_it_is() {
    let bill = BILL.replace("compute b 90 60 10", "compute b 90 60 -");
    for when_zero in [WhenZero::Stay, WhenZero::Even] {
        let rules = ByService { when_zero, ..weighing(CostBasis::Contracted, Window::DAY) };
        let (report, standing) = shared(&bill, &rules);
        assert_eq!(report.state, RunState::Incomplete);
        let expect =
            finding("contracted_cost", "1 charge of the source 'bill' on 2026-03-02 says none");
        assert_eq!(report.unresolved.len(), 1);
        assert!(report.unresolved[0].starts_with(&expect), "{}", report.unresolved[0]);
        assert!(report.unresolved[0].contains("write \"prices\" into `details`"));
        let expect = ["a 10.000000000", "b 90.000000000", "pool/shared/tax 100.000000000"];
        assert_eq!(standing, expect);
    }
    // What nobody knows of b is no matter where b does not take part in the weights.
    let mut rules = weighing(CostBasis::Contracted, Window::DAY);
    rules.tax.filter = DriverFilter::from([("tag:team".to_owned(), "a".to_owned())]);
    let (report, standing) = shared(&bill, &rules);
    assert_eq!(report.state, RunState::Complete);
    assert_eq!(standing, ["a 110.000000000", "b 90.000000000"]);
    // The charges of the pool itself are no weights, and neither are those of nobody.
    let bill = BILL.to_owned() + "\n2026-03-02 compute - 7 - - - - - - Hours -";
    let (report, _) = shared(&bill, &weighing(CostBasis::List, Window::DAY));
    assert_eq!(report.state, RunState::Complete);
}

#[test]
fn a_gap_reaches_all_days_of_its_window_and_no_others() {
    let days = "
        2026-03-30 compute a 1 1 1 - - - - Hours -
        2026-03-31 compute b 1 1 - - - - - Hours -
        2026-03-31 storage b 1 1 - - - - - Hours -
        2026-03-24 compute b 1 1 3 - - - - Hours -
        2026-04-01 compute b 1 1 3 - - - - Hours -
        2026-04-02 compute a 1 1 1 - - - - Hours -
        2026-03-30 tax - 10 - - - - - - Hours -
        2026-03-24 tax - 20 - - - - - - Hours -
        2026-04-02 tax - 40 - - - - - - Hours -
    ";
    let gap = "2 charges of the source 'bill' on 2026-03-31 say none";
    for (window, told, expect) in [
        // The days with the tax have all costs: 10 to a, 20 to b, 40 to a.
        (Window::DAY, None, vec!["a 52.000000000", "b 24.000000000"]),
        // The last week of March ends with the month, and the first of April is b 3 : a 1.
        (
            Window::Week,
            Some(gap),
            vec!["a 12.000000000", "b 54.000000000", "pool/shared/tax 10.000000000"],
        ),
        (
            Window::Month,
            Some(gap),
            vec!["a 12.000000000", "b 34.000000000", "pool/shared/tax 30.000000000"],
        ),
    ] {
        let (report, standing) = shared(days, &weighing(CostBasis::Contracted, window));
        let told: Vec<String> = told.iter().map(|it| finding("contracted_cost", it)).collect();
        assert_eq!(report.unresolved.len(), told.len(), "{window:?}: {:?}", report.unresolved);
        for (finding, told) in report.unresolved.iter().zip(&told) {
            assert!(finding.starts_with(told), "{finding}");
        }
        assert_eq!(standing, expect, "{window:?}");
    }
}

#[test]
fn costs_that_come_later_take_the_pool_along() {
    let mut ledger = Ledger::in_memory().unwrap();
    let rules = weighing(CostBasis::List, Window::Month);
    let report = try_run(&mut ledger, vec![bill(KeptDetails::NONE, BILL)], &rules).unwrap();
    // Both charges of a and the one of b.
    let expect = finding("list_cost", "3 charges of the source 'bill' on 2026-03-02 say none");
    assert!(report.unresolved[0].starts_with(&expect), "{:?}", report.unresolved);
    ran(&mut ledger, BILL, &rules);
    assert_eq!(standing(&ledger), ["a 35.000000000", "b 165.000000000"]);
    // A second source without them is a gap, and is named by itself.
    let mut idr = crate::fakes::charges("2026-03-05 compute c 5");
    idr[0].billing_currency = "IDR".into();
    let sources = vec![source("csv", idr)];
    let report = try_run(&mut ledger, sources, &rules).unwrap();
    let expect = finding("list_cost", "1 charge of the source 'csv' on 2026-03-05 says none");
    assert!(report.unresolved[0].starts_with(&expect), "{:?}", report.unresolved);
    let lines = balances(&ledger);
    assert!(lines.contains(&"pool/shared/tax tax 100.000000000".to_owned()), "{lines:?}");
}

/// From 10 : 90 to 30 : 10.
#[test]
fn a_plan_moves_what_the_run_over_stored_charges_then_moves() {
    let mut ledger = Ledger::in_memory().unwrap();
    ran(&mut ledger, BILL, &weighing(CostBasis::Direct, Window::DAY));
    let mut other = weighing(CostBasis::Contracted, Window::DAY);
    other.generation = "by contracted cost".into();
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    let options = PlanOptions {
        run: over_stored(&other, 1_790_000_000_000, &dimensions, &schema),
        uncollected: Vec::new(),
        rules_of: &|_, _| Ok(Box::new(rules()) as Box<dyn Rules>),
        period: Period::all(),
        as_of: None,
    };
    let mut scratch = ledger.scratch(&mut |_, _| {}).unwrap();
    let planned = plan(&mut scratch, options, &mut |_| {}).unwrap();
    let mut teams: Vec<String> = planned
        .teams
        .iter()
        .map(|change| format!("{} {}", change.name, change.after.rounded_text(0)))
        .collect();
    teams.sort();
    assert_eq!(teams, ["a 85", "b 115"]);
    try_run(&mut ledger, Vec::new(), &other).unwrap();
    assert_eq!(standing(&ledger), ["a 85.000000000", "b 115.000000000"]);
    agrees(&ledger, &other);
}

/// Day, team, contracted cost.
type Drawn = (u8, u8, Option<u32>);

fn drawn() -> impl Strategy<Value = (Vec<Drawn>, u32)> {
    let cost = prop_oneof![30 => (0..2_000_u32).prop_map(Some), 1 => Just(None)];
    (prop::collection::vec((28..33_u8, 0..3_u8, cost), 1..24), 1..1_000_000_u32)
}

/// Days beyond the 31st are of April.
fn date(day: u8) -> String {
    match day {
        32.. => format!("2026-04-{:02}", day - 31),
        _ => format!("2026-03-{day:02}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A tax of each day goes by the contracted cost of the month, to the nano: a share is the
    /// fraction of the tax, rounded to one of its two neighbors.
    #[test]
    fn shares_are_the_fractions_of_the_known_costs((charges_of, tax) in drawn()) {
        let mut bill = String::new();
        let mut sums: BTreeMap<(bool, u8), u128> = BTreeMap::new();
        let mut gaps: BTreeMap<bool, u64> = BTreeMap::new();
        for (number, (day, team, cost)) in charges_of.iter().enumerate() {
            let (date, team_name) = (date(*day), ["a", "b", "c"][usize::from(*team)]);
            let cost_text = cost.map_or("-".into(), |cost| cost.to_string());
            bill += &format!("{date} s{number} {team_name} 1 - {cost_text} - - - - Hours -\n");
            match cost {
                Some(cost) => *sums.entry((*day > 31, *team)).or_default() += u128::from(*cost),
                None => *gaps.entry(*day > 31).or_default() += 1,
            }
        }
        bill += &format!("2026-03-10 tax - {tax} - - - - - - Hours -\n");
        bill += &format!("2026-04-10 tax - {tax} - - - - - - Hours -\n");
        let mut ledger = Ledger::in_memory().unwrap();
        let rules = weighing(CostBasis::Contracted, Window::Month);
        let of = super::bill(KeptDetails::default(), &bill);
        try_run(&mut ledger, vec![of], &rules).unwrap();
        prop_assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
        let nanos = u128::from(tax) * 1_000_000_000;
        let mut got: BTreeMap<String, u128> = BTreeMap::new();
        for line in balances(&ledger).iter().filter(|line| line.contains(" tax ")) {
            let words: Vec<&str> = line.split(' ').collect();
            *got.entry(words[0].to_owned()).or_default() +=
                words[2].replace('.', "").parse::<u128>().unwrap();
        }
        let mut pool = 0;
        let mut expect: BTreeMap<&str, (u128, u128)> = BTreeMap::new();
        for april in [false, true] {
            let all: u128 = (0..3).filter_map(|team| sums.get(&(april, team))).sum();
            if gaps.contains_key(&april) || all == 0 {
                pool += nanos;
                continue;
            }
            for team in 0..3_u8 {
                let of_team = sums.get(&(april, team)).copied().unwrap_or(0);
                let exact = nanos * of_team;
                let name = ["team/a", "team/b", "team/c"][usize::from(team)];
                let (low, high) = expect.entry(name).or_default();
                *low += exact / all;
                *high += exact.div_ceil(all);
            }
        }
        prop_assert_eq!(got.get("pool/shared/tax").copied().unwrap_or(0), pool);
        for (team, (low, high)) in expect {
            let share = got.get(team).copied().unwrap_or(0);
            prop_assert!(low <= share && share <= high, "{team}: {low} <= {share} <= {high}");
        }
        prop_assert_eq!(got.values().sum::<u128>(), 2 * nanos);
    }
}

/// Charges with long amounts are stored in parts, and each part says its cost.
#[test]
fn large_amounts_have_their_whole_cost_once() {
    let bill = "
        2026-03-02 compute a 20000000000 20000000000 30000000000 - - - - Hours -
        2026-03-02 compute b 20000000000 20000000000 10000000000 - - - - Hours -
        2026-03-02 tax - 4 - - - - - - Hours -
    ";
    assert_eq!(charges(bill).len(), 3);
    let (report, standing) = shared(bill, &weighing(CostBasis::Contracted, Window::DAY));
    assert_eq!(report.state, RunState::Complete);
    assert_eq!(standing, ["a 20000000003.000000000", "b 20000000001.000000000"]);
}
