//! The power to look into tables that the operator granted. Ask for it as `table-decode` in the manifest.
//!
//! A table has a name; a plugin never sees a path. What is not granted traps: the host then says which line to add.

pub use crate::bindings::collector::apportion::plugin::table_decode::{
    Column, TableInfo, describe, distinct, names, sample, tables,
};
