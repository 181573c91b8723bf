//! Months of nights, with the troubles of a real house: charges that come late, twice or never,
//! corrections, junk, closed months, new rules, and crashes in the middle of a run.
//!
//! A second model, the auditor, works every balance out in fractions: what each account bears by
//! the day of the charge, and what is owed by the month of posting. The ledger must agree after
//! every night. The rules of each estate are drawn too: bases and windows of `by_cost`, pools, and
//! teams that serve others.
//!
//! The seeds are fixed, and a failure names its seed. `SIMULATION_SEED=7 cargo test -p tests --test
//! simulation` plays one seed alone, and `SIMULATION_SEED=100-200` plays many.
//!
//! A crash is a process that ends itself: this binary starts itself once more to make such a run.

mod auditor;
mod ledgers;
mod meaning;
mod random;
mod world;

use auditor::Auditor;
use domain::axis::Axis;
use domain::field::Field;
use domain::period::{Day, Month};
use domain::port::NoAllocators;
use domain::run::RunState;
use domain::tag::TagSchema;
use ledger::{Bucket, Ledger};
use ledgers::{Balances, PostedMonths, balances, charged_difference, expected, tag_difference};
use meaning::Meaning;
use pipeline::feed::Patience;
use pipeline::report::RunReport;
use pipeline::run::{RunOptions, run};
use pipeline::source::{RepeatPolicy, Source};
use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use test_support::fakes::{FakeCollector, request};
use world::{Bill, Delivery};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;
const NIGHTS: i32 = 56;
/// Rules change after so many nights.
const NIGHTS_OF_RULES: i32 = 14;
/// Costs by tag, and by the month of posting, are compared after so many nights.
const NIGHTS_OF_TAGS: i32 = 14;
const NIGHTS_OF_MONTHS: i32 = 4;

