//! Statements of usage: one for each source, metric and day, with its rows as blocks in the order
//! of their keys.
//!
//! Usage is summed by day and keys while it is collected. So the totals are known before the first
//! row is written, and the statement comes before its blocks.

use crate::block::{BlockReader, put_column, put_texts, put_u32};
use crate::digest::{Hash, Hasher};
use crate::error::corrupt;
use crate::row;
use crate::{
    CollectionId, Reader, Restated, Result, StoredUsageDay, Transaction, UsageDay, UsageRows,
};
use domain::money::Sum;
use domain::period::Period;
use domain::usage::{Keys, Quantity, Usage};
use std::collections::HashMap;

const VERSION: u8 = 1;
/// Rows of one block.
const ROWS_MAX: usize = 65_536;

/// The condition for the latest statement of each source, day and metric.
const CURRENT: &str = "s.id = (SELECT max(t.id) FROM usage_statement t WHERE t.metric = s.metric \
                       AND t.source = s.source AND t.day = s.day)";

impl Reader {
    /// The usage of a metric in the period, ordered by source, day and keys.
    pub fn usage(&self, metric: &str, period: Period) -> Result<Vec<Usage>> {
        let sql = format!(
            "SELECT s.id, s.source, s.day, s.unit FROM usage_statement s
             WHERE s.metric = ?1 AND s.day >= ?2 AND s.day < ?3 AND {CURRENT} \
               ORDER BY s.source, s.day"
        );
        let parameters = (metric, period.start().epoch_days(), period.end().epoch_days());
        let statements = row::rows(&self.connection, &sql, parameters, |row| {
            Ok((
                row::cell::<i64>(row, 0)?,
                row::cell::<String>(row, 1)?,
                row::day(row, 2)?,
                row::cell::<String>(row, 3)?,
            ))
        })?;
        let mut usage = Vec::new();
        for (statement, source, day, unit) in statements {
            let (metric, rows) = (metric.to_owned(), self.usage_rows(statement)?);
            let of_row = |(keys, value)| Usage {
                source: source.clone(),
                day,
                metric: metric.clone(),
                unit: unit.clone(),
                keys,
                value,
            };
            usage.extend(rows.into_iter().map(of_row));
        }
        Ok(usage)
    }

    /// The metrics that any source states now, ordered by name.
    pub fn usage_metrics(&self) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT DISTINCT s.metric FROM usage_statement s WHERE s.rows > 0 AND {CURRENT} \
             ORDER BY s.metric"
        );
        row::rows(&self.connection, &sql, [], |row| row::cell(row, 0))
    }

    /// Source, metric and unit of every current statement.
    pub fn usage_units(&self) -> Result<Vec<(String, String, String)>> {
        let sql = format!(
            "SELECT DISTINCT s.source, s.metric, s.unit FROM usage_statement s WHERE s.rows > 0 \
             AND {CURRENT} ORDER BY s.source, s.metric"
        );
        row::rows(&self.connection, &sql, [], |row| {
            Ok((row::cell(row, 0)?, row::cell(row, 1)?, row::cell(row, 2)?))
        })
    }

    /// The current statements of the period, ordered by metric, source and day. A statement without
    /// rows means that the source took its usage back.
    pub fn usage_days(&self, period: Period) -> Result<Vec<StoredUsageDay>> {
        let sql = format!(
            "SELECT s.metric, s.source, s.day, s.unit, s.rows, s.total FROM usage_statement s
             WHERE s.day >= ?1 AND s.day < ?2 AND {CURRENT} ORDER BY s.metric, s.source, s.day"
        );
        row::rows(
            &self.connection,
            &sql,
            (period.start().epoch_days(), period.end().epoch_days()),
            |row| {
                Ok(StoredUsageDay {
                    metric: row::cell(row, 0)?,
                    source: row::cell(row, 1)?,
                    day: row::day(row, 2)?,
                    unit: row::cell(row, 3)?,
                    rows: row::count(row, 4)?,
                    total: Quantity(row::sum(row, 5)?.nanos()),
                })
            },
        )
    }

    pub(crate) fn usage_rows(&self, statement: i64) -> Result<UsageRows> {
        let mut all = UsageRows::new();
        row::rows(
            &self.connection,
            "SELECT data, rows FROM usage_block WHERE statement = ?1 ORDER BY id",
            [statement],
            |row| {
                let (data, before): (Vec<u8>, usize) = (row::cell(row, 0)?, all.len());
                read(&data, &mut all)?;
                if (all.len() - before) as u64 == row::count(row, 1)? {
                    Ok(())
                } else {
                    Err(corrupt("a block of usage has not as many rows as it says"))
                }
            },
        )?;
        Ok(all)
    }

    /// Checks every statement of usage that was ever made against its rows.
    pub(crate) fn check_usage(&self, find: &mut dyn FnMut(String)) -> Result<()> {
        let sql = "SELECT id, source, day, metric, unit, rows, total, digest FROM usage_statement \
                   ORDER BY id";
        row::rows(&self.connection, sql, [], |row| {
            let (source, metric, unit): (String, String, String) =
                (row::cell(row, 1)?, row::cell(row, 3)?, row::cell(row, 4)?);
            let place = format!("{metric} of {source} on {}", row::day(row, 2)?);
            match self.usage_rows(row::cell(row, 0)?) {
                Ok(rows) if digest(&unit, &rows) != row::digest(row, 7)? => {
                    find(format!("{place}: the stored usage is not what was stated"))
                }
                Ok(rows)
                    if (rows.len() as u64, total(&rows))
                        != (row::count(row, 5)?, row::sum(row, 6)?) =>
                {
                    find(format!("{place}: the stored usage does not add up to its statement"));
                }
                Ok(_) => {}
                Err(error) => find(format!("{place}: {}", error.message)),
            }
            Ok(())
        })?;
        Ok(())
    }
}

