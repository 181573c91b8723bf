//! Costs read from postings and costs worked out from charges are the same costs.

mod derived;
#[path = "report/draw.rs"]
mod draw;
#[path = "report/estate.rs"]
mod estate;

use derived::derived_costs;
use domain::account::Account;
use domain::axis::Axis;
use domain::charge::RawCharge;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::money::Sum;
use domain::period::{Day, Period};
use domain::port::{RuleFacts, Rules};
use draw::Draw;
use estate::{FixedRules, charge, run_on};
use ledger::listing::EntryFilter;
use ledger::{Ledger, Reader};
use reports::costs::filter::CostFilter;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::{CostTable, costs, costs_with_rules, teams};
use reports::explain::answer::{ExplainedAccount, Subject};
use reports::explain::query::{ExplainDepth, ExplainQuery};
use reports::explain::read::explain;
use reports::survey::read::{CategorySum, ChargeSurvey, surveys};

fn query(granularity: Granularity, group_by: &[&str], filter: &[(&str, &str)]) -> CostQuery {
    let group = |name: &str| name.parse::<GroupBy>().unwrap_or_else(|error| panic!("{error}"));
    CostQuery {
        axis: Axis::Posting,
        period: Period::all(),
        granularity,
        group_by: group_by.iter().map(|name| group(name)).collect(),
        filter: filter.iter().map(|(name, value)| CostFilter::of(group(name), value)).collect(),
    }
}

/// One line a row: keys, then the amount.
fn shown(table: &CostTable) -> Vec<String> {
    let span = |start: Option<Day>| start.map_or_else(String::new, |day| format!("{day} "));
    table
        .rows
        .iter()
        .map(|row| {
            format!(
                "{}{} {} {}",
                span(row.period_start),
                row.keys.join(","),
                row.amount,
                row.currency
            )
        })
        .collect()
}

fn asked(ledger: &Reader, query: &CostQuery) -> Vec<String> {
    shown(&costs(ledger, query).unwrap_or_else(|error| panic!("{error}")))
}

/// Charges of any sign with up to eleven decimals, in two currencies, over three weeks around a
/// month's end.
fn charges(draw: &mut Draw) -> Vec<RawCharge> {
    let count = 100 + draw.below(200);
    (0..count)
        .map(|_| {
            let day = format!("2026-01-{:02}", 20 + draw.below(12));
            let day =
                if draw.below(3) == 0 { format!("2026-02-{:02}", 1 + draw.below(9)) } else { day };
            draw.charge(&day, |draw| {
                let sign = if draw.below(6) == 0 { "-" } else { "" };
                format!("{sign}{}.{:011}", draw.below(1000), draw.below(100_000_000_000))
            })
        })
        .collect()
}

const POSTED: [&[&str]; 7] = [
    &[],
    &["team"],
    &["service_name"],
    &["rule"],
    &["source"],
    &["account"],
    &["team", "service_name", "source", "rule", "account"],
];
const GRANULARITIES: [Granularity; 4] =
    [Granularity::Daily, Granularity::Weekly, Granularity::Monthly, Granularity::Total];

/// Every question that postings can answer has the same answer from charges, and every other
/// grouping adds up to it.
fn agree(ledger: &Reader, seed: u64) {
    for granularity in GRANULARITIES {
        for group_by in POSTED {
            let query = query(granularity, group_by, &[]);
            let derived =
                derived_costs(ledger, &query, None).unwrap_or_else(|error| panic!("{error}"));
            let posted = costs(ledger, &query).unwrap_or_else(|error| panic!("{error}"));
            let (posted, derived) = (shown(&posted), shown(&derived));
            let differing = posted.iter().zip(&derived).find(|(posted, derived)| posted != derived);
            assert_eq!(differing, None, "seed {seed}, {granularity:?} by {group_by:?}");
            assert_eq!(posted.len(), derived.len(), "seed {seed}, {granularity:?} by {group_by:?}");
        }
    }
    let total = costs(ledger, &query(Granularity::Total, &[], &[]))
        .unwrap_or_else(|error| panic!("{error}"))
        .totals;
    assert!(!total.is_empty());
    for group_by in [
        &["environment"][..],
        &["application", "team"],
        &["cost_center"],
        &["tag:team"],
        &["sub_account_id", "environment"],
    ] {
        let table = costs(ledger, &query(Granularity::Daily, group_by, &[]))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(table.totals, total, "seed {seed}, by {group_by:?}");
    }
}

