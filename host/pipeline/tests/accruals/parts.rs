//! A bill that comes in parts: an estimate gives way to its part, and to no other.

use super::{accrual, total};
use crate::fakes::{charges, foretold, rules, source, try_rehearsal, try_run_at};
use domain::charge::RawCharge;
use domain::field::Field;
use domain::period::Month;
use ledger::Ledger;
use pipeline::report::{RunReport, SourceReport};
use pipeline::source::{Accrual, Source};
use proptest::prelude::*;

const NOW_MS: i64 = 1_790_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// `ID day service team amount`, one charge a line.
fn of_resources(text: &str) -> Vec<RawCharge> {
    let charge = |line: &str| {
        let (id, rest) = line.trim().split_once(' ').unwrap();
        let mut charge = charges(rest).remove(0);
        charge.dimensions.push((Field::RESOURCE_ID, id.into()));
        charge
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(charge).collect()
}

fn in_march(name: &str, text: &str) -> Source {
    let mut source = source(name, of_resources(text));
    source.request.period = Some("2026-03".parse::<Month>().unwrap().period());
    source
}

fn estimates(text: &str) -> Source {
    Source { accrues_for: accrual(), ..in_march("estimates", text) }
}

/// A cluster in April, which knows nothing of March.
fn later_estimates() -> Source {
    let mut later = estimates("");
    later.request.period = Some("2026-04".parse::<Month>().unwrap().period());
    later
}

fn run(ledger: &mut Ledger, sources: Vec<Source>, days_later: i64) -> RunReport {
    let at_ms = NOW_MS + days_later * DAY_MS;
    try_run_at(ledger, sources, &rules(), at_ms).unwrap()
}

fn of_estimates(report: &RunReport) -> &SourceReport {
    report.sources.iter().find(|source| source.name == "estimates").unwrap()
}

fn warnings(report: &RunReport) -> Vec<String> {
    of_estimates(report).warnings.iter().map(|warning| warning.message.clone()).collect()
}

/// The cluster takes one of two estimates back, and the bill has the other by then.
#[test]
fn an_estimate_that_is_withdrawn_goes_where_all_others_are_billed() {
    let mut ledger = Ledger::in_memory().unwrap();
    let both = "i-1 2026-03-01 kubernetes a 9\ni-2 2026-03-01 kubernetes a 7";
    run(&mut ledger, vec![estimates(both)], 0);
    let bill = || in_march("aws", "i-1 2026-03-01 ec2 a 10");
    let one = || estimates("i-1 2026-03-01 kubernetes a 9");
    run(&mut ledger, vec![bill(), one()], 0);
    assert_eq!(total(&ledger), ["a 10.000000000"]);
    run(&mut ledger, vec![bill(), one()], 0);
    assert_eq!(total(&ledger), ["a 10.000000000"]);
}

#[test]
fn a_first_cent_takes_back_nothing_of_another_resource() {
    const ESTIMATE: &str = "aws:///eu-west-1a/i-1 2026-03-01 kubernetes a 100";
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, vec![estimates(ESTIMATE)], 0);
    let cent = "arn:aws:ec2:eu-west-1:1:instance/i-2 2026-03-01 ec2 a 0.01";
    // The cluster collects the day again, or knows nothing of it any more.
    for estimates in [estimates(ESTIMATE), later_estimates()] {
        let report = run(&mut ledger, vec![in_march("aws", cent), estimates], 0);
        assert_eq!(total(&ledger), ["a 100.010000000"]);
        assert_eq!(of_estimates(&report).days_taken_back, 0);
        assert_eq!(warnings(&report), [""; 0]);
    }
    // Its own charge comes, spelled as bills spell it.
    let own = format!("{cent}\narn:aws:ec2:eu-west-1:1:instance/i-1 2026-03-01 ec2 a 97.5");
    let both = || vec![in_march("aws", &own), later_estimates()];
    let beforehand = try_rehearsal(&ledger, both(), &rules()).unwrap().report;
    let report = run(&mut ledger, both(), 0);
    assert_eq!(total(&ledger), ["a 97.510000000"]);
    assert_eq!(of_estimates(&report).days_taken_back, 1);
    let foretell = |report: &RunReport| report.sources.iter().map(foretold).collect::<Vec<_>>();
    assert_eq!(foretell(&beforehand), foretell(&report));
    // The bill is corrected: the resource is gone from it, and its estimate counts again.
    run(&mut ledger, vec![in_march("aws", cent), later_estimates()], 0);
    assert_eq!(total(&ledger), ["a 100.010000000"]);
}

