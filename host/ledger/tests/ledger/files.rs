//! Files that are missing, foreign, newer, damaged or read-only, and backups.

use crate::fixture::{OneRule, charge, collect, findings, good, plugin, run, source_day, start};
use domain::period::Period;
use ledger::code;
use ledger::{Ledger, Reader};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path)
        .and_then(|connection| connection.execute_batch(sql))
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The refusal of a file, which is the same for reading and for writing.
fn refusal(path: &Path) -> (domain::code::Code, String) {
    match (Reader::open(path), Ledger::open(path)) {
        (Err(reading), Err(writing)) => {
            assert_eq!(reading, writing);
            (reading.code, reading.message)
        }
        _ => panic!("{} was opened", path.display()),
    }
}

fn made(folder: &Path) -> PathBuf {
    let path = folder.join("a.ledger");
    let mut ledger = good(Ledger::open_or_create(&path));
    run(
        &mut ledger,
        &OneRule::new("g1"),
        &source_day("aws", "2026-01-03"),
        &[charge("payments", 10, 10)],
    );
    path
}

#[test]
fn what_is_not_a_ledger_is_refused_by_name() {
    let folder = folder();
    let path = folder.path().join("missing.ledger");
    let error = Ledger::open(&path).map(|_| ()).map_err(|error| (error.code, error.hint_text()));
    assert_eq!(error, Err((code::LEDGER_NOT_FOUND, Some("`apportion run` makes it".into()))));
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but long enough that SQLite reads a whole header of one \
                           hundred bytes and looks at it"
            .repeat(9),
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let (foreign, marked) = (folder.path().join("foreign.db"), folder.path().join("marked.db"));
    sql(&foreign, "CREATE TABLE run (id INTEGER)");
    sql(&marked, "PRAGMA user_version = 6");
    assert_eq!(
        refusal(&text),
        (
            code::LEDGER_NOT_OURS,
            "this is not an Apportion ledger: the file is not a database".into()
        )
    );
    for path in [&foreign, &marked] {
        let expected = "this is not an Apportion ledger: it belongs to another program";
        assert_eq!(refusal(path), (code::LEDGER_NOT_OURS, expected.into()));
    }
    let expected = "this is not an Apportion ledger: it is a folder, not a file";
    assert_eq!(refusal(folder.path()), (code::LEDGER_NOT_OURS, expected.into()));
    let made = Ledger::open_or_create(&foreign).map(|_| ()).map_err(|error| error.code);
    assert_eq!(made, Err(code::LEDGER_NOT_OURS));
}

/// A process that makes a ledger is killed at one of its steps: the file is empty, its log is
/// turned on, or a part of the schema stands in the log and is not committed.
#[test]
fn what_a_killed_maker_leaves_is_no_ledger_yet() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let (empty, turned_on, half) = (path("empty.db"), path("on.db"), path("half.db"));
    std::fs::write(&empty, "").unwrap_or_else(|error| panic!("{error}"));
    sql(&turned_on, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;");
    let steps = path("steps.db");
    let maker = Connection::open(&steps).unwrap_or_else(|error| panic!("{error}"));
    // With a cache of few pages, SQLite writes pages to the log before they are committed.
    let half_made = format!(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; BEGIN; {}",
        include_str!("../../migrations/01-journal/up.sql")
    );
    maker.execute_batch(&half_made).unwrap_or_else(|error| panic!("{error}"));
    for (from, to) in [("steps.db", "half.db"), ("steps.db-wal", "half.db-wal")] {
        let copied = std::fs::copy(path(from), path(to)).unwrap_or_else(|error| panic!("{error}"));
        assert!(copied >= 8192, "{from} has {copied} bytes");
    }
    for path in [&empty, &turned_on, &half] {
        let (code, message) = refusal(path);
        let expected = format!("there is no ledger at {}", path.display());
        assert_eq!((code, message), (code::LEDGER_NOT_FOUND, expected));
        let mut ledger = good(Ledger::open_or_create(path));
        let charges = [charge("payments", 10, 10)];
        run(&mut ledger, &OneRule::new("g1"), &source_day("aws", "2026-01-03"), &charges);
        let reader = good(Reader::open(path));
        assert_eq!(good(reader.standing(Period::all())).len(), 1);
        assert_eq!(findings(&reader), Vec::<String>::new());
    }
}

