//! Seals: a chain over runs.
//!
//! The chain of entries shows a change of a posting. A run writes more than postings: charges,
//! statements, decisions, rules, rows set aside. The seal covers those too, so that a change of any
//! row shows.
//!
//! A run's *contents* are all rows that carry its number, table by table, in the order below. The
//! words of postings (accounts, targets, rule versions, services) belong to no run. The content
//! digests of entries cover them.

use crate::digest::{Hash, Hasher};
use crate::error::Stored;
use crate::row;
use crate::{Result, RunRowEnd};
use domain::run::RunId;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;

/// The queries of the contents. Each answers with the run first. `{run}` becomes a condition, or
/// the whole WHERE is dropped to read all runs at once. The order must never change: it is part of
/// every seal.
const CONTENTS: &[&str] = &[
    "SELECT run, id, digest FROM generation WHERE {run} ORDER BY run, id",
    "SELECT run, digest, text FROM source_text WHERE {run} ORDER BY run, digest",
    "SELECT g.run, r.* FROM rule r JOIN generation g ON g.id = r.generation WHERE {run} \
     ORDER BY g.run, r.generation, r.number",
    "SELECT g.run, r.* FROM rule_table r JOIN generation g ON g.id = r.generation WHERE {run} \
     ORDER BY g.run, r.generation, r.name",
    "SELECT run, first, count, data FROM symbol_block WHERE {run} ORDER BY run, first",
    "SELECT run, first, count, data FROM tag_set_block WHERE {run} ORDER BY run, first",
    "SELECT run, first, count, data FROM resource_block WHERE {run} ORDER BY run, first",
    "SELECT run, generation, first, count, data FROM decision_block WHERE {run} ORDER BY run, id",
    "SELECT run, generation, number, outcome FROM outcome WHERE {run} \
     ORDER BY run, generation, number",
    "SELECT run, day, currency, data FROM weights WHERE {run} ORDER BY run, id",
    "SELECT run, id, source, plugin_name, plugin_version, plugin_digest FROM collection \
     WHERE {run} ORDER BY run, id",
    "SELECT c.run, g.id, g.collection, g.day, g.currency, g.rows, g.billed_nanos, \
     g.effective_nanos, g.digest
     FROM segment g JOIN collection c ON c.id = g.collection WHERE {run} ORDER BY c.run, g.id",
    "SELECT c.run, s.id, s.collection, s.source, s.day, s.currency, s.charges, s.billed_nanos, \
     s.effective_nanos, s.billed_rest, s.effective_rest, s.fingerprint
     FROM statement s JOIN collection c ON c.id = s.collection WHERE {run} ORDER BY c.run, s.id",
    "SELECT c.run, s.id, s.collection, s.source, s.state FROM collector_state s \
     JOIN collection c ON c.id = s.collection WHERE {run} ORDER BY c.run, s.id",
    "SELECT run, id, source, location, reason, excerpt FROM rejected WHERE {run} ORDER BY run, id",
    "SELECT run, id, source, count FROM rejected_count WHERE {run} ORDER BY run, id",
    "SELECT run, id, hash FROM entry WHERE {run} ORDER BY run, id",
    "SELECT c.run, u.id, u.collection, u.source, u.day, u.metric, u.unit, u.rows, u.total, u.digest
     FROM usage_statement u JOIN collection c ON c.id = u.collection WHERE {run} \
       ORDER BY c.run, u.id",
    "SELECT run, * FROM attempt WHERE {run} ORDER BY run, id",
    "SELECT run, * FROM plugin_cost WHERE {run} ORDER BY run, id",
    "SELECT a.run, u.* FROM unknown_days u JOIN attempt a ON a.id = u.attempt WHERE {run} \
     ORDER BY a.run, u.id",
    // Only rows with a billing period, so that seals from before there were any stay valid.
    "SELECT c.run, g.id, g.billing_period FROM segment g JOIN collection c \
     ON c.id = g.collection AND g.billing_period IS NOT NULL WHERE {run} ORDER BY c.run, g.id",
    "SELECT c.run, s.id, s.billing_period FROM statement s JOIN collection c \
     ON c.id = s.collection AND s.billing_period IS NOT NULL WHERE {run} ORDER BY c.run, s.id",
    "SELECT c.run, d.* FROM delivery d JOIN collection c ON c.id = d.collection WHERE {run} \
     ORDER BY c.run, d.id",
    "SELECT run, first, count, data FROM terms_block WHERE {run} ORDER BY run, first",
    "SELECT g.run, s.* FROM generation_setting s JOIN generation g ON g.id = s.generation \
     WHERE {run} ORDER BY g.run, s.generation, s.name",
];

