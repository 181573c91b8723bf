//! How a text table is written: what its bytes and cells mean, where the file cannot tell.

use std::fmt;

/// The form of the text tables of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextForm {
    /// The byte between the cells.
    pub delimiter: u8,
    /// A byte order mark in the file decides over it.
    pub encoding: Encoding,
    /// Lines above the header.
    pub skip_lines: u32,
    pub decimal_mark: DecimalMark,
}

impl Default for TextForm {
    fn default() -> TextForm {
        TextForm {
            delimiter: b',',
            encoding: Encoding::Utf8,
            skip_lines: 0,
            decimal_mark: DecimalMark::Point,
        }
    }
}

/// How bytes become characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Utf8,
    Utf16,
    Latin1,
    Windows1252,
}

impl Encoding {
    pub const ALL: [Encoding; 4] =
        [Encoding::Utf8, Encoding::Utf16, Encoding::Latin1, Encoding::Windows1252];

    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
            Encoding::Latin1 => "latin-1",
            Encoding::Windows1252 => "windows-1252",
        }
    }

    pub fn by_name(name: &str) -> Option<Encoding> {
        Encoding::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The character in front of the decimals of a number. The other one groups thousands, if any
/// does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalMark {
    #[default]
    Point,
    Comma,
}