impl Transaction<'_> {
    /// States the usage of a metric on a day. Without rows it takes back the statement before. An
    /// unchanged statement is not stored again.
    pub fn restate_usage(
        &mut self,
        collection: CollectionId,
        of: &UsageDay<'_>,
        rows: &UsageRows,
    ) -> Result<Restated> {
        assert!(
            rows.is_sorted_by(|left, right| left.0 < right.0),
            "usage is stated in the order of its keys, each once"
        );
        let connection = &self.ledger.connection;
        let sql = "SELECT digest, rows FROM usage_statement WHERE metric = ?1 AND source = ?2 \
                   AND day = ?3 ORDER BY id DESC LIMIT 1";
        let key = (of.metric, of.source, of.day.epoch_days());
        let before =
            row::row(connection, sql, key, |row| Ok((row::digest(row, 0)?, row::count(row, 1)?)))?;
        let digest = digest(of.unit, rows);
        // Nothing is nothing in every unit, and the digest covers the unit.
        let unchanged = match before {
            Some((before, count)) => before == digest || (count == 0 && rows.is_empty()),
            None => rows.is_empty(),
        };
        if unchanged {
            return Ok(Restated::Unchanged);
        }
        let sql = "INSERT INTO usage_statement (collection, source, day, metric, unit, rows, \
                   total, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let (count, total) = (row::stored_count(rows.len() as u64), row::sum_text(total(rows)));
        row::execute(
            connection,
            sql,
            (
                collection.0,
                of.source,
                of.day.epoch_days(),
                of.metric,
                of.unit,
                count,
                total,
                digest,
            ),
        )?;
        let statement = connection.last_insert_rowid();
        for rows in rows.chunks(ROWS_MAX) {
            let sql = "INSERT INTO usage_block (statement, rows, data) VALUES (?1, ?2, ?3)";
            row::execute(
                connection,
                sql,
                (statement, row::stored_count(rows.len() as u64), write(rows)),
            )?;
        }
        Ok(if before.is_some() { Restated::Changed } else { Restated::New })
    }
}

fn total(rows: &UsageRows) -> Sum {
    rows.iter().map(|(_, value)| Sum::from_nanos(value.0)).sum()
}

