//! The power to look into granted tables. Ask for it as `table-decode` in the manifest.
//!
//! A table has a name; a plugin never sees a path. A call without the grant stops the plugin, and
//! the host shows the line to add.

pub use crate::bindings::collector::apportion::plugin::table_decode::{
    Column, TableInfo, describe, distinct, names, sample, tables,
};
