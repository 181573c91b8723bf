//! A table of any format: its facts, a look into it, and the scan that hands out its rows.

use crate::batch::{Batch, Column, ShortRows, TableFormat};
use crate::code;
use crate::file::{open, unreadable_file};
use crate::{csv, parquet_file};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    pub format: TableFormat,
    pub columns: Vec<Column>,
}

/// A wanted column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedColumn {
    /// The exact header.
    pub name: String,
    pub form: CellForm,
}

/// How the cells of a column come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellForm {
    /// As text. A moment is its day.
    Text,
    /// As text. A moment has its time of day.
    Moment,
    /// Amounts and dates as numbers, if the file has them as numbers.
    Typed,
}

impl WantedColumn {
    pub fn text(name: impl Into<String>) -> WantedColumn {
        WantedColumn { name: name.into(), form: CellForm::Text }
    }
}

/// A scan over one table; its workers share the work.
pub struct Scan {
    kind: ScanKind,
    pub(crate) bytes_read: AtomicU64,
    pub bytes: u64,
    /// All columns of the table.
    pub columns: Vec<Column>,
}

enum ScanKind {
    Csv(csv::CsvScan),
    Parquet(parquet_file::ParquetScan),
}

/// One thread's part in a scan.
pub struct Worker<'a> {
    scan: &'a Scan,
    kind: WorkerKind,
}

enum WorkerKind {
    Csv(csv::CsvWorker),
    Parquet(parquet_file::ParquetWorker),
}

impl Scan {
    /// Opens a table for the wanted columns, each given by its exact header.
    pub fn open(
        table: &GrantedTable,
        wanted: &[WantedColumn],
        short_rows: ShortRows,
    ) -> Result<Scan, Diagnostic> {
        let facts = describe(table)?;
        let mut at = Vec::new();
        for WantedColumn { name, form } in wanted {
            let mut found = facts
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.name == *name)
                .map(|(index, _)| index);
            match (found.next(), found.next()) {
                (Some(index), None) => at.push((index, *form)),
                (None, _) => {
                    return Err(Diagnostic::new(
                        code::COLUMN_MISSING,
                        format!("{} has no column '{name}'", table.name),
                    )
                    .at(&table.name, 1, 0));
                }
                (Some(_), Some(_)) => {
                    return Err(Diagnostic::new(
                        code::COLUMN_DUPLICATE,
                        format!("the header of {} names the column '{name}' twice", table.name),
                    )
                    .at(&table.name, 1, 0)
                    .hint(
                        "rename one of the two columns in the file: which one is meant \
                             cannot be known",
                    ));
                }
            }
        }
        let bytes = std::fs::metadata(&table.path).map_or(0, |metadata| metadata.len());
        let kind = match facts.format {
            TableFormat::Parquet => ScanKind::Parquet(parquet_file::ParquetScan::open(table, &at)?),
            format => {
                let wanted = at.into_iter().map(|(index, _)| index).collect();
                ScanKind::Csv(csv::CsvScan::open(
                    table,
                    format,
                    facts.columns.len(),
                    wanted,
                    short_rows,
                )?)
            }
        };
        Ok(Scan { kind, bytes_read: AtomicU64::new(0), bytes, columns: facts.columns })
    }

    pub fn worker(&self) -> Worker<'_> {
        let kind = match &self.kind {
            ScanKind::Csv(_) => WorkerKind::Csv(csv::CsvWorker::default()),
            ScanKind::Parquet(_) => WorkerKind::Parquet(parquet_file::ParquetWorker::default()),
        };
        Worker { scan: self, kind }
    }

    /// The progress of the scan, in bytes of the file.
    pub fn progress(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Whether places are bytes, to be turned into lines by `lines_at`.
    pub fn places_are_bytes(&self) -> bool {
        matches!(self.kind, ScanKind::Csv(_))
    }
}

impl Worker<'_> {
    /// Hands the next batch to `take`; `false` at the end of the table.
    pub fn next(
        &mut self,
        take: &mut dyn FnMut(&Batch<'_>) -> Result<(), Diagnostic>,
    ) -> Result<bool, Diagnostic> {
        match (&mut self.kind, &self.scan.kind) {
            (WorkerKind::Csv(worker), ScanKind::Csv(scan)) => {
                worker.next(scan, &self.scan.bytes_read, take)
            }
            (WorkerKind::Parquet(worker), ScanKind::Parquet(scan)) => {
                worker.next(scan, &self.scan.bytes_read, take)
            }
            _ => Ok(false),
        }
    }
}

/// The format and the columns of a table.
pub fn describe(table: &GrantedTable) -> Result<TableFacts, Diagnostic> {
    match format_of(table)? {
        TableFormat::Parquet => {
            Ok(TableFacts { format: TableFormat::Parquet, columns: parquet_file::columns(table)? })
        }
        format => {
            let names = csv::header(table, format)?;
            let columns =
                names.into_iter().map(|name| Column { name, kind: "text".into() }).collect();
            Ok(TableFacts { format, columns })
        }
    }
}

/// The first rows as text, with one cell for each column.
pub fn sample(table: &GrantedTable, rows: usize) -> Result<Vec<Vec<String>>, Diagnostic> {
    let wanted: Vec<WantedColumn> = describe(table)?
        .columns
        .into_iter()
        .map(|column| WantedColumn::text(column.name))
        .collect();
    let mut sample = Vec::new();
    read_texts(table, &wanted, &mut |row| {
        sample.push(row);
        sample.len() < rows
    })?;
    Ok(sample)
}

/// Up to `limit` distinct cells of a column.
pub fn distinct(
    table: &GrantedTable,
    column: &str,
    limit: usize,
) -> Result<Vec<String>, Diagnostic> {
    let mut distinct = BTreeSet::new();
    read_texts(table, &[WantedColumn::text(column)], &mut |row| {
        distinct.extend(row);
        distinct.len() < limit
    })?;
    Ok(distinct.into_iter().take(limit).collect())
}

fn read_texts(
    table: &GrantedTable,
    wanted: &[WantedColumn],
    take: &mut dyn FnMut(Vec<String>) -> bool,
) -> Result<(), Diagnostic> {
    let scan = Scan::open(table, wanted, ShortRows::Filled)?;
    let mut worker = scan.worker();
    let mut more = true;
    while more {
        let any = worker.next(&mut |batch| {
            for row in 0..batch.rows {
                if more {
                    more = take(
                        batch.columns.iter().map(|cells| cells.text(row).into_owned()).collect(),
                    );
                }
            }
            Ok(())
        })?;
        more = more && any;
    }
    Ok(())
}

/// The format of a file, by its first bytes and never by its name.
pub(crate) fn format_of(table: &GrantedTable) -> Result<TableFormat, Diagnostic> {
    let mut start = [0_u8; 4];
    let mut file = open(table)?;
    let mut read = 0;
    while read < start.len() {
        match file.read(&mut start[read..]) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) => return Err(unreadable_file(table, &error)),
        }
    }
    match &start[..read] {
        b"" => Err(Diagnostic::new(code::FILE_NOT_A_TABLE, format!("{} is empty", table.name))
            .hint("a table needs at least a header")),
        b"PAR1" => Ok(TableFormat::Parquet),
        [0x1f, 0x8b, ..] => Ok(TableFormat::CsvGz),
        // The second one is an archive without files.
        b"PK\x03\x04" | b"PK\x05\x06" => Ok(TableFormat::CsvZip),
        _ => Ok(TableFormat::Csv),
    }
}
