//! Changes behind the journal's back are found, and the finding names the place.

use crate::fixture::{OneRule, charge, findings, good, month, run, source_day};
use ledger::{Approval, Ledger, Reader};
use rusqlite::Connection;

/// Makes a sound journal, changes it with SQL after dropping every trigger, and lists what
/// verification says.
fn after(sql: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("a.ledger");
    let mut ledger = good(Ledger::open_or_create(&path));
    let rules = OneRule::new("g1");
    run(
        &mut ledger,
        &rules,
        &source_day("aws", "2026-01-03"),
        &[charge("payments", 10, 8), charge("search", 5, 5)],
    );
    run(
        &mut ledger,
        &rules,
        &source_day("aws", "2026-01-03"),
        &[charge("payments", 10, 8), charge("search", 6, 6)],
    );
    run(&mut ledger, &rules, &source_day("gcp", "2026-01-04"), &[charge("payments", 7, 7)]);
    good(ledger.close_period(month("2025-12"), 1, "done"));
    for note in ["looked at", "again"] {
        let plan = Some("a plan".to_owned());
        good(ledger.approve(&Approval {
            at_ms: 1,
            approver: "Ada".into(),
            note: note.into(),
            generation: "g1".into(),
            plan,
        }));
    }
    assert_eq!(findings(&ledger), Vec::<String>::new());
    let report = good(ledger.verify(&mut |_| {}));
    // Three entries and one reversal; aws has 4 lines (provider, prepaid, two teams), gcp has 2.
    assert_eq!(
        (report.entries, report.postings, report.source_days, report.charges),
        (4, 14, 2, 3)
    );
    drop(ledger);
    tamper(&path, sql);
    findings(&good(Reader::open(&path)))
}

pub fn tamper(path: &std::path::Path, sql: &str) {
    let connection = Connection::open(path).unwrap_or_else(|error| panic!("{error}"));
    let triggers: Vec<String> = {
        let mut statement = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap_or_else(|error| panic!("{error}"));
        let names =
            statement.query_map([], |row| row.get(0)).unwrap_or_else(|error| panic!("{error}"));
        names.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
    };
    for trigger in triggers {
        connection
            .execute_batch(&format!("DROP TRIGGER {trigger}"))
            .unwrap_or_else(|error| panic!("{error}"));
    }
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap_or_else(|error| panic!("{error}"));
    let changes = connection.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(changes > 0, "{sql} changes nothing");
}

/// Every expected text must be part of some finding.
fn check(sql: &str, expected: &[&str]) {
    let found = after(sql);
    for text in expected {
        assert!(
            found.iter().any(|finding| finding.contains(text)),
            "{sql}: no finding says '{text}': {found:#?}"
        );
    }
}

#[test]
fn a_changed_posting_is_found() {
    check(
        "UPDATE posting SET amount = amount + 1 WHERE entry = 3 AND line = 2",
        &[
            "entry 3 (aws on 2026-01-03 in USD) does not balance: its 4 postings add up to \
             0.000000001",
            "entry 3 (aws on 2026-01-03 in USD): its postings are not those that were posted",
            "aws on 2026-01-03 in USD: 0.000000014 is due to teams, pools and what is set aside, \
             and 0.000000015 is posted",
        ],
    );
    check(
        "UPDATE posting SET account = (SELECT id FROM account WHERE path = 'team/search') WHERE \
         entry = 4 AND amount > 0",
        &["entry 4 (gcp on 2026-01-04 in USD): its postings are not those that were posted"],
    );
    check(
        "DELETE FROM posting WHERE entry = 4",
        &["entry 4 (gcp on 2026-01-04 in USD) does not balance: its 0 postings add up to \
             0.000000000"],
    );
    check(
        "UPDATE account SET path = 'team/nobody' WHERE path = 'team/payments'",
        &["entry 1 (aws on 2026-01-03 in USD): its postings are not those"],
    );
    check(
        "UPDATE posting SET amount = amount * 2 WHERE entry = 2",
        &["entry 2 does not take back entry 1 line by line"],
    );
}

#[test]
fn a_changed_approval_is_found() {
    for sql in [
        "UPDATE approval SET generation = 'g2' WHERE id = 1",
        "UPDATE approval SET plan = 'another' WHERE id = 1",
        "UPDATE approval SET plan_digest = zeroblob(32) WHERE id = 1",
        "UPDATE approval SET approver = 'Bob' WHERE id = 1",
    ] {
        check(sql, &["approval 1 (by"]);
    }
    check(
        "DELETE FROM approval WHERE id = 1",
        &["approval 2 (by Ada) was changed, or the one before it was"],
    );
}

