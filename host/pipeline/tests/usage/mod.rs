//! Usage from its source to the shares that it drives, with figures worked out by hand.

use crate::fakes::{
    ByService, balances, charges, over_stored, passing_by, rules, source, try_run, try_run_at,
    usage_source, used_by_team,
};
use crate::stages::standing;
use domain::code::{AMOUNT_TOO_LARGE, WEIGHTS_CANCEL};
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostQuestion, DriverFilter, Window};
use domain::driver::rate_card::{Price, RateCard, UnitPrice};
use domain::field::Field;
use domain::period::{Month, Period};
use domain::port::{Rules, Stage};
use domain::recipient::Recipient;
use domain::run::RunState;
use domain::spread::{Spread, WhenNegative, WhenZero};
use domain::tag::TagSchema;
use ledger::Ledger;
use pipeline::plan::{PlanOptions, plan};
use pipeline::source::Source;

const BILL: &str = "
    2026-03-01 idle - 12
    2026-03-02 idle - 12
    2026-04-01 idle - 12
";

fn by_usage(metric: &str, window: Window) -> Spread {
    Spread::new(Driver::Usage(used_by_team(metric, window)))
}

/// Rules that share the pool `pools/idle` by this spread.
fn shared_by(spread: Spread) -> ByService {
    let mut rules = rules();
    passing_by(&mut rules, "pools/idle", Stage::Distribution, spread);
    rules
}

fn march(usage: &str) -> Source {
    let mut source = usage_source("meter", usage);
    source.request.period = Some("2026-03".parse::<Month>().unwrap().period());
    source
}

#[test]
fn a_pool_is_shared_by_what_each_team_used_on_the_day() {
    let mut ledger = Ledger::in_memory().unwrap();
    let usage = "
        2026-03-01 bytes 1 B team=a
        2026-03-01 bytes 2.5 B team=b
        2026-03-01T13:00:00Z bytes 0.5 B team=b
        2026-03-02 bytes 7 B team=a
        2026-03-02 other 9 B team=b
    ";
    let spread = Spread {
        when_zero: WhenZero::Spread(Box::new(Spread::fixed(vec![(Recipient::team("c"), 1)]))),
        ..by_usage("bytes", Window::Days(1))
    };
    let report =
        try_run(&mut ledger, vec![source("aws", charges(BILL)), march(usage)], &shared_by(spread))
            .unwrap();
    assert_eq!(report.state, RunState::Complete);
    let usage = &report.sources[1].usage;
    let metrics: Vec<_> = usage
        .metrics
        .iter()
        .map(|metric| {
            (metric.metric.as_str(), metric.unit.as_str(), metric.days, metric.total.to_string())
        })
        .collect();
    // bytes: 1 + 2.5 + 0.5 + 7 = 11.
    assert_eq!(
        metrics,
        [("bytes", "B", 2, "11.000000000".into()), ("other", "B", 1, "9.000000000".into())]
    );
    assert_eq!((usage.rows, usage.days_new), (5, 3));
    // 1 March 1:3 of 12 → a 3, b 9; 2 March all to a; 1 April nothing is known, so c.
    assert_eq!(standing(&ledger), ["a 15.000000000", "b 9.000000000", "c 12.000000000"]);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
}

fn priced_at_one(metric: &str) -> Spread {
    let Driver::Usage(usage) = by_usage(metric, Window::Days(1)).by else { panic!("usage") };
    let prices = vec![Price { upto: None, price: UnitPrice(10_i128.pow(18)) }];
    Spread::new(Driver::RateCard(RateCard {
        usage,
        prices,
        remainder: Recipient::team("rest"),
        currency: None,
    }))
}

