//! Shares that hang on more than the day: what teams bear, windows, prices, and parts that cancel
//! out. The figures are worked out by hand.

use crate::fakes::{
    ByService, balances, charges, passing, passing_by, rules, source, try_run, usage_source,
    used_by_team,
};
use crate::stages::{agrees, standing};
use domain::charge::RawCharge;
use domain::code::WEIGHTS_CANCEL;
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostBasis, CostQuestion, DriverFilter, Window};
use domain::driver::rate_card::{Price, RateCard, UnitPrice};
use domain::port::Stage;
use domain::recipient::Recipient;
use domain::run::RunState;
use domain::spread::{Spread, WhenNegative, WhenZero};
use ledger::Ledger;
use pipeline::code;
use pipeline::report::RunReport;
use pipeline::source::Source;

fn team_costs(basis: CostBasis, window: Window) -> CostQuestion {
    CostQuestion { filter: DriverFilter::new(), basis, window }
}

fn by_cost(basis: CostBasis, window: Window) -> Spread {
    let costs = team_costs(basis, window);
    Spread::new(Driver::Cost(CostDriver { among: Candidates::AllTeams, costs }))
}

fn ran(ledger: &mut Ledger, sources: Vec<Source>, rules: &ByService) -> RunReport {
    let report = try_run(ledger, sources, rules).unwrap();
    agrees(ledger, rules);
    report
}

/// Bills and usage, in a ledger of their own.
fn run_of(bill: &str, usage: &str, rules: &ByService) -> (Ledger, RunReport) {
    let mut ledger = Ledger::in_memory().unwrap();
    let sources = vec![source("aws", charges(bill)), usage_source("meter", usage)];
    let report = ran(&mut ledger, sources, rules);
    (ledger, report)
}

fn shares_of(bill: &str, rules: &ByService) -> Vec<String> {
    let (ledger, report) = run_of(bill, "", rules);
    assert_eq!(report.unresolved, Vec::<String>::new());
    standing(&ledger)
}

#[test]
fn a_fee_goes_by_what_teams_bear_and_not_only_by_what_was_assigned() {
    let mut rules = rules();
    rules.split = vec![("search", 1), ("web", 1)];
    let bill = "
        2026-03-02 storage payments 100
        2026-03-02 support - 900
        2026-03-02 tax - 300
    ";
    rules.tax = team_costs(CostBasis::Allocated, Window::DAY);
    // 100 : 450 : 450 of 300.
    let expect = ["payments 130.000000000", "search 585.000000000", "web 585.000000000"];
    assert_eq!(shares_of(bill, &rules), expect);
    rules.tax = team_costs(CostBasis::Direct, Window::DAY);
    let expect = ["payments 400.000000000", "search 450.000000000", "web 450.000000000"];
    assert_eq!(shares_of(bill, &rules), expect);
}

#[test]
fn rules_that_weigh_by_what_teams_bear_have_their_turn_by_priority() {
    let mut rules = rules();
    rules.split = vec![("b", 1)];
    rules.tax = team_costs(CostBasis::Allocated, Window::DAY);
    rules.fee = by_cost(CostBasis::Allocated, Window::DAY);
    let bill = "
        2026-03-02 web a 30
        2026-03-02 support - 10
        2026-03-02 tax - 40
        2026-03-02 fee - 8
    ";
    // Both by 3:1, whoever comes first.
    assert_eq!(shares_of(bill, &rules), ["a 66.000000000", "b 22.000000000"]);
    // A fee by the square: it follows the tax, which goes to c alone as the first one.
    rules.tax.window = Window::Month;
    rules.facts[crate::fakes::FEE].priority = 9;
    rules.facts[0].priority = 5;
    let bill = format!("{bill}\n2026-03-03 web c 40");
    // Tax of 2 March by the month, 30 : 10 : 40 of 40: 15, 5, 20. The fee of the day by 45 : 15 :
    // 20 of 8: 4.5, 1.5, 2.
    let expect = ["a 49.500000000", "b 16.500000000", "c 62.000000000"];
    assert_eq!(shares_of(&bill, &rules), expect);
    // The fee first, by 30 : 10 of 8: 6, 2. Then the tax by 36 : 12 : 40 of 40: 16.36…, 5.45…,
    // 18.18….
    rules.facts[crate::fakes::FEE].priority = 1;
    let expect = ["a 52.363636363", "b 17.454545455", "c 58.181818182"];
    assert_eq!(shares_of(&bill, &rules), expect);
}

