//! The power to look into granted tables. Ask for it as `table-decode` in the manifest.
//!
//! A table has a name; a plugin never sees a path. A call without the grant stops the plugin, and
//! the host shows the line to add.

#[cfg(target_family = "wasm")]
use crate::bindings::collector::apportion::plugin::table_decode as host;
pub use crate::bindings::collector::apportion::plugin::table_decode::{Column, TableInfo};
#[cfg(not(target_family = "wasm"))]
use crate::fixture::granted_tables as host;

/// The names of the granted tables, in a fixed order.
pub fn names() -> Result<Vec<String>, String> {
    host::names()
}

/// A table's header. The first look into an object of a store fetches it.
pub fn describe(table: &str) -> Result<TableInfo, String> {
    host::describe(table)
}

/// All granted tables, described.
pub fn tables() -> Result<Vec<TableInfo>, String> {
    host::tables()
}

/// The first rows as text, one cell a column.
pub fn sample(table: &str, rows: u32) -> Result<Vec<Vec<String>>, String> {
    host::sample(table, rows)
}

/// Up to `limit` distinct cells of a column.
pub fn distinct(table: &str, column: &str, limit: u32) -> Result<Vec<String>, String> {
    host::distinct(table, column, limit)
}
