//! Rows of a table for the caller: columns of cells, in a form that each format can fill.

use arrow_array::{Array, StringArray, StringViewArray};
use std::borrow::Cow;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    Csv,
    CsvGz,
    CsvZip,
    Parquet,
}

impl fmt::Display for TableFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TableFormat::Csv => "csv",
            TableFormat::CsvGz => "csv.gz",
            TableFormat::CsvZip => "csv.zip",
            TableFormat::Parquet => "parquet",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// `text` in CSV; in Parquet the type as its schema writes it.
    pub kind: String,
}

/// The wanted columns of up to some thousand rows.
pub struct Batch<'a> {
    pub rows: usize,
    /// The wanted columns, in the wanted order.
    pub columns: &'a [Cells<'a>],
    /// The start of each row: a byte of the (unpacked) CSV file, or the row's number in Parquet.
    pub places: &'a [u64],
    /// Rows without the shape of a row, between or after the others.
    pub unreadable: &'a [UnreadableRow],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRow {
    pub code: domain::code::Code,
    pub reason: String,
    pub place: u64,
    pub excerpt: String,
}

/// One column of a batch.
#[derive(Clone, Copy)]
pub enum Cells<'a> {
    /// Cell `r` is `buffer[ranges[r].0..ranges[r].1]`; `quoted` cells still have the quotes of
    /// their CSV file.
    Text { buffer: &'a [u8], ranges: &'a [(u32, u32)], quoted: bool },
    /// Texts that stay in the pages of a Parquet file.
    Views(&'a StringViewArray),
    /// Cell `r` is the text with the number `keys[r]`. The texts are those of a row group.
    Keyed { keys: &'a [i32], nulls: Option<&'a [bool]>, texts: &'a TextTable },
    /// Cell `r` is `values[r] × 10^-scale`.
    Decimal { values: &'a [i128], nulls: Option<&'a [bool]>, scale: u32 },
    /// Days since 1970-01-01, in UTC.
    Days { values: &'a [i32], nulls: Option<&'a [bool]> },
}

/// The texts of a column in one row group.
#[derive(Clone, Debug)]
pub struct TextTable(pub(crate) StringArray);

impl TextTable {
    pub fn get(&self, key: usize) -> Option<&[u8]> {
        (key < self.0.len()).then(|| self.0.value(key).as_bytes())
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.0.len()).map(|key| self.0.value(key).as_bytes())
    }

    /// Whether both are one list in memory, and not two that say the same.
    pub fn is(&self, other: &TextTable) -> bool {
        let place = |list: &TextTable| (list.0.value_data().as_ptr(), list.0.len());
        place(self) == place(other)
    }
}

impl<'a> Cells<'a> {
    /// The bytes of a text cell in the file. They identify the cell, but they are not its text.
    #[inline(always)]
    pub fn raw(&self, row: usize) -> &'a [u8] {
        match self {
            Cells::Text { buffer, ranges, .. } => ranges
                .get(row)
                .and_then(|(start, end)| buffer.get(*start as usize..*end as usize))
                .unwrap_or_default(),
            Cells::Views(array) if array.is_valid(row) => array.value(row).as_bytes(),
            Cells::Keyed { nulls: Some(nulls), .. } if nulls[row] => &[],
            Cells::Keyed { keys, texts, .. } => texts.get(keys[row] as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// A text cell without its quotes, if it has any; doubled quotes inside stay doubled.
    #[inline(always)]
    pub fn plain(&self, row: usize) -> &'a [u8] {
        let raw = self.raw(row);
        match raw {
            [b'"', inner @ .., b'"'] if matches!(self, Cells::Text { quoted: true, .. }) => inner,
            _ => raw,
        }
    }

    /// The text of a cell, without its quotes and with doubled quotes made single.
    pub fn text(&self, row: usize) -> Cow<'a, str> {
        let (raw, plain) = (self.raw(row), self.plain(row));
        let text = std::str::from_utf8(plain)
            .map_or_else(|_| String::from_utf8_lossy(plain), Cow::Borrowed);
        if plain.len() < raw.len() && text.contains('"') {
            Cow::Owned(text.replace("\"\"", "\""))
        } else {
            text
        }
    }
}

/// Texts up to this long stand in their view.
const INLINE_BYTES_MAX: u32 = 12;

/// A text as it stands in an array of views.
pub enum TextView<'a> {
    /// At most twelve bytes: the length, the bytes, then zeroes. A null is an empty text.
    Short(u128),
    Long(&'a [u8]),
}

#[inline]
pub fn viewed(array: &StringViewArray, row: usize) -> TextView<'_> {
    // The place of a null may still hold an earlier text.
    if array.is_null(row) {
        return TextView::Short(0);
    }
    let view = array.views()[row];
    if view as u32 <= INLINE_BYTES_MAX {
        TextView::Short(view)
    } else {
        TextView::Long(array.value(row).as_bytes())
    }
}

/// The treatment of CSV rows that have fewer cells than the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortRows {
    Refused,
    /// The missing cells are empty.
    Filled,
}