#[test]
fn a_large_price_takes_few_postings_and_one_beyond_the_ledger_none() {
    let bill = || source("aws", charges("2026-03-01 idle - 12"));
    let rules = shared_by(priced_at_one("bytes"));
    let mut ledger = Ledger::in_memory().unwrap();
    let usage = march("2026-03-01 bytes 100000000000 B team=a");
    let report = try_run(&mut ledger, vec![bill(), usage], &rules).unwrap();
    assert_eq!(report.state, RunState::Complete);
    assert_eq!(standing(&ledger), ["a 100000000000.000000000", "rest -99999999988.000000000"]);
    // 10²⁰ nanos are eleven postings of 63 bits. The pool gives 12 in one.
    let entries =
        ledger.entries(&ledger::listing::EntryFilter::of(Period::all()), None, 9).unwrap();
    let postings: Vec<usize> = entries.iter().map(|it| it.entry.postings().len()).collect();
    assert_eq!(postings, [2, 11 + 11 + 1]);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());

    // With 10¹⁵ units, and with the largest quantity of a row.
    for units in ["1000000000000000", "10000000000000000000"] {
        let mut ledger = Ledger::in_memory().unwrap();
        let usage = march(&format!("2026-03-01 bytes {units} B team=a"));
        let refused = try_run(&mut ledger, vec![bill(), usage], &rules).map(|_| ());
        let expect = format!(
            "on 2026-03-01 in USD, pools/idle charges a {units} for {units} of bytes at 1, and the \
             ledger holds at most 922337203685.4775807"
        );
        assert_eq!(
            refused.map_err(|refusal| (refusal.code, refusal.message)),
            Err((AMOUNT_TOO_LARGE, expect))
        );
        assert_eq!(balances(&ledger), Vec::<String>::new());
    }
}

#[test]
fn weights_that_nearly_cancel_out_are_refused() {
    let by_cost = Spread {
        when_negative: WhenNegative::Keep,
        ..Spread::new(Driver::Cost(CostDriver {
            among: Candidates::AllTeams,
            costs: CostQuestion::direct(DriverFilter::new()),
        }))
    };
    let bill = "
        2026-03-01 idle - 12
        2026-03-01 web a 10000000.000000001
        2026-03-01 web b -10000000
    ";
    let mut ledger = Ledger::in_memory().unwrap();
    let refused = try_run(&mut ledger, vec![source("aws", charges(bill))], &shared_by(by_cost));
    // The weights add up to one nano, so a gets 12 · 10000000000000001.
    let expect = "on 2026-03-01 in USD, pools/idle shares 12 by weights of both signs that nearly \
                  cancel out: one share would be 120000000000000012, which is more than the pool \
                  and all weights together";
    assert_eq!(
        refused.map(|_| ()).map_err(|refusal| (refusal.code, refusal.message)),
        Err((WEIGHTS_CANCEL, expect.into()))
    );
    assert_eq!(balances(&ledger), Vec::<String>::new());
}

#[test]
fn changed_usage_moves_the_days_that_look_at_it_and_no_others() {
    let mut ledger = Ledger::in_memory().unwrap();
    let rules = shared_by(by_usage("bytes", Window::Days(1)));
    let first =
        "2026-03-01 bytes 1 B team=a\n2026-03-02 bytes 1 B team=a\n2026-03-02 other 1 B team=a";
    try_run(&mut ledger, vec![source("aws", charges(BILL)), march(first)], &rules).unwrap();
    assert_eq!(standing(&ledger), ["a 24.000000000", "pool/pools/idle 12.000000000"]);

    let again = try_run(&mut ledger, vec![march(first)], &rules).unwrap();
    assert_eq!((again.days, again.sources[0].usage.days_unchanged), (0, 3));

    // No rule uses the other metric as a driver.
    let other =
        "2026-03-01 bytes 1 B team=a\n2026-03-02 bytes 1 B team=a\n2026-03-02 other 2 B team=a";
    let report = try_run(&mut ledger, vec![march(other)], &rules).unwrap();
    assert_eq!((report.days, report.sources[0].usage.days_changed), (0, 1));

    let second = "2026-03-01 bytes 1 B team=a\n2026-03-02 bytes 1 B team=a\n2026-03-02 bytes 2 B team=b\n2026-03-02 other 2 B team=a";
    let report = try_run(&mut ledger, vec![march(second)], &rules).unwrap();
    assert_eq!(
        (report.days, report.sources[0].usage.days_changed, report.sources[0].usage.days_unchanged),
        (1, 1, 2)
    );
    // 2 March: 1:2 of 12.
    assert_eq!(
        standing(&ledger),
        ["a 16.000000000", "b 8.000000000", "pool/pools/idle 12.000000000"]
    );

    // Usage that a source is asked for and does not give any more is taken back.
    let report = try_run(&mut ledger, vec![march("2026-03-01 bytes 1 B team=a")], &rules).unwrap();
    assert_eq!((report.days, report.sources[0].usage.days_changed), (1, 2));
    assert_eq!(standing(&ledger), ["a 12.000000000", "pool/pools/idle 24.000000000"]);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
}

