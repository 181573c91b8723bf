//! A language for tests of postings. Each line is one command with its expected result.
//!
//! `run <source> <day> = <team> <billed> <effective>, … -> <restated> posted <n> reversed <n>
//! unchanged <n>`, `rules <generation>`, `close <month>`, `reopen <month> <reason>`, `balance
//! <month> <account> <amount>`, `sound`

use crate::fixture::{Charge, OneRule, findings, good, month, run, source_day};
use ledger::{BalanceFilter, Bucket, Ledger};

pub fn check(script: &str) {
    let mut ledger = good(Ledger::in_memory());
    check_on(&mut ledger, script);
}

pub fn check_on(ledger: &mut Ledger, script: &str) {
    let mut rules = OneRule::new("g1");
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "run" => check_run(ledger, &rules, rest),
            "rules" => rules = OneRule::new(rest),
            "close" => good(ledger.close_period(month(rest), 1, "")),
            "reopen" => {
                let (name, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                good(ledger.reopen_period(month(name), 2, reason));
            }
            "balance" => check_balance(ledger, rest),
            "sound" => assert_eq!(findings(ledger), Vec::<String>::new(), "{line}"),
            _ => panic!("'{line}' is not a command"),
        }
    }
}

fn check_run(ledger: &mut Ledger, rules: &OneRule, rest: &str) {
    let (given, expected) =
        rest.split_once(" -> ").unwrap_or_else(|| panic!("'{rest}' expects nothing"));
    let (place, charges) =
        given.split_once('=').unwrap_or_else(|| panic!("'{given}' has no charges"));
    let (source, day) =
        place.trim().split_once(' ').unwrap_or_else(|| panic!("'{place}' is not a source-day"));
    let charges: Vec<Charge> =
        charges.split(',').map(str::trim).filter(|charge| !charge.is_empty()).map(charge).collect();
    let (restated, settled) = run(ledger, rules, &source_day(source, day), &charges);
    let got = format!(
        "{restated:?} posted {} reversed {} unchanged {}",
        settled.posted, settled.reversed, settled.unchanged
    );
    assert_eq!(got.to_lowercase(), expected, "run {rest}");
}

fn charge(text: &str) -> Charge {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap_or_else(|| panic!("'{text}' is not a charge"));
    let team = word().to_owned();
    let mut amount = || {
        domain::decimal::parse(word().as_bytes()).unwrap_or_else(|error| panic!("{error}")).nanos
    };
    Charge { team, billed: amount(), effective: amount() }
}

fn check_balance(ledger: &Ledger, rest: &str) {
    let words: Vec<&str> = rest.split(' ').collect();
    let [name, account, amount] = words[..] else { panic!("'{rest}' is not a balance") };
    let balances =
        good(ledger.balances(&BalanceFilter::of(month(name).period()).by(Bucket::Month)));
    let sum: domain::money::Sum = balances
        .iter()
        .filter(|balance| balance.account.to_string() == account)
        .map(|balance| balance.amount)
        .sum();
    assert_eq!(sum.rounded_text(2), amount, "balance {rest}");
}
