//! CSV, plain or gzipped: blocks of whole rows, cut and structured under a lock, read out by many
//! workers.
//!
//! A block always starts at the start of a row, because the block before it ended at the end of a
//! row. Quotes that span lines are therefore exact without guessing. Cutting a block costs a fifth
//! of a worker's work on it.

use crate::batch::{Batch, Cells, ShortRows, TableFormat, UnreadableRow};
use crate::careful;
use crate::code;
use crate::file::{open, unreadable};
use crate::structure::Structure;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use flate2::read::MultiGzDecoder;
use std::io::{BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A step fits the second-level cache, together with the structure found in it.
const STEP: usize = 256 << 10;
/// A row longer than this is not a row of a bill.
pub(crate) const ROW_BYTES_MAX: usize = 4 << 20;
const EXCERPT_CHARS: usize = 160;

pub struct CsvScan {
    table: GrantedTable,
    feed: Mutex<BlockFeed>,
    read: Arc<AtomicU64>,
    columns: usize,
    wanted: Vec<usize>,
    short_rows: ShortRows,
}

/// The file as a stream of blocks.
struct BlockFeed {
    reader: Box<dyn Read + Send>,
    /// The start of a row whose end has not been read yet.
    carry: Vec<u8>,
    place: u64,
    ended: bool,
    careful: bool,
    delimiter: u8,
}

#[derive(Default)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    pub structure: Structure,
    pub place: u64,
    /// The start of each row, if rows between them were taken out.
    pub places: Vec<u64>,
    pub unreadable: Vec<UnreadableRow>,
}

#[derive(Default)]
pub struct CsvWorker {
    block: Block,
    ranges: Vec<Vec<(u32, u32)>>,
    places: Vec<u64>,
}

struct CountingReader<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Opens a file. Only the bytes of a packed file need to be counted. In a plain file, the place is
/// their count.
fn reader(
    table: &GrantedTable,
    format: TableFormat,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn Read + Send>, Diagnostic> {
    let file = open(table)?;
    Ok(match format {
        TableFormat::CsvGz => {
            let counted = CountingReader { inner: file, read: Arc::clone(read) };
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, counted)))
        }
        _ => Box::new(file),
    })
}

/// The column names, without a byte order mark and without quotes.
pub fn header(table: &GrantedTable, format: TableFormat) -> Result<Vec<String>, Diagnostic> {
    let mut feed = BlockFeed::new(reader(table, format, &Arc::default())?, table.delimiter);
    let line = feed.header_line(table)?;
    let text =
        String::from_utf8(line).map_err(|_| not_a_table(table, "its header is not UTF-8 text"))?;
    if text.contains('\0') {
        return Err(not_a_table(table, "it holds binary data"));
    }
    let names: Vec<String> = careful::cells(&text, table.delimiter)
        .into_iter()
        .map(|name| name.trim().to_owned())
        .collect();
    if names.len() == 1 {
        let other =
            [';', '\t', '|', ','].into_iter().find(|other| text.matches(*other).count() > 1);
        return Err(match other {
            Some(other) => Diagnostic::new(
                code::FILE_DELIMITER,
                format!("{}: the header has one column, but many {other:?}", table.name),
            )
            .at(&table.name, 1, 0)
            .hint(format!(
                "tell the source its delimiter in apportion.toml: `delimiter = {other:?}`"
            )),
            None => not_a_table(table, "its first line has a single column"),
        });
    }
    Ok(names)
}

fn not_a_table(table: &GrantedTable, why: &str) -> Diagnostic {
    Diagnostic::new(code::FILE_NOT_A_TABLE, format!("{} is not a table: {why}", table.name))
        .at(&table.name, 1, 0)
        .hint("sources read CSV, CSV.GZ and Parquet; narrow the source's `paths` to such files")
}