#[test]
fn charges_and_postings_give_the_same_costs_after_every_run() {
    for seed in 1..=2 {
        let mut draw = Draw(seed);
        let mut ledger = Ledger::in_memory().unwrap_or_else(|error| panic!("{error}"));
        let (first, second) = (charges(&mut draw), charges(&mut draw));
        run_on(&mut ledger, &[("aws", first.clone()), ("gcp", second)], &FixedRules::new("one", 6));
        agree(&ledger, seed);
        // A source is restated.
        let second = charges(&mut draw);
        run_on(
            &mut ledger,
            &[("aws", first.clone()), ("gcp", second.clone())],
            &FixedRules::new("one", 6),
        );
        agree(&ledger, seed);
        // A rule changes. Where it is not used, entries stay as the older rules posted them.
        run_on(&mut ledger, &[("aws", first), ("gcp", second)], &FixedRules::new("two", 5));
        agree(&ledger, seed);
    }
}

#[test]
fn rules_that_turn_on_a_day_are_taken_by_the_day_of_the_charge() {
    let mut draw = Draw(7);
    let mut ledger = Ledger::in_memory().unwrap_or_else(|error| panic!("{error}"));
    let turning =
        |generation: &str, weight| FixedRules::new(generation, weight).turning(day("2026-01-28"));
    let drawn = charges(&mut draw);
    run_on(&mut ledger, &[("aws", drawn.clone())], &turning("one", 6));
    agree(&ledger, 7);
    run_on(&mut ledger, &[("aws", drawn.clone())], &turning("two", 5));
    agree(&ledger, 7);
    run_on(&mut ledger, &[("aws", drawn)], &FixedRules::new("three", 5));
    agree(&ledger, 7);
}

#[test]
fn corrections_of_a_closed_month_stand_on_other_days_and_add_up_to_the_same() {
    let mut draw = Draw(11);
    let mut ledger = Ledger::in_memory().unwrap_or_else(|error| panic!("{error}"));
    run_on(&mut ledger, &[("aws", charges(&mut draw))], &FixedRules::new("one", 6));
    let january: domain::period::Month =
        "2026-01".parse().unwrap_or_else(|error| panic!("{error}"));
    let query_of_january =
        CostQuery { period: january.period(), ..query(Granularity::Total, &["team"], &[]) };
    let before = asked(&ledger, &query_of_january);
    ledger
        .close_period(january, 1_770_000_000_000, "booked")
        .unwrap_or_else(|error| panic!("{error}"));
    run_on(&mut ledger, &[("aws", charges(&mut draw))], &FixedRules::new("one", 6));
    assert_eq!(asked(&ledger, &query_of_january), before, "a closed month does not move");
    let derived = |query: &CostQuery| {
        shown(&derived_costs(&ledger, query, None).unwrap_or_else(|error| panic!("{error}")))
    };
    assert_eq!(derived(&query_of_january), before, "and neither do its parts");
    let by_charge_day = CostQuery { axis: Axis::Charge, ..query_of_january };
    assert_ne!(derived(&by_charge_day), before);
    for (axis, group_by) in Axis::ALL.iter().flat_map(|axis| POSTED.map(|group| (*axis, group))) {
        for granularity in GRANULARITIES {
            let query = CostQuery { axis, ..query(granularity, group_by, &[]) };
            assert_eq!(asked(&ledger, &query), derived(&query), "{axis:?} by {group_by:?}");
        }
    }
}

/// 2026-01-05 and -06: direct 30 + 10 for a (prod, dev), 20 for b by a rule that says prod; shared
/// 10 by 6:3:1; support 6.
fn small_estate() -> Vec<RawCharge> {
    vec![
        charge(
            "2026-01-05",
            "Compute",
            &[("team", "a"), ("environment", "prod"), ("application", "web")],
            "30",
        ),
        charge("2026-01-05", "Compute", &[("team", "a"), ("environment", "dev")], "10"),
        charge(
            "2026-01-05",
            "Database",
            &[("team", "b"), ("environment", "dev"), ("application", "web")],
            "20",
        ),
        charge("2026-01-05", "Network", &[("environment", "shared")], "10"),
        charge("2026-01-05", "Support", &[], "6"),
        charge("2026-01-06", "Other", &[("environment", "lab")], "1.5"),
        charge("2026-01-06", "Marketplace", &[], "2"),
        charge("2026-01-06", "Broken", &[], "0.25"),
    ]
}

fn small_ledger() -> Ledger {
    let mut ledger = Ledger::in_memory().unwrap_or_else(|error| panic!("{error}"));
    run_on(&mut ledger, &[("aws", small_estate())], &FixedRules::new("one", 6));
    ledger
}

