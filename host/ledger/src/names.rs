//! The names that the journal knows, so that a question about another one can be refused.

use crate::error::corrupt;
use crate::row;
use crate::{Reader, Result};
use domain::account::Account;
use domain::money::Currency;
use domain::recipient::Target;

impl Reader {
    /// Every account that was ever posted to.
    pub fn accounts(&self) -> Result<Vec<Account>> {
        row::rows(&self.connection, "SELECT path FROM account ORDER BY path", [], |row| {
            Account::parse(row::text(row, 0)?).map_err(|error| corrupt(error.to_string()))
        })
    }

    /// Every rule that ever posted.
    pub fn rule_names(&self) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT rule FROM rule_version ORDER BY rule";
        row::rows(&self.connection, sql, [], |row| row::cell(row, 0))
    }

    /// Every source that was ever collected.
    pub fn source_names(&self) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT source FROM collection ORDER BY source";
        row::rows(&self.connection, sql, [], |row| row::cell(row, 0))
    }

    /// Every currency that was ever charged.
    pub fn currencies(&self) -> Result<Vec<Currency>> {
        let sql = "SELECT DISTINCT currency FROM statement ORDER BY currency";
        row::rows(&self.connection, sql, [], |row| row::currency(row, 0))
    }

    /// Every target that rules ever gave.
    pub fn targets(&self) -> Result<Vec<Target>> {
        let sql = "SELECT team, cost_center, environment, application FROM target";
        row::rows(&self.connection, sql, [], |row| {
            Ok(Target {
                team: row::cell(row, 0)?,
                cost_center: row::cell(row, 1)?,
                environment: row::cell(row, 2)?,
                application: row::cell(row, 3)?,
            })
        })
    }
}
