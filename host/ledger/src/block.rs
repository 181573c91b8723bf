//! Columns of integers and texts as compressed bytes.
//!
//! Symbols, tag sets, resources, decisions and charges are stored as blocks of thousands of values
//! and not as rows, because they are only ever read as a whole. A row of SQLite costs 250 ns and at
//! least 14 bytes to write, and as much time to read. A value in a block costs nanoseconds and a
//! byte or two. So the journal grows by less than 9 bytes a charge. A block is written once. Things
//! that SQL must find by a key (entries, postings, statements) are rows.
//!
//! A column is cut into *planes*: all lowest bytes, then all second bytes, and so on, as many as
//! the largest value needs. High bytes hardly vary, so their planes compress to almost nothing. Low
//! bytes of amounts are noise; they do not compress, and are stored as they are.
//!
//! Files are not trusted. Everything that is read here is checked, and wrong bytes are an error and
//! never a panic.

use crate::Result;
use crate::error::corrupt;
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

/// The most values in one column. It bounds the memory that a damaged file can ask for.
pub const COUNT_MAX: usize = 1 << 20;
/// The most bytes of the texts of one block, for the same reason.
const TEXT_BYTES_MAX: usize = 1 << 30;
const LEVEL: i32 = 1;
/// Shorter bytes are not compressed: the frame would be larger than the saving.
const COMPRESS_FROM: usize = 48;

/// So many bytes of the middle tell whether longer bytes are noise.
const TRIAL_BYTES: usize = 4096;

const CONSTANT: u8 = 0;
const PLAIN: u8 = 1;
const ZSTD: u8 = 2;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> =
        RefCell::new(Compressor::new(LEVEL).ok());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> =
        RefCell::new(Decompressor::new().ok());
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends one column.
pub fn put_column<T: Copy + Into<u64>>(out: &mut Vec<u8>, values: &[T]) {
    let all_bits = values.iter().fold(0_u64, |bits, value| bits | (*value).into());
    let planes = (u64::BITS - all_bits.leading_zeros()).div_ceil(8);
    out.push(planes as u8);
    let mut plane = SCRATCH.with(RefCell::take);
    for number in 0..planes {
        plane.clear();
        plane.extend(values.iter().map(|value| ((*value).into() >> (number * 8)) as u8));
        put_bytes(out, &plane);
    }
    SCRATCH.with(|scratch| scratch.replace(plane));
}

/// Appends bytes. The reader must know their number.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // High planes are mostly zeros: two bytes instead of a frame.
    if let Some(first) = bytes.first()
        && bytes.iter().all(|byte| byte == first)
    {
        out.extend_from_slice(&[CONSTANT, *first]);
        return;
    }
    let start = out.len();
    if bytes.len() >= COMPRESS_FROM
        && !is_noise(out, bytes)
        // Noise does not shrink, and reading it plain is faster.
        && compress(out, bytes).is_some_and(|length| length < bytes.len())
    {
        return;
    }
    // Takes back a frame that was refused or did not shrink.
    out.truncate(start);
    out.push(PLAIN);
    out.extend_from_slice(bytes);
}

/// Whether bytes would hardly shrink, by a part of them. Low bytes of amounts never do, and the
/// attempt would cost more than all else that is done for them. `out` is left as it was.
fn is_noise(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let middle = bytes.get(bytes.len() / 2..).and_then(|half| half.get(..TRIAL_BYTES));
    let Some(middle) = middle.filter(|_| bytes.len() >= 4 * TRIAL_BYTES) else { return false };
    let start = out.len();
    let length = compress(out, middle);
    out.truncate(start);
    length.is_none_or(|length| length > TRIAL_BYTES / 100 * 98)
}

/// Compresses bytes to the end of `out`. `None` if zstd refuses; the bytes are then stored as they
/// are.
fn compress(out: &mut Vec<u8>, bytes: &[u8]) -> Option<usize> {
    COMPRESSOR.with(|compressor| {
        let mut compressor = compressor.borrow_mut();
        // The length is known only afterwards, so its four bytes are left free behind the kind.
        let body = out.len() + 5;
        out.push(ZSTD);
        out.resize(body + zstd::zstd_safe::compress_bound(bytes.len()), 0);
        let length = compressor.as_mut()?.compress_to_buffer(bytes, out.get_mut(body..)?).ok()?;
        out.truncate(body + length);
        out.get_mut(body - 4..body)?.copy_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
        Some(length + 4)
    })
}

/// Appends texts: first all lengths, then all bytes.
pub fn put_texts<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a str>) {
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    for text in texts {
        lengths.push(text.len() as u32);
        bytes.extend_from_slice(text.as_bytes());
    }
    put_column(out, &lengths);
    put_bytes(out, &bytes);
}

/// Reads the bytes that the functions above wrote.
pub struct BlockReader<'a> {
    bytes: &'a [u8],
}