/// One night: the deliveries of the sources, and the meaning of the rules.
struct Night {
    at_ms: i64,
    meaning: Meaning,
    deliveries: Vec<(&'static str, Delivery)>,
}

/// Makes the run of a night. It ends the process at the `crash`th sign of progress, if it gets so
/// far.
fn make_run(ledger: &mut Ledger, night: &Night, crash: Option<u64>) -> RunReport {
    let source = |(name, delivery): &(&'static str, Delivery)| Source {
        name: (*name).into(),
        collector: Box::new(FakeCollector {
            failure: delivery.failure.clone(),
            ..FakeCollector::new(delivery.batches.clone())
        }),
        request: request(name),
        accrues_for: None,
        formerly: Vec::new(),
        kept: domain::charge::KeptDetails::default(),
        window: None,
        delivery: None,
        repeats: RepeatPolicy::Refuse,
    };
    let (rules, dimensions) = (night.meaning.rules(), Field::default_dimensions());
    let options = RunOptions {
        sources: night.deliveries.iter().map(source).collect(),
        rules: &rules,
        allocators: &NoAllocators,
        tag_schema: &TagSchema::default(),
        dimensions: &dimensions,
        collect: true,
        threads: 1,
        sources_at_once: 2,
        patience: Patience { tries: 1, wait: &|_| {} },
        at_ms: night.at_ms,
        now_ms: &|| night.at_ms,
        version: "simulation".into(),
    };
    let mut signs = 0;
    run(ledger, options, &mut |_| {
        signs += 1;
        if Some(signs) == crash {
            std::process::abort();
        }
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

fn open(path: &Path) -> Ledger {
    Ledger::open_or_create(path).unwrap_or_else(|error| panic!("{error}"))
}

/// The estate of one seed. Everything in it follows from the seed, so that a second process that
/// plays the same nights comes to the same state.
struct Estate {
    random: Random,
    bills: [Bill; 3],
    auditor: Auditor,
    /// The rules, one after another.
    meanings: Vec<Meaning>,
    first: Day,
}

impl Estate {
    fn new(seed: u64) -> Estate {
        let (mut random, count) = (Random::new(seed), NIGHTS / NIGHTS_OF_RULES);
        let meanings = (0..count).map(|_| Meaning::draw(&mut random)).collect();
        Estate {
            random,
            meanings,
            bills: [Bill::new("aws", "USD"), Bill::new("gcp", "USD"), Bill::new("azure", "EUR")],
            auditor: Auditor::default(),
            first: Day::from_civil(2026, 1, 20).expect("a day"),
        }
    }

    /// The night, and the sign of progress at which its run crashes, if it does.
    fn night(&mut self, number: i32) -> (Night, Option<u64>) {
        let today = self.first.plus(number);
        let mut deliveries = Vec::new();
        for bill in &mut self.bills {
            bill.live(&mut self.random, today);
            // Some nights a source brings nothing at all.
            if !self.random.per_mille(100) {
                deliveries.push((bill.name, bill.deliver(&mut self.random)));
            }
        }
        let crash = self.random.per_mille(120).then(|| 1 + self.random.below(12));
        let meaning = self.meanings[(number / NIGHTS_OF_RULES) as usize].clone();
        let at_ms = today.plus(1).start() * 1000;
        (Night { at_ms, meaning, deliveries }, crash)
    }

    fn audit(&mut self, night: &Night) {
        for (name, delivery) in &night.deliveries {
            let bill = self.bills.iter().find(|bill| bill.name == *name).expect("a bill");
            self.auditor.told(bill.name, bill.currency, &delivery.stated);
        }
        self.auditor.work_out(&night.meaning);
    }
}

/// The other process: plays a seed up to a night without a ledger. Then it makes the run of that
/// night, which crashes.
fn crash(seed: u64, number: i32, path: &Path) {
    let mut estate = Estate::new(seed);
    for earlier in 0..number {
        estate.night(earlier);
    }
    let (night, crash) = estate.night(number);
    make_run(&mut open(path), &night, crash);
}

/// Makes the run in another process, and tells whether it crashed. A run with few signs of progress
/// may come to its end before.
fn crashes(seed: u64, number: i32, path: &Path) -> bool {
    let binary = std::env::current_exe().expect("this binary");
    let mut command = Command::new(binary);
    command.args(["crash", &seed.to_string(), &number.to_string()]).arg(path);
    !command.stderr(Stdio::null()).status().expect("it starts").success()
}

/// Closed months, with the balances that were posted.
type Closed = BTreeMap<Month, Balances>;

fn posted_in(ledger: &Ledger, month: Month) -> Balances {
    let mut posted = balances(ledger, Axis::Posting, Bucket::Day);
    posted.retain(|(day, ..), _| day.month() == month);
    posted
}

fn close(ledger: &mut Ledger, today: Day, at_ms: i64, closed: &mut Closed) {
    let month = today.month().before();
    if today.civil().2 == 6 && month.first_day() >= Day::from_civil(2026, 1, 1).expect("a day") {
        ledger.close_period(month, at_ms, "simulated").unwrap_or_else(|error| panic!("{error}"));
        closed.insert(month, posted_in(ledger, month));
    }
}

/// Asserts what a run says of itself.
fn check_report(report: &RunReport, night: &Night, place: &str) {
    let deliveries = || night.deliveries.iter().map(|(_, delivery)| delivery);
    let junk: u64 = deliveries().map(|delivery| delivery.junk).sum();
    let is_whole = junk == 0 && deliveries().all(|delivery| delivery.failure.is_none());
    assert_eq!(report.state == RunState::Complete, is_whole, "{place}: {:?}", report.unresolved);
    let well = report.sources.iter().filter(|source| source.failure.is_none());
    assert_eq!(well.map(|source| source.set_aside).sum::<u64>(), junk, "{place}");
}

/// Plays a seed to its end, and counts the crashes.
fn play(seed: u64) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("simulation.db");
    let (mut estate, mut closed, mut caught) = (Estate::new(seed), Closed::new(), 0);
    let mut posted = PostedMonths::default();
    for number in 0..NIGHTS {
        let place = format!("seed {seed}, night {number}");
        let (night, crash) = estate.night(number);
        let charged = || balances(&open(&path), Axis::Charge, Bucket::Day);
        let before = crash.map(|_| charged());
        estate.audit(&night);
        let after = expected(&estate.auditor);
        if crash.is_some() && crashes(seed, number, &path) {
            caught += 1;
            let left = charged();
            let is_whole =
                Some(&left) == before.as_ref() || charged_difference(&left, &after).is_none();
            assert!(is_whole, "{place}: a crash left half a run: {left:?}");
        }
        let mut ledger = open(&path);
        let report = make_run(&mut ledger, &night, None);
        check_report(&report, &night, &place);
        let meaning = &night.meaning;
        assert_eq!(charged_difference(&charged(), &after), None, "{place}: {meaning:?}");
        posted.follow(&after, &closed.keys().copied().collect::<BTreeSet<Month>>());
        if number % NIGHTS_OF_MONTHS == 0 {
            assert_eq!(posted.difference(&ledger), None, "{place}: {meaning:?}");
        }
        if number % NIGHTS_OF_TAGS == NIGHTS_OF_TAGS - 1 {
            let by_tag = tag_difference(&ledger, &estate.auditor, closed.is_empty());
            assert_eq!(by_tag, None, "{place}: {meaning:?}");
        }
        close(&mut ledger, estate.first.plus(number), night.at_ms, &mut closed);
    }
    let ledger = open(&path);
    for (month, posted) in &closed {
        assert_eq!(&posted_in(&ledger, *month), posted, "seed {seed}: {month} is closed");
    }
    assert_eq!(closed.len(), 2, "seed {seed}");
    let report = ledger.verify(&mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.findings, [], "seed {seed}");
    caught
}

/// `7` or `100-200`.
fn seeds(text: &str) -> std::ops::RangeInclusive<u64> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let seed = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text} is no seed"));
    seed(first)..=seed(last)
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, first, seed, number, path] = words.as_slice()
        && first == "crash"
    {
        let (seed, number) = (seed.parse().expect("a seed"), number.parse().expect("a night"));
        return crash(seed, number, Path::new(path));
    }
    let chosen = std::env::var("SIMULATION_SEED").ok();
    let seeds = chosen.map_or(SEEDS, |text| seeds(&text));
    let count = seeds.clone().count() as u64;
    let caught: u64 = seeds.map(play).sum();
    assert!(caught >= count * 3, "only {caught} runs were caught by a crash");
}
