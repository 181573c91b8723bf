//! What runs moved: the money that their entries put from some accounts into others.

use crate::error::Stored;
use crate::row;
use crate::{Reader, Result};
use domain::money::{Currency, Sum};
use domain::run::RunId;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeMap;

/// By run, what it moved in each currency.
pub type Turnovers = BTreeMap<RunId, Vec<(Currency, Sum)>>;

impl Reader {
    /// Of the runs from `first` to `last`. An entry that is taken back and posted anew as it was
    /// moves nothing. Entries balance, so the accounts that gain show all that moved.
    pub fn turnovers(&self, first: RunId, last: RunId) -> Result<Turnovers> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT e.run, e.currency, p.account, p.amount FROM entry e
                 JOIN posting p ON p.entry = e.id WHERE e.run BETWEEN ?1 AND ?2",
            )
            .stored()?;
        let mut rows = statement.query((first.0, last.0)).stored()?;
        let mut sums: HashMap<(RunId, Currency, i64), i128> = HashMap::new();
        while let Some(row) = rows.next().stored()? {
            let key = (RunId(row::cell(row, 0)?), row::currency(row, 1)?, row::cell(row, 2)?);
            *sums.entry(key).or_default() += i128::from(row::cell::<i64>(row, 3)?);
        }
        let mut moved: BTreeMap<(RunId, Currency), Sum> = BTreeMap::new();
        for ((run, currency, _), nanos) in sums.into_iter().filter(|(_, nanos)| *nanos > 0) {
            *moved.entry((run, currency)).or_default() += Sum::from_nanos(nanos);
        }
        let mut turnovers = Turnovers::new();
        for ((run, currency), sum) in moved {
            turnovers.entry(run).or_default().push((currency, sum));
        }
        Ok(turnovers)
    }

    /// Of the runs from `first` to `last`, the sources that failed, in the order of their attempts.
    pub fn failed_sources(&self, first: RunId, last: RunId) -> Result<Vec<(RunId, String)>> {
        let sql = "SELECT run, source FROM attempt
            WHERE code IS NOT NULL AND run BETWEEN ?1 AND ?2 ORDER BY id";
        row::rows(&self.connection, sql, (first.0, last.0), |row| {
            Ok((RunId(row::cell(row, 0)?), row::cell(row, 1)?))
        })
    }
}