fn digest(unit: &str, rows: &UsageRows) -> Hash {
    let mut hasher = Hasher::new("apportion usage 1");
    hasher.text(unit);
    for (keys, value) in rows {
        hasher.number(keys.len() as i64);
        for (key, text) in keys {
            hasher.text(key);
            hasher.text(text);
        }
        hasher.bytes(&value.0.to_le_bytes());
    }
    hasher.finish()
}

/// Writes each text once, in the order in which it first appears. Then come the number of keys of
/// each row, the numbers of the texts of all keys and values, and the quantities in two halves.
fn write(rows: &[(Keys, Quantity)]) -> Vec<u8> {
    let (mut numbers, mut texts) = (HashMap::new(), Vec::new());
    let mut number = |text| {
        *numbers.entry(text).or_insert_with(|| {
            texts.push(text);
            texts.len() as u32 - 1
        })
    };
    let (mut lengths, mut names) = (Vec::with_capacity(rows.len()), Vec::new());
    for (keys, _) in rows {
        lengths.push(keys.len() as u32);
        for (key, value) in keys {
            names.push(number(key.as_str()));
            names.push(number(value.as_str()));
        }
    }
    let mut data = vec![VERSION];
    for count in [rows.len(), names.len(), texts.len()] {
        put_u32(&mut data, count as u32);
    }
    put_texts(&mut data, texts.into_iter());
    put_column(&mut data, &lengths);
    put_column(&mut data, &names);
    // A quantity has 128 bits and a column 64, so there are two columns. The high one is mostly
    // zeros.
    put_column(&mut data, &rows.iter().map(|(_, value)| value.0 as u64).collect::<Vec<_>>());
    put_column(
        &mut data,
        &rows.iter().map(|(_, value)| (value.0 >> 64) as u64).collect::<Vec<_>>(),
    );
    data
}

fn read(data: &[u8], rows: &mut UsageRows) -> Result<()> {
    let mut reader = BlockReader::new(data);
    if reader.byte()? != VERSION {
        return Err(corrupt("a block of usage has an unknown version"));
    }
    let (count, names_count, texts_count) =
        (reader.count()?, reader.count_of_many()?, reader.count_of_many()?);
    let mut texts = Vec::new();
    reader.texts(texts_count, |text| {
        texts.push(text.to_owned());
        Ok(())
    })?;
    let (mut lengths, mut names, mut low, mut high) =
        (Vec::<u32>::new(), Vec::<u32>::new(), Vec::<u64>::new(), Vec::<u64>::new());
    reader.column(count, &mut lengths)?;
    reader.column(names_count, &mut names)?;
    reader.column(count, &mut low)?;
    reader.column(count, &mut high)?;
    reader.end()?;
    let text = |number: &u32| {
        texts
            .get(*number as usize)
            .cloned()
            .ok_or_else(|| corrupt("a block of usage names a text that it has not"))
    };
    let mut names = names.chunks_exact(2);
    for ((length, low), high) in lengths.iter().zip(low).zip(high) {
        let mut keys = Keys::new();
        for _ in 0..*length {
            match names.next() {
                Some([key, value]) => keys.push((text(key)?, text(value)?)),
                _ => return Err(corrupt("a block of usage has fewer keys than its rows")),
            }
        }
        rows.push((keys, Quantity(i128::from(high as i64) << 64 | i128::from(low))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_written() {
        let key = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let rows: UsageRows = vec![
            (vec![], Quantity(0)),
            (vec![key("team", "a")], Quantity(1)),
            (vec![key("namespace", "a"), key("team", "team")], Quantity(i128::from(u64::MAX) + 5)),
            (vec![key("team", "b")], Quantity(i128::MAX)),
            (vec![key("team", "c")], Quantity(-1)),
        ];
        let mut back = UsageRows::new();
        let data = write(&rows);
        assert!(read(&data, &mut back).is_ok());
        assert_eq!(back, rows);
        for end in 0..data.len() {
            assert!(
                read(&data[..end], &mut UsageRows::new())
                    .is_err_and(|error| error.code == crate::code::LEDGER_CORRUPT),
                "cut at {end}"
            );
        }
    }
}
