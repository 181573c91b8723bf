//! Balances: postings that a filter leaves out are not summed.

use crate::fixture::{OneRule, charge, good, run, source_day};
use domain::account::Account;
use domain::period::Period;
use ledger::{BalanceFilter, Bucket, Ledger};

#[test]
fn a_filter_leaves_out_other_accounts_sources_and_days() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    for (source, on, team, nanos) in [
        ("aws", "2026-01-03", "payments", 10),
        ("aws", "2026-01-04", "search", 20),
        ("gcp", "2026-02-01", "payments", 40),
    ] {
        run(&mut ledger, &rules, &source_day(source, on), &[charge(team, nanos, nanos)]);
    }
    let shown = |filter: &BalanceFilter| -> Vec<String> {
        let balances = good(ledger.balances(filter)).into_iter();
        balances
            .map(|balance| {
                let (day, nanos) = (balance.bucket_start, balance.amount.nanos());
                format!("{day} {} {} {nanos}", balance.source, balance.account)
            })
            .collect()
    };
    let of_teams = |filter: BalanceFilter| {
        filter.accounts(["payments", "search"].map(|team| Account::Team(team.into())))
    };
    let all = BalanceFilter::of(Period::all()).by(Bucket::Day);
    assert_eq!(
        shown(&of_teams(all.clone())),
        [
            "2026-01-03 aws team/payments 10",
            "2026-01-04 aws team/search 20",
            "2026-02-01 gcp team/payments 40",
        ]
    );
    let payments = all.clone().accounts([Account::Team("payments".into())]);
    assert_eq!(
        shown(&payments),
        ["2026-01-03 aws team/payments 10", "2026-02-01 gcp team/payments 40"]
    );
    assert_eq!(
        shown(&payments.clone().sources(["gcp".to_owned()])),
        ["2026-02-01 gcp team/payments 40"]
    );
    let february = source_day("aws", "2026-02-01").day.month().period();
    assert_eq!(shown(&of_teams(BalanceFilter::of(february))), ["2026-02-01 gcp team/payments 40"]);
    assert_eq!(shown(&all.clone().accounts([Account::Team("nobody".into())])), [""; 0]);
    assert_eq!(shown(&all.accounts([])), [""; 0]);
}
