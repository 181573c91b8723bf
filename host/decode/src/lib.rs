//! Reads tables — CSV, also in gzip or ZIP, and Parquet — as batches of cells; the only crate that
//! knows file formats and encodings.
//!
//! It knows nothing of charges. The caller names the wanted columns. Their cells are handed out in
//! order, to as many threads as the caller has. A line without the shape of a row is handed out as
//! *unreadable*, with its place.

mod archive;
mod batch;
mod careful;
pub mod code;
mod csv;
mod encoding;
mod file;
mod header;
mod parquet_decimal;
mod parquet_file;
mod parquet_text;
mod parquet_time;
mod place;
mod structure;
mod table;
mod text;

pub use batch::{
    Batch, Cells, Column, ShortRows, TableFormat, TextTable, TextView, UnreadableRow, viewed,
};
pub use place::lines_at;
pub use table::{CellForm, Scan, TableFacts, WantedColumn, Worker, describe, distinct, sample};