#[test]
fn a_window_reaches_all_days_that_look_through_it() {
    let mut ledger = Ledger::in_memory().unwrap();
    let rules = shared_by(by_usage("bytes", Window::Month));
    try_run(
        &mut ledger,
        vec![source("aws", charges(BILL)), march("2026-03-31 bytes 1 B team=a")],
        &rules,
    )
    .unwrap();
    assert_eq!(standing(&ledger), ["a 24.000000000", "pool/pools/idle 12.000000000"]);
    let report = try_run(
        &mut ledger,
        vec![march("2026-03-31 bytes 1 B team=a\n2026-03-15 bytes 1 B team=b")],
        &rules,
    )
    .unwrap();
    assert_eq!(report.days, 2);
    assert_eq!(
        standing(&ledger),
        ["a 12.000000000", "b 12.000000000", "pool/pools/idle 12.000000000"]
    );

    let mut ledger = Ledger::in_memory().unwrap();
    let rules = shared_by(by_usage("bytes", Window::Days(2)));
    try_run(&mut ledger, vec![source("aws", charges(BILL))], &rules).unwrap();
    // The day before counts too: 1 March is seen by 1 and 2 March, 31 March by 1 April.
    let report = try_run(
        &mut ledger,
        vec![march("2026-03-01 bytes 1 B team=a\n2026-03-31 bytes 1 B team=b")],
        &rules,
    )
    .unwrap();
    assert_eq!(report.days, 3);
    assert_eq!(standing(&ledger), ["a 24.000000000", "b 12.000000000"]);
}

#[test]
fn rows_that_are_no_usage_are_set_aside_with_the_reason() {
    let mut ledger = Ledger::in_memory().unwrap();
    let usage = "
        2026-03-01 bytes -1 B team=a
        2026-03-01 bytes many B team=a
        2026-03-41 bytes 1 B team=a
        2026-03-01 bytes 1 B team=a
        2026-03-01 bytes 1 GiB team=b
    ";
    let report = try_run(&mut ledger, vec![march(usage)], &rules()).unwrap();
    assert_eq!(report.state, RunState::Incomplete);
    let reasons: Vec<&str> =
        report.sources[0].rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "F201: value: '-1' is below zero: nobody can be charged for less than nothing used, \
             except where usage is money, with a key billing_currency",
            "F201: value: 'many' is not a decimal number",
            "F201: period_start: '2026-03-41' is not a point in time such as 2026-03-31T00:00:00Z",
            "F201: bytes is in 'GiB' here and in 'B' in rows before it: a metric has one unit, so convert it or give it another name",
        ]
    );
    assert_eq!((report.sources[0].set_aside, report.sources[0].usage.rows), (4, 1));
    let mut other = usage_source("other", "2026-03-01 bytes 1 KiB team=a");
    other.request.period = None;
    let report = try_run(&mut ledger, vec![other], &rules()).unwrap();
    assert!(
        report.sources[0].rejected[0].reason.contains("in 'B' in the source meter"),
        "{:?}",
        report.sources[0].rejected
    );
}

