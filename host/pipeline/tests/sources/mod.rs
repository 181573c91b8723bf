//! Sources that behave like real ones: they remember, are asked for windows of days, fail, and
//! recover.

mod recovery;

use crate::fakes::{ByService, Effort, balances, charges, rules, run_with, source};
use domain::charge::RawUsage;
use domain::code;
use domain::diagnostic::{Diagnostic, Retry};
use domain::period::{Day, Period};
use domain::port::{
    Batch, CollectRequest, Collector, PluginCost, PluginIdentity, Rows, UnknownDays,
};
use domain::run::RunState;
use ledger::{Ledger, Reader};
use pipeline::feed::Patience;
use pipeline::report::RunReport;
use pipeline::source::Source;
use reports::coverage::days::SourceWindow;
use reports::coverage::query::SourceFacts;
use reports::coverage::read::{DayState, status};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2026-03-10T06:00:00Z, `date -u -d 2026-03-10T06:00Z +%s`.
const TENTH: i64 = 1_773_122_400_000;
const DAY_MS: i64 = 86_400_000;

/// The behavior of one call of the collector.
#[derive(Clone, Default)]
struct Act {
    charges: &'static str,
    usage: Vec<RawUsage>,
    state: Option<&'static str>,
    failure: Option<Diagnostic>,
    /// The days from the first to the second one, the end excluded.
    complete: Option<(&'static str, &'static str)>,
    unknown: Option<(&'static str, &'static str)>,
    /// The failure of the call if it gets any state. It comes before all rows.
    refuses_state: Option<Diagnostic>,
}

/// A collector that plays one act after the other, and then repeats the last one. It keeps its
/// requests.
struct Actor {
    identity: PluginIdentity,
    acts: Vec<Act>,
    asked: Arc<Mutex<Vec<CollectRequest>>>,
}

impl Collector for Actor {
    fn identity(&self) -> &PluginIdentity {
        &self.identity
    }
    fn check(&self, _: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        Ok(Vec::new())
    }
    fn collect(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let act = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            self.acts[(asked.len() - 1).min(self.acts.len() - 1)].clone()
        };
        if let (Some(refusal), Some(_)) = (act.refuses_state, &request.state) {
            return Err(refusal);
        }
        for page in charges(act.charges).chunks(2) {
            sink(Batch {
                rows: Rows::Charges(page.to_vec()),
                state: Some("half".into()),
                ..Batch::default()
            })?;
        }
        let period = |(start, end)| Period::new(day(start), day(end)).unwrap();
        let complete = act.complete.map(period).into_iter().collect();
        let unknown = act
            .unknown
            .map(|days| UnknownDays { period: period(days), reason: "it keeps no history".into() })
            .into_iter()
            .collect();
        sink(Batch {
            usage: act.usage,
            state: act.state.map(str::to_owned),
            complete,
            unknown,
            ..Batch::default()
        })?;
        act.failure.map_or(Ok(()), Err)
    }
    fn collect_metered(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> (Result<(), Diagnostic>, PluginCost) {
        (
            self.collect(request, sink),
            PluginCost { starts: 1, requests: 5, memory_bytes: 100, ..PluginCost::default() },
        )
    }
}

type Asked = Arc<Mutex<Vec<CollectRequest>>>;

fn actor(name: &str, acts: Vec<Act>) -> (Source, Asked) {
    let asked = Asked::default();
    let identity =
        PluginIdentity { name: "actor".into(), version: "1.0.0".into(), digest: "00".repeat(32) };
    let collector = Box::new(Actor { identity, acts, asked: Arc::clone(&asked) });
    (Source { collector, ..source(name, Vec::new()) }, asked)
}

fn gives(charges: &'static str) -> Act {
    Act { charges, ..Act::default() }
}

fn fails(charges: &'static str, retry: Retry) -> Act {
    Act {
        failure: Some(
            Diagnostic::new(code::PLUGIN_FAILED, "the service is down")
                .hint("run again")
                .retry(retry),
        ),
        ..gives(charges)
    }
}

fn wait_for_nothing(_: Duration) {}

fn run_at(ledger: &mut Ledger, sources: Vec<Source>, at_ms: i64) -> RunReport {
    run_patiently(ledger, sources, &rules(), at_ms, 1, 1, &wait_for_nothing)
}

fn run_patiently(
    ledger: &mut Ledger,
    sources: Vec<Source>,
    rules: &ByService,
    at_ms: i64,
    at_once: usize,
    tries: u32,
    wait: &(dyn Fn(Duration) + Sync),
) -> RunReport {
    run_with(ledger, sources, rules, at_ms, Effort { at_once, patience: Patience { tries, wait } })
        .unwrap()
}