impl CsvScan {
    pub fn open(
        table: &GrantedTable,
        format: TableFormat,
        columns: usize,
        wanted: Vec<usize>,
        short_rows: ShortRows,
    ) -> Result<CsvScan, Diagnostic> {
        let read = Arc::default();
        let mut feed = BlockFeed::new(reader(table, format, &read)?, table.delimiter);
        feed.header_line(table)?;
        Ok(CsvScan {
            table: table.clone(),
            feed: Mutex::new(feed),
            read,
            columns,
            wanted,
            short_rows,
        })
    }
}

impl BlockFeed {
    fn new(reader: Box<dyn Read + Send>, delimiter: u8) -> BlockFeed {
        BlockFeed { reader, carry: Vec::new(), place: 0, ended: false, careful: false, delimiter }
    }

    /// Takes off the first line. The rest of the read bytes stays in the carry.
    fn header_line(&mut self, table: &GrantedTable) -> Result<Vec<u8>, Diagnostic> {
        let mut bytes = Vec::new();
        let end = loop {
            let searched = bytes.len();
            self.fill(&mut bytes, 1 << 14).map_err(|error| broken(table, &error))?;
            if let Some(end) = memchr::memchr(b'\n', &bytes[searched..]) {
                break searched + end + 1;
            }
            if self.ended {
                break bytes.len();
            }
            if bytes.len() > ROW_BYTES_MAX {
                return Err(not_a_table(table, "its first line has no end"));
            }
        };
        self.carry = bytes.split_off(end);
        self.place = end as u64;
        let mut line: &[u8] = &bytes;
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        Ok(line.to_vec())
    }

    /// Reads up to `count` more bytes; `ended` is set when there are no more.
    fn fill(&mut self, bytes: &mut Vec<u8>, count: usize) -> std::io::Result<()> {
        bytes.reserve(count);
        let read = (&mut self.reader).take(count as u64).read_to_end(bytes)?;
        self.ended = read < count;
        Ok(())
    }

    /// Cuts the next block of whole rows; `false` when there is none.
    fn cut(&mut self, block: &mut Block) -> std::io::Result<bool> {
        block.bytes.clear();
        block.places.clear();
        block.unreadable.clear();
        block.bytes.append(&mut self.carry);
        block.place = self.place;
        loop {
            if !self.ended {
                self.fill(&mut block.bytes, STEP)?;
            }
            if block.bytes.is_empty() {
                return Ok(false);
            }
            // The last line may lack its end, and rows are found by their ends.
            if self.ended && block.bytes.last() != Some(&b'\n') {
                block.bytes.push(b'\n');
            }
            if self.careful {
                let consumed = careful::pick(block, self.delimiter, self.ended);
                self.carry = block.bytes.split_off(consumed.kept);
                self.place += consumed.read as u64;
                if consumed.read > 0 {
                    return Ok(true);
                }
                block.bytes.append(&mut self.carry);
                continue;
            }
            block.structure.scan(&block.bytes, self.delimiter);
            // Without a whole row, the index wraps around and finds nothing.
            let end = block
                .structure
                .ends()
                .get((block.structure.rows.last().copied().unwrap_or(0) as usize).wrapping_sub(1))
                .map_or(0, |end| *end as usize + 1);
            let hopeless = end == 0 && (self.ended || block.bytes.len() > ROW_BYTES_MAX);
            // A quote that is never closed hides all lines below it, so they are read one by one.
            let unclosed = self.ended && end < block.bytes.len();
            if block.structure.stray_quote || hopeless || unclosed {
                self.careful = true;
                continue;
            }
            if end > 0 {
                self.carry.extend_from_slice(&block.bytes[end..]);
                block.bytes.truncate(end);
                self.place += end as u64;
                return Ok(true);
            }
        }
    }
}