#[test]
fn sources_add_up_and_a_source_that_fails_leaves_its_usage_as_it_was() {
    let mut ledger = Ledger::in_memory().unwrap();
    let rules = shared_by(by_usage("bytes", Window::Days(1)));
    let meters = vec![
        source("aws", charges("2026-03-01 idle - 12")),
        march("2026-03-01 bytes 1 B team=a"),
        usage_source("second", "2026-03-01 bytes 2 B team=a\n2026-03-01 bytes 3 B team=b"),
    ];
    try_run(&mut ledger, meters, &rules).unwrap();
    assert_eq!(standing(&ledger), ["a 6.000000000", "b 6.000000000"]);
    let failure = domain::diagnostic::Diagnostic::new(domain::code::PLUGIN_TRAPPED, "down");
    let report =
        try_run(&mut ledger, vec![crate::fakes::failing("second", Vec::new(), failure)], &rules)
            .unwrap();
    assert_eq!((report.days, report.state), (0, RunState::Incomplete));
    assert_eq!(standing(&ledger), ["a 6.000000000", "b 6.000000000"]);
}

#[test]
fn plans_go_by_the_usage_that_was_known_and_are_void_when_it_changes() {
    let mut ledger = Ledger::in_memory().unwrap();
    let rules = shared_by(by_usage("bytes", Window::Days(1)));
    // 2026-05-01T00:00:00Z, `date -u -d 2026-05-01 +%s`, and the day after.
    let (first, second) = (1_777_593_600_000, 1_777_680_000_000);
    let bill = || source("aws", charges("2026-03-01 idle - 12"));
    try_run_at(&mut ledger, vec![bill(), march("2026-03-01 bytes 1 B team=a")], &rules, first)
        .unwrap();
    let before = ledger.inputs_digest().unwrap();
    try_run_at(
        &mut ledger,
        vec![march("2026-03-01 bytes 1 B team=a\n2026-03-01 bytes 3 B team=b")],
        &rules,
        second,
    )
    .unwrap();
    assert_eq!(standing(&ledger), ["a 3.000000000", "b 9.000000000"]);
    assert_ne!(ledger.inputs_digest().unwrap(), before);

    let mut scratch = ledger.scratch(&mut |_, _| {}).unwrap();
    let (dimensions, schema) = (Field::default_dimensions(), TagSchema::default());
    let options = PlanOptions {
        run: over_stored(&rules, second, &dimensions, &schema),
        uncollected: Vec::new(),
        rules_of: &|_, _| Ok(Box::new(rules.clone()) as Box<dyn Rules>),
        period: Period::all(),
        as_of: Some("2026-05-01".parse().unwrap()),
    };
    let plan = plan(&mut scratch, options, &mut |_| {}).unwrap();
    let teams: Vec<_> = plan
        .teams
        .iter()
        .map(|team| {
            format!("{} {} {}", team.name, team.before.rounded_text(2), team.after.rounded_text(2))
        })
        .collect();
    assert_eq!(teams, ["a 3.00 12.00", "b 9.00 0.00"]);
}

#[test]
fn quantities_of_money_drive_costs_in_their_own_currency_only() {
    let mut ledger = Ledger::in_memory().unwrap();
    let usage = "2026-03-01 bytes 1 money team=a billing_currency=USD\n2026-03-01 bytes 9 money team=b billing_currency=EUR\n2026-03-01 bytes 1 money team=c";
    let sources = vec![source("aws", charges("2026-03-01 idle - 12")), march(usage)];
    try_run(&mut ledger, sources, &shared_by(by_usage("bytes", Window::Days(1)))).unwrap();
    assert_eq!(standing(&ledger), ["a 6.000000000", "c 6.000000000"]);
}