fn states(asked: &Asked) -> Vec<Option<String>> {
    asked.lock().unwrap().iter().map(|request| request.state.clone()).collect()
}

fn periods(asked: &Asked) -> Vec<String> {
    let shown = |period: Option<Period>| {
        period.map_or("all".into(), |period| format!("{} {}", period.start(), period.end()))
    };
    asked.lock().unwrap().iter().map(|request| shown(request.period)).collect()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn well(ledger: &Reader) {
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn what_a_collector_leaves_is_given_to_it_the_next_time_and_only_if_its_charges_are_kept() {
    let mut ledger = Ledger::in_memory().unwrap();
    let run = |ledger: &mut Ledger, act: Act| {
        let (source, asked) = actor("cloud", vec![act]);
        run_at(ledger, vec![source], TENTH);
        states(&asked).remove(0)
    };
    let bill = "2026-03-01 compute a 30";
    assert_eq!(run(&mut ledger, Act { state: Some("page 7"), ..gives(bill) }), None);
    assert_eq!(
        run(&mut ledger, Act { state: Some("lost"), ..fails(bill, Retry::Soon) }),
        Some("page 7".into())
    );
    assert_eq!(
        run(&mut ledger, Act { state: Some("page 9"), ..gives(bill) }),
        Some("page 7".into())
    );
    assert!(ledger.forget_state("cloud", TENTH).unwrap());
    assert!(!ledger.forget_state("cloud", TENTH).unwrap(), "there is nothing left to forget");
    assert_eq!(run(&mut ledger, Act { state: Some("page 1"), ..gives(bill) }), None);
    assert_eq!(run(&mut ledger, gives(bill)), Some("page 1".into()));
    well(&ledger);
}

#[test]
fn a_state_that_is_refused_is_dropped_and_the_source_collected_without() {
    let mut ledger = Ledger::in_memory().unwrap();
    let bill = "2026-03-01 compute a 30";
    run_at(
        &mut ledger,
        vec![actor("cloud", vec![Act { state: Some("in the future"), ..gives(bill) }]).0],
        TENTH,
    );
    let refusal = Diagnostic::new(code::PLUGIN_FAILED, "the cursor lies in the future");
    let forgetful = Act { refuses_state: Some(refusal), ..gives("2026-03-01 compute a 40") };
    let (source, asked) = actor("cloud", vec![forgetful.clone()]);
    let report = run_at(&mut ledger, vec![source], TENTH);
    assert_eq!(states(&asked), [Some("in the future".into()), None]);
    assert_eq!(
        (report.state, report.sources[0].without_state, report.sources[0].tries),
        (RunState::Complete, true, 2)
    );
    assert_eq!(
        balances(&ledger),
        ["provider/cloud - -40.000000000", "team/a compute 40.000000000"]
    );
    // "half" is the state of its first page.
    assert_eq!(ledger.state("cloud").unwrap(), Some("half".into()));
    // A source that leaves no state is not given the refused state again.
    let (source, _) = actor("cloud", vec![Act { charges: "", ..forgetful }]);
    run_at(&mut ledger, vec![source], TENTH);
    assert_eq!(ledger.state("cloud").unwrap(), None);
    well(&ledger);
}

fn windowed(name: &str, since: &str, acts: Vec<Act>) -> (Source, Asked) {
    let (source, asked) = actor(name, acts);
    (
        Source {
            window: Some(SourceWindow { since: Some(day(since)), restate_days: 2 }),
            ..source
        },
        asked,
    )
}

#[test]
fn days_that_are_missing_are_asked_for_and_the_last_ones_again() {
    let mut ledger = Ledger::in_memory().unwrap();
    let mut asked_on = |at_ms: i64, act: Act| {
        let (source, asked) = windowed("cloud", "2026-03-01", vec![act]);
        run_at(&mut ledger, vec![source], at_ms);
        periods(&asked).remove(0)
    };
    assert_eq!(asked_on(TENTH, gives("2026-03-08 compute a 30")), "2026-03-01 2026-03-11");
    // The 10th was not over: it is missing, and two days before it may have been restated.
    assert_eq!(
        asked_on(TENTH + DAY_MS, fails("2026-03-10 compute a 9", Retry::No)),
        "2026-03-08 2026-03-12"
    );
    // After a failure and four days without power, all missing days are asked for.
    assert_eq!(
        asked_on(TENTH + 5 * DAY_MS, gives("2026-03-08 compute a 30\n2026-03-12 compute a 1")),
        "2026-03-08 2026-03-16"
    );
    let facts = SourceFacts {
        name: "cloud".into(),
        window: Some(SourceWindow { since: Some(day("2026-03-07")), restate_days: 2 }),
        is_estimate: false,
        schedule: "0 0 * * *".parse().ok(),
    };
    // Three days later, the 16th and 17th have not been asked for.
    let status = status(&ledger, &facts, TENTH + 8 * DAY_MS).unwrap();
    let calendar: String = status.days.iter().map(|(_, state)| state.letter()).collect();
    assert_eq!((status.days[0].0, calendar.as_str()), (day("2026-03-01"), ".......#...#..p!!"));
    assert_eq!(
        (status.attempts, status.newest_day, status.gaps()),
        (3, Some(day("2026-03-12")), 2)
    );
    // The source was due at the midnight after the last attempt. `serve` catches up once.
    assert_eq!(status.due_ms, Some(TENTH + 6 * DAY_MS - 6 * 3_600_000));
    well(&ledger);
}

#[test]
fn days_that_a_source_does_not_know_are_gaps_and_what_is_known_of_them_stays() {
    let mut ledger = Ledger::in_memory().unwrap();
    let mut run = |at_ms: i64, act: Act| {
        let (source, asked) = windowed("cluster", "2026-03-07", vec![act]);
        let report = run_at(&mut ledger, vec![source], at_ms);
        (periods(&asked).remove(0), report.sources[0].unknown.len())
    };
    assert_eq!(
        run(
            TENTH,
            Act { unknown: Some(("2026-03-07", "2026-03-10")), ..gives("2026-03-10 compute a 30") }
        ),
        ("2026-03-07 2026-03-11".into(), 1)
    );
    // The 10th is over by now, and the source does not know it any more. Of the days before it,
    // only those that may be restated are asked for again.
    assert_eq!(
        run(
            TENTH + DAY_MS,
            Act { unknown: Some(("2026-03-08", "2026-03-11")), ..gives("2026-03-11 compute a 5") }
        ),
        ("2026-03-08 2026-03-12".into(), 1)
    );
    assert_eq!(
        balances(&ledger),
        ["provider/cluster - -35.000000000", "team/a compute 35.000000000"]
    );
    let facts = SourceFacts {
        name: "cluster".into(),
        window: Some(SourceWindow { since: Some(day("2026-03-07")), restate_days: 2 }),
        is_estimate: false,
        schedule: None,
    };
    let calendar = |ledger: &Reader| {
        let status = status(ledger, &facts, TENTH + DAY_MS).unwrap();
        let letters: String = status.days.iter().map(|(_, state)| state.letter()).collect();
        (letters, status.unknown)
    };
    let reason = "it keeps no history".to_owned();
    // The charges of the 10th that were collected before its end are all that there will be.
    assert_eq!(
        calendar(&ledger),
        ("???pp".into(), vec![(day("2026-03-07"), day("2026-03-09"), reason)])
    );
    // This source knows the days after all.
    let (mut knowing, _) = actor("cluster", vec![gives("2026-03-08 compute a 1")]);
    knowing.request.period = Period::new(day("2026-03-07"), day("2026-03-10")).ok();
    run_at(&mut ledger, vec![knowing], TENTH + DAY_MS);
    assert_eq!(calendar(&ledger), (".#.pp".into(), Vec::new()));
    well(&ledger);
}

#[test]
fn a_source_that_is_asked_for_all_there_is_takes_back_days_of_which_it_has_everything() {
    let mut ledger = Ledger::in_memory().unwrap();
    let bill = "2026-02-28 compute a 7\n2026-03-01 compute a 30\n2026-03-02 compute a 4";
    let cut = "2026-03-01 compute a 30";
    run_at(&mut ledger, vec![actor("bill", vec![gives(bill)]).0], TENTH);
    // The source does not say that this is all.
    run_at(&mut ledger, vec![actor("bill", vec![gives(cut)]).0], TENTH);
    assert_eq!(balances(&ledger), ["provider/bill - -41.000000000", "team/a compute 41.000000000"]);
    run_at(
        &mut ledger,
        vec![
            actor("bill", vec![Act { complete: Some(("2026-03-01", "2026-04-01")), ..gives(cut) }])
                .0,
        ],
        TENTH,
    );
    assert_eq!(balances(&ledger), ["provider/bill - -37.000000000", "team/a compute 37.000000000"]);
    well(&ledger);
}

#[test]
fn a_gap_is_what_was_never_asked_for_or_failed_and_not_zero() {
    let mut ledger = Ledger::in_memory().unwrap();
    let (source, _) =
        windowed("cloud", "2026-03-08", vec![fails("2026-03-08 compute a 30", Retry::No)]);
    let report = run_at(&mut ledger, vec![source], TENTH);
    assert_eq!(report.state, RunState::Incomplete);
    let facts = SourceFacts {
        name: "cloud".into(),
        window: Some(SourceWindow { since: Some(day("2026-03-08")), restate_days: 2 }),
        is_estimate: false,
        schedule: None,
    };
    let failed = status(&ledger, &facts, TENTH).unwrap();
    assert_eq!(
        failed.days,
        [(day("2026-03-08"), DayState::Gap), (day("2026-03-09"), DayState::Gap)]
    );
    let failure = failed.failure.unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str(), failure.hint.as_deref()),
        ("P201", "the service is down", Some("run again"))
    );
    assert_eq!((failed.last_success, failed.last_attempt), (None, Some((report.run, TENTH))));
    // Once it answers, the day without charges is empty.
    run_at(
        &mut ledger,
        vec![windowed("cloud", "2026-03-08", vec![gives("2026-03-09 compute a 1")]).0],
        TENTH,
    );
    let answered = status(&ledger, &facts, TENTH).unwrap();
    let states: Vec<DayState> = answered.days.iter().map(|(_, state)| *state).collect();
    assert_eq!(
        (states, answered.failure),
        (vec![DayState::Empty, DayState::Full, DayState::Partial], None)
    );
}