/// 10 a day of a from the first on, 100 a day of b from the second on, and a fee on the first.
fn april(fee: &str, b: impl Fn(u32) -> u32) -> Vec<RawCharge> {
    let mut bill = format!("2026-04-01 tax - {fee}\n");
    for day in 1..=30 {
        bill += &format!("2026-04-{day:02} web a 10\n");
        if day > 1 {
            bill += &format!("2026-04-{day:02} web b {}\n", b(day));
        }
    }
    charges(&bill)
}

#[test]
fn a_monthly_fee_goes_by_the_month_and_a_restated_day_moves_it() {
    for basis in [CostBasis::Direct, CostBasis::Allocated] {
        let mut rules = rules();
        rules.tax = team_costs(basis, Window::Month);
        let mut ledger = Ledger::in_memory().unwrap();
        ran(&mut ledger, vec![source("aws", april("320", |_| 100))], &rules);
        // 300 : 2900 of 320.
        assert_eq!(standing(&ledger), ["a 330.000000000", "b 3190.000000000"]);
        // 100 more on the 20th: 300 : 3000 of 320 are 29.09… and 290.90….
        let bill = april("320", |day| if day == 20 { 200 } else { 100 });
        let report = ran(&mut ledger, vec![source("aws", bill.clone())], &rules);
        assert_eq!(standing(&ledger), ["a 329.090909090", "b 3290.909090910"]);
        // The restated day and the fee move, and nothing else does.
        assert_eq!((report.entries_posted, report.entries_reversed), (2, 2));
        let again = ran(&mut ledger, vec![source("aws", bill)], &rules);
        assert_eq!((again.days, again.entries_posted), (0, 0));
        assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, Vec::new());
    }
}

#[test]
fn a_week_begins_on_monday_and_ends_with_its_month() {
    let mut rules = rules();
    rules.tax = team_costs(CostBasis::Direct, Window::Week);
    // 30 March 2026 is a Monday.
    let bill = "
        2026-03-29 web a 1
        2026-03-30 tax - 12
        2026-03-30 web b 1
        2026-03-31 web c 2
        2026-04-01 web d 5
        2026-04-02 tax - 6
        2026-04-06 web e 5
    ";
    let expect =
        ["a 1.000000000", "b 5.000000000", "c 10.000000000", "d 11.000000000", "e 5.000000000"];
    assert_eq!(shares_of(bill, &rules), expect);
}

#[test]
fn credits_count_in_the_sum_of_the_window() {
    let mut rules = rules();
    rules.tax = team_costs(CostBasis::Direct, Window::Month);
    // b has 50 − 30 in the month. A day of its own would count as zero.
    let bill = "
        2026-03-01 web a 60
        2026-03-01 web b 50
        2026-03-01 tax - 8
        2026-03-02 web b -30
        2026-03-02 web c -5
    ";
    let expect = ["a 66.000000000", "b 22.000000000", "c -5.000000000"];
    assert_eq!(shares_of(bill, &rules), expect);
}

#[test]
fn each_day_of_a_window_counts_by_its_own_rules() {
    let mut rules = rules();
    rules.tax = team_costs(CostBasis::Allocated, Window::Month);
    rules.facts[crate::fakes::LATE].from = Some("2026-03-16".parse().unwrap());
    let bill = "
        2026-03-01 tax - 40
        2026-03-10 web a 10
        2026-03-20 web a 30
        2026-04-01 web a 7
    ";
    // All from 16 March on belongs to `late`: 10 : 30 of 40.
    assert_eq!(shares_of(bill, &rules), ["a 20.000000000", "late 67.000000000"]);
}

