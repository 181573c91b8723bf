//! Posting, reversing, correcting; amounts are worked out by hand.

use crate::fixture::{
    OneRule, charge, day, end, entries, good, month, posting, run, source_day, start, usd,
};
use crate::script::check;
use domain::account::Account;
use domain::entry::{Entry, EntryKind};
use domain::period::{Month, Period};
use domain::run::{DayTotals, RunId};
use ledger::code;
use ledger::listing::EntryFilter;
use ledger::{BalanceFilter, Bucket, EntryId, Ledger, PeriodState, PostedRun, Restated};

#[test]
fn the_same_twice_posts_nothing_and_a_change_posts_the_difference() {
    check(
        "run aws 2026-01-03 = payments 10.00 8.00, search 5.00 5.00 \
         -> new posted 1 reversed 0 unchanged 0
         balance 2026-01 team/payments 8.00
         balance 2026-01 prepaid/aws 2.00
         balance 2026-01 provider/aws -15.00
         run aws 2026-01-03 = search 5.00 5.00, payments 10.00 8.00 \
         -> unchanged posted 0 reversed 0 unchanged 1
         run aws 2026-01-03 = payments 12.00 12.00 -> changed posted 1 reversed 1 unchanged 0
         balance 2026-01 team/payments 12.00
         balance 2026-01 team/search 0.00
         balance 2026-01 provider/aws -12.00
         sound
         run aws 2026-01-03 = payments 10.00 8.00, search 5.00 5.00 \
         -> changed posted 1 reversed 1 unchanged 0
         balance 2026-01 team/payments 8.00
         balance 2026-01 team/search 5.00
         balance 2026-01 prepaid/aws 2.00
         sound",
    );
}

#[test]
fn a_day_taken_back_by_its_source_leaves_nothing_standing() {
    check(
        "run aws 2026-01-03 = payments 10.00 10.00 -> new posted 1 reversed 0 unchanged 0
         run aws 2026-01-03 = -> changed posted 0 reversed 1 unchanged 0
         balance 2026-01 team/payments 0.00
         balance 2026-01 provider/aws 0.00
         sound
         run aws 2026-01-04 = -> unchanged posted 0 reversed 0 unchanged 0
         sound",
    );
}

#[test]
fn refunds_and_purchases_without_use_post_like_any_charge() {
    check(
        "run aws 2026-01-03 = payments 1000.00 0, search -7.50 -7.50 \
         -> new posted 1 reversed 0 unchanged 0
         balance 2026-01 prepaid/aws 1000.00
         balance 2026-01 team/search -7.50
         balance 2026-01 provider/aws -992.50
         sound",
    );
}

#[test]
fn another_rule_version_posts_anew_though_the_amounts_are_equal() {
    check(
        "run aws 2026-01-03 = payments 10.00 10.00 -> new posted 1 reversed 0 unchanged 0
         rules g2
         run aws 2026-01-03 = payments 10.00 10.00 -> unchanged posted 1 reversed 1 unchanged 0
         balance 2026-01 team/payments 10.00
         sound",
    );
}

#[test]
fn a_closed_month_does_not_move_and_its_corrections_land_in_the_next_open_one() {
    check(
        "run aws 2026-01-31 = payments 10.00 10.00 -> new posted 1 reversed 0 unchanged 0
         close 2026-01
         close 2026-02
         run aws 2026-01-31 = payments 13.00 13.00 -> changed posted 1 reversed 1 unchanged 0
         balance 2026-01 team/payments 10.00
         balance 2026-02 team/payments 0.00
         balance 2026-03 team/payments 3.00
         balance 2026-03 provider/aws -3.00
         sound
         run aws 2026-01-31 = payments 14.00 14.00 -> changed posted 1 reversed 1 unchanged 0
         balance 2026-03 team/payments 4.00
         close 2026-03
         run aws 2026-01-31 = payments 10.00 10.00 -> changed posted 1 reversed 1 unchanged 0
         balance 2026-03 team/payments 4.00
         balance 2026-04 team/payments -4.00
         reopen 2026-01 the provider sent a late credit
         run aws 2026-01-31 = payments 9.00 9.00 -> changed posted 1 reversed 1 unchanged 0
         balance 2026-01 team/payments 10.00
         balance 2026-03 team/payments 4.00
         balance 2026-04 team/payments -5.00
         sound",
    );
}

/// The reopened month has 10, and a later one the difference to the amount that is stated.
#[test]
fn corrections_stay_where_they_are_when_their_month_is_reopened() {
    check(
        "run aws 2026-01-31 = payments 10.00 10.00 -> new posted 1 reversed 0 unchanged 0
         close 2026-01
         run aws 2026-01-31 = -> changed posted 0 reversed 1 unchanged 0
         balance 2026-02 team/payments -10.00
         reopen 2026-01 the provider sent a late credit
         run aws 2026-01-31 = payments 12.00 12.00 -> changed posted 1 reversed 0 unchanged 0
         balance 2026-01 team/payments 10.00
         balance 2026-02 team/payments 2.00
         run aws 2026-01-30 = payments 1.00 1.00 -> new posted 1 reversed 0 unchanged 0
         balance 2026-01 team/payments 11.00
         sound",
    );
}

