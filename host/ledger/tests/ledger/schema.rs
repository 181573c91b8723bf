//! The schema as a file for readers, the migrations that make it, and the triggers that guard it.

use crate::fixture::{OneRule, charge, end, good, plugin, run, source_day, start, usd};
use domain::charge::RejectedRow;
use domain::decision::OutcomeId;
use domain::period::Period;
use domain::port::{Delivery, PluginCost, UnknownDays};
use domain::recipient::Recipient;
use domain::sharing::Sharing;
use domain::split::Shares;
use domain::terms::{Term, Terms};
use domain::usage::Quantity;
use ledger::{Approval, Attempt, Ledger, UsageDay, Weights};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Released migrations are never edited, because ledgers of users were made by them.
const MIGRATIONS: &[(&str, &str)] = &[
    ("01-journal", "313d10d4c3fa03fb8dcdc846eea7bcf241b074822a3b2ebd98492057bb7194b8"),
    ("02-approval", "d15a26e7301f94bd197ecb07c13743a5c3191d3d4c7f0d992e8933905236dded"),
    ("03-usage", "59cf663ae56c14560c49fbd034f50e00663f21dd64b63fc9db6680aec8621031"),
    ("04-stages", "2868a53e48563c491c7aceb6f409861f7b51cd2ceb8de8dfa721ae227bd2f6eb"),
    ("05-sources", "efeeecccdb1efbcdb69b1af9f79cad173c210580ef9f087e1660d00297e0219a"),
    ("06-coverage", "2dbc4f637c39695b1d12fdeb517e5ae65afd73d1f1ce7c4542d077bec39498b5"),
    ("07-deliveries", "45de981388061101bbc0ea49c190f5b552ee4d73910da5d63abc8519742c4e22"),
    ("08-terms", "2fbe347ea77728b43b2fd189ca60634646e6f348a9935fd64cc126fd3b92700c"),
    ("09-settings", "ddc40bf84f47ba5254a1a6981fbfb580056e251c4ec600f02159265100043135"),
];

/// A file with at least one row in every table.
fn full_ledger(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("full.ledger");
    let mut ledger = good(Ledger::open_or_create(&path));
    let (rules, place) = (OneRule::new("g1"), source_day("aws", "2026-01-03"));
    run(&mut ledger, &rules, &place, &[charge("payments", 10, 8)]);
    good(ledger.close_period(place.day.month(), 1, "done"));
    let (approver, note) = ("Ada".to_owned(), "looked at".to_owned());
    good(ledger.approve(&Approval {
        at_ms: 1,
        approver,
        note,
        generation: "g1".into(),
        plan: Some("{}".into()),
    }));
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(&rules, None));
    let collection = good(transaction.begin_source("aws", &plugin()));
    let usage = UsageDay { source: "aws", day: place.day, metric: "bytes", unit: "B" };
    good(transaction.restate_usage(collection, &usage, &vec![(Vec::new(), Quantity(1))]));
    let rejected = RejectedRow {
        location: "bill.csv:3:1".into(),
        reason: "no amount".into(),
        excerpt: "a,b".into(),
    };
    good(transaction.reject("aws", &[rejected], 1));
    let delivery = Delivery { name: "march".into(), billing_period: None, left_out: None };
    good(transaction.keep_delivery(collection, &delivery));
    good(transaction.keep_source(Some("cursor")));
    let unknown = vec![UnknownDays { period: Period::all(), reason: "it keeps no history".into() }];
    let attempt = Attempt { period: None, tries: 1, without_state: false, failure: None, unknown };
    good(transaction.note_attempt("aws", &plugin(), Some(collection), &attempt));
    good(transaction.note_cost(Some("aws"), &plugin(), &PluginCost::default()));
    let mut dictionary = good(transaction.dictionary());
    let mut terms = Terms::default();
    terms.set(Term::InvoiceId, dictionary.symbol("INV-1"));
    dictionary.intern_terms(terms);
    good(transaction.save_dictionary(&dictionary));
    let shares = Shares::new(&[1]).unwrap_or_else(|error| panic!("{error}"));
    let sharing = Sharing { recipients: vec![Recipient::team("a")], shares, refunds: None };
    let weights = Weights { outcome: OutcomeId(0), sharing, step: 0 };
    good(transaction.save_weights(place.day, usd(), &[weights]));
    good(transaction.commit(&end(generation)));
    assert!(good(ledger.forget_state("aws", 1)));
    path
}

