//! All or nothing: dropped, abandoned, refused and concurrent runs.

use crate::fixture::{
    OneRule, charge, collect, end, entries, findings, good, plugin, run, source_day, start,
};
use domain::charge::RejectedRow;
use domain::period::Period;
use domain::run::{DayTotals, RunState};
use ledger::code;
use ledger::{BalanceFilter, Ledger, Reader, Restated};

#[test]
fn a_dropped_run_leaves_nothing_but_its_interruption() {
    let mut ledger = good(Ledger::in_memory());
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-03"));
    let charges = [charge("payments", 10, 10)];
    {
        let mut transaction = good(ledger.begin(&start()));
        let generation = good(transaction.save_generation(&rules, None));
        let collection = good(transaction.begin_source("aws", &plugin()));
        let totals = collect(&mut transaction, collection, &place, &charges);
        assert_eq!(
            good(transaction.restate(collection, &place.clone().without_period(), &totals)),
            Restated::New
        );
        good(transaction.keep_source(Some("cursor")));
        let settled = good(transaction.settle(
            &place,
            generation,
            entries(&place, &charges, &totals, &rules.facts[0].version),
        ));
        assert_eq!(settled.posted, 1);
        assert_eq!(good(transaction.reader().standing(Period::all())).len(), 1);
        assert_eq!(good(transaction.state("aws")), Some("cursor".into()));
    }
    assert_eq!(good(ledger.standing(Period::all())), []);
    assert_eq!(good(ledger.source_days(Period::all())), []);
    assert_eq!(good(ledger.balances(&BalanceFilter::of(Period::all()))), []);
    assert_eq!(good(ledger.state("aws")), None);
    assert_eq!(good(ledger.dictionary()).resource_count(), 0);
    let runs = good(ledger.runs(10));
    assert_eq!(
        runs.iter()
            .map(|run| (run.id.0, run.version.as_str(), run.end.is_none()))
            .collect::<Vec<_>>(),
        [(1, "0.1.0", true)]
    );
    assert_eq!(findings(&ledger), Vec::<String>::new());
    good(ledger.fail(runs[0].id, 7, "the power went out"));
    run(&mut ledger, &rules, &place, &charges);
    let states: Vec<Option<RunState>> =
        good(ledger.runs(10)).iter().map(|run| run.end.as_ref().map(|end| end.state)).collect();
    assert_eq!(states, [Some(RunState::Complete), Some(RunState::Failed)]);
    assert_eq!(findings(&ledger), Vec::<String>::new());
}

#[test]
fn an_abandoned_source_does_not_take_the_others_along() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    let (kept, lost) = (source_day("aws", "2026-01-03"), source_day("gcp", "2026-01-03"));
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(&rules, None));
    for (place, keep) in [(&kept, true), (&lost, false)] {
        let collection = good(transaction.begin_source(&place.source, &plugin()));
        let charges = [charge("payments", 10, 10)];
        let totals = collect(&mut transaction, collection, place, &charges);
        good(transaction.restate(collection, &place.clone().without_period(), &totals));
        if keep {
            good(transaction.keep_source(Some("page 2")));
            good(transaction.settle(
                place,
                generation,
                entries(place, &charges, &totals, &rules.facts[0].version),
            ));
        } else {
            good(transaction.abandon_source());
        }
    }
    good(transaction.commit(&end(generation)));
    let days: Vec<String> = good(ledger.source_days(Period::all()))
        .into_iter()
        .map(|day| day.source_day.source)
        .collect();
    assert_eq!(days, ["aws"]);
    assert_eq!(
        (good(ledger.state("aws")), good(ledger.state("gcp"))),
        (Some("page 2".into()), None)
    );
    assert_eq!(good(ledger.segments(&kept)).len(), 1);
    assert_eq!(good(ledger.segments(&lost)), []);
    assert_eq!(findings(&ledger), Vec::<String>::new());
}

#[test]
fn an_open_source_cannot_be_committed_nor_a_second_one_begun() {
    let mut ledger = good(Ledger::in_memory());
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(&OneRule::new("g1"), None));
    assert_eq!(
        transaction.keep_source(None).map_err(|error| error.message),
        Err("no source is being collected".into())
    );
    good(transaction.begin_source("aws", &plugin()));
    let second =
        transaction.begin_source("gcp", &plugin()).map_err(|error| (error.code, error.message));
    assert_eq!(
        second,
        Err((
            domain::code::INTERNAL,
            "gcp would be collected while another source still is".into()
        ))
    );
    let refused = transaction.commit(&end(generation)).map_err(|error| (error.code, error.message));
    assert_eq!(
        refused,
        Err((domain::code::INTERNAL, "a source is neither kept nor abandoned".into()))
    );
    assert_eq!(good(ledger.runs(1))[0].end, None);
}