#[test]
fn a_part_of_a_day_is_taken_back() {
    let text = "
        i-1 2026-03-01 vm a 10
        i-2 2026-03-01 vm b 20
        - 2026-03-01 disk c 5";
    // The last one has no resource, so it goes by its service.
    let estimates = || {
        let mut all = of_resources(text);
        all[2].dimensions.retain(|(field, _)| *field != Field::RESOURCE_ID);
        let mut estimates = source("estimates", all);
        estimates.accrues_for = accrual();
        estimates
    };
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, vec![estimates()], 0);
    let bill = "i-2 2026-03-01 vm b 19\ni-3 2026-03-01 disk c 4";
    for estimates in [later_estimates(), estimates()] {
        run(&mut ledger, vec![in_march("aws", bill), estimates], 0);
        // 10 is estimated; 19 and 4 are billed.
        assert_eq!(total(&ledger), ["a 10.000000000", "b 19.000000000", "c 4.000000000"]);
    }
    // Nothing is done twice.
    let again = run(&mut ledger, vec![in_march("aws", bill), later_estimates()], 0);
    assert_eq!((again.days, again.entries_posted, again.entries_reversed), (0, 0, 0));
}

#[test]
fn a_day_is_settled_so_many_days_after_its_first_charges() {
    const ESTIMATE: &str = "i-1 2026-03-01 vm a 10\ni-2 2026-03-01 vm b 20";
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, vec![estimates(ESTIMATE)], 0);
    let first = "i-2 2026-03-01 vm b 19";
    let corrected = "i-2 2026-03-01 vm b 18";
    // A correction on the way does not begin the days anew.
    for (bill, days, b) in [(first, 0, 19), (corrected, 1, 18), (corrected, 2, 18)] {
        let report = run(&mut ledger, vec![in_march("aws", bill), estimates(ESTIMATE)], days);
        assert_eq!(total(&ledger), ["a 10.000000000".into(), format!("b {b}.000000000")]);
        assert_eq!(warnings(&report), [""; 0]);
    }
    let report = run(&mut ledger, vec![in_march("aws", corrected), estimates(ESTIMATE)], 3);
    assert_eq!(total(&ledger), ["b 18.000000000"]);
    assert_eq!(
        warnings(&report),
        ["estimates: 'aws' has nothing of 1 estimate of 2026-03-01, 10.000000000 USD billed; \
             they were taken back, since it has charges of these days for 3 days"]
    );
    // It stays so, and is said once.
    let report = run(&mut ledger, vec![in_march("aws", corrected), estimates(ESTIMATE)], 4);
    assert_eq!((total(&ledger), warnings(&report)), (vec!["b 18.000000000".into()], vec![]));
    assert_eq!((of_estimates(&report).charges, of_estimates(&report).billed), (0, 2));
}

