//! Closed months by the day of posting: their figures stay, by every group and in explanations, and
//! both axes add up to the postings.

#[path = "report/draw.rs"]
mod draw;
#[path = "report/estate.rs"]
mod estate;

use domain::axis::Axis;
use domain::charge::RawCharge;
use domain::diagnostic::Diagnostic;
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use domain::port::{RuleFacts, Rules};
use draw::Draw;
use estate::{FixedRules, charge, run_on};
use ledger::{BalanceFilter, Bucket, Ledger, Reader};
use reports::closing;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::{CostTable, costs_with_rules};
use reports::explain::answer::{Correction, CorrectionWay};
use reports::explain::query::{ExplainDepth, ExplainQuery};
use reports::explain::read::explain;
use std::collections::BTreeMap;

fn good<T>(result: Result<T, Diagnostic>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn month(text: &str) -> Month {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The rules of any generation, from what the ledger keeps of them.
fn rules_of(facts: &[RuleFacts], _: &[(String, String)]) -> Result<Box<dyn Rules>, Diagnostic> {
    let network = facts.iter().find(|facts| facts.name == "Network");
    let weight = network.and_then(|facts| facts.version.digest.parse().ok()).unwrap_or(0);
    let by_amount = facts.iter().any(|facts| facts.source == BY_AMOUNT);
    Ok(Box::new(FixedRules { by_amount, facts: facts.to_vec(), ..FixedRules::new("then", weight) }))
}

const BY_AMOUNT: &str = "// reads amounts";

/// Rules that read amounts or not, with a turning day or not.
fn rules(generation: u64, weight: u64, by_amount: bool, turning: Option<Day>) -> FixedRules {
    let rules = FixedRules { by_amount, ..FixedRules::new(&generation.to_string(), weight) };
    let mut rules = turning.map_or(rules.clone(), |day| rules.turning(day));
    if by_amount {
        rules.facts[0].source = BY_AMOUNT.into();
        rules.facts[0].version.digest = "1".repeat(64);
    }
    rules
}

fn asked(ledger: &Reader, axis: Axis, period: Period, group_by: &[&str]) -> CostTable {
    let group = |name: &&str| name.parse::<GroupBy>().unwrap_or_else(|error| panic!("{error}"));
    let query = CostQuery {
        axis,
        period,
        granularity: Granularity::Monthly,
        group_by: group_by.iter().map(group).collect(),
        filter: Vec::new(),
    };
    good(costs_with_rules(ledger, &query, &rules_of))
}

fn shown(ledger: &Reader, axis: Axis, period: Period, group_by: &[&str]) -> Vec<String> {
    let table = asked(ledger, axis, period, group_by);
    let row = |row: &reports::costs::read::CostRow| {
        let start = row.period_start.map_or_else(String::new, |day| day.month().to_string());
        format!("{start} {} {}", row.keys.join(","), row.amount.plain())
    };
    table.rows.iter().map(row).collect()
}

/// With all that an explanation can say of a closed month.
const DEEP: Option<ExplainDepth> = Some(ExplainDepth::All);

fn explained(ledger: &Reader, what: &str, service: Option<&str>, period: Period) -> Vec<String> {
    let axis = Axis::Posting;
    let (what, service_name) = (what.to_owned(), service.map(str::to_owned));
    let query = ExplainQuery { what, service_name, axis, period, depth: DEEP };
    let explanation = good(explain(ledger, &query, &rules_of));
    let rules = explanation.accounts.iter().flat_map(|account| &account.rules);
    let line = |rule: &reports::explain::answer::ExplainedRule| {
        let way = rule.correction.map_or_else(String::new, |Correction { charge_month, way }| {
            let way = if way == CorrectionWay::TakenBack { "back" } else { "anew" };
            format!("{charge_month} {way} ")
        });
        let digest = rule.version.as_ref().map_or("", |version| &version.digest);
        let digest = digest.trim_start_matches('0');
        format!("{way}{}@{digest} {} x{}", rule.name, rule.amount.plain(), rule.charges)
    };
    rules.map(line).collect()
}

fn may(late: bool) -> Vec<RawCharge> {
    let mut charges = vec![
        charge("2026-05-10", "Compute", &[("team", "atlas"), ("environment", "prod")], "100"),
        charge("2026-05-10", "Compute", &[("team", "boreas"), ("environment", "prod")], "300"),
        charge("2026-05-10", "Support", &[], "40"),
        charge("2026-06-02", "Compute", &[("team", "atlas"), ("environment", "prod")], "50"),
        charge("2026-06-02", "Compute", &[("team", "boreas"), ("environment", "prod")], "50"),
    ];
    let tags = [("team", "atlas"), ("environment", "lab")];
    charges.extend(late.then(|| charge("2026-05-10", "Compute", &tags, "100")));
    charges
}

/// Support is 40 by direct cost: 10 and 30 at 100 to 300, 16 and 24 at 200 to 300.
#[test]
fn a_late_charge_of_a_closed_month_is_owed_in_the_next_one_by_every_group() {
    let mut ledger = good(Ledger::in_memory());
    run_on(&mut ledger, &[("bills", may(false))], &rules(1, 6, false, None));
    good(ledger.close_period(month("2026-05"), 1, "booked"));
    run_on(&mut ledger, &[("bills", may(true))], &rules(1, 6, false, None));
    let (may, june) = (month("2026-05").period(), month("2026-06").period());
    let posted = |period, groups: &[&str]| shown(&ledger, Axis::Posting, period, groups);
    assert_eq!(posted(may, &["team"]), ["2026-05 atlas 110", "2026-05 boreas 330"]);
    assert_eq!(posted(june, &["team"]), ["2026-06 atlas 156", "2026-06 boreas 44"]);
    assert_eq!(
        posted(may, &["team", "environment"]),
        [
            "2026-05 atlas, 10",
            "2026-05 atlas,prod 100",
            "2026-05 boreas, 30",
            "2026-05 boreas,prod 300"
        ]
    );
    assert_eq!(
        posted(june, &["team", "environment"]),
        [
            "2026-06 atlas, 6",
            "2026-06 atlas,lab 100",
            "2026-06 atlas,prod 50",
            "2026-06 boreas, -6",
            "2026-06 boreas,prod 50"
        ]
    );
    assert_eq!(
        posted(june, &["team", "charge_period"]),
        [
            "2026-06 atlas,2026-05 106",
            "2026-06 atlas,2026-06 50",
            "2026-06 boreas,2026-05 -6",
            "2026-06 boreas,2026-06 50"
        ]
    );
    let corrections = asked(&ledger, Axis::Posting, june, &["environment"]).corrections;
    let corrections: Vec<String> = corrections
        .iter()
        .map(|(month, currency, sum)| format!("{month} {} {currency}", sum.plain()))
        .collect();
    assert_eq!(corrections, ["2026-05 100 USD"]);
    // By the day of the charge May has everything, and no corrections.
    let charged = |groups: &[&str]| shown(&ledger, Axis::Charge, may, groups);
    assert_eq!(charged(&["team"]), ["2026-05 atlas 216", "2026-05 boreas 324"]);
    assert_eq!(charged(&["environment"]), ["2026-05  40", "2026-05 lab 100", "2026-05 prod 400"]);
    assert!(asked(&ledger, Axis::Charge, may, &["environment"]).corrections.is_empty());
    // An invoice line explains itself.
    assert_eq!(
        explained(&ledger, "atlas", Some("Support"), june),
        ["2026-05 back Support@ -10 x1", "2026-05 anew Support@ 16 x1"]
    );
    assert_eq!(explained(&ledger, "atlas", None, may), ["Compute@ 100 x1", "Support@ 10 x1"]);
}

/// The split of 100 goes from 6:3:1 to 2:3:1, so `a` has 60 and then 100 × 2/6.
#[test]
fn a_correction_names_the_rule_before_and_the_rule_after() {
    let mut ledger = good(Ledger::in_memory());
    let charges = vec![charge("2026-05-10", "Network", &[("environment", "prod")], "90")];
    run_on(&mut ledger, &[("bills", charges.clone())], &rules(1, 6, false, None));
    good(ledger.close_period(month("2026-05"), 1, "booked"));
    let before = explained(&ledger, "a", None, month("2026-05").period());
    assert_eq!(before, ["Network@6 54 x1"]);
    run_on(&mut ledger, &[("bills", charges)], &rules(2, 2, false, None));
    assert_eq!(explained(&ledger, "a", None, month("2026-05").period()), before);
    assert_eq!(
        explained(&ledger, "a", None, month("2026-06").period()),
        ["2026-05 back Network@6 -54 x1", "2026-05 anew Network@2 30 x1"]
    );
}

/// Nothing is posted for a changed tag, so the open month shows it, and the closed one never does.
#[test]
fn a_tag_that_moves_no_cost_changes_open_months_only() {
    let of = |environment: &str| {
        let tags = [("team", "atlas"), ("environment", environment)];
        vec![charge("2026-05-10", "Compute", &tags, "7")]
    };
    let mut ledger = good(Ledger::in_memory());
    let may = month("2026-05").period();
    let posted = |ledger: &Ledger| shown(ledger, Axis::Posting, may, &["environment"]);
    run_on(&mut ledger, &[("bills", of("prod"))], &rules(1, 6, false, None));
    run_on(&mut ledger, &[("bills", of("stage"))], &rules(1, 6, false, None));
    assert_eq!(posted(&ledger), ["2026-05 stage 7"]);
    good(ledger.close_period(month("2026-05"), 1, "booked"));
    run_on(&mut ledger, &[("bills", of("lab"))], &rules(1, 6, false, None));
    assert_eq!(posted(&ledger), ["2026-05 stage 7"]);
    assert_eq!(shown(&ledger, Axis::Charge, may, &["environment"]), ["2026-05 lab 7"]);
    good(ledger.reopen_period(month("2026-05"), 1, "a look"));
    assert_eq!(posted(&ledger), ["2026-05 stage 7"]);
}

/// The runs of these tests are at midnight UTC of 2026-01-01.
#[test]
fn a_month_is_over_at_midnight_utc_and_a_clock_that_was_set_back_is_named() {
    const MIDNIGHT_MS: i64 = 1_767_225_600_000;
    let mut ledger = good(Ledger::in_memory());
    let charges = vec![charge("2025-12-31", "Compute", &[("team", "a")], "7")];
    run_on(&mut ledger, &[("bills", charges)], &rules(1, 6, false, None));
    let against = |month_name: &str, now_ms: i64| {
        let found = good(closing::obstacles(&ledger, month(month_name), now_ms));
        closing::listed(&found)
    };
    assert_eq!(against("2025-12", MIDNIGHT_MS), "");
    assert_eq!(
        against("2025-12", MIDNIGHT_MS - 1),
        "it is not over before 2026-01-01T00:00:00Z (UTC); the clock says \
         2025-12-31T23:59:59.999Z, and the ledger was written at 2026-01-01T00:00:00.000Z"
    );
    assert_eq!(against("2025-11", MIDNIGHT_MS), "it has no charges");
    // A row of the new bill is set aside, and the charges stay as they were stated before.
    let broken = vec![charge("2025-12-31", "Compute", &[("team", "a")], "seven")];
    run_on(&mut ledger, &[("bills", broken)], &rules(1, 6, false, None));
    let found = good(closing::obstacles(&ledger, month("2025-12"), MIDNIGHT_MS));
    assert_eq!(
        closing::listed(&found),
        "the last run, 2, is incomplete; run 2 set aside 1 row of bills"
    );
    let refused = closing::check(&ledger, month("2025-12"), MIDNIGHT_MS);
    assert!(refused.is_err_and(|finding| finding.code == reports::code::PERIOD_NOT_READY));
}

/// Few and often equal amounts, so that costs cancel out and entries stay.
fn drawn_charge(draw: &mut Draw) -> RawCharge {
    let day = draw.of(&["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-28", "2026-03-02"]);
    draw.charge(day, |draw| {
        draw.of(&["5", "-5", "7.000000001", "0", "12.3456789", "-0.333333333"]).to_owned()
    })
}

const GROUPS: [&[&str]; 10] = [
    &["team"],
    &["account"],
    &["service_name"],
    &["rule"],
    &["source"],
    &["charge_period"],
    &["environment"],
    &["tag:team", "application"],
    &["cost_center"],
    &["team", "rule", "source", "charge_period", "environment", "tag:application"],
];
const MONTHS: [&str; 5] = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"];

/// By month and currency.
type MonthTotals = BTreeMap<(Option<Day>, Currency), Sum>;

fn totals(table: &CostTable) -> MonthTotals {
    let mut totals = MonthTotals::new();
    for row in &table.rows {
        *totals.entry((row.period_start, row.currency)).or_default() += row.amount;
    }
    totals.retain(|_, sum| !sum.is_zero());
    totals
}

/// Sums of some columns of a table, over all months.
fn over_all(table: &CostTable, columns: usize) -> BTreeMap<(Vec<String>, Currency), Sum> {
    let mut sums = BTreeMap::new();
    for row in &table.rows {
        let key = (row.keys[..columns].to_vec(), row.currency);
        *sums.entry(key).or_insert(Sum::ZERO) += row.amount;
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

/// Every group adds up to the postings, by month and on both axes; both axes have the same sums by
/// everything that postings say.
fn add_up(ledger: &Reader, step: &str) {
    for axis in Axis::ALL {
        let filter = BalanceFilter::of(Period::all()).on(axis).by(Bucket::Month);
        let mut posted = MonthTotals::new();
        for balance in good(ledger.balances(&filter)) {
            if balance.account.is_cost() {
                let key = (Some(balance.bucket_start), balance.currency);
                *posted.entry(key).or_default() += balance.amount;
            }
        }
        posted.retain(|_, sum| !sum.is_zero());
        for group_by in GROUPS {
            let table = asked(ledger, axis, Period::all(), group_by);
            assert_eq!(totals(&table), posted, "{step}: {axis:?} by {group_by:?}");
        }
    }
    // A tag that no charge has makes the charges be read.
    let said = ["account", "rule", "service_name", "charge_period"];
    let derived = [&said[..], &["tag:none"]].concat();
    let both = Axis::ALL.map(|axis| {
        let posted = over_all(&asked(ledger, axis, Period::all(), &said), said.len());
        let parts = over_all(&asked(ledger, axis, Period::all(), &derived), said.len());
        assert_eq!(posted, parts, "{step}: {axis:?}");
        posted
    });
    assert_eq!(both[0], both[1], "{step}");
}

/// Everything that can be asked about closed months.
fn closed_figures(ledger: &Reader) -> Vec<String> {
    let mut figures = Vec::new();
    for month in good(ledger.closed_months()) {
        for group_by in GROUPS {
            let rows = shown(ledger, Axis::Posting, month.period(), group_by);
            figures.push(format!("{month} by {group_by:?}: {rows:?}"));
        }
        for account in good(ledger.accounts()) {
            let Some(team) = account.team() else { continue };
            let (axis, what) = (Axis::Posting, team.to_owned());
            let period = month.period();
            let query = ExplainQuery { what, service_name: None, axis, period, depth: DEEP };
            figures.push(format!("{month} {:?}", good(explain(ledger, &query, &rules_of))));
        }
    }
    figures
}

#[test]
fn any_story_adds_up_and_leaves_closed_months_as_they_are() {
    for seed in 0..6 {
        let mut draw = Draw(seed);
        let mut ledger = good(Ledger::in_memory());
        let mut bills: Vec<Vec<RawCharge>> =
            (0..2).map(|_| (0..15).map(|_| drawn_charge(&mut draw)).collect()).collect();
        let mut current = rules(0, 6, false, None);
        let sources =
            |bills: &[Vec<RawCharge>]| vec![("aws", bills[0].clone()), ("gcp", bills[1].clone())];
        run_on(&mut ledger, &sources(&bills), &current);
        for number in 1..=14 {
            let before = closed_figures(&ledger);
            let closed = good(ledger.closed_months());
            let month = month(draw.of(&MONTHS));
            let what = draw.below(6);
            match what {
                0 if closed.contains(&month) => {
                    good(ledger.reopen_period(month, 1, "a credit"));
                }
                0 | 1 if !closed.contains(&month) => {
                    good(ledger.close_period(month, 1, "booked"));
                }
                2 => {
                    let turning = (draw.below(2) == 0).then(|| "2026-01-31".parse());
                    let turning = turning.and_then(Result::ok);
                    current = rules(number, draw.below(9), draw.below(3) == 0, turning);
                }
                _ => {
                    let bill = &mut bills[draw.below(2) as usize];
                    for _ in 0..=draw.below(4) {
                        let at = draw.below(bill.len() as u64) as usize;
                        bill[at] = drawn_charge(&mut draw);
                    }
                }
            }
            run_on(&mut ledger, &sources(&bills), &current);
            let step = format!("seed {seed}, step {number} ({what}, {month})");
            let after = closed_figures(&ledger);
            let still_closed = |figure: &&String| {
                closed.iter().any(|closed| figure.starts_with(&closed.to_string()))
                    && after.iter().any(|line| line[..7] == figure[..7])
            };
            for figure in before.iter().filter(still_closed) {
                let is_there = after.contains(figure);
                assert!(is_there, "{step}: {figure}\nbecame\n{after:#?}");
            }
            add_up(&ledger, &step);
        }
        assert_eq!(good(ledger.verify(&mut |_| {})).findings, Vec::new());
    }
}