impl<'a> BlockReader<'a> {
    pub fn new(bytes: &'a [u8]) -> BlockReader<'a> {
        BlockReader { bytes }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or_else(|| corrupt("a stored block ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }

    /// A number of values. A number beyond the bound is an error.
    pub fn count(&mut self) -> Result<usize> {
        let count = self.u32()? as usize;
        if count > COUNT_MAX {
            Err(corrupt(format!("a stored block claims {count} values")))
        } else {
            Ok(count)
        }
    }

    /// As `count`, for values that an item has several of, such as tags.
    pub fn count_of_many(&mut self) -> Result<usize> {
        let count = self.u32()? as usize;
        if count > COUNT_MAX * 64 {
            Err(corrupt(format!("a stored block claims {count} values")))
        } else {
            Ok(count)
        }
    }

    /// Leaves out the last bytes, which must be as many as are said.
    pub fn pass_over(mut self, length: usize) -> Result<()> {
        self.take(length)?;
        self.end()
    }

    pub fn end(&self) -> Result<()> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(corrupt(format!("{} bytes are left over in a stored block", self.bytes.len())))
        }
    }

    /// Fills all of `bytes`.
    pub fn bytes(&mut self, bytes: &mut [u8]) -> Result<()> {
        match self.byte()? {
            CONSTANT => bytes.fill(self.byte()?),
            PLAIN => bytes.copy_from_slice(self.take(bytes.len())?),
            ZSTD => {
                let length = self.u32()? as usize;
                decompress(self.take(length)?, bytes)?;
            }
            kind => {
                return Err(corrupt(format!("a stored block has an unknown part of kind {kind}")));
            }
        }
        Ok(())
    }

    /// Reads one column into `values`, which is overwritten.
    pub fn column<T: FromPlanes>(&mut self, count: usize, values: &mut Vec<T>) -> Result<()> {
        let planes = u32::from(self.byte()?);
        if planes > T::PLANES {
            return Err(corrupt(format!("a stored column has {planes} bytes a value")));
        }
        values.clear();
        values.resize(count, T::ZERO);
        // Taken out and put back, so that no borrow is held while other code runs.
        let mut plane = SCRATCH.with(RefCell::take);
        plane.resize(count, 0);
        let read = (0..planes).try_for_each(|number| {
            self.bytes(&mut plane)?;
            values.iter_mut().zip(&plane).for_each(|(value, byte)| value.fill(*byte, number * 8));
            Ok(())
        });
        SCRATCH.with(|scratch| scratch.replace(plane));
        read
    }

    /// Calls `take` for each text in order.
    pub fn texts(&mut self, count: usize, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut lengths: Vec<u32> = Vec::new();
        self.column(count, &mut lengths)?;
        // Checked before room is made: a damaged file may claim any lengths.
        let total: usize = lengths.iter().map(|length| *length as usize).sum();
        if total > TEXT_BYTES_MAX {
            return Err(corrupt(format!("a stored block claims {total} bytes of text")));
        }
        let mut bytes = vec![0; total];
        self.bytes(&mut bytes)?;
        // One check for all texts. A cut inside a character is still found, by the split below.
        let mut text = std::str::from_utf8(&bytes)
            .map_err(|error| corrupt(format!("stored texts are not UTF-8: {error}")))?;
        for length in lengths {
            let (first, rest) = text
                .split_at_checked(length as usize)
                .ok_or_else(|| corrupt("a stored text ends within a character"))?;
            take(first)?;
            text = rest;
        }
        Ok(())
    }
}

fn decompress(packed: &[u8], bytes: &mut [u8]) -> Result<()> {
    DECOMPRESSOR.with(|decompressor| {
        let mut decompressor = decompressor.borrow_mut();
        let decompressor = decompressor
            .as_mut()
            .ok_or_else(|| corrupt("there is no memory to decompress a stored block"))?;
        match decompressor.decompress_to_buffer(packed, bytes) {
            Ok(length) if length == bytes.len() => Ok(()),
            Ok(length) => Err(corrupt(format!(
                "a stored block has {length} bytes where {} are due",
                bytes.len()
            ))),
            Err(error) => Err(corrupt(format!("a stored block cannot be decompressed: {error}"))),
        }
    })
}

/// An integer that is assembled from its planes.
pub trait FromPlanes: Copy {
    const PLANES: u32;
    const ZERO: Self;
    fn fill(&mut self, byte: u8, shift: u32);
}

impl FromPlanes for u32 {
    const PLANES: u32 = 4;
    const ZERO: u32 = 0;
    #[inline]
    fn fill(&mut self, byte: u8, shift: u32) {
        *self |= u32::from(byte) << shift;
    }
}

impl FromPlanes for u64 {
    const PLANES: u32 = 8;
    const ZERO: u64 = 0;
    #[inline]
    fn fill(&mut self, byte: u8, shift: u32) {
        *self |= u64::from(byte) << shift;
    }
}
