//! The same charges in two files or two sources.

use super::*;

#[test]
fn a_repeated_day_is_found_beside_a_day_of_equal_sums() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let one = "2026-03-01,2026-03-01T00:00:00Z,compute,a,1,USD
               2026-03-01,2026-03-02,compute,a,2,USD";
    let other = "2026-03-01,2026-03-01T01:00:00Z,compute,a,1,USD
                 2026-03-01,2026-03-02,compute,a,2,USD";
    let report = bills.run(&mut ledger, &[("a.csv", one), ("b.csv", other)]);
    assert!(
        failure(&report).1.starts_with("b.csv and a.csv both have the same charge of 2026-03-02")
    );
}

#[test]
fn the_same_file_twice_is_refused_by_name() {
    let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let rows = "2026-03-01,2026-03-02,compute,a,10,USD
                2026-03-01,2026-03-03,compute,a,0,USD
                2026-03-01,2026-03-04,compute,a,5,USD";
    let files = [("march.csv", rows), ("march (1).csv", rows)];
    let report = bills.run(&mut ledger, &files);
    assert_eq!(
        failure(&report),
        (
            pipeline::code::CHARGES_REPEATED,
            "march (1).csv and march.csv both have the same charge of 2026-03-02, 10.000000000 USD \
             billed, and the same charges of another day: they would count twice | leave one of \
             the two out of the paths of the source 'aws'; if both are owed, write \
             `repeats = \"count\"` in [sources.aws]"
                .to_owned()
        )
    );
    assert_eq!(stated(&ledger), Vec::<String>::new());
    bills.repeats = RepeatPolicy::Count;
    bills.run(&mut ledger, &files);
    assert_eq!(stated(&ledger)[0], "2026-03-01 2026-03-02 USD 20.00");
}

#[test]
fn the_same_file_in_two_sources_is_refused_by_name() {
    let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let rows = "2026-03-01,2026-03-02,compute,a,10,USD";
    let copy = |bills: &Bills| Source { name: "copy".into(), ..bills.source(&[("b.csv", rows)]) };
    let run = |ledger: &mut Ledger, bills: &Bills| {
        let sources = vec![bills.source(&[("a.csv", rows)]), copy(bills)];
        try_run(ledger, sources, &rules()).unwrap()
    };
    let report = run(&mut ledger, &bills);
    let refused = report.sources[1].failure.clone().unwrap();
    assert_eq!(refused.code, pipeline::code::CHARGES_REPEATED);
    assert_eq!(
        refused.message,
        "the source 'aws' has the same charges of 2026-03-02, 10.000000000 USD billed: \
         they would count twice"
    );
    // A rehearsal finds them in the ledger, unless the other source does not have them any more.
    let alone = try_rehearsal(&ledger, vec![copy(&bills)], &rules()).unwrap();
    assert_eq!(foretold(&alone.report.sources[0]), foretold(&report.sources[1]));
    bills.extent = Some(DeliveryExtent::BillingPeriod);
    let moved = || {
        let other_day = "2026-03-01,2026-03-03,compute,a,1,USD";
        vec![bills.source(&[("a.csv", other_day)]), copy(&bills)]
    };
    let rehearsal = try_rehearsal(&ledger, moved(), &rules()).unwrap();
    let run_of_moved = try_run(&mut ledger, moved(), &rules()).unwrap();
    let all = |report: &RunReport| report.sources.iter().map(foretold).collect::<Vec<_>>();
    assert_eq!(all(&rehearsal.report), all(&run_of_moved));
    assert!(run_of_moved.sources.iter().all(|source| source.failure.is_none()));
    assert_eq!(run_of_moved.sources[0].withdrawn.len(), 1);

    bills.repeats = RepeatPolicy::Count;
    assert_eq!(run(&mut ledger, &bills).state, RunState::Complete);
}

#[test]
fn hours_that_cost_the_same_may_stand_in_files_of_their_own() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let hour = |hour: &str| format!("2026-03-01,2026-03-02T{hour}:00:00Z,compute,a,0.1,USD");
    let (first, second) = (hour("00"), hour("01"));
    let report = bills.run(&mut ledger, &[("00.csv", &first), ("01.csv", &second)]);
    assert_eq!(report.state, RunState::Complete);
    assert_eq!(stated(&ledger), ["2026-03-01 2026-03-02 USD 0.20"]);
    let report = bills
        .run(&mut ledger, &[("00.csv", &first), ("01.csv", &second), ("copy of 00.csv", &first)]);
    assert_eq!(report.state, RunState::Incomplete);
}
