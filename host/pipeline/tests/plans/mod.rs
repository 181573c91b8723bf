//! Plans and their outcomes, with figures worked out by hand.

use crate::fakes::{ByService, balances, charges, over_stored, rules, source};
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::money::Sum;
use domain::period::{Month, Period};
use domain::port::Rules;
use domain::run::RunState;
use domain::tag::TagSchema;
use ledger::{Ledger, Reader};
use pipeline::apply::{Promise, apply, file_text};
use pipeline::code;
use pipeline::plan::{Change, Plan, PlanOptions, plan};
use pipeline::report::RunReport;
use pipeline::run::{RunOptions, run};

const MARCH_AND_APRIL: &str = "
    2026-03-01 compute a 30
    2026-03-01 support - 10
    2026-04-01 support - 20
";
/// 2026-05-01T00:00:00Z, `date -u -d 2026-05-01 +%s`.
const FIRST_OF_MAY: i64 = 1_777_593_600_000;
const DAY_MS: i64 = 86_400_000;

fn options<'a>(
    bill: Option<&str>,
    rules: &'a ByService,
    at_ms: i64,
    dimensions: &'a [Field],
    schema: &'a TagSchema,
) -> RunOptions<'a> {
    RunOptions {
        sources: bill.map(|bill| source("aws", charges(bill))).into_iter().collect(),
        collect: bill.is_some(),
        ..over_stored(rules, at_ms, dimensions, schema)
    }
}

fn run_at(ledger: &mut Ledger, bill: Option<&str>, rules: &ByService, at_ms: i64) {
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    run(ledger, options(bill, rules, at_ms, &dimensions, &schema), &mut |_| {}).unwrap();
}

#[test]
fn a_clock_that_is_set_back_lets_no_run_end_before_its_start() {
    let mut ledger = Ledger::in_memory().unwrap();
    run_at(&mut ledger, Some(MARCH_AND_APRIL), &rules(), FIRST_OF_MAY);
    let end = ledger.runs(1).unwrap().remove(0).end;
    assert_eq!(end.map(|end| end.at_ms), Some(FIRST_OF_MAY));
}

fn apply_now(ledger: &mut Ledger, file: &str, rules: &ByService) -> Result<RunReport, Diagnostic> {
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    apply(
        ledger,
        &Promise::read(file)?,
        options(None, rules, FIRST_OF_MAY, &dimensions, &schema),
        &mut |_| {},
    )
}

fn planned(ledger: &Reader, rules: &ByService, period: Period, as_of: Option<&str>) -> Plan {
    let mut scratch = ledger.scratch(&mut |_, _| {}).unwrap();
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    let options = PlanOptions {
        run: options(None, rules, FIRST_OF_MAY, &dimensions, &schema),
        uncollected: Vec::new(),
        rules_of: &|_, _| Ok(Box::new(rules.clone()) as Box<dyn Rules>),
        period,
        as_of: as_of.map(|day| day.parse().unwrap()),
    };
    plan(&mut scratch, options, &mut |_| {}).unwrap()
}

/// Support is shared by a and c in equal parts, and no longer by a and b as 60 to 40.
fn other_rules() -> ByService {
    let mut other = rules();
    other.generation = "second".into();
    other.facts[1].version.digest = "another".into();
    other.split = vec![("a", 1), ("c", 1)];
    other
}

fn collected() -> Ledger {
    let mut ledger = Ledger::in_memory().unwrap();
    run_at(&mut ledger, Some(MARCH_AND_APRIL), &rules(), FIRST_OF_MAY);
    ledger
}

fn march() -> Period {
    "2026-03".parse::<Month>().unwrap().period()
}

/// Each change as `name before after`, with as few decimals as possible.
fn lines(changes: &[Change]) -> Vec<String> {
    let text =
        |amount: Sum| amount.rounded_text(2).trim_end_matches('0').trim_end_matches('.').to_owned();
    changes
        .iter()
        .map(|change| format!("{} {} {}", change.name, text(change.before), text(change.after)))
        .collect()
}

fn moved(amounts: &[(domain::money::Currency, Sum)]) -> Vec<String> {
    amounts.iter().map(|(currency, amount)| format!("{currency} {amount}")).collect()
}