impl CsvWorker {
    pub fn next(
        &mut self,
        scan: &CsvScan,
        progress: &AtomicU64,
        take: &mut dyn FnMut(&Batch<'_>) -> Result<(), Diagnostic>,
    ) -> Result<bool, Diagnostic> {
        let mut feed = scan.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let any = feed.cut(&mut self.block).map_err(|error| broken(&scan.table, &error))?;
        let packed = scan.read.load(Ordering::Relaxed);
        progress.store(if packed > 0 { packed } else { feed.place }, Ordering::Relaxed);
        // Only cutting needs the order of the file. Cells are found beside the other workers.
        drop(feed);
        if !any {
            return Ok(false);
        }
        self.find_cells(scan);
        let bytes = &self.block.bytes;
        let columns: Vec<Cells<'_>> = self
            .ranges
            .iter()
            .map(|ranges| Cells::Text { buffer: bytes, ranges, quoted: true })
            .collect();
        take(&Batch {
            rows: self.places.len(),
            columns: &columns,
            places: &self.places,
            unreadable: &self.block.unreadable,
        })?;
        Ok(true)
    }

    /// Finds the ranges of the wanted cells by the structure of the block.
    fn find_cells(&mut self, scan: &CsvScan) {
        let Block { bytes, structure, place, places, unreadable } = &mut self.block;
        self.ranges.resize(scan.wanted.len(), Vec::new());
        self.ranges.iter_mut().for_each(Vec::clear);
        self.places.clear();
        let all_ends = structure.ends();
        let (mut first, mut start) = (0_usize, 0_u32);
        for (number, row_end) in structure.rows.iter().enumerate() {
            let ends = &all_ends[first..*row_end as usize];
            let line_end = ends.last().copied().unwrap_or(start);
            let at = places.get(number).copied().unwrap_or(*place + u64::from(start));
            // An empty line is no row that lacks all its cells.
            let is_filled = || {
                scan.short_rows == ShortRows::Filled
                    && ends.len() < scan.columns
                    && !bytes[start as usize..line_end as usize].trim_ascii().is_empty()
            };
            if ends.len() == scan.columns || is_filled() {
                self.places.push(at);
                for (column, ranges) in scan.wanted.iter().zip(&mut self.ranges) {
                    if *column >= ends.len() {
                        ranges.push((line_end, line_end));
                        continue;
                    }
                    let cell_start = if *column == 0 { start } else { ends[*column - 1] + 1 };
                    let mut cell_end = ends[*column];
                    // A line may end as on Windows, with a byte that is no part of its last cell.
                    if cell_end == line_end
                        && cell_end > cell_start
                        && bytes[cell_end as usize - 1] == b'\r'
                    {
                        cell_end -= 1;
                    }
                    ranges.push((cell_start, cell_end));
                }
            } else if let Some(row) =
                ragged(&bytes[start as usize..line_end as usize], ends.len(), scan.columns, at)
            {
                unreadable.push(row);
            }
            first = *row_end as usize;
            start = line_end + 1;
        }
    }
}

/// A row of another length than the header. An empty line gives `None`.
fn ragged(row: &[u8], cells: usize, columns: usize, place: u64) -> Option<UnreadableRow> {
    if row.trim_ascii().is_empty() {
        return None;
    }
    let reason = format!("the row has {cells} cells and the header {columns}");
    Some(UnreadableRow { code: code::ROW_RAGGED, reason, place, excerpt: excerpt(row) })
}

pub(crate) fn excerpt(row: &[u8]) -> String {
    String::from_utf8_lossy(row)
        .trim_end()
        .chars()
        .take(EXCERPT_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A decoder calls a file corrupt that was only cut off, so the error says that the file is not
/// whole.
fn broken(table: &GrantedTable, error: &std::io::Error) -> Diagnostic {
    match error.kind() {
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => Diagnostic::new(
            code::FILE_TRUNCATED,
            format!("{} is not a whole gzip file: {error}", table.name),
        )
        .hint("fetch the file again and compare its size with the original's"),
        _ => unreadable(table, error),
    }
}
