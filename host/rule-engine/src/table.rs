//! Lookup tables: CSV files whose first column, or first columns, are the key.
//!
//! Keys and cells are spelled as tags are: without blanks around them, with composed letters, and
//! folded where the column is a tag whose values are folded. A row can hold for a time only, from
//! the day in `valid_from` up to the day in `valid_until`, which is the first one without it.

mod reader;

pub(crate) use reader::read_all;

use crate::text_file::TextFile;
use domain::diagnostic::did_you_mean;
use domain::generation::{VALID_FROM, VALID_UNTIL};
use domain::period::Day;
use domain::tag::TagSchema;
use rhai::ImmutableString;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One table: named columns, looked up by key.
#[derive(Debug)]
pub(crate) struct LookupTable {
    pub(crate) file: TextFile,
    /// All names of the header.
    header: Vec<String>,
    /// How many columns are the key.
    width: usize,
    columns: Vec<String>,
    rows: FxHashMap<String, Vec<TableRow>>,
    tags: Arc<TagSchema>,
}

/// A row of a key.
#[derive(Debug)]
pub(crate) struct TableRow {
    line: u32,
    validity: Validity,
    /// The first part of the key as it is written, where it is folded.
    written: Option<ImmutableString>,
    cells: Vec<ImmutableString>,
}

/// The days on which a row holds: from the first one, and before the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Validity {
    from: Option<Day>,
    until: Option<Day>,
}

/// The name of the table that lists all teams.
pub(crate) const TEAMS: &str = "teams";
/// The tag, and the part of a target, that names a team.
const TEAM: &str = "team";
/// Between the parts of a key. No cell has it.
const KEY_SEPARATOR: &str = "\0";

/// The tables of a generation by name.
pub(crate) type Tables = BTreeMap<String, LookupTable>;

impl Validity {
    fn holds(self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    fn overlaps(self, other: Validity) -> bool {
        let before =
            |until: Option<Day>, from: Option<Day>| until.zip(from).is_some_and(|(u, f)| u <= f);
        !before(self.until, other.from) && !before(other.until, self.from)
    }
}

impl LookupTable {
    /// The names of the header. The key's name comes first.
    pub(crate) fn header(&self) -> impl Iterator<Item = &str> {
        self.header.iter().map(String::as_str)
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The columns of the key, in words.
    pub(crate) fn key_words(&self) -> String {
        self.header.iter().take(self.width).cloned().collect::<Vec<_>>().join(", ")
    }

    /// Whether a row holds for a time only.
    pub(crate) fn is_dated(&self) -> bool {
        self.header.iter().any(|name| name == VALID_FROM || name == VALID_UNTIL)
    }

    /// First parts of keys, as they are written.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(|(key, rows)| {
            let written = rows.first()?.written();
            Some(written.unwrap_or_else(|| key.split(KEY_SEPARATOR).next().unwrap_or(key)))
        })
    }

    /// The row that holds on a day, or the first one of the key where there is no day.
    pub(crate) fn row(&self, key: &[&str], day: Option<Day>) -> Option<&TableRow> {
        let parts = key.iter().enumerate().map(|(at, part)| self.spelled(at, part));
        let rows = self.rows.get(&parts.collect::<Vec<_>>().join(KEY_SEPARATOR))?;
        rows.iter().find(|row| day.is_none_or(|day| row.validity.holds(day)))
    }

    fn spelled(&self, column: usize, text: &str) -> String {
        self.tags.spelled(self.tag_of(column), text)
    }

    /// The tag that a column is spelled like.
    fn tag_of(&self, column: usize) -> &str {
        match self.header.get(column).map(String::as_str) {
            _ if column == 0 && self.file.id == TEAMS => TEAM,
            name => name.unwrap_or_default(),
        }
    }

    /// The column's number, or a message with the columns that exist.
    pub(crate) fn column(&self, name: &str) -> Result<usize, String> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let known = self.columns.iter().map(String::as_str);
            match did_you_mean(name, known) {
                Some(meant) => format!("has no column '{name}'; did you mean '{meant}'?"),
                None => format!("has no column '{name}'; it has {}", self.columns.join(", ")),
            }
        })
    }

    /// The cell. `None` if no row of the key holds on the day, or the cell is empty.
    pub(crate) fn cell(
        &self,
        key: &[&str],
        column: usize,
        day: Option<Day>,
    ) -> Option<ImmutableString> {
        self.row(key, day)?.cell(column).cloned()
    }
}

impl TableRow {
    pub(crate) fn cell(&self, column: usize) -> Option<&ImmutableString> {
        self.cells.get(column).filter(|cell| !cell.is_empty())
    }

    /// The first part of the key as it is written, where it is folded.
    pub(crate) fn written(&self) -> Option<&str> {
        self.written.as_ref().map(ImmutableString::as_str)
    }
}

pub(crate) const IS_AN_ACCOUNT: &str = "is the name of an account, so no team can have it";

/// The message for an unknown table. It names the tables that exist.
pub(crate) fn unknown_table<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    match did_you_mean(name, known.clone()) {
        Some(meant) => format!("there is no table '{name}'; did you mean '{meant}'?"),
        None => match known.collect::<Vec<_>>().join(", ") {
            names if names.is_empty() => format!("there is no table '{name}', and no other"),
            names => format!("there is no table '{name}'; there are {names}"),
        },
    }
}