#[test]
fn a_plan_says_who_gets_what_in_its_period_and_that_more_moves_elsewhere() {
    let ledger = collected();
    let before = balances(&ledger);
    let plan = planned(&ledger, &other_rules(), march(), None);
    // March: 10 as 6 and 4 becomes 5 and 5. April: 20 as 12 and 8 becomes 10 and 10.
    assert_eq!(lines(&plan.teams), ["a 36 35", "b 4 0", "c 0 5"]);
    assert_eq!(lines(&plan.services), ["compute 30 30", "support 10 10"]);
    assert_eq!(lines(&plan.rules), ["direct/team 30 30", "shared/support 10 10"]);
    // The sum of the rule stays, and what its teams bear does not.
    let [only] = plan.rule_moves.as_slice() else { panic!("{:?}", plan.rule_moves) };
    assert_eq!((only.rule.as_str(), only.stage), ("shared/support", "attribution"));
    assert_eq!(lines(&only.teams), ["c 0 5", "b 4 0", "a 6 5"]);
    assert_eq!(moved(&only.moved), ["USD 5.000000000"]);
    assert_eq!(
        (moved(&plan.moved), moved(&plan.moved_elsewhere)),
        (vec!["USD 5.000000000".into()], vec!["USD 10.000000000".into()])
    );
    assert_eq!((plan.source_days, plan.charges), (1, 2));
    let redecided = &plan.redecided;
    assert_eq!(
        (redecided.resources, redecided.charges, moved(&redecided.costs)),
        (1, 1, vec!["USD 10.000000000".into()])
    );
    assert_eq!(
        (redecided.by_rule[0].before.as_str(), redecided.by_rule[0].after.as_str()),
        ("shared/support", "shared/support")
    );
    assert_eq!(
        (redecided.largest[0].resource.as_str(), redecided.largest[0].after.to.as_str()),
        ("support", "pool/shared/support")
    );
    assert_eq!((&redecided.silent, &redecided.woken), (&vec![], &vec![]));
    assert!(
        plan.conservation[0].difference.is_zero()
            && plan.conservation[0].charged.rounded_text(0) == "40"
    );
    assert_eq!(
        (plan.generation_before.as_deref(), plan.generation.as_str()),
        (Some("first"), "second")
    );
    assert_eq!(balances(&ledger), before, "the ledger itself is as it was");
}

#[test]
fn the_same_rules_move_nothing() {
    let plan = planned(&collected(), &rules(), Period::all(), None);
    assert!(!plan.moves_money() && plan.redecided.by_rule.is_empty(), "{plan:?}");
    assert_eq!(lines(&plan.teams), ["a 48 48", "b 12 12"]);
}

#[test]
fn what_is_applied_is_what_was_planned() {
    let mut ledger = collected();
    let plan = planned(&ledger, &other_rules(), Period::all(), None);
    let report = apply_now(&mut ledger, &file_text(&plan), &other_rules()).unwrap();
    assert_eq!(report.state, RunState::Complete);
    assert_eq!(
        (report.entries_posted, report.entries_reversed),
        (plan.entries_posted, plan.entries_reversed)
    );
    assert_eq!(ledger.standing_digest().unwrap(), plan.outcome);
    assert_eq!(
        balances(&ledger),
        [
            "provider/aws - -60.000000000",
            "team/a compute 30.000000000",
            "team/a support 15.000000000",
            "team/c support 15.000000000"
        ]
    );
    assert_eq!(lines(&plan.teams), ["a 48 45", "b 12 0", "c 0 15"]);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
    // The plan was applied already.
    assert_eq!(
        apply_now(&mut ledger, &file_text(&plan), &other_rules())
            .map(drop)
            .map_err(|error| error.code),
        Err(code::PLAN_INPUTS_MOVED)
    );
}