#[test]
fn teams_bear_what_was_computed_by_hand() {
    let ledger = small_ledger();
    // Support: 6 by direct costs 40 to 20, so 4 to a and 2 to b. Network: 10 as 6, 3, 1.
    let expect = [
        "a 50.000000000 USD",
        "b 25.000000000 USD",
        "c 1.000000000 USD",
        "excluded/marketplace 2.000000000 USD",
        "suspense 0.250000000 USD",
        "unallocated 1.500000000 USD",
    ];
    assert_eq!(asked(&ledger, &query(Granularity::Total, &["team"], &[])), expect);
    let spans = ["2026-01-05 76.000000000 USD", "2026-01-06 3.750000000 USD"];
    let daily: Vec<String> = asked(&ledger, &query(Granularity::Daily, &[], &[]))
        .iter()
        .map(|line| line.replace("  ", " "))
        .collect();
    assert_eq!(daily, spans);
}

#[test]
fn environment_and_application_come_from_the_rule_first_and_then_from_the_tag() {
    let ledger = small_ledger();
    let by_environment = asked(&ledger, &query(Granularity::Total, &["environment"], &[]));
    // prod: 30 by tag and 20 by rule; none: support, marketplace and broken.
    assert_eq!(
        by_environment,
        [
            " 8.250000000 USD",
            "dev 10.000000000 USD",
            "lab 1.500000000 USD",
            "prod 50.000000000 USD",
            "shared 10.000000000 USD"
        ]
    );
    let of_a = asked(
        &ledger,
        &query(Granularity::Total, &["application", "environment"], &[("team", "a")]),
    );
    assert_eq!(
        of_a,
        [
            ", 4.000000000 USD",
            ",dev 10.000000000 USD",
            ",shared 6.000000000 USD",
            "web,prod 30.000000000 USD"
        ]
    );
    let databases = asked(
        &ledger,
        &query(Granularity::Total, &["application"], &[("service_name", "Database")]),
    );
    assert_eq!(databases, ["db 20.000000000 USD"]);
    let by_tag = asked(&ledger, &query(Granularity::Total, &["tag:application"], &[("team", "b")]));
    assert_eq!(by_tag, [" 5.000000000 USD", "web 20.000000000 USD"]);
}