/// Two first runs at one time: both have the ledger, and a reader sees no ledger or a whole one.
#[test]
fn a_ledger_that_two_make_at_one_time_is_made_once() {
    for round in 0..20 {
        let folder = folder();
        let path = folder.path().join("a.ledger");
        let together = Barrier::new(3);
        let make = || {
            together.wait();
            good(Ledger::open_or_create(&path)).runs(1).map(|runs| runs.len())
        };
        let read = || {
            together.wait();
            Reader::open(&path).map(|_| ()).map_err(|error| error.code)
        };
        let (first, second, read) = thread::scope(|scope| {
            let (first, second, read) = (scope.spawn(make), scope.spawn(make), scope.spawn(read));
            (first.join(), second.join(), read.join())
        });
        let made = [first, second].map(|made| made.map(good).ok());
        assert_eq!(made, [Some(0), Some(0)], "round {round}");
        let read = read.unwrap_or(Ok(()));
        assert!(matches!(read, Ok(()) | Err(code::LEDGER_NOT_FOUND)), "round {round}: {read:?}");
        assert_eq!(findings(&good(Reader::open(&path))), Vec::<String>::new());
    }
}

#[test]
fn a_newer_ledger_is_refused() {
    let folder = folder();
    let path = made(folder.path());
    sql(&path, "PRAGMA user_version = 999");
    let expected = "the ledger has format 999, and this version knows formats up to 9";
    assert_eq!(refusal(&path), (code::LEDGER_NEWER, expected.into()));
}

#[test]
fn nothing_is_made_over_a_file_that_is_there() {
    let folder = folder();
    let path = made(folder.path());
    let code_of = |result: ledger::Result<()>| result.map_err(|error| error.code);
    assert_eq!(
        code_of(Ledger::open_or_create(&folder.path().join("no/such/folder.ledger")).map(|_| ())),
        Err(code::LEDGER_READ_ONLY)
    );
    let ledger = good(Ledger::open_or_create(&path));
    assert_eq!(code_of(ledger.backup(&path, &mut |_, _| {})), Err(domain::code::CONFIG_EXISTS));
    assert_eq!(good(ledger.standing(Period::all())).len(), 1);
}

#[test]
fn a_damaged_file_is_an_error_or_a_finding_and_never_a_panic() {
    let folder = folder();
    let bytes = std::fs::read(made(folder.path())).unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("damaged.ledger");
    let mut noticed = 0;
    for page in 0..bytes.len() / 8192 {
        let mut damaged = bytes.clone();
        let start = page * 8192 + if page == 0 { 100 } else { 0 };
        damaged[start..start + 2000].fill(0x5A);
        std::fs::write(&path, damaged).unwrap_or_else(|error| panic!("{error}"));
        let found = Reader::open(&path).and_then(|ledger| ledger.verify(&mut |_| {}));
        noticed += usize::from(!matches!(found, Ok(report) if report.is_sound()));
    }
    assert_eq!(noticed, bytes.len() / 8192, "a damaged page went unnoticed");
}

#[test]
fn a_backup_is_whole_while_the_ledger_is_written() {
    let folder = folder();
    let path = made(folder.path());
    let (mut writer, reader) = (good(Ledger::open(&path)), good(Reader::open(&path)));
    let mut transaction = good(writer.begin(&start()));
    let place = source_day("gcp", "2026-01-04");
    let collection = good(transaction.begin_source("gcp", &plugin()));
    let totals = collect(&mut transaction, collection, &place, &[charge("search", 3, 3)]);
    good(transaction.restate(collection, &place.clone().without_period(), &totals));
    good(transaction.keep_source(None));
    let copy = folder.path().join("backup.ledger");
    let mut reports = Vec::new();
    good(reader.backup(&copy, &mut |done, all| reports.push((done, all))));
    drop(transaction);
    assert!(reports.last().is_some_and(|(done, all)| done == all && *all > 10), "{reports:?}");
    let mut copied = good(Ledger::open(&copy));
    assert_eq!(findings(&copied), Vec::<String>::new());
    assert_eq!(good(copied.standing(Period::all())), good(reader.standing(Period::all())));
    assert_eq!(good(copied.verify(&mut |_| {})).head, good(reader.verify(&mut |_| {})).head);
    run(&mut copied, &OneRule::new("g1"), &place, &[charge("search", 3, 3)]);
    assert_eq!(good(copied.standing(Period::all())).len(), 2);
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap_or_else(|error| panic!("{error}"))
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("partial"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_log_is_emptied_into_the_file_after_a_run() {
    let folder = folder();
    let path = folder.path().join("a.ledger");
    let mut ledger = good(Ledger::open_or_create(&path));
    run(
        &mut ledger,
        &OneRule::new("g1"),
        &source_day("aws", "2026-01-03"),
        &[charge("payments", 10, 10)],
    );
    let log = std::fs::metadata(folder.path().join("a.ledger-wal"))
        .map(|log| log.len())
        .unwrap_or_default();
    assert_eq!(log, 0);
    let header = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (&header[..15], &header[16..18], &header[68..72]),
        (&b"SQLite format 3"[..], &[0x20_u8, 0][..], &b"Aptn"[..])
    );
}