#[test]
fn a_pool_waits_for_the_pools_that_weigh_otherwise_and_a_circle_is_refused() {
    let mut waiting = rules();
    let allocated = || by_cost(CostBasis::Allocated, Window::Month);
    passing_by(&mut waiting, "pools/idle", Stage::Distribution, allocated());
    passing(&mut waiting, "cascade/it", Stage::Cascade("it".into()), &[("pool pools/zeta", 1)]);
    passing(&mut waiting, "pools/zeta", Stage::Distribution, &[("b", 1)]);
    let bill = "
        2026-03-01 idle - 90
        2026-03-02 web a 10
        2026-03-02 web b 20
        2026-03-03 web it 15
    ";
    // The pool feeds `it`, and `it` feeds the other pool: so it comes first. 10 : 20 : 15 of 90.
    assert_eq!(shares_of(bill, &waiting), ["a 30.000000000", "b 105.000000000"]);
    let mut behind = rules();
    passing_by(&mut behind, "pools/idle", Stage::Distribution, allocated());
    passing(&mut behind, "pools/zeta", Stage::Distribution, &[("b", 1)]);
    behind.fee = Spread::fixed(vec![(Recipient::Pool("pools/zeta".into()), 1)]);
    let bill = "
        2026-03-01 idle - 30
        2026-03-01 fee - 30
        2026-03-02 web a 10
        2026-03-02 web b 20
    ";
    // The other pool gives b 30 first. Then 10 : 50 of 30.
    assert_eq!(shares_of(bill, &behind), ["a 15.000000000", "b 75.000000000"]);
    let mut circle = rules();
    passing_by(&mut circle, "cascade/it", Stage::Cascade("it".into()), allocated());
    passing_by(&mut circle, "cascade/hr", Stage::Cascade("hr".into()), allocated());
    let bill = "2026-03-01 web it 10\n2026-03-01 web hr 20\n2026-03-02 web a 30";
    let (ledger, report) = run_of(bill, "", &circle);
    assert_eq!(report.state, RunState::Incomplete);
    let [finding] = report.unresolved.as_slice() else { panic!("{:?}", report.unresolved) };
    let expect = format!(
        "{}: cascade/it weighs by all that teams bear, and that hangs on what the others pass back \
         to it: cascade/it, cascade/hr\n",
        code::RULE_CIRCLE
    );
    assert!(finding.starts_with(&expect), "{finding}");
    assert_eq!(standing(&ledger), ["a 30.000000000", "hr 20.000000000", "it 10.000000000"]);
}

#[test]
fn days_that_come_one_by_one_end_as_days_that_come_at_once() {
    let mut rules = rules();
    rules.tax = team_costs(CostBasis::Allocated, Window::Month);
    rules.fee = by_cost(CostBasis::Allocated, Window::Week);
    rules.split = vec![("b", 2), ("c", 1)];
    passing_by(
        &mut rules,
        "pools/idle",
        Stage::Distribution,
        by_cost(CostBasis::Allocated, Window::Month),
    );
    passing(&mut rules, "cascade/it", Stage::Cascade("it".into()), &[("a", 1), ("c", 2)]);
    let mut drawn: u64 = 7;
    let mut draw = |below: u64| {
        drawn =
            drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (drawn >> 33) % below
    };
    let services = ["web a", "web b", "web it", "support -", "tax -", "fee -", "idle -"];
    let mut lines = Vec::new();
    for day in 1..=20 {
        for _ in 0..4 {
            let service = services[draw(7) as usize];
            let amount = draw(1_000_000) as i64 - 200_000;
            lines.push(format!("2026-03-{:02} {service} {amount}e-4", day * 3 / 2 + 1));
        }
    }
    let (mut at_once, mut backwards) = (Ledger::in_memory().unwrap(), Ledger::in_memory().unwrap());
    ran(&mut at_once, vec![source("aws", charges(&lines.join("\n")))], &rules);
    let reversed: Vec<String> = lines.iter().rev().cloned().collect();
    ran(&mut backwards, vec![source("aws", charges(&reversed.join("\n")))], &rules);
    assert_eq!(standing(&backwards), standing(&at_once));
    let mut grown = Ledger::in_memory().unwrap();
    for known in [9, 30, 31, 55, lines.len()] {
        let bill = charges(&lines[..known].join("\n"));
        try_run(&mut grown, vec![source("aws", bill)], &rules).unwrap();
    }
    agrees(&grown, &rules);
    assert_eq!(standing(&grown), standing(&at_once));
    assert_eq!(grown.verify(&mut |_| {}).unwrap().findings, Vec::new());
}

/// A tenth for each request, and the rest to `platform`.
fn tenth(window: Window) -> RateCard {
    RateCard {
        usage: used_by_team("req", window),
        prices: vec![Price { upto: None, price: UnitPrice(10_i128.pow(17)) }],
        remainder: Recipient::team("platform"),
        currency: None,
    }
}

const REQUESTS: &str = "
    2026-03-02 req 300 1 team=atlas
    2026-03-02 req 900 1 team=boreas
";

#[test]
fn usage_is_priced_once_whatever_the_number_of_decisions() {
    let mut rules = rules();
    rules.gateway = Some(tenth(Window::DAY));
    let bill = "2026-03-02 gateway plat 200\n2026-03-02 gateway edge 100";
    let (ledger, report) = run_of(bill, REQUESTS, &rules);
    assert_eq!(report.state, RunState::Complete);
    // 30 and 90 by the price. plat has 200 less 2/3 of 120, and edge 100 less 1/3.
    let expect =
        ["atlas 30.000000000", "boreas 90.000000000", "edge 60.000000000", "plat 120.000000000"];
    assert_eq!(standing(&ledger), expect);
    // The month's usage is priced once, and not once for each of its days.
    rules.gateway = Some(tenth(Window::Month));
    let bill = "2026-03-01 gateway - 100\n2026-03-05 gateway - 50\n2026-03-31 gateway - 150";
    let (ledger, _) = run_of(bill, REQUESTS, &rules);
    let expect = ["atlas 30.000000000", "boreas 90.000000000", "platform 180.000000000"];
    assert_eq!(standing(&ledger), expect);
}

