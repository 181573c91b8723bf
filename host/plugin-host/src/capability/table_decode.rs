//! The power `table-decode`: a look into the tables that the operator granted, by name, bounded.

use super::State;
use crate::grant::Power;
use crate::limits::LimitHit;
use crate::wit::since_v0_1_0::table_decode as wit;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;

/// Enough to see what a column means; whoever wants all rows maps the table.
const SAMPLE_ROWS_MAX: u32 = 1_000;
const DISTINCT_MAX: u32 = 10_000;

impl State {
    fn granted(&mut self) -> wasmtime::Result<&[GrantedTable]> {
        self.count_call()?;
        self.tables.as_deref().ok_or_else(|| LimitHit::Denied { power: Power::TableDecode.name() }.into())
    }

    /// Answers the guest with words, and keeps the diagnostic for the host.
    fn answer<T>(&mut self, result: Result<T, Diagnostic>) -> Result<T, String> {
        result.map_err(|diagnostic| {
            let message = diagnostic.message.clone();
            self.failure = Some((message.clone(), diagnostic));
            message
        })
    }
}

fn find(tables: &[GrantedTable], name: &str) -> Result<GrantedTable, String> {
    tables.iter().find(|table| table.name == name).cloned().ok_or_else(|| format!("there is no table '{}'", crate::convert::shown(name)))
}

fn describe(table: &GrantedTable) -> Result<wit::TableInfo, Diagnostic> {
    let facts = decode::describe(table)?;
    let columns = facts.columns.into_iter().map(|column| wit::Column { name: column.name, kind: column.kind });
    Ok(wit::TableInfo { name: table.name.clone(), format: facts.format.to_string(), columns: columns.collect() })
}

impl wit::Host for State {
    fn names(&mut self) -> wasmtime::Result<Result<Vec<String>, String>> {
        Ok(Ok(self.granted()?.iter().map(|table| table.name.clone()).collect()))
    }

    fn describe(&mut self, table: String) -> wasmtime::Result<Result<wit::TableInfo, String>> {
        Ok(match find(self.granted()?, &table) {
            Ok(table) => {
                let described = describe(&table);
                self.answer(described)
            }
            Err(message) => Err(message),
        })
    }

    fn tables(&mut self) -> wasmtime::Result<Result<Vec<wit::TableInfo>, String>> {
        let described = self.granted()?.iter().map(describe).collect();
        Ok(self.answer(described))
    }

    fn sample(&mut self, table: String, rows: u32) -> wasmtime::Result<Result<Vec<Vec<String>>, String>> {
        Ok(match find(self.granted()?, &table) {
            Ok(table) => {
                let sampled = decode::sample(&table, rows.min(SAMPLE_ROWS_MAX) as usize);
                self.answer(sampled)
            }
            Err(message) => Err(message),
        })
    }

    fn distinct(&mut self, table: String, column: String, limit: u32) -> wasmtime::Result<Result<Vec<String>, String>> {
        Ok(match find(self.granted()?, &table) {
            Ok(table) => {
                let distinct = decode::distinct(&table, &column, limit.min(DISTINCT_MAX) as usize);
                self.answer(distinct)
            }
            Err(message) => Err(message),
        })
    }
}