#[test]
fn filters_of_one_key_are_alternatives_and_of_several_conditions() {
    let ledger = small_ledger();
    let teams_a_and_c = query(
        Granularity::Total,
        &["team", "service_name"],
        &[("team", "a"), ("team", "c"), ("service_name", "Network")],
    );
    assert_eq!(
        asked(&ledger, &teams_a_and_c),
        ["a,Network 6.000000000 USD", "c,Network 1.000000000 USD"]
    );
    let none = query(Granularity::Total, &["team"], &[("environment", "")]);
    assert_eq!(
        asked(&ledger, &none),
        [
            "a 4.000000000 USD",
            "b 2.000000000 USD",
            "excluded/marketplace 2.000000000 USD",
            "suspense 0.250000000 USD"
        ]
    );
    assert_eq!(teams(&ledger).unwrap_or_default().into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_pool_that_lost_its_drivers_is_not_spread_by_yesterdays_weights() {
    let mut ledger = small_ledger();
    // All direct cost is taken back, so support has no driver any more and stays in its pool.
    let without_direct: Vec<RawCharge> = small_estate()
        .into_iter()
        .filter(|charge| !["Compute", "Database"].contains(&charge.dimensions[0].1.as_str()))
        .collect();
    run_on(&mut ledger, &[("aws", without_direct)], &FixedRules::new("one", 6));
    let expect = [
        "a 6.000000000 USD",
        "b 3.000000000 USD",
        "c 1.000000000 USD",
        "pool/support 6.000000000 USD",
    ];
    let of_the_day = |table: CostTable| shown(&table).into_iter().take(4).collect::<Vec<_>>();
    let query = CostQuery {
        period: Period::new(day("2026-01-05"), day("2026-01-06")).unwrap_or(Period::all()),
        ..query(Granularity::Total, &["team"], &[])
    };
    assert_eq!(
        of_the_day(costs(&ledger, &query).unwrap_or_else(|error| panic!("{error}"))),
        expect
    );
    assert_eq!(
        of_the_day(derived_costs(&ledger, &query, None).unwrap_or_else(|error| panic!("{error}"))),
        expect
    );
}

fn day(text: &str) -> Day {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn rules_that_read_amounts_are_asked_again() {
    let rules = FixedRules { by_amount: true, ..FixedRules::new("amounts", 6) };
    let mut charges = small_estate();
    charges.push(charge(
        "2026-01-05",
        "Compute",
        &[("team", "a"), ("environment", "prod"), ("application", "web")],
        "-4",
    ));
    let mut ledger = Ledger::in_memory().unwrap_or_else(|error| panic!("{error}"));
    run_on(&mut ledger, &[("aws", charges)], &rules);
    let by_environment = query(Granularity::Total, &["environment"], &[("team", "unallocated")]);
    let refused = costs(&ledger, &by_environment)
        .map(|table| shown(&table))
        .map_err(|error| error.to_string());
    assert_eq!(
        refused,
        Err("N202: a rule reads amounts or dates, so its decisions are not stored by resource\n  hint: group by team, service_name, rule, source or account, which are answered from postings".into())
    );
    let again = |_: &[RuleFacts], _: &[(String, String)]| -> Result<Box<dyn Rules>, Diagnostic> {
        Ok(Box::new(rules.clone()))
    };
    let table = costs_with_rules(&ledger, &by_environment, &again)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&table), ["lab 1.500000000 USD", "prod -4.000000000 USD"]);
    for group_by in POSTED {
        let query = query(Granularity::Daily, group_by, &[]);
        let derived =
            derived_costs(&ledger, &query, Some(&again)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(asked(&ledger, &query), shown(&derived), "by {group_by:?}");
    }
}

const DEEP: Option<ExplainDepth> = Some(ExplainDepth::Resources);

fn of(what: &str) -> ExplainQuery {
    let (axis, period) = (Axis::Posting, Period::all());
    ExplainQuery { what: what.to_owned(), service_name: None, axis, period, depth: DEEP }
}

fn account_lines(accounts: &[ExplainedAccount]) -> Vec<String> {
    let mut lines = Vec::new();
    for account in accounts {
        let of_rules: domain::money::Sum = account.rules.iter().map(|rule| rule.amount).sum();
        assert_eq!(of_rules, account.amount);
        for rule in &account.rules {
            let of_resources: domain::money::Sum =
                rule.resources.iter().map(|resource| resource.amount).sum();
            assert_eq!(of_resources + rule.rest_amount, rule.amount);
            let weights: Vec<String> = rule
                .weights
                .iter()
                .flat_map(|day| &day.weights)
                .map(|(recipient, weight)| {
                    format!("{}={weight}", recipient.target().map_or("", |target| &target.team))
                })
                .collect();
            lines.push(format!(
                "{} {} {} x{} [{}] {}",
                account.account,
                rule.name,
                rule.amount,
                rule.charges,
                weights.join(" "),
                rule.doc
            ));
        }
    }
    lines
}

#[test]
fn an_explanation_adds_up_from_account_to_resource() {
    let ledger = small_ledger();
    let rules = |_: &[RuleFacts], _: &[(String, String)]| -> Result<Box<dyn Rules>, Diagnostic> {
        Ok(Box::new(FixedRules::new("one", 6)))
    };
    let explained = explain(&ledger, &of("a"), &rules).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        explained.totals.iter().map(|(_, total)| total.to_string()).collect::<Vec<_>>(),
        ["50.000000000"]
    );
    assert_eq!(
        account_lines(&explained.accounts),
        [
            "team/a Compute 40.000000000 x2 [] Says who pays for Compute.",
            "team/a Network 6.000000000 x1 [a=6 b=3 c=1] Says who pays for Network.",
            // The weights are the direct costs of the day in nanos.
            "team/a Support 4.000000000 x1 [a=2 b=1] Says who pays for Support.",
        ]
    );
    let largest = &explained.accounts[0].rules[0].resources[0];
    assert_eq!((largest.amount.to_string(), largest.tried.len()), ("30.000000000".to_owned(), 1));
    assert_eq!(largest.tried[0].read, [("service_name".to_owned(), "Compute".to_owned())]);
    assert_eq!(
        (explained.sources[0].source.as_str(), explained.sources[0].plugin.name.as_str()),
        ("aws", "fixed")
    );
}

/// Also what was taken back, and what takes it back.
#[test]
fn every_entry_is_explained_by_the_charges_of_its_day() {
    let mut ledger = small_ledger();
    let january = "2026-01".parse().unwrap_or_else(|error| panic!("{error}"));
    ledger.close_period(january, 1, "booked").unwrap_or_else(|error| panic!("{error}"));
    let fewer = small_estate().into_iter().skip(1).collect();
    run_on(&mut ledger, &[("aws", fewer)], &FixedRules::new("two", 5));
    let rules = |_: &[RuleFacts], _: &[(String, String)]| -> Result<Box<dyn Rules>, Diagnostic> {
        Ok(Box::new(FixedRules::new("one", 6)))
    };
    for entry in ledger.entries(&EntryFilter::of(Period::all()), None, 99).unwrap_or_default() {
        let explained = explain(&ledger, &of(&format!("entry:{}", entry.id.0)), &rules)
            .unwrap_or_else(|error| panic!("{error}"));
        account_lines(&explained.accounts);
        let Subject::Entry(facts) = &explained.subject else { panic!("an entry was asked for") };
        for account in &explained.accounts {
            let posted: i128 = facts
                .postings
                .iter()
                .filter(|posting| posting.account == account.account)
                .map(|posting| i128::from(posting.amount.nanos()))
                .sum();
            assert_eq!(
                account.amount.nanos(),
                posted,
                "{} of entry {}",
                account.account,
                entry.id.0
            );
        }
        let source_side = |account: &Account| {
            matches!(account, Account::Provider(_) | Account::Prepaid(_) | Account::Rounding(_))
        };
        let accounts = facts.postings.iter().map(|posting| &posting.account);
        let mut borne: Vec<String> =
            accounts.filter(|account| !source_side(account)).map(Account::to_string).collect();
        borne.sort();
        borne.dedup();
        let mut told: Vec<String> =
            explained.accounts.iter().map(|account| account.account.to_string()).collect();
        told.sort();
        assert_eq!(told, borne, "entry {}", entry.id.0);
    }
}

#[test]
fn what_is_not_there_is_not_explained() {
    let ledger = small_ledger();
    let rules = |_: &[RuleFacts], _: &[(String, String)]| -> Result<Box<dyn Rules>, Diagnostic> {
        Ok(Box::new(FixedRules::new("one", 6)))
    };
    let missing = |what: &str| {
        explain(&ledger, &of(what), &rules).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(
        missing("suspence"),
        Err("N201: nothing in the ledger is called 'suspence'\n  hint: did you mean `suspense`?"
            .into())
    );
    assert_eq!(missing("entry:99"), Err("N201: there is no entry '99'\n  hint: entries are numbered from 1: `apportion explain entry:1`".into()));
}

#[test]
fn a_survey_has_the_months_categories_and_tags_of_each_source() {
    let of = |category: &str, charge: RawCharge| {
        let mut charge = charge;
        charge.dimensions.push((Field::CHARGE_CATEGORY, category.into()));
        charge
    };
    let (a, b) = ([("team", "a")], [("team", "b"), ("env", "prod")]);
    let purchased = charge("2026-02-01", "Compute", &b, "1");
    let tax = charge("2026-02-01", "Tax", &[], "4");
    let aws = vec![
        of("Usage", charge("2026-01-31", "Compute", &a, "10")),
        of("Usage", charge("2026-01-31", "Compute", &a, "2.5")),
        of("Usage", RawCharge { billed_cost: "0".into(), ..purchased }),
        of("Tax", RawCharge { billing_currency: "EUR".into(), ..tax }),
    ];
    let gcp = vec![charge("2026-02-10", "Network", &[], "-7")];
    let mut ledger = Ledger::in_memory().unwrap_or_else(|error| panic!("{error}"));
    run_on(&mut ledger, &[("aws", aws), ("gcp", gcp)], &FixedRules::new("one", 4));
    let found = surveys(&ledger).unwrap_or_else(|error| panic!("{error}"));
    let lines = |survey: &ChargeSurvey| -> Vec<String> {
        let line = |sum: &CategorySum| {
            let CategorySum { month, charge_category, currency, charges, billed, effective } = sum;
            let plain = |amount: &Sum| amount.plain();
            let (billed, effective) = (plain(billed), plain(effective));
            format!("{month} {charge_category} {currency} {charges} {billed} {effective}")
        };
        survey.sums.iter().map(line).collect()
    };
    assert_eq!(found.keys().collect::<Vec<_>>(), ["aws", "gcp"]);
    let aws = &found["aws"];
    // The two charges of team a are of one resource.
    assert_eq!((aws.charges, aws.resources), (4, 3));
    assert_eq!(
        aws.days.map(|(first, last)| format!("{first} {last}")).as_deref(),
        Some("2026-01-31 2026-02-01")
    );
    assert_eq!(
        lines(aws),
        ["2026-01 Usage USD 2 12.5 12.5", "2026-02 Tax EUR 1 4 4", "2026-02 Usage USD 1 0 1"]
    );
    assert_eq!(aws.tags, [("env".to_owned(), 1), ("team".to_owned(), 2)]);
    let gcp = &found["gcp"];
    assert_eq!((gcp.charges, gcp.resources), (1, 1));
    assert_eq!((lines(gcp), gcp.tags.len()), (vec!["2026-02  USD 1 -7 -7".to_owned()], 0));
}