fn tables(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap_or_else(|error| panic!("{error}"));
    let names = statement.query_map([], |row| row.get(0)).unwrap_or_else(|error| panic!("{error}"));
    names.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn no_table_can_be_updated_or_deleted_from() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let connection =
        Connection::open(full_ledger(folder.path())).unwrap_or_else(|error| panic!("{error}"));
    let tables = tables(&connection);
    assert_eq!(tables.len(), 35, "{tables:?}");
    for table in tables {
        let columns: String = connection
            .query_row(
                "SELECT group_concat(name || ' = ' || name, ', ') FROM pragma_table_info(?1)",
                [&table],
                |row| row.get(0),
            )
            .unwrap_or_else(|error| panic!("{error}"));
        let rows: i64 = connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(rows > 0, "{table} is empty, so that its triggers are not tried");
        for sql in [format!("UPDATE {table} SET {columns}"), format!("DELETE FROM {table}")] {
            let refused = connection.execute(&sql, []).map_err(|error| error.to_string());
            assert_eq!(refused, Err(format!("{table} is append-only")), "{sql}");
        }
    }
}

#[test]
fn a_statement_gets_no_further_charges() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let connection =
        Connection::open(full_ledger(folder.path())).unwrap_or_else(|error| panic!("{error}"));
    let copy = "INSERT INTO segment (collection, day, currency, rows, billed_nanos, \
         effective_nanos, digest, data)
         SELECT collection, day, currency, rows, billed_nanos, effective_nanos, digest, data \
           FROM segment";
    assert_eq!(
        connection.execute(copy, []).map_err(|error| error.to_string()),
        Err("segment would change a statement".into())
    );
}

fn rewrites() -> bool {
    std::env::var_os("UPDATE").is_some()
}

#[test]
fn the_schema_file_is_what_the_migrations_make() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("new.ledger");
    drop(good(Ledger::open_or_create(&path)));
    let connection = Connection::open(path).unwrap_or_else(|error| panic!("{error}"));
    let mut statement = connection
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL \
                  ORDER BY tbl_name, type = 'trigger', type = 'index', name",
        )
        .unwrap_or_else(|error| panic!("{error}"));
    let objects = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap_or_else(|error| panic!("{error}"));
    let mut schema = "-- Written by `UPDATE=1 cargo test -p ledger`: the whole schema as the \
                      migrations leave it.\n"
        .to_owned();
    for object in objects {
        schema.push_str(&format!("\n{};\n", object.unwrap_or_else(|error| panic!("{error}"))));
    }
    let file = Path::new("schema.sql");
    if rewrites() {
        std::fs::write(file, &schema).unwrap_or_else(|error| panic!("{error}"));
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        golden == schema,
        "schema.sql is not what the migrations make; run `UPDATE=1 cargo test -p ledger`"
    );
}

#[test]
fn migrations_are_never_edited() {
    let folder = Path::new("migrations");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{error}"))
        .map(|entry| {
            entry
                .unwrap_or_else(|error| panic!("{error}"))
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, MIGRATIONS.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    for (name, digest) in MIGRATIONS {
        let sql = std::fs::read(folder.join(name).join("up.sql"))
            .unwrap_or_else(|error| panic!("{error}"));
        let found: String = Sha256::digest(&sql).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, *digest, "{name} was edited; add a migration instead");
    }
}
