//! Charges whose details decide who pays.

use super::{bill, run};
use crate::derived::derived_costs;
use crate::fakes::{ByService, balances, over_stored, rules, source, try_run};
use domain::axis::Axis;
use domain::charge::KeptDetails;
use domain::field::Field;
use domain::period::Period;
use domain::port::Rules;
use domain::run::RunState;
use domain::tag::TagSchema;
use ledger::{Ledger, Reader};
use pipeline::plan::{Plan, PlanOptions, plan};
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::stored::RulesOf;

/// Quantities: 101, 100, 0, -500, one of thirty digits, one of thirty that is small, and none.
/// One resource, so that nothing but the charge itself decides.
const BILL: &str = "
    2026-03-01 sized a 1 - - - - 101 - Hours -
    2026-03-01 sized a 2 - - - - 100.000000000000000000 - Hours -
    2026-03-01 sized a 4 - - - - 0 - Hours -
    2026-03-01 sized a -8 - - - - -500 - Hours -
    2026-03-01 sized a 16 - - - - 123456789012345678901234567890 - Hours -
    2026-03-01 sized a 32 - - - - 100.000000000000000001 - Hours -
    2026-03-01 sized a 64 - - - - - - Hours -
    2026-03-01 compute b 128 - - - - 5000 - Hours -
    2026-03-02 sized a 256 - - - - 1e3 - Hours -
";

fn by_quantity() -> ByService {
    ByService { generation: "by quantity".into(), reads_quantity: true, ..rules() }
}

fn decided(kept: KeptDetails) -> Ledger {
    let mut ledger = Ledger::in_memory().unwrap();
    let report = try_run(&mut ledger, vec![bill(kept, BILL)], &by_quantity()).unwrap();
    assert_eq!(report.state, RunState::Incomplete);
    assert_eq!(report.suspense, ["R207: the charge of the source 'bill'"]);
    ledger
}

/// Whales: 1 + 16 + 32 + 256. Minnows: 2 + 4 - 8. In suspense: 64. Of b: 128. All: 495.
#[test]
fn each_charge_goes_by_its_own_quantity_and_an_unknown_one_is_in_suspense() {
    let ledger = decided(KeptDetails::default());
    assert_eq!(
        balances(&ledger),
        [
            "provider/bill - -495.000000000",
            "suspense sized 64.000000000",
            "team/b compute 128.000000000",
            "team/minnows sized -2.000000000",
            "team/whales sized 305.000000000",
        ]
    );
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

/// All of `sized`: 1 + 2 + 4 - 8 + 16 + 32 + 64 + 256.
#[test]
fn without_quantities_in_the_settings_nothing_is_guessed() {
    let ledger = decided(KeptDetails { quantities: false, ..KeptDetails::default() });
    assert_eq!(
        balances(&ledger),
        [
            "provider/bill - -495.000000000",
            "suspense sized 367.000000000",
            "team/b compute 128.000000000",
        ]
    );
}

/// Once they are kept, the next run takes the charges out of suspense.
#[test]
fn quantities_that_come_later_take_charges_out_of_suspense() {
    let mut ledger = decided(KeptDetails::NONE);
    try_run(&mut ledger, vec![bill(KeptDetails::default(), BILL)], &by_quantity()).unwrap();
    assert_eq!(balances(&ledger), balances(&decided(KeptDetails::default())));
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn reports_from_charges_decide_as_the_run_did() {
    let ledger = decided(KeptDetails::default());
    let rules_of: &RulesOf<'_> = &|_, _| Ok(Box::new(by_quantity()));
    let query = CostQuery {
        axis: Axis::Charge,
        period: Period::all(),
        granularity: Granularity::Total,
        group_by: vec![GroupBy::Account],
        filter: Vec::new(),
    };
    let table = derived_costs(&ledger, &query, Some(rules_of)).unwrap();
    let rows: Vec<String> = table
        .rows
        .iter()
        .map(|row| format!("{} {}", row.keys.join(" "), row.amount.rounded_text(0)))
        .collect();
    assert_eq!(rows, ["suspense 64", "team/b 128", "team/minnows -2", "team/whales 305"]);
}

fn planned(ledger: &Reader, rules: &ByService) -> Plan {
    let mut scratch = ledger.scratch(&mut |_, _| {}).unwrap();
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    let options = PlanOptions {
        run: over_stored(rules, 1_790_000_000_000, &dimensions, &schema),
        uncollected: Vec::new(),
        rules_of: &|_, _| Ok(Box::new(by_quantity()) as Box<dyn Rules>),
        period: Period::all(),
        as_of: None,
    };
    plan(&mut scratch, options, &mut |_| {}).unwrap()
}

/// From the team of the tag to whales, minnows and suspense: 1, 16, 32 and 256 of the first; 2, 4
/// and -8 of the second; 64 of the third.
#[test]
fn a_plan_reads_the_details_on_both_sides() {
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, KeptDetails::default(), BILL);
    let changes = |plan: &Plan| {
        let mut of_rules: Vec<String> = plan
            .redecided
            .by_rule
            .iter()
            .map(|change| {
                let cost = change.cost.rounded_text(0);
                format!("{} {} {} {cost}", change.before, change.after, change.charges)
            })
            .collect();
        of_rules.sort();
        of_rules
    };
    let plan = planned(&ledger, &by_quantity());
    assert_eq!(changes(&plan), ["direct/team direct/big 8 367"]);
    let mut teams: Vec<String> = plan
        .teams
        .iter()
        .map(|change| format!("{} {}", change.name, change.after.rounded_text(0)))
        .collect();
    teams.sort();
    assert_eq!(teams, ["a 0", "b 128", "minnows -2", "suspense 64", "whales 305"]);
    // Back again: now the rules before read them.
    let ledger = decided(KeptDetails::default());
    let plan = planned(&ledger, &rules());
    assert_eq!(changes(&plan), ["direct/big direct/team 8 367"]);
}

/// Resources that another source tells without quantities are named by that source.
#[test]
fn each_source_without_the_detail_is_named() {
    let mut ledger = Ledger::in_memory().unwrap();
    let charges = crate::fakes::charges("2026-03-01 sized a 5");
    let sources = vec![bill(KeptDetails::default(), BILL), source("csv", charges)];
    let report = try_run(&mut ledger, sources, &by_quantity()).unwrap();
    let mut suspense = report.suspense;
    suspense.sort();
    assert_eq!(
        suspense,
        ["R207: the charge of the source 'bill'", "R207: the charge of the source 'csv'",]
    );
}
