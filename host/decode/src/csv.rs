//! CSV: blocks of whole rows, cut and structured under a lock, read out by many
//! workers.
//!
//! A block always starts at the start of a row, because the block before it ended at the end of a
//! row. Quotes that span lines are therefore exact without guessing. Cutting a block costs a fifth
//! of a worker's work on it.

use crate::batch::{Batch, Cells, ShortRows, TableFormat, UnreadableRow};
use crate::careful;
use crate::code;
use crate::file::unreadable;
use crate::header::{self, ENCODING_HINT, not_a_table};
use crate::structure::Structure;
use crate::text::{self, BYTE_ORDER_MARK};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use std::io::Read;
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
    format: TableFormat,
    /// The start of a row whose end has not been read yet.
    carry: Vec<u8>,
    place: u64,
    ended: bool,
    careful: bool,
    delimiter: u8,
    /// Of the header.
    columns: usize,
}

#[derive(Default)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    pub structure: Structure,
    pub place: u64,
    /// The start of each row, if rows between them were taken out.
    pub places: Vec<u64>,
    pub unreadable: Vec<UnreadableRow>,
    /// Whether the file ends in its last line, without a line end.
    pub lacks_end: bool,
}

#[derive(Default)]
pub struct CsvWorker {
    block: Block,
    ranges: Vec<Vec<(u32, u32)>>,
    places: Vec<u64>,
}

/// The column names, without byte order marks and without quotes.
pub fn header(table: &GrantedTable, format: TableFormat) -> Result<Vec<String>, Diagnostic> {
    let mut feed = BlockFeed::new(table, format, &Arc::default())?;
    let line = feed.header_line(table)?;
    header::names(table, &line, &feed.carry)
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
        let mut feed = BlockFeed::new(table, format, &read)?;
        feed.header_line(table)?;
        feed.columns = columns;
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

impl Block {
    /// All cells of whole rows, with their quotes.
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.structure.ends().iter().filter_map(move |end| {
            let end = *end as usize;
            self.bytes.get(std::mem::replace(&mut start, end + 1)..end)
        })
    }
}

impl BlockFeed {
    fn new(
        table: &GrantedTable,
        format: TableFormat,
        read: &Arc<AtomicU64>,
    ) -> Result<BlockFeed, Diagnostic> {
        Ok(BlockFeed {
            reader: text::reader(table, format, read)?,
            format,
            carry: Vec::new(),
            place: 0,
            ended: false,
            careful: false,
            delimiter: table.form.delimiter,
            columns: 0,
        })
    }

    /// Takes off the lines above the header and the header. The rest of the read bytes stays in the
    /// carry.
    fn header_line(&mut self, table: &GrantedTable) -> Result<Vec<u8>, Diagnostic> {
        for skipped in 0..table.form.skip_lines {
            if self.line(table)?.is_empty() {
                return Err(not_a_table(
                    table,
                    &format!("it ends at line {skipped}, and `skip_lines` asks for more"),
                ));
            }
        }
        let line = self.line(table)?;
        Ok(text::bare(&line).to_vec())
    }