#[test]
fn a_source_that_wants_to_be_left_alone_is_waited_for_and_leaves_nothing_half() {
    let mut ledger = Ledger::in_memory().unwrap();
    let half = "2026-03-01 compute a 1\n2026-03-01 compute b 2\n2026-03-02 compute c 4";
    let usage = |value: &str| {
        let keys = vec![("team".to_owned(), "a".to_owned())];
        vec![RawUsage {
            metric: "bytes".into(),
            period_start: "2026-03-01".into(),
            keys,
            value: value.into(),
            unit: "B".into(),
        }]
    };
    let acts = vec![
        Act { usage: usage("7"), ..fails(half, Retry::After(30)) },
        Act { usage: usage("8"), ..fails("", Retry::Soon) },
        Act { usage: usage("9"), state: Some("done"), ..gives("2026-03-01 compute a 30") },
    ];
    let waited = Mutex::new(Vec::new());
    let wait = |time: Duration| waited.lock().unwrap().push(time.as_secs());
    let (source, asked) = actor("cloud", acts.clone());
    let report = run_patiently(&mut ledger, vec![source], &rules(), TENTH, 1, 3, &wait);
    assert_eq!(
        (report.state, report.sources[0].tries, asked.lock().unwrap().len()),
        (RunState::Complete, 3, 3)
    );
    // 30 s because it said so; then the second of its waits: 4 s.
    assert_eq!(*waited.lock().unwrap(), [30, 4]);
    assert_eq!(
        balances(&ledger),
        ["provider/cloud - -30.000000000", "team/a compute 30.000000000"]
    );
    let total = |ledger: &Reader| {
        ledger
            .usage("bytes", Period::all())
            .unwrap()
            .iter()
            .map(|usage| usage.value.0)
            .sum::<i128>()
    };
    assert_eq!(
        (total(&ledger), ledger.state("cloud").unwrap()),
        (9_000_000_000, Some("done".into()))
    );
    // Three starts with five requests each. The memory is the most of any start.
    let costs = ledger.plugin_costs().unwrap();
    assert_eq!((costs.len(), costs[0].source.as_deref()), (1, Some("cloud")));
    assert_eq!(
        (costs[0].cost.starts, costs[0].cost.requests, costs[0].cost.memory_bytes),
        (3, 15, 100)
    );
    // With two tries it fails as a whole, and nothing of it is kept: no charge, no usage, no state.
    let mut other = Ledger::in_memory().unwrap();
    let report =
        run_patiently(&mut other, vec![actor("cloud", acts).0], &rules(), TENTH, 1, 2, &wait);
    assert_eq!((report.state, report.sources[0].tries), (RunState::Incomplete, 2));
    assert_eq!(
        (balances(&other), total(&other), other.state("cloud").unwrap()),
        (Vec::new(), 0, None)
    );
    assert_eq!(other.source_days(Period::all()).unwrap(), []);
    well(&other);
}

#[test]
fn one_failing_source_blocks_no_other_and_each_is_asked_once() {
    let mut ledger = Ledger::in_memory().unwrap();
    let (bad, bad_asked) = actor("bad", vec![fails("2026-03-01 compute a 1", Retry::Soon)]);
    let (good, good_asked) = actor("good", vec![gives("2026-03-01 compute a 2")]);
    let (late, late_asked) = actor("late", vec![gives("2026-03-01 compute b 3")]);
    let report =
        run_patiently(&mut ledger, vec![bad, good, late], &rules(), TENTH, 3, 2, &wait_for_nothing);
    let asked = [bad_asked, good_asked, late_asked].map(|asked| asked.lock().unwrap().len());
    assert_eq!((report.state, asked), (RunState::Incomplete, [2, 1, 1]));
    assert_eq!(balances(&ledger).len(), 4, "{:?}", balances(&ledger));
}