#[test]
fn a_changed_entry_is_found() {
    check(
        "UPDATE entry SET posting_day = posting_day + 40 WHERE id = 3",
        &["entry 3 (aws on 2026-01-03 in USD) does not link to the entry before it"],
    );
    check(
        "UPDATE entry SET run = 1 WHERE id = 4",
        &["entry 4 (gcp on 2026-01-04 in USD) does not link", "the seal of run 1 does not fit"],
    );
    check(
        "DELETE FROM entry WHERE id = 2",
        &[
            "entry 3 follows on entry 1",
            "a posting belongs to entry 2, which does not exist",
            "posting names a entry",
        ],
    );
    check(
        "DELETE FROM entry WHERE id = 4",
        &["gcp on 2026-01-04 in USD: 0.000000007 billed and 0.000000007 effective were collected \
             and not posted"],
    );
}

#[test]
fn changed_charges_are_found() {
    check(
        "UPDATE segment SET data = zeroblob(length(data)) WHERE id = 3",
        &["gcp on 2026-01-04 in USD: segment 3 of its charges was changed"],
    );
    check(
        "UPDATE segment SET rows = 2 WHERE id = 3",
        &["segment 3 does not add up to its own totals", "the seal of run 3 does not fit"],
    );
    check(
        "DELETE FROM segment WHERE id = 1",
        &[
            "aws on 2026-01-03 in USD: 0 charges of 0.000000000 billed",
            "they are not the same charges",
        ],
    );
    check(
        "UPDATE statement SET fingerprint = zeroblob(16) WHERE id = 2",
        &["aws on 2026-01-03 in USD: 2 charges", "they are not the same charges"],
    );
    check(
        "UPDATE statement SET billed_rest = '0.0000000016' WHERE id = 3",
        &["-0.000000009 is due to provider, and -0.000000007 is posted"],
    );
    check(
        "DELETE FROM statement WHERE source = 'gcp'",
        &["gcp on 2026-01-04 in USD: entries stand, and no source has stated anything"],
    );
}

#[test]
fn a_changed_dictionary_or_decision_is_found() {
    check(
        "UPDATE symbol_block SET data = zeroblob(4)",
        &["symbol_block 0: a stored block ends too early", "the seal of run 1 does not fit"],
    );
    check("DELETE FROM resource_block", &["names resource 0, which does not exist"]);
    check("DELETE FROM outcome WHERE number = 1", &["outcome 1 of generation 1 is missing"]);
    check(
        "UPDATE outcome SET outcome = replace(outcome, '\"rule\":0', '\"rule\":7')",
        &["outcome 1 of generation 1 names rule 7 of 1"],
    );
    check(
        "UPDATE decision_block SET count = 5",
        &["the decisions of generation 1 do not follow on each other at resource 0"],
    );
}

#[test]
fn changed_runs_rules_and_periods_are_found() {
    check("UPDATE run SET started_at_ms = 5 WHERE id = 2", &["the seal of run 2 does not fit"]);
    check("UPDATE rule SET owner = 'nobody'", &["the seal of run 1 does not fit"]);
    check("UPDATE source_text SET text = text || ' '", &["the seal of run 1 does not fit"]);
    check(
        "DELETE FROM run_end WHERE run = 3",
        &["run 3 never ended, and yet something of it is in the ledger"],
    );
    check(
        "UPDATE period_event SET note = 'not yet'",
        &["period event 1 (2025-12 closed) was changed"],
    );
    check("DELETE FROM generation", &["names a generation that does not exist"]);
}

#[test]
fn a_table_that_is_gone_is_an_error_of_storage() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("a.ledger");
    drop(good(Ledger::open_or_create(&path)));
    let connection = Connection::open(&path).unwrap_or_else(|error| panic!("{error}"));
    connection.execute_batch("DROP TABLE weights").unwrap_or_else(|error| panic!("{error}"));
    drop(connection);
    let ledger = good(Reader::open(&path));
    let (day, currency) =
        (source_day("aws", "2026-01-03").day, source_day("aws", "2026-01-03").currency);
    let error = ledger
        .weights(domain::run::RunId(1), day, currency)
        .map_err(|error| (error.code, error.message));
    assert_eq!(
        error,
        Err((
            ledger::code::LEDGER_STORAGE,
            "the ledger's storage reports: no such table: weights".to_owned()
        ))
    );
}