#[test]
fn a_plan_is_refused_once_anything_has_moved() {
    let refused = |ledger: &mut Ledger, file: &str, rules: &ByService| {
        let runs = ledger.runs(10).unwrap().len();
        let refused = apply_now(ledger, file, rules).map(drop).map_err(|error| error.code);
        assert_eq!(ledger.runs(10).unwrap().len(), runs, "a refused plan is not even a run");
        refused
    };
    let mut ledger = collected();
    let file = file_text(&planned(&ledger, &other_rules(), march(), None));
    assert_eq!(refused(&mut ledger, &file, &rules()), Err(code::PLAN_RULES_MOVED));
    assert_eq!(
        refused(&mut ledger, &file.replace("35.000000000", "34.000000000"), &other_rules()),
        Err(code::PLAN_UNREADABLE)
    );
    assert_eq!(
        refused(&mut ledger, &file.replace("apportion-plan/1", "apportion-plan/9"), &other_rules()),
        Err(code::PLAN_UNREADABLE)
    );
    assert_eq!(refused(&mut ledger, "{", &other_rules()), Err(code::PLAN_UNREADABLE));
    let mut other = Ledger::in_memory().unwrap();
    run_at(&mut other, Some(MARCH_AND_APRIL), &rules(), FIRST_OF_MAY + 1);
    assert_eq!(refused(&mut other, &file, &other_rules()), Err(code::PLAN_OTHER_LEDGER));
    let known = file_text(&planned(&ledger, &other_rules(), march(), Some("2026-05-01")));
    assert_eq!(refused(&mut ledger, &known, &other_rules()), Err(code::PLAN_NOT_TO_APPLY));
    // The same bill again leaves a plan valid. Another bill and a closed month make it invalid.
    run_at(&mut ledger, Some(MARCH_AND_APRIL), &rules(), FIRST_OF_MAY);
    ledger.close_period("2026-03".parse().unwrap(), 1, "done").unwrap();
    assert_eq!(refused(&mut ledger, &file, &other_rules()), Err(code::PLAN_INPUTS_MOVED));
    ledger.reopen_period("2026-03".parse().unwrap(), 1, "not done").unwrap();
    let mut copy = ledger.scratch(&mut |_, _| {}).unwrap();
    assert_eq!(
        apply_now(&mut copy, &file, &other_rules()).map(|report| report.state),
        Ok(RunState::Complete)
    );
    run_at(&mut ledger, Some(&MARCH_AND_APRIL.replace("a 30", "a 31")), &rules(), FIRST_OF_MAY);
    assert_eq!(refused(&mut ledger, &file, &other_rules()), Err(code::PLAN_INPUTS_MOVED));
}

#[test]
fn an_outcome_that_was_not_planned_is_not_posted() {
    let mut ledger = collected();
    let file = file_text(&planned(&ledger, &other_rules(), Period::all(), None));
    let before = balances(&ledger);
    // These rules have the same digest, but another outcome. A plugin of another version can cause
    // this.
    let otherwise = ByService { split: vec![("d", 1)], ..other_rules() };
    let refused = apply_now(&mut ledger, &file, &otherwise)
        .map(drop)
        .map_err(|error| (error.code, error.message));
    assert_eq!(
        refused,
        Err((
            code::PLAN_INPUTS_MOVED,
            "the outcome is not that of the plan any more; nothing was posted".into()
        ))
    );
    assert_eq!((balances(&ledger), ledger.verify(&mut |_| {}).unwrap().findings), (before, vec![]));
    assert!(apply_now(&mut ledger, &file, &other_rules()).is_ok());
}

#[test]
fn what_changes_in_a_closed_month_counts_for_it_and_is_posted_later() {
    let mut ledger = collected();
    ledger.close_period("2026-03".parse().unwrap(), 1, "done").unwrap();
    let plan = planned(&ledger, &other_rules(), march(), None);
    assert_eq!(
        (lines(&plan.teams), &plan.closed),
        (vec!["a 36 35".into(), "b 4 0".into(), "c 0 5".into()], &vec!["2026-03".parse().unwrap()])
    );
    apply_now(&mut ledger, &file_text(&plan), &other_rules()).unwrap();
    assert_eq!(ledger.standing_digest().unwrap(), plan.outcome);
    // The closed March keeps support as 6 and 4. April has its own 10 and 10, and the corrections
    // −6 −4 +5 +5.
    let posted = |month: &str| {
        let period = month.parse::<Month>().unwrap().period();
        let mut sums = std::collections::BTreeMap::<String, Sum>::new();
        for balance in ledger.balances(&ledger::BalanceFilter::of(period)).unwrap() {
            *sums.entry(balance.account.to_string()).or_default() += balance.amount;
        }
        sums.into_iter()
            .filter(|(account, _)| account.starts_with("team"))
            .map(|(account, sum)| format!("{account} {}", sum.rounded_text(0)))
            .collect::<Vec<_>>()
    };
    assert_eq!(posted("2026-03"), ["team/a 36", "team/b 4"]);
    assert_eq!(posted("2026-04"), ["team/a 9", "team/b -4", "team/c 15"]);
    assert!(!planned(&ledger, &other_rules(), Period::all(), None).moves_money());
}