/// The digest of the contents of each run, or of one run. A run that wrote nothing is absent.
pub fn contents(connection: &Connection, run: Option<RunId>) -> Result<BTreeMap<RunId, Hash>> {
    let mut hashers: BTreeMap<RunId, Hasher> = BTreeMap::new();
    for (table, sql) in CONTENTS.iter().enumerate() {
        let (sql, only) = match run {
            None => (sql.replace("WHERE {run} ", ""), Vec::new()),
            Some(run) => (sql.replace("{run}", "run = ?1"), vec![run.0]),
        };
        let mut statement = connection.prepare(&sql).stored()?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(only)).stored()?;
        while let Some(row) = rows.next().stored()? {
            let hasher = hashers
                .entry(RunId(row::cell(row, 0)?))
                .or_insert_with(|| Hasher::new("apportion run contents 1"));
            // Equal rows of two tables must not have equal bytes.
            hasher.number(table as i64);
            for column in 1..columns {
                add_value(hasher, row.get_ref(column).stored()?);
            }
        }
    }
    Ok(hashers.into_iter().map(|(run, hasher)| (run, hasher.finish())).collect())
}

/// Adds a stored value. Values of different types never have the same bytes.
pub fn add_value(hasher: &mut Hasher, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => hasher.none(),
        ValueRef::Integer(number) => hasher.number(number),
        // Our tables are STRICT and have no REAL column, so there is no such value. A damaged file
        // may have one, and it must change the digest.
        ValueRef::Real(real) => hasher.text(&real.to_string()),
        ValueRef::Text(text) => {
            hasher.number(1);
            hasher.bytes(text);
        }
        ValueRef::Blob(bytes) => hasher.bytes(bytes),
    }
}

/// The beginning of a run, which its seal covers.
pub struct RunBeginning {
    run: RunId,
    pub started_at_ms: i64,
    version: String,
}

impl RunBeginning {
    pub fn read(connection: &Connection, run: RunId) -> Result<RunBeginning> {
        let sql = "SELECT started_at_ms, version FROM run WHERE id = ?1";
        let facts = row::row(connection, sql, [run.0], |row| {
            Ok(RunBeginning { run, started_at_ms: row::cell(row, 0)?, version: row::cell(row, 1)? })
        })?;
        facts.ok_or_else(|| crate::error::corrupt(format!("run {} does not exist", run.0)))
    }
}

/// The seal of a run: it covers the run's beginning, end and contents, and the seal before.
pub fn of_run(
    before: &Hash,
    beginning: &RunBeginning,
    end: &RunRowEnd,
    contents: Option<Hash>,
) -> Hash {
    let mut hasher = Hasher::new("apportion seal 1");
    hasher.bytes(before);
    hasher.number(beginning.run.0);
    hasher.number(beginning.started_at_ms);
    hasher.text(&beginning.version);
    hasher.number(end.at_ms);
    hasher.text(end.state.name());
    match end.generation {
        Some(generation) => hasher.number(generation.0),
        None => hasher.none(),
    }
    hasher.number(row::stored_count(end.charges));
    hasher.number(row::stored_count(end.rejected));
    hasher.text(&end.note);
    match contents {
        Some(contents) => hasher.bytes(&contents),
        None => hasher.none(),
    }
    hasher.finish()
}