#[test]
fn a_bill_without_resources_is_matched_as_the_settings_say() {
    const ESTIMATE: &str = "i-1 2026-03-01 vm a 10\ni-2 2026-03-02 vm b 20";
    let bill = || source("aws", charges("2026-03-01 vm a 9\n2026-03-02 vm b 19"));
    let mut ledger = Ledger::in_memory().unwrap();
    run(&mut ledger, vec![estimates(ESTIMATE)], 0);
    let report = run(&mut ledger, vec![bill(), estimates(ESTIMATE)], 0);
    // Nobody can tell whether they are the same: both count, and it is said.
    assert_eq!(total(&ledger), ["a 19.000000000", "b 39.000000000"]);
    assert_eq!(
        warnings(&report),
        ["estimates: 'aws' has charges of 2 days from 2026-03-01 to 2026-03-02, and none with \
          resource_id: 2 estimates (30.000000000 USD billed) will count beside them until they are \
          settled"]
    );
    let by_service = || {
        let by = vec![Field::SERVICE_NAME];
        let accrual = accrual().map(|accrual| Accrual { by, ..accrual });
        Source { accrues_for: accrual, ..estimates(ESTIMATE) }
    };
    let report = run(&mut ledger, vec![bill(), by_service()], 0);
    assert_eq!(total(&ledger), ["a 9.000000000", "b 19.000000000"]);
    assert_eq!(warnings(&report), [""; 0]);
}

/// Estimated 10, 20, 30 and 40 a day for the resources 0 to 3; billed 1, 2 and 3 for 0 to 2, and 7
/// for one that nobody estimated.
fn part(day: usize, resource: usize) -> String {
    let (team, amount) = [("a", 1), ("b", 2), ("c", 3), ("z", 7)][resource];
    format!("r-{team} 2026-03-0{} vm {team} {amount}\n", day + 1)
}

fn expected(billed: &[bool]) -> Vec<String> {
    let mut teams = Vec::new();
    for (resource, team) in ["a", "b", "c", "d", "z"].iter().enumerate() {
        let of_day = |day: usize| match resource {
            3 => 40,
            4 => 7 * i64::from(billed[day * 4 + 3]),
            _ if billed[day * 4 + resource] => resource as i64 + 1,
            _ => 10 * (resource as i64 + 1),
        };
        // The last resource is never billed, so it is estimated as long as its day is not settled.
        let sum = of_day(0) + of_day(1);
        teams.extend((sum != 0).then(|| format!("{team} {sum}.000000000")));
    }
    teams
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// In whatever order parts of a bill come and go, each resource counts once: as billed where
    /// the bill has it, and else as estimated. In the end only the bill counts.
    #[test]
    fn each_resource_counts_once_in_any_order(
        steps in prop::collection::vec((any::<[bool; 8]>(), any::<bool>()), 1..6),
    ) {
        let estimated: String = (1..=2)
            .flat_map(|day| ["a", "b", "c", "d"].iter().zip(1..).map(move |(team, tens)| {
                format!("r-{team} 2026-03-0{day} vm {team} {tens}0\n")
            }))
            .collect();
        let mut ledger = Ledger::in_memory().unwrap();
        run(&mut ledger, vec![estimates(&estimated)], 0);
        let bill = |billed: &[bool]| -> String {
            (0..8).filter(|at| billed[*at]).map(|at| part(at / 4, at % 4)).collect()
        };
        for (billed, again) in &steps {
            let both = || {
                let estimates = if *again { estimates(&estimated) } else { later_estimates() };
                vec![in_march("aws", &bill(billed)), estimates]
            };
            let beforehand = try_rehearsal(&ledger, both(), &rules()).unwrap().report;
            let report = run(&mut ledger, both(), 0);
            prop_assert_eq!(total(&ledger), expected(billed));
            let foretell =
                |report: &RunReport| report.sources.iter().map(foretold).collect::<Vec<_>>();
            prop_assert_eq!(foretell(&beforehand), foretell(&report));
        }
        let whole = [true; 8];
        run(&mut ledger, vec![in_march("aws", &bill(&whole)), later_estimates()], 0);
        prop_assert_eq!(total(&ledger), expected(&whole));
        run(&mut ledger, vec![in_march("aws", &bill(&whole)), later_estimates()], 3);
        let bills = ["a 2", "b 4", "c 6", "z 14"].map(|sum| format!("{sum}.000000000"));
        prop_assert_eq!(total(&ledger), bills);
    }
}
