//! Months of nights, with the troubles of a real house: charges that come late, twice or never,
//! corrections, junk, closed months, new rules, and crashes in the middle of a run.
//!
//! A second model, the auditor, predicts every balance to the nano after every night. The seeds are
//! fixed, and a failure names its seed. `SIMULATION_SEED=7 cargo test -p tests --test simulation`
//! plays one seed alone.
//!
//! A crash is a process that ends itself: this binary starts itself once more to make such a run.

mod auditor;
mod random;
mod world;

use auditor::{Auditor, Balances, Meaning};
use domain::field::Field;
use domain::period::{Day, Month, Period};
use domain::port::NoAllocators;
use domain::run::RunState;
use domain::tag::TagSchema;
use ledger::{BalanceFilter, Ledger, Reader};
use pipeline::feed::Patience;
use pipeline::report::RunReport;
use pipeline::run::{RunOptions, run};
use pipeline::source::{RepeatPolicy, Source};
use random::Random;
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use test_support::fakes::{FakeCollector, request};
use world::{Bill, Delivery};

const SEEDS: [u64; 4] = [1, 2, 3, 4];
const NIGHTS: i32 = 100;
const DAY_MS: i64 = 86_400_000;

/// The weights of support before and after the rules change.
const MEANINGS: [Meaning; 2] = [
    Meaning { support: [("payments", 60), ("search", 40)] },
    Meaning { support: [("payments", 1), ("search", 2)] },
];

fn rules(meaning: Meaning) -> RuleSet {
    let rule = |id: &str, priority: u32, header: &str, body: &str| {
        let head = format!("//! A rule.\nrule(#{{ priority: {priority}{header} }});\n");
        (id.to_owned(), format!("{head}{body}\n"))
    };
    let service = |name: &str, decision: &str| {
        format!(
            "fn matches(charge) {{ charge.service_name == \"{name}\" }}\n\
             fn allocate(charge) {{ {decision} }}"
        )
    };
    let [(first, one), (second, two)] = meaning.support;
    let texts = [
        rule("shared/tax", 10, "", &service("Tax", "by_cost()")),
        rule(
            "shared/support",
            20,
            "",
            &service("Support", &format!("split(#{{ {first}: {one}, {second}: {two} }})")),
        ),
        rule("shared/waste", 30, "", &service("Idle", "assign(pool(\"pools/idle\"))")),
        rule(
            "direct/team",
            40,
            "",
            "fn matches(charge) { charge.has_tag(\"team\") }\n\
             fn allocate(charge) { assign(charge.tag(\"team\")) }",
        ),
        rule(
            "pools/idle",
            50,
            ", stage: \"distribution\"",
            "fn allocate(pool) { split(#{ search: 1, web: 2 }) }",
        ),
    ];
    RuleSet::from_sources(&texts, &[], &RuleOptions::default())
        .unwrap_or_else(|findings| panic!("{findings:?}"))
}

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
        accrues_for: Vec::new(),
        formerly: Vec::new(),
        kept: domain::charge::KeptDetails::default(),
        window: None,
        delivery: None,
        repeats: RepeatPolicy::Refuse,
    };
    let (rules, dimensions) = (rules(night.meaning), Field::default_dimensions());
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

fn balances(ledger: &Reader, period: Period) -> Balances {
    let mut found = Balances::new();
    for balance in
        ledger.balances(&BalanceFilter::of(period)).unwrap_or_else(|error| panic!("{error}"))
    {
        let key = (balance.account.to_string(), balance.currency.to_string());
        *found.entry(key).or_default() += balance.amount.nanos();
    }
    found.retain(|_, amount| *amount != 0);
    found
}

/// The estate of one seed. Everything in it follows from the seed, so that a second process that
/// plays the same nights comes to the same state.
struct Estate {
    random: Random,
    bills: [Bill; 3],
    auditor: Auditor,
    first: Day,
}

impl Estate {
    fn new(seed: u64) -> Estate {
        Estate {
            random: Random::new(seed),
            bills: [Bill::new("aws", "USD"), Bill::new("gcp", "USD"), Bill::new("azure", "EUR")],
            auditor: Auditor::default(),
            first: Day::from_civil(2026, 1, 1).expect("a day"),
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
        let meaning = MEANINGS[usize::from(number >= NIGHTS / 2)];
        let at_ms = 1_767_225_600_000 + i64::from(number + 1) * DAY_MS;
        (Night { at_ms, meaning, deliveries }, crash)
    }

    fn audit(&mut self, night: &Night) {
        for (name, delivery) in &night.deliveries {
            let bill = self.bills.iter().find(|bill| bill.name == *name).expect("a bill");
            self.auditor.told(bill.name, bill.currency, &delivery.stated);
        }
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

/// Closed months, with their balances.
type Closed = BTreeMap<Month, Balances>;

fn close(ledger: &mut Ledger, today: Day, at_ms: i64, closed: &mut Closed) {
    let month = today.month().before();
    if today.civil().2 == 6
        && closed.len() < 3
        && month.first_day() >= Day::from_civil(2026, 1, 1).expect("a day")
    {
        ledger.close_period(month, at_ms, "simulated").unwrap_or_else(|error| panic!("{error}"));
        closed.insert(month, balances(ledger, month.period()));
    }
}

/// Plays a seed to its end, and counts the crashes.
fn play(seed: u64) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("simulation.db");
    let (mut estate, mut closed, mut caught) = (Estate::new(seed), Closed::new(), 0);
    for number in 0..NIGHTS {
        let place = format!("seed {seed}, night {number}");
        let (night, crash) = estate.night(number);
        let before = balances(&open(&path), Period::all());
        estate.audit(&night);
        let after = estate.auditor.balances(night.meaning);
        if crash.is_some() && crashes(seed, number, &path) {
            caught += 1;
            let left = balances(&open(&path), Period::all());
            assert!(left == before || left == after, "{place}: a crash left half a run: {left:?}");
        }
        let mut ledger = open(&path);
        let report = make_run(&mut ledger, &night, None);
        assert_eq!(balances(&ledger, Period::all()), after, "{place}");
        let deliveries = || night.deliveries.iter().map(|(_, delivery)| delivery);
        let junk: u64 = deliveries().map(|delivery| delivery.junk).sum();
        let is_whole = junk == 0 && deliveries().all(|delivery| delivery.failure.is_none());
        assert_eq!(report.state == RunState::Complete, is_whole, "{place}");
        let well = report.sources.iter().filter(|source| source.failure.is_none());
        assert_eq!(well.map(|source| source.set_aside).sum::<u64>(), junk, "{place}");
        close(&mut ledger, estate.first.plus(number), night.at_ms, &mut closed);
    }
    let ledger = open(&path);
    for (month, posted) in &closed {
        assert_eq!(&balances(&ledger, month.period()), posted, "seed {seed}: {month} is closed");
    }
    assert!(closed.len() >= 3, "seed {seed}: only {} months were closed", closed.len());
    let report = ledger.verify(&mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.findings, [], "seed {seed}");
    caught
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
    let seeds = chosen.map_or(SEEDS.to_vec(), |seed| vec![seed.parse().expect("a seed")]);
    let caught: u64 = seeds.iter().map(|seed| play(*seed)).sum();
    assert!(caught >= seeds.len() as u64 * 3, "only {caught} runs were caught by a crash");
}
