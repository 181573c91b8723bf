//! Usage is stated by source, day and metric. It is stored when it changed. Like charges, it is
//! replaced, taken back and proved.

use crate::fixture::{OneRule, day, end, findings, good, plugin, start};
use domain::period::Period;
use domain::usage::{Keys, Quantity};
use ledger::{Ledger, Reader, Restated, UsageDay, UsageRows};
use rusqlite::Connection;

/// `key=value key=value quantity`, one row a line, sorted by keys.
fn rows(text: &str) -> UsageRows {
    let row = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let value =
            words.pop().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        let keys: Keys = words
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        (keys, Quantity(value))
    };
    text.lines().map(row).collect()
}

/// A run that states one day.
fn state(ledger: &mut Ledger, source: &str, on: &str, metric: &str, stated: &str) -> Restated {
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(&OneRule::new("g1"), None));
    let collection = good(transaction.begin_source(source, &plugin()));
    let of = UsageDay { source, day: day(on), metric, unit: "B" };
    let restated = good(transaction.restate_usage(collection, &of, &rows(stated)));
    good(transaction.keep_source(None));
    good(transaction.commit(&end(generation)));
    restated
}

fn shown(ledger: &Ledger, metric: &str, period: Period) -> Vec<String> {
    let line = |usage: domain::usage::Usage| {
        let keys: Vec<String> =
            usage.keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!(
            "{} {} {} {} {}",
            usage.source,
            usage.day,
            keys.join(","),
            usage.value.0,
            usage.unit
        )
    };
    good(ledger.usage(metric, period)).into_iter().map(line).collect()
}

#[test]
fn the_latest_statement_of_a_day_counts() {
    let mut ledger = good(Ledger::in_memory());
    assert_eq!(
        state(&mut ledger, "prometheus", "2026-03-02", "bytes", "team=a 5\nteam=b 7"),
        Restated::New
    );
    assert_eq!(state(&mut ledger, "prometheus", "2026-03-01", "bytes", "team=a 1"), Restated::New);
    assert_eq!(
        state(&mut ledger, "aws", "2026-03-02", "bytes", "namespace=x,y=1 2"),
        Restated::New
    );
    assert_eq!(state(&mut ledger, "aws", "2026-03-02", "hours", "team=a 24"), Restated::New);
    assert_eq!(
        state(&mut ledger, "prometheus", "2026-03-02", "bytes", "team=a 5\nteam=b 7"),
        Restated::Unchanged
    );
    assert_eq!(
        state(&mut ledger, "prometheus", "2026-03-02", "bytes", "team=a 6\nteam=b 7"),
        Restated::Changed
    );
    assert_eq!(good(ledger.usage_metrics()), ["bytes", "hours"]);
    let all = [
        "aws 2026-03-02 namespace=x,y=1 2 B",
        "prometheus 2026-03-01 team=a 1 B",
        "prometheus 2026-03-02 team=a 6 B",
        "prometheus 2026-03-02 team=b 7 B",
    ];
    assert_eq!(shown(&ledger, "bytes", Period::all()), all);
    let second =
        good(Period::new(day("2026-03-02"), day("2026-03-03")).map_err(|error| panic!("{error}")));
    assert_eq!(shown(&ledger, "bytes", second).len(), 3);
    assert_eq!(findings(&ledger), Vec::<String>::new());
}

#[test]
fn what_is_taken_back_is_gone_until_it_is_stated_again() {
    let mut ledger = good(Ledger::in_memory());
    assert_eq!(state(&mut ledger, "aws", "2026-03-02", "bytes", ""), Restated::Unchanged);
    assert_eq!(state(&mut ledger, "aws", "2026-03-02", "bytes", "team=a 5"), Restated::New);
    assert_eq!(state(&mut ledger, "aws", "2026-03-02", "bytes", ""), Restated::Changed);
    assert_eq!(state(&mut ledger, "aws", "2026-03-02", "bytes", ""), Restated::Unchanged);
    assert_eq!(
        (shown(&ledger, "bytes", Period::all()).len(), good(ledger.usage_metrics()).len()),
        (0, 0)
    );
    assert_eq!(good(ledger.usage_days(Period::all()))[0].rows, 0);
    assert_eq!(state(&mut ledger, "aws", "2026-03-02", "bytes", "team=a 5"), Restated::Changed);
    assert_eq!(shown(&ledger, "bytes", Period::all()), ["aws 2026-03-02 team=a 5 B"]);
    assert_eq!(findings(&ledger), Vec::<String>::new());
}

#[test]
fn a_day_of_many_rows_takes_several_blocks() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("a.ledger");
    let mut ledger = good(Ledger::open_or_create(&path));
    let many: Vec<String> = (0..70_000).map(|pod| format!("pod={pod:06} {pod}")).collect();
    state(&mut ledger, "aws", "2026-03-02", "hours", &many.join("\n"));
    let usage = good(ledger.usage("hours", Period::all()));
    assert_eq!(
        (usage.len(), usage[69_999].keys[0].1.as_str(), usage[69_999].value),
        (70_000, "069999", Quantity(69_999))
    );
    // 69,999 × 70,000 / 2.
    assert_eq!(good(ledger.usage_days(Period::all()))[0].total, Quantity(2_449_965_000));
    let blocks = Connection::open(path).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM usage_block", [], |row| row.get::<_, i64>(0))
    });
    assert_eq!(blocks.ok(), Some(2));
}

#[test]
fn changed_usage_is_found() {
    for (sql, expected) in [
        (
            "UPDATE usage_block SET data = zeroblob(9)",
            "bytes of aws on 2026-03-02: a block of usage has an unknown version",
        ),
        (
            "DELETE FROM usage_block",
            "bytes of aws on 2026-03-02: the stored usage is not what was stated",
        ),
        (
            "UPDATE usage_statement SET unit = 'MB'",
            "bytes of aws on 2026-03-02: the stored usage is not what was stated",
        ),
        (
            "UPDATE usage_statement SET total = '7'",
            "bytes of aws on 2026-03-02: the stored usage does not add up to its statement",
        ),
        ("UPDATE usage_statement SET day = day + 1", "the seal of run 1 does not fit"),
        (
            "UPDATE usage_block SET rows = 2",
            "bytes of aws on 2026-03-02: a block of usage has not as many rows as it says",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join("a.ledger");
        let mut ledger = good(Ledger::open_or_create(&path));
        state(&mut ledger, "aws", "2026-03-02", "bytes", "team=a 5");
        assert_eq!(findings(&ledger), Vec::<String>::new());
        drop(ledger);
        crate::tamper::tamper(&path, sql);
        let found = findings(&good(Reader::open(&path)));
        assert!(found.iter().any(|finding| finding.contains(expected)), "{sql}: {found:#?}");
    }
}