fn in_two_currencies() -> Vec<RawCharge> {
    let mut bill = charges("2026-03-02 gateway - 200\n2026-03-02 gateway - 10");
    bill[1].billing_currency = "EUR".into();
    bill
}

#[test]
fn a_price_has_a_currency_and_other_charges_are_the_remainders() {
    let mut rules = rules();
    rules.gateway = Some(RateCard { currency: Some("USD".into()), ..tenth(Window::DAY) });
    let mut ledger = Ledger::in_memory().unwrap();
    let sources = || vec![source("aws", in_two_currencies()), usage_source("meter", REQUESTS)];
    assert_eq!(ran(&mut ledger, sources(), &rules).state, RunState::Complete);
    let expect = [
        "atlas 30.000000000",
        "boreas 90.000000000",
        "platform 10.000000000",
        "platform 80.000000000",
    ];
    assert_eq!(standing(&ledger), expect);
    // Without a currency the price could mean both.
    rules.gateway = Some(tenth(Window::DAY));
    let mut ledger = Ledger::in_memory().unwrap();
    let report = ran(&mut ledger, sources(), &rules);
    assert_eq!(report.state, RunState::Incomplete);
    for (finding, currency) in report.unresolved.iter().zip(["EUR", "USD"]) {
        let expect = format!(
            "{}: shared/gateway prices req at 0.1, which names no currency, and has charges in EUR \
             and USD around 2026-03-02: the charges in {currency} stay in the pool\n",
            code::PRICE_CURRENCY
        );
        assert!(finding.starts_with(&expect), "{finding}");
    }
    assert_eq!(report.unresolved.len(), 2);
    let expect = ["pool/shared/gateway 10.000000000", "pool/shared/gateway 200.000000000"];
    assert_eq!(standing(&ledger), expect);
    // Usage that says its currency is priced in it alone.
    let usage = REQUESTS.replace("team=", "billing_currency=USD team=");
    let mut ledger = Ledger::in_memory().unwrap();
    let sources = vec![source("aws", in_two_currencies()), usage_source("meter", &usage)];
    assert_eq!(ran(&mut ledger, sources, &rules).state, RunState::Complete);
    assert_eq!(standing(&ledger).len(), 4);
}

#[test]
fn a_pool_whose_parts_cancel_out_is_priced_by_its_parts() {
    let mut rules = rules();
    let card = Spread::new(Driver::RateCard(tenth(Window::DAY)));
    passing_by(&mut rules, "pools/idle", Stage::Distribution, card);
    // The pool has two services.
    rules.fee = Spread::fixed(vec![(Recipient::Pool("pools/idle".into()), 1)]);
    for (credit, rest) in [
        ("-1000", "-120.000000000"),
        ("-999.999999999", "-119.999999999"),
        ("-1200", "-320.000000000"),
        ("-100", "780.000000000"),
    ] {
        let bill = format!("2026-03-02 fee - 1000\n2026-03-02 idle - {credit}");
        let (ledger, report) = run_of(&bill, REQUESTS, &rules);
        assert_eq!(report.state, RunState::Complete);
        let rest = format!("platform {rest}");
        let expect = ["atlas 30.000000000", "boreas 90.000000000", rest.as_str()];
        assert_eq!(standing(&ledger), expect, "{credit}");
        // No line is larger than all charges and the prices together.
        for line in balances(&ledger) {
            let digits: String = line.chars().rev().take_while(|it| *it != ' ').collect();
            let nanos: i128 =
                digits.chars().rev().filter(|it| *it != '.').collect::<String>().parse().unwrap();
            assert!(nanos.abs() <= 2320 * 1_000_000_000, "{credit}: {line}");
        }
    }
    // Charges of one service that cancel out are one part of nothing, and carry no price.
    let bill = "2026-03-02 idle - 1000\n2026-03-02 idle - -1000";
    assert_eq!(standing(&run_of(bill, REQUESTS, &rules).0), Vec::<String>::new());
}