    /// Takes off a line with its end; nothing at the end of the file.
    fn line(&mut self, table: &GrantedTable) -> Result<Vec<u8>, Diagnostic> {
        let mut bytes = std::mem::take(&mut self.carry);
        let mut searched = 0;
        let end = loop {
            if let Some(end) = memchr::memchr(b'\n', &bytes[searched..]) {
                break searched + end + 1;
            }
            if self.ended {
                break bytes.len();
            }
            if bytes.len() > ROW_BYTES_MAX {
                return Err(not_a_table(table, "its first line has no end"));
            }
            searched = bytes.len();
            self.fill(&mut bytes, 1 << 14)
                .map_err(|error| unreadable(table, self.format, &error))?;
        };
        self.carry = bytes.split_off(end);
        self.place += end as u64;
        Ok(bytes)
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
            block.lacks_end = self.ended && block.bytes.last() != Some(&b'\n');
            if block.lacks_end {
                block.bytes.push(b'\n');
            }
            if self.careful {
                let consumed = careful::pick(block, (self.delimiter, self.columns), self.ended);
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
            let swallows = block.structure.lines_in_quotes
                && block
                    .cells()
                    .any(|cell| careful::is_of_rows(cell, self.delimiter, self.columns));
            if block.structure.stray_quote || hopeless || unclosed || swallows {
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
        let any = feed
            .cut(&mut self.block)
            .map_err(|error| unreadable(&scan.table, feed.format, &error))?;
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
        let Block { bytes, structure, place, places, unreadable, lacks_end } = &mut self.block;
        self.ranges.resize(scan.wanted.len(), Vec::new());
        // Room for all rows at once: a cell then costs a store and no look at the room.
        self.ranges.iter_mut().for_each(|ranges| ranges.resize(structure.rows.len(), (0, 0)));
        self.places.clear();
        let all_ends = structure.ends();
        // The scan saw every byte already. As a whole next: that is faster than row by row.
        let is_text = structure.is_ascii || std::str::from_utf8(bytes).is_ok();
        let bytes = bytes.as_slice();
        let (mut first, mut start) = (0_usize, 0_u32);
        for (number, row_end) in structure.rows.iter().enumerate() {
            let ends = &all_ends[first..*row_end as usize];
            let line_end = ends.last().copied().unwrap_or(start);
            let at = places.get(number).copied().unwrap_or(*place + u64::from(start));
            let row = &bytes[start as usize..line_end as usize];
            // An empty line is no row that lacks all its cells. A last line without its end may be
            // cut off within an amount.
            let is_cut = *lacks_end && number + 1 == structure.rows.len();
            let is_filled = || {
                scan.short_rows == ShortRows::Filled
                    && !is_cut
                    && ends.len() < scan.columns
                    && !is_blank(row)
            };
            let garbled = if is_text { None } else { not_text(row, at) };
            if garbled.is_some() {
                unreadable.extend(garbled);
            } else if ends.len() == scan.columns || is_filled() {
                let line = Line { bytes, ends, start, end: line_end };
                for (column, ranges) in scan.wanted.iter().zip(&mut self.ranges) {
                    if let Some(range) = ranges.get_mut(self.places.len()) {
                        *range = line.cell(*column);
                    }
                }
                self.places.push(at);
            } else {
                unreadable.extend(ragged(row, ends.len(), scan.columns, at));
            }
            first = *row_end as usize;
            start = line_end + 1;
        }
        self.ranges.iter_mut().for_each(|ranges| ranges.truncate(self.places.len()));
    }
}

/// A row by the ends of its cells.
struct Line<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    start: u32,
    end: u32,
}

impl Line<'_> {
    /// The range of a cell. One that the row lacks is empty.
    #[inline(always)]
    fn cell(&self, column: usize) -> (u32, u32) {
        let Some(end) = self.ends.get(column).copied() else { return (self.end, self.end) };
        let start = match column.checked_sub(1).and_then(|before| self.ends.get(before)) {
            Some(before) => before + 1,
            None => self.start + byte_order_mark(&self.bytes[self.start as usize..]),
        };
        // A line may end as on Windows, with a byte that is no part of its last cell.
        let has_return = end == self.end && end > start && self.bytes[end as usize - 1] == b'\r';
        (start, end - u32::from(has_return))
    }
}

/// A row of another length than the header. An empty line gives `None`.
fn ragged(row: &[u8], cells: usize, columns: usize, place: u64) -> Option<UnreadableRow> {
    if is_blank(row) {
        return None;
    }
    let reason = format!("the row has {cells} cells and the header {columns}");
    Some(UnreadableRow { code: code::ROW_RAGGED, reason, place, excerpt: excerpt(row) })
}

/// Programs of DOS end a file with a control character.
fn is_blank(row: &[u8]) -> bool {
    matches!(row.trim_ascii(), [] | [0x1A])
}

/// Files that were joined have byte order marks between their rows.
#[inline]
fn byte_order_mark(row: &[u8]) -> u32 {
    if row.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() as u32 } else { 0 }
}

/// A row that is no UTF-8 text.
fn not_text(row: &[u8], place: u64) -> Option<UnreadableRow> {
    let error = std::str::from_utf8(row).err()?;
    let before = String::from_utf8_lossy(&row[..error.valid_up_to()]).chars().count();
    let reason = format!("character {} is not UTF-8; {ENCODING_HINT}", before + 1);
    Some(UnreadableRow { code: code::ROW_ENCODING, reason, place, excerpt: excerpt(row) })
}

pub(crate) fn excerpt(row: &[u8]) -> String {
    String::from_utf8_lossy(row)
        .trim_end()
        .chars()
        .take(EXCERPT_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