#[test]
fn a_correction_keeps_the_day_of_its_charges() {
    let mut ledger = good(Ledger::in_memory());
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-31"));
    run(&mut ledger, &rules, &place, &[charge("payments", 10, 10)]);
    good(ledger.close_period(month("2026-01"), 5, "invoiced"));
    run(&mut ledger, &rules, &place, &[charge("payments", 13, 13)]);
    let posted: Vec<String> = good(ledger.entries(&EntryFilter::of(Period::all()), None, 10))
        .into_iter()
        .map(|stored| {
            let number = |id: Option<EntryId>| id.map_or(0, |id| id.0);
            let (kind, charged, posted) =
                (stored.entry.kind().name(), stored.entry.charge_day(), stored.entry.posting_day());
            format!(
                "{kind} {charged} {posted} reverses {} reversed by {}",
                number(stored.reverses),
                number(stored.reversed_by)
            )
        })
        .collect();
    assert_eq!(
        posted,
        [
            "collection 2026-01-31 2026-01-31 reverses 0 reversed by 2",
            "reversal 2026-01-31 2026-02-01 reverses 1 reversed by 0",
            "collection 2026-01-31 2026-02-01 reverses 0 reversed by 0",
        ]
    );
    let standing = good(ledger.standing(month("2026-01").period()));
    assert_eq!(
        standing.iter().map(|entry| (entry.id, entry.posting_day)).collect::<Vec<_>>(),
        [(EntryId(3), day("2026-02-01"))]
    );
    assert_eq!(good(ledger.standing(month("2026-02").period())), []);
    let after: Vec<EntryId> =
        good(ledger.entries(&EntryFilter::of(Period::all()), Some(EntryId(1)), 1))
            .iter()
            .map(|stored| stored.id)
            .collect();
    assert_eq!(after, [EntryId(2)]);
    assert_eq!(good(ledger.entry(EntryId(4))), None);
}

/// So it is known of each run whether it was before a month was closed.
#[test]
fn a_clock_that_was_set_back_leaves_runs_and_closes_in_their_order() {
    let mut ledger = good(Ledger::in_memory());
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-31"));
    run(&mut ledger, &rules, &place, &[charge("payments", 10, 10)]);
    let ended = |ledger: &Ledger| good(ledger.runs(1))[0].end.as_ref().map(|end| end.at_ms);
    let first = ended(&ledger);
    good(ledger.close_period(month("2026-01"), -5, "invoiced"));
    let closed = good(ledger.periods())[0].at_ms;
    assert_eq!(Some(closed), first);
    run(&mut ledger, &rules, &place, &[charge("payments", 13, 13)]);
    assert!(good(ledger.runs(1))[0].started_at_ms > closed);
    assert!(ended(&ledger) > first);
    let last = |name: &str, run| {
        good(ledger.last_run_of(month(name), RunId(run))).map(|run: PostedRun| run.id)
    };
    // January is looked at as it was when it was closed, and February as it is now.
    assert_eq!(last("2026-01", 1), Some(RunId(1)));
    assert_eq!(last("2026-02", 2), Some(RunId(2)));
    assert_eq!(good(ledger.verify(&mut |_| {})).findings, []);
}

#[test]
fn months_close_once_and_reopen_with_a_reason() {
    let mut ledger = good(Ledger::in_memory());
    let january: Month = month("2026-01");
    let refused = |result: ledger::Result<()>| result.map_err(|error| (error.code, error.message));
    assert_eq!(
        refused(ledger.reopen_period(january, 1, "why not")),
        Err((code::PERIOD_STATE, "2026-01 is open".into()))
    );
    good(ledger.close_period(january, 2, "invoiced"));
    assert_eq!(
        refused(ledger.close_period(january, 3, "")),
        Err((code::PERIOD_STATE, "2026-01 is closed already".into()))
    );
    assert_eq!(
        refused(ledger.reopen_period(january, 4, "  ")),
        Err((
            code::PERIOD_STATE,
            "reopening 2026-01 needs a reason, which stays in the ledger".into()
        ))
    );
    assert_eq!(good(ledger.closed_months()), [january]);
    good(ledger.reopen_period(january, 5, "late credit"));
    assert_eq!(good(ledger.closed_months()), []);
    let events: Vec<(PeriodState, i64, String)> = good(ledger.periods())
        .into_iter()
        .map(|event| (event.state, event.at_ms, event.note))
        .collect();
    assert_eq!(
        events,
        [
            (PeriodState::Closed, 2, "invoiced".into()),
            (PeriodState::Reopened, 5, "late credit".into())
        ]
    );
}