#[test]
fn weights_that_nearly_cancel_out_stop_the_run_by_name() {
    let mut rules = rules();
    rules.fee =
        Spread { when_negative: WhenNegative::Keep, ..by_cost(CostBasis::Direct, Window::DAY) };
    let bill = |credit: &str| {
        charges(&format!("2026-03-02 web a 100\n2026-03-02 web b {credit}\n2026-03-02 fee - 50"))
    };
    let mut ledger = Ledger::in_memory().unwrap();
    let refused = try_run(&mut ledger, vec![source("aws", bill("-99.999999999"))], &rules);
    let refused = refused.map(|_| ()).map_err(|refusal| (refusal.code, refusal.message));
    let message = "on 2026-03-02 in USD, shared/fee shares 50 by weights of both signs that nearly \
                   cancel out: one share would be 5000000000000, which is more than the pool and \
                   all weights together";
    assert_eq!(refused, Err((WEIGHTS_CANCEL, message.into())));
    // 100 : -20 of 50 are 62.50 and -12.50.
    ran(&mut ledger, vec![source("aws", bill("-20"))], &rules);
    assert_eq!(standing(&ledger), ["a 162.500000000", "b -32.500000000"]);
    // 100 : -75 of 50 are 200 and -150: less than the 225 of all together.
    ran(&mut ledger, vec![source("aws", bill("-75"))], &rules);
    assert_eq!(standing(&ledger), ["a 300.000000000", "b -225.000000000"]);
}

/// Three days of a gateway, and usage of two sources.
fn nat(when_zero: WhenZero) -> ByService {
    let mut rules = rules();
    rules.fee =
        Spread { when_zero, ..Spread::new(Driver::Usage(used_by_team("egress", Window::DAY))) };
    rules
}

const NAT: &str = "2026-03-02 fee - 100\n2026-03-03 fee - 100\n2026-03-04 fee - 100";
const BOTH: &str = "2026-03-02 egress 50 GB team=T\n2026-03-03 egress 50 GB team=T\n\
                    2026-03-04 egress 50 GB team=T";

#[test]
fn a_gap_of_one_source_is_not_zero() {
    let whole = BOTH.replace("=T", "=atlas");
    let lines: Vec<String> = BOTH.replace("=T", "=boreas").lines().map(str::to_owned).collect();
    let gap = [lines[0].clone(), lines[2].clone()].join("\n");
    let sources = |other: &str| {
        vec![source("aws", charges(NAT)), usage_source("ua", &whole), usage_source("ub", other)]
    };
    let mut ledger = Ledger::in_memory().unwrap();
    let rules = nat(WhenZero::Stay);
    ran(&mut ledger, sources(&gap), &rules);
    let expect = ["atlas 100.000000000", "boreas 100.000000000", "pool/shared/fee 100.000000000"];
    assert_eq!(standing(&ledger), expect);
    // The missing day comes.
    ran(&mut ledger, sources(&lines.join("\n")), &rules);
    assert_eq!(standing(&ledger), ["atlas 150.000000000", "boreas 150.000000000"]);
    // The rule's word for such days.
    let fallback = WhenZero::Spread(Box::new(Spread::fixed(vec![(Recipient::team("c"), 1)])));
    let mut ledger = Ledger::in_memory().unwrap();
    ran(&mut ledger, sources(&gap), &nat(fallback));
    let expect = ["atlas 100.000000000", "boreas 100.000000000", "c 100.000000000"];
    assert_eq!(standing(&ledger), expect);
    // A source that ends is no gap. When it goes on, the days between become one, though their own
    // usage is as before.
    let mut ledger = Ledger::in_memory().unwrap();
    ran(&mut ledger, sources(&lines[0]), &rules);
    assert_eq!(standing(&ledger), ["atlas 250.000000000", "boreas 50.000000000"]);
    ran(&mut ledger, sources(&gap), &rules);
    let expect = ["atlas 100.000000000", "boreas 100.000000000", "pool/shared/fee 100.000000000"];
    assert_eq!(standing(&ledger), expect);
}

#[test]
fn usage_that_is_money_has_credits() {
    let mut rules = rules();
    rules.fee = Spread::new(Driver::Usage(used_by_team("list", Window::Month)));
    let usage = "
        2026-03-01 list 60 USD team=a billing_currency=USD
        2026-03-01 list 50 USD team=b billing_currency=USD
        2026-03-02 list -30 USD team=b billing_currency=USD
        2026-03-02 list -5 USD team=c billing_currency=USD
    ";
    let (ledger, report) = run_of("2026-03-01 fee - 8", usage, &rules);
    assert_eq!((report.state, report.sources[1].usage.rows), (RunState::Complete, 4));
    // 60 : 20 of 8; c has credits only.
    assert_eq!(standing(&ledger), ["a 6.000000000", "b 2.000000000"]);
}
