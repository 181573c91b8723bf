//! The power `table-decode`: a look into the tables that the operator granted, by name, bounded.

use super::{State, retry};
use crate::limits::LimitHit;
use crate::power::Power;
use crate::wit::bindings::table_decode as wit;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use reach::failure::Failure;
use reach::object_store::SourceFiles;

/// Enough to see what a column means. A plugin that needs all rows maps the table.
const SAMPLE_ROWS_MAX: u32 = 1_000;
const DISTINCT_MAX: u32 = 10_000;

impl State {
    fn granted(&mut self) -> wasmtime::Result<&[GrantedTable]> {
        self.count_call()?;
        self.tables
            .as_deref()
            .ok_or_else(|| LimitHit::Denied { power: Power::TableDecode.name() }.into())
    }

    /// Looks into a table, which is fetched first if it lies in a store. The guest gets a
    /// short text, and the host keeps the diagnostic.
    fn look<T>(
        &mut self,
        name: &str,
        look: impl FnOnce(&GrantedTable) -> Result<T, Diagnostic>,
    ) -> wasmtime::Result<Result<T, String>> {
        let Some(table) = self.granted()?.iter().find(|table| table.name == name).cloned() else {
            return Ok(Err(format!("there is no table '{}'", crate::printable::printable(name))));
        };
        let fetched = self.fetch(|tables| tables.fetch(&table.name));
        Ok(self.answer(fetched.and_then(|()| look(&table))))
    }

    fn fetch(
        &mut self,
        fetch: impl FnOnce(&SourceFiles) -> Result<(), Failure>,
    ) -> Result<(), Diagnostic> {
        let Some(tables) = self.clients.tables.clone() else { return Ok(()) };
        self.waiting(|| fetch(&tables))
            .map_err(|failure| failure.diagnostic.retry(retry(failure.kind)))
    }

    fn answer<T>(&mut self, result: Result<T, Diagnostic>) -> Result<T, String> {
        result.map_err(|diagnostic| {
            let message = diagnostic.message.clone();
            self.failure = Some((message.clone(), diagnostic));
            message
        })
    }
}

fn describe(table: &GrantedTable) -> Result<wit::TableInfo, Diagnostic> {
    let facts = decode::describe(table)?;
    let columns = facts
        .columns
        .into_iter()
        .map(|column| wit::Column { name: column.name, kind: column.kind });
    Ok(wit::TableInfo {
        name: table.name.clone(),
        format: facts.format.to_string(),
        columns: columns.collect(),
    })
}

impl wit::Host for State {
    fn names(&mut self) -> wasmtime::Result<Result<Vec<String>, String>> {
        Ok(Ok(self.granted()?.iter().map(|table| table.name.clone()).collect()))
    }

    fn describe(&mut self, table: String) -> wasmtime::Result<Result<wit::TableInfo, String>> {
        self.look(&table, describe)
    }

    fn tables(&mut self) -> wasmtime::Result<Result<Vec<wit::TableInfo>, String>> {
        let granted = self.granted()?.to_vec();
        let fetched = self.fetch(SourceFiles::fetch_tables);
        Ok(self.answer(fetched.and_then(|()| granted.iter().map(describe).collect())))
    }

    fn sample(
        &mut self,
        table: String,
        rows: u32,
    ) -> wasmtime::Result<Result<Vec<Vec<String>>, String>> {
        self.look(&table, |table| decode::sample(table, rows.min(SAMPLE_ROWS_MAX) as usize))
    }

    fn distinct(
        &mut self,
        table: String,
        column: String,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<String>, String>> {
        self.look(&table, |table| {
            decode::distinct(table, &column, limit.min(DISTINCT_MAX) as usize)
        })
    }
}