#[test]
fn an_equal_entry_stays_when_its_neighbor_changes() {
    let mut ledger = good(Ledger::in_memory());
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-03"));
    let distribution = |amount: i64| {
        let postings = vec![
            posting(Account::Pool("rules/team".into()), -amount, None),
            posting(Account::Team("search".into()), amount, None),
        ];
        Entry::new(EntryKind::Distribution, "aws", day("2026-01-03"), usd(), postings)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let totals = DayTotals {
        charges: 1,
        billed: domain::money::Sum::from_nanos(9),
        effective: domain::money::Sum::from_nanos(9),
        ..DayTotals::default()
    };
    let collection =
        || entries(&place, &[charge("payments", 9, 9)], &totals, &rules.facts[0].version);
    for (amount, expected) in [(4, (2, 0, 0)), (5, (1, 1, 1)), (5, (0, 0, 2))] {
        let mut transaction = good(ledger.begin(&start()));
        let generation = good(transaction.save_generation(&rules, None));
        let mut given = vec![distribution(amount)];
        given.extend(collection());
        let settled = good(transaction.settle(&place, generation, given));
        good(transaction.commit(&end(generation)));
        assert_eq!((settled.posted, settled.reversed, settled.unchanged), expected);
    }
}

#[test]
fn entries_that_belong_elsewhere_are_refused() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(&rules, None));
    let entry = |amount: i64, other: i64| {
        let mut postings = vec![
            posting(Account::Suspense, amount, None),
            posting(Account::Unallocated, other, None),
        ];
        postings.extend((amount == i64::MIN).then(|| posting(Account::Unallocated, 1, None)));
        Entry::new(EntryKind::Collection, "aws", day("2026-01-03"), usd(), postings)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let mut refused = |place, entry| {
        transaction
            .settle(&place, generation, vec![entry])
            .map_err(|error| (error.code, error.message))
    };
    assert_eq!(
        refused(source_day("gcp", "2026-01-03"), entry(1, -1)),
        Err((
            domain::code::INTERNAL,
            "gcp on 2026-01-03 in USD: an entry of aws on 2026-01-03 in USD does not belong here"
                .into()
        ))
    );
    assert_eq!(
        refused(source_day("aws", "2026-01-03"), entry(1, -1).reversal()),
        Err((
            domain::code::INTERNAL,
            "aws on 2026-01-03 in USD: reversals are made by settling, not given to it".into()
        ))
    );
    assert_eq!(
        refused(source_day("aws", "2026-01-03"), entry(i64::MIN, i64::MAX)),
        Err((
            domain::code::INTERNAL,
            "aws on 2026-01-03 in USD: a posting is larger than one can be".into()
        ))
    );
}

#[test]
fn sums_go_beyond_what_one_posting_holds() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    let large = i64::MAX - 1;
    for number in 1..=5 {
        let place = source_day("aws", &format!("2026-01-0{number}"));
        let result = run(&mut ledger, &rules, &place, &[charge("payments", large, large)]);
        assert_eq!(result.0, Restated::New);
    }
    let balances = good(ledger.balances(&BalanceFilter::of(month("2026-01").period())));
    let expected = 5 * i128::from(large);
    let amounts: Vec<(String, i128, String)> = balances
        .iter()
        .map(|balance| {
            (balance.account.to_string(), balance.amount.nanos(), balance.bucket_start.to_string())
        })
        .collect();
    let first = || "2026-01-01".to_owned();
    assert_eq!(
        amounts,
        [
            ("provider/aws".to_owned(), -expected, first()),
            ("team/payments".to_owned(), expected, first())
        ]
    );
    assert_eq!(crate::fixture::findings(&ledger), Vec::<String>::new());
}

#[test]
fn buckets_are_days_weeks_months_and_the_whole() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    // 2026-01-31 is a Saturday: its week starts on 2026-01-26 and goes on to 2026-02-01.
    for (place, amount) in
        [("2026-01-26", 1), ("2026-01-31", 2), ("2026-02-01", 4), ("2026-02-02", 8)]
    {
        run(&mut ledger, &rules, &source_day("aws", place), &[charge("payments", amount, amount)]);
    }
    let period =
        Period::new(day("2026-01-28"), day("2026-03-01")).unwrap_or_else(|error| panic!("{error}"));
    let team = |bucket| -> Vec<(String, i128)> {
        let balances = good(ledger.balances(&BalanceFilter::of(period).by(bucket)));
        balances
            .iter()
            .filter(|balance| balance.account.team().is_some())
            .map(|balance| (balance.bucket_start.to_string(), balance.amount.nanos()))
            .collect()
    };
    let expected = |rows: &[(&str, i128)]| {
        rows.iter().map(|(day, nanos)| ((*day).to_owned(), *nanos)).collect::<Vec<_>>()
    };
    assert_eq!(
        team(Bucket::Day),
        expected(&[("2026-01-31", 2), ("2026-02-01", 4), ("2026-02-02", 8)])
    );
    assert_eq!(team(Bucket::Week), expected(&[("2026-01-28", 6), ("2026-02-02", 8)]));
    assert_eq!(team(Bucket::Month), expected(&[("2026-01-28", 2), ("2026-02-01", 12)]));
    assert_eq!(team(Bucket::Whole), expected(&[("2026-01-31", 14)]));
}