#[test]
fn rules_that_read_amounts_are_asked_for_each_charge_and_new_ones_are_named() {
    let mut ledger = Ledger::in_memory().unwrap();
    run_at(
        &mut ledger,
        Some("2026-03-01 big - 10\n2026-03-01 big - 11\n2026-03-01 compute a 5"),
        &rules(),
        FIRST_OF_MAY,
    );
    let mut reading = rules();
    reading.generation = "reads amounts".into();
    reading.reads_amount = true;
    let plan = planned(&ledger, &reading, Period::all(), None);
    assert_eq!(lines(&plan.teams), ["a 5 5", "minnows 0 10", "unallocated 21 0", "whales 0 11"]);
    let largest: Vec<String> = plan
        .redecided
        .largest
        .iter()
        .map(|change| {
            format!("{} {} {}", change.before.to, change.after.to, change.cost.rounded_text(0))
        })
        .collect();
    assert_eq!(largest, ["unallocated team/whales 11", "unallocated team/minnows 10"]);
    assert_eq!((plan.redecided.resources, plan.redecided.charges), (1, 2));
    assert_eq!(
        (&plan.redecided.woken, &plan.redecided.silent),
        (&vec!["direct/big".to_owned()], &vec![])
    );
}

#[test]
fn a_plan_as_of_a_date_goes_by_what_was_known_then() {
    let mut ledger = collected();
    // A day later compute costs 50 more, and a day of May comes in.
    let later = MARCH_AND_APRIL.replace("a 30", "a 80") + "2026-05-01 compute a 7";
    run_at(&mut ledger, Some(&later), &rules(), FIRST_OF_MAY + DAY_MS);
    let plan = planned(&ledger, &rules(), Period::all(), Some("2026-05-01"));
    assert_eq!(lines(&plan.teams), ["a 105 48", "b 12 12"]);
    assert_eq!((plan.source_days, plan.charges), (2, 3));
    assert!(plan.conservation[0].difference.is_zero());
    let now = planned(&ledger, &rules(), Period::all(), Some("2026-05-02"));
    assert!(!now.moves_money(), "{now:?}");
}

#[test]
fn the_scratch_ledger_of_a_plan_can_be_proved_and_asked_further() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scratch.db");
    let mut ledger = Ledger::open_or_create(&folder.path().join("a.db")).unwrap();
    run_at(&mut ledger, Some(MARCH_AND_APRIL), &rules(), FIRST_OF_MAY);
    run_at(
        &mut ledger,
        Some(&MARCH_AND_APRIL.replace("a 30", "a 80")),
        &rules(),
        FIRST_OF_MAY + DAY_MS,
    );
    ledger.backup(&path, &mut |_, _| {}).unwrap();
    let other = other_rules();
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    let options = PlanOptions {
        run: options(None, &other, FIRST_OF_MAY + 2 * DAY_MS, &dimensions, &schema),
        uncollected: Vec::new(),
        rules_of: &|_, _| Ok(Box::new(rules()) as Box<dyn Rules>),
        period: Period::all(),
        as_of: Some("2026-05-01".parse().unwrap()),
    };
    let mut scratch = Ledger::open(&path).unwrap();
    plan(&mut scratch, options, &mut |_| {}).unwrap();
    drop(scratch);
    let kept = Reader::open(&path).unwrap();
    assert_eq!(kept.verify(&mut |_| {}).unwrap().findings, []);
    assert_eq!(
        balances(&kept),
        [
            "provider/aws - -60.000000000",
            "team/a compute 30.000000000",
            "team/a support 15.000000000",
            "team/c support 15.000000000"
        ]
    );
}