#[test]
fn an_unchanged_day_keeps_its_first_segments() {
    let mut ledger = good(Ledger::in_memory());
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-03"));
    run(
        &mut ledger,
        &rules,
        &place,
        &[charge("payments", 1, 1), charge("search", 2, 2), charge("payments", 3, 3)],
    );
    let before = (good(ledger.source_days(Period::all())), good(ledger.segments(&place)));
    run(
        &mut ledger,
        &rules,
        &place,
        &[charge("payments", 3, 3), charge("payments", 1, 1), charge("search", 2, 2)],
    );
    assert_eq!((good(ledger.source_days(Period::all())), good(ledger.segments(&place))), before);
    assert_eq!(before.1.iter().map(|segment| segment.rows).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_statement_that_its_charges_do_not_add_up_to_is_refused() {
    let mut ledger = good(Ledger::in_memory());
    let place = source_day("aws", "2026-01-03");
    let mut transaction = good(ledger.begin(&start()));
    let collection = good(transaction.begin_source("aws", &plugin()));
    let mut totals = collect(&mut transaction, collection, &place, &[charge("payments", 10, 10)]);
    totals.merge(&DayTotals { charges: 1, ..DayTotals::default() });
    let refused = transaction
        .restate(collection, &place.clone().without_period(), &totals)
        .map_err(|error| (error.code, error.message));
    let message = "aws on 2026-01-03: 2 charges of 0.000000010 USD billed and 0.000000010 \
                   effective were read, \
         and 1 of 0.000000010 and 0.000000010 stored; nothing was posted";
    assert_eq!(refused, Err((domain::code::CONSERVATION, message.into())));
}

#[test]
fn rounding_rests_are_posted_and_verified() {
    let mut ledger = good(Ledger::in_memory());
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-03"));
    let charges = [charge("payments", 10, 10)];
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(&rules, None));
    let collection = good(transaction.begin_source("aws", &plugin()));
    let mut totals = collect(&mut transaction, collection, &place, &charges);
    // 1.6 nanos round to 2, and −0.6 to −1.
    totals.billed_rest = "0.0000000016".parse().unwrap_or_else(|error| panic!("{error}"));
    totals.effective_rest = "-0.0000000006".parse().unwrap_or_else(|error| panic!("{error}"));
    good(transaction.restate(collection, &place.clone().without_period(), &totals));
    good(transaction.keep_source(None));
    good(transaction.settle(
        &place,
        generation,
        entries(&place, &charges, &totals, &rules.facts[0].version),
    ));
    good(transaction.commit(&end(generation)));
    let balances = good(ledger.balances(&BalanceFilter::of(Period::all())));
    let amounts: Vec<(String, i128)> = balances
        .iter()
        .map(|balance| (balance.account.to_string(), balance.amount.nanos()))
        .collect();
    let named = |name: &str, nanos| (name.to_owned(), nanos);
    assert_eq!(
        amounts,
        [
            named("provider/aws", -12),
            named("prepaid/aws", 3),
            named("team/payments", 10),
            named("rounding/aws", -1)
        ]
    );
    let stored = good(ledger.source_days(Period::all()));
    assert_eq!(
        (stored[0].totals.billed_rest.to_string(), stored[0].totals.effective_rest.to_string()),
        ("0.0000000016".into(), "-0.0000000006".into())
    );
    assert_eq!(findings(&ledger), Vec::<String>::new());
}

#[test]
fn a_thousand_rejected_rows_are_kept_and_all_are_counted() {
    let mut ledger = good(Ledger::in_memory());
    let rejected: Vec<RejectedRow> = (0..700)
        .map(|line| RejectedRow {
            location: format!("bill.csv:{line}:1"),
            reason: "no amount".into(),
            excerpt: String::new(),
        })
        .collect();
    let mut transaction = good(ledger.begin(&start()));
    let id = transaction.run();
    let generation = good(transaction.save_generation(&OneRule::new("g1"), None));
    good(transaction.reject("aws", &rejected, 700));
    good(transaction.reject("aws", &rejected, 5000));
    good(transaction.reject("gcp", &rejected[..1], 1));
    good(transaction.commit(&end(generation)));
    let kept = good(ledger.rejected(id, 10_000));
    assert_eq!(kept.len(), 1001);
    assert_eq!((kept[0].0.as_str(), &kept[0].1), ("aws", &rejected[0]));
    assert_eq!(good(ledger.rejected_counts(id)), [("aws".to_owned(), 5700), ("gcp".to_owned(), 1)]);
    assert_eq!(good(ledger.rejected(id, 3)).len(), 3);
}

#[test]
fn a_second_writer_is_told_that_another_run_is_writing() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("a.ledger");
    let mut first = good(Ledger::open_or_create(&path));
    let mut second = good(Ledger::open(&path));
    let transaction = good(first.begin(&start()));
    let refused = second.begin(&start()).map(|_| ()).map_err(|error| (error.code, error.message));
    assert_eq!(refused, Err((code::LEDGER_BUSY, "another run is writing to the ledger".into())));
    assert_eq!(good(second.runs(10)).len(), 1);
    drop(transaction);
    good(second.begin(&start()).map(|_| ()));
}

#[test]
fn a_reader_sees_no_half_of_a_run() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("a.ledger");
    let mut writer = good(Ledger::open_or_create(&path));
    let reader = good(Reader::open(&path));
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-03"));
    run(&mut writer, &rules, &place, &[charge("payments", 10, 10)]);
    let mut transaction = good(writer.begin(&start()));
    let generation = good(transaction.save_generation(&rules, None));
    good(transaction.settle(&place, generation, Vec::new()));
    assert_eq!(good(transaction.standing(Period::all())).len(), 0);
    assert_eq!(good(reader.standing(Period::all())).len(), 1);
    good(transaction.commit(&end(generation)));
    assert_eq!(good(reader.standing(Period::all())).len(), 0);
    assert_eq!(
        findings(&reader),
        ["aws on 2026-01-03 in USD: 0.000000010 billed and 0.000000010 effective were collected \
             and not posted"]
    );
}
