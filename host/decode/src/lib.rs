//! Reads tables — CSV, gzipped CSV, Parquet — as batches of cells; the only crate that knows file
//! formats.
//!
//! It knows nothing of charges. The caller names the wanted columns. Their cells are handed out in
//! order, to as many threads as the caller has. A line without the shape of a row is handed out as
//! *unreadable*, with its place.

mod batch;
mod careful;
pub mod code;
mod csv;
mod file;
mod parquet_file;
mod place;
mod structure;
mod table;

pub use batch::{Batch, Cells, Column, ShortRows, TableFormat, TextView, UnreadableRow, viewed};
pub use place::lines_at;
pub use table::{Scan, TableFacts, WantedColumn, Worker, describe, distinct, sample};
